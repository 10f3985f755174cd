"""An onnxruntime of the user's own, such as onnxruntime-gpu, in a helper process.

A package for one graphics card may not fit what this process has loaded, and takes everything down when its driver
fails. So it is never imported here: a child runs it, behind the same `Session` that everything else uses.
"""

import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError, SettingsError
from .remote_process import Helper, HelperError, RefusalError
from .remote_worker import aligned, first_line
from .runtimes import CPU, DIRECTML

OLDEST: Final = (1, 17)
"""Versions below have not been tried with the bundled networks."""

_PYTHON: Final = f"{sys.version_info[0]}.{sys.version_info[1]}"
_TAG: Final = f"cp{sys.version_info[0]}{sys.version_info[1]}"
_INSTALL: Final = f"Install one there with: python{_PYTHON} -m pip install --target FOLDER onnxruntime-gpu"


def find_runtime(folder: Path) -> Path:
    """The folder to put on a child's path, from the one that a user named.

    Args:
        folder: Where `pip install --target` has put onnxruntime; a virtual environment, or the package itself, will do.

    Raises:
        SettingsError: There is no onnxruntime in it, or one for another Python.
    """
    try:
        root = folder.expanduser().resolve()
        environments = sorted(
            root.glob("lib/python*/site-packages"), key=lambda path: f"python{_PYTHON}" not in path.parts
        )
        places = (root, *environments, root / "Lib" / "site-packages", root.parent)
        found = next((place for place in places if (place / "onnxruntime" / "__init__.py").is_file()), None)
        built_for = "" if found is None else _other_python(found)
    except (OSError, RuntimeError, ValueError) as error:
        message = f"The runtime folder {folder} cannot be read ({error}). Name another, or none for the bundled one."
        raise SettingsError(message) from error
    if found is None or (found == root.parent and root.name != "onnxruntime"):
        message = f"There is no onnxruntime in {folder}. {_INSTALL}, or name no folder to use the bundled one."
        raise SettingsError(message)
    if built_for:
        message = f"The onnxruntime in {folder} is made for {built_for}, this is Python {_PYTHON}. {_INSTALL}"
        raise SettingsError(message)
    return found


def _other_python(folder: Path) -> str:
    """The Python that an onnxruntime was made for, where that is not this one; empty where it is, or nothing tells."""
    names = [path.name for path in (folder / "onnxruntime" / "capi").glob("onnxruntime_pybind11_state.*")]
    names = [name for name in names if name.endswith((".so", ".pyd"))]
    suffixes = [name.removeprefix("onnxruntime_pybind11_state") for name in names]
    if suffixes and not any(suffix in EXTENSION_SUFFIXES for suffix in suffixes):
        return f"another Python or system ({names[0]})"
    tags = [
        line.removeprefix("Tag:").strip()
        for wheel in folder.glob("onnxruntime*.dist-info/WHEEL")
        for line in wheel.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith("Tag:")
    ]
    if tags and not any(tag.split("-")[0] in (_TAG, "py3") for tag in tags):
        return f"another Python ({tags[0]})"
    return ""


class RemoteSession:
    """A `Session` whose network runs in a helper process. Any number of threads may use it at once."""

    def __init__(self, helper: Helper, number: int, name: str, opened: Mapping[str, Any]) -> None:
        """Wraps a session that the helper has opened under that number, from a file of that name."""
        self._helper = helper
        self._number = number
        self._name = name
        self._room = 0
        self.providers: tuple[str, ...] = tuple(opened["providers"])
        self.input_names: tuple[str, ...] = tuple(opened["inputs"])
        self.output_names: tuple[str, ...] = tuple(opened["outputs"])
        # DirectML allows one call at a time on a session; the others run any number.
        directml = DIRECTML in self.providers
        self._turn: AbstractContextManager[Any] = threading.Lock() if directml else nullcontext()

    def run(self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Runs the network on named inputs and returns the wanted outputs in their order, all without any named.

        Raises:
            ModelError: The network does not take these inputs, its device failed, or the helper process died.
        """
        arrays = {name: np.asarray(value) for name, value in feeds.items()}
        try:
            with self._turn:
                return self._run(arrays, None if wanted is None else list(wanted))
        except RefusalError as error:
            message = f"{self._name} failed on {self.providers[0]}: {first_line(error)} Use the CPU, or reinstall."
            raise ModelError(message) from error

    def _run(self, arrays: Mapping[str, NDArray[Any]], wanted: list[str] | None) -> list[NDArray[Any]]:
        odd = [name for name, array in arrays.items() if array.dtype.hasobject]
        if odd:
            message = f"input {', '.join(odd)} is no array of numbers."
            raise RefusalError(message)
        size = sum(aligned(array.nbytes) for array in arrays.values())
        memory, what = self._helper.memory, f"running {self._name}"
        self._helper.check(what)
        block = memory.take(max(size, self._room))
        # A block goes back only after an answer: until then the helper may still write to it.
        described: list[tuple[str, str, tuple[int, ...], int]] = []
        end = 0
        for name, array in arrays.items():
            np.ndarray(array.shape, array.dtype, buffer=block.memory, offset=end)[...] = array
            described.append((name, array.dtype.str, array.shape, end))
            end += aligned(array.nbytes)
        request = {"op": "run", "session": self._number, "block": block.address, "feeds": described, "wanted": wanted}
        try:
            answer = self._helper.ask(request, what)
        except RefusalError:
            memory.give(block)
            raise
        if "need" in answer:
            memory.give(block)
            self._room = answer["need"]
            block = memory.take(self._room)
            answer = self._helper.ask({"op": "fetch", "of": answer["id"], "block": block.address}, what)
        outputs: list[NDArray[Any]] = [
            np.ndarray(shape, dtype, buffer=block.memory, offset=offset).copy()
            for dtype, shape, offset in answer["outputs"]
        ]
        memory.give(block)
        return outputs


class RemoteRuntime:
    """The onnxruntime of a folder: one helper process at a time, started when it is first needed.

    Attributes:
        folder: Where the onnxruntime lies, as `find_runtime` gives it.
    """

    def __init__(self, folder: Path) -> None:
        """Remembers the folder; nothing is started yet."""
        self.folder = folder
        self._lock = threading.Lock()
        self._helper: Helper | None = None
        self._sessions = 0
        self._dropped: deque[int] = deque()
        self._deadly: dict[str, str] = {}

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"the onnxruntime in {self.folder}"

    def version(self) -> str:
        """Version of its onnxruntime.

        Raises:
            ModelError: It cannot be started.
        """
        return self._running().version

    def providers(self) -> tuple[str, ...]:
        """Execution providers that it was built with, best first.

        Raises:
            ModelError: It cannot be started.
        """
        return self._running().providers

    def start(self, path: Path, threads: int, providers: Sequence[str]) -> RemoteSession:
        """Loads a network on the first of the providers that starts.

        Raises:
            RefusalError: onnxruntime does not load it; the text says why.
            ModelError: The helper process cannot be started or died.
        """
        if providers[0] in self._deadly:  # one more try would take the sessions along that others have opened since
            raise RefusalError(self._deadly[providers[0]])
        helper = self._running()
        with self._lock:
            self._sessions += 1
            number = self._sessions
        request: dict[str, Any] = {"op": "open", "session": number, "path": str(path.resolve())}
        request |= {"providers": list(providers), "threads": threads, "forget": self._forgotten()}
        try:
            answer = helper.ask(request, f"loading {path.name}")
        except HelperError as error:
            if providers[0] != CPU:
                self._deadly[providers[0]] = str(error)
            raise
        session = RemoteSession(helper, number, path.name, answer)
        # Only noted: this may run in the middle of anything, also of sending a request.
        weakref.finalize(session, self._dropped.append, number).atexit = False
        return session

    def why_not(self, provider: str) -> str:
        """Why a provider did not start, as far as that can be told."""
        try:
            answer = self._running().ask({"op": "why", "provider": provider}, f"asking about {provider}")
            return str(answer["why"])
        except (HelperError, RefusalError):
            return ""

    def close(self) -> None:
        """Ends the helper process; its sessions are of no use any more, and a new one starts when it is needed."""
        with self._lock:
            helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()

    def _running(self) -> Helper:
        with self._lock:
            if self._helper is None or not self._helper.alive:
                self._helper = None  # what is left of a dead one goes with its sessions
                helper = Helper(self.folder)
                _check_version(helper)
                self._helper = helper
            return self._helper

    def _forgotten(self) -> list[int]:
        numbers: list[int] = []
        while self._dropped:
            numbers.append(self._dropped.popleft())
        return numbers


def _check_version(helper: Helper) -> None:
    parts = helper.version.split(".")
    numbers = tuple(int(part) for part in parts[:2] if part.isdecimal())
    if numbers < OLDEST:
        helper.close()
        wanted = ".".join(str(part) for part in OLDEST)
        message = (
            f"The onnxruntime in {helper.folder} is version {helper.version}, {wanted} or later is needed. {_INSTALL}"
        )
        raise ModelError(message)
