"""The far side of `remote`: runs an onnxruntime from a folder of the user's in a process of its own.

Run as a script, never as part of the package, so that nothing but the standard library, numpy and that folder is
loaded. Its one argument is JSON: `folder`, which holds the onnxruntime; `numpy`, where to find numpy if the folder has
none; `memory`, the number of an inherited file that holds shared memory, or null where blocks have names (Windows).

One JSON object a line comes in on standard input, one a line goes out on what was standard output; arrays lie in shared
memory. The first line out is a greeting, or says what is wrong with the folder. When standard input ends, because the
other side has closed it or died, the process ends.
"""

import ctypes
import importlib
import json
import mmap
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any, Final

_CUDA: Final = "CUDAExecutionProvider"
_NEEDED: Final = ("InferenceSession", "SessionOptions", "get_available_providers", "__version__")
_ALIGNMENT: Final = 64
_THREADS: Final = 4
"""Requests in work at once; further ones wait in the pipe."""

_LONGEST_TEXT: Final = 4000
_COMPLAINT: Final = re.compile(r"\bCU\w+ failure \d+: .+?(?= ; GPU=)")
"""In a page of C++ signatures."""


def aligned(size: int) -> int:
    """The next multiple of a cache line: where an array may begin in shared memory."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def preload(ort: Any) -> None:  # noqa: ANN401 - the onnxruntime module
    """Loads CUDA's libraries from packages beside an onnxruntime, where it was built for CUDA and some are there."""
    if _CUDA in ort.get_available_providers() and hasattr(ort, "preload_dlls"):
        with redirect_stdout(StringIO()), suppress(Exception):  # it prints what it misses; `why_not` tells that better
            ort.preload_dlls(directory="")


def why_not(ort: Any, provider: str) -> str:  # noqa: ANN401 - the onnxruntime module
    """Why a provider that onnxruntime was built with did not start; empty where that cannot be told.

    onnxruntime itself only prints it. Loading the provider's library again gives the system's own words.
    """
    origin = getattr(ort, "__file__", None)
    if provider != _CUDA or origin is None:
        return ""
    folder = Path(origin).parent / "capi"
    names = ("libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so")
    if sys.platform == "win32":
        names = ("onnxruntime_providers_shared.dll", "onnxruntime_providers_cuda.dll")
    cuda = str(getattr(ort, "cuda_version", "") or "12").split(".", maxsplit=1)[0]
    if not all((folder / name).is_file() for name in names):
        return f"{names[-1]} is missing from {folder}: install onnxruntime-gpu again"
    try:
        for name in names:
            ctypes.CDLL(str(folder / name))
    except OSError as error:
        return (
            f"the libraries of CUDA {cuda} or cuDNN were not found ({first_line(error)}): install them, or put them "
            "beside onnxruntime with pip install --target FOLDER onnxruntime-gpu[cuda,cudnn]"
        )
    return "its libraries load, but no graphics card answers: check the NVIDIA driver (nvidia-smi)"


def first_line(error: object) -> str:
    """What an error says, as one short line; of what NVIDIA's libraries complain about, the complaint alone."""
    complaint = _COMPLAINT.search(str(error))
    if complaint:
        return complaint[0]
    return str(error).strip().split("\n", 1)[0].strip()[:200]


class _Output:
    """Whatever libraries print to standard output and error, kept off the pipe, to be quoted where something fails."""

    def __init__(self) -> None:
        try:
            with tempfile.TemporaryFile() as file:
                self._fd = os.dup(file.fileno())
        except OSError:
            self._fd = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(self._fd, stream)

    def last_line(self) -> str:
        with suppress(OSError):
            end = os.lseek(self._fd, 0, os.SEEK_END)
            os.lseek(self._fd, max(0, end - _LONGEST_TEXT), os.SEEK_SET)
            lines = os.read(self._fd, _LONGEST_TEXT).decode(errors="replace").split("\n")
            os.lseek(self._fd, 0, os.SEEK_END)
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""


class _Memory:
    """Blocks of shared memory, opened when they are first named."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        self._blocks: dict[int, mmap.mmap] = {}

    def block(self, number: int, offset: int, length: int, name: str) -> mmap.mmap:
        if number not in self._blocks:
            if sys.platform == "win32":
                self._blocks[number] = mmap.mmap(-1, length, tagname=name)
            else:
                self._blocks[number] = mmap.mmap(-1 if self._fd is None else self._fd, length, offset=offset)
        return self._blocks[number]


class _Worker:
    """Sessions, and what may be asked of them: methods named after the `op` of a request."""

    def __init__(self, ort: Any, np: Any, memory: _Memory, output: _Output) -> None:  # noqa: ANN401 - modules
        self._ort = ort
        self._np = np
        self._memory = memory
        self._output = output
        self._sessions: dict[int, Any] = {}
        self._waiting: dict[int, list[Any]] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            for number in request.get("forget", ()):
                self._sessions.pop(number, None)
            reply: dict[str, Any] = getattr(self, "op_" + request["op"])(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side has to say it
            reply = {"error": (str(error) or type(error).__name__)[:_LONGEST_TEXT]}
        return {"id": request["id"], **reply}

    def op_open(self, request: Mapping[str, Any]) -> dict[str, Any]:
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = self._ort.InferenceSession(
            request["path"], options, providers=request["providers"], enable_fallback=0
        )
        self._sessions[request["session"]] = session
        return {
            "providers": session.get_providers(),
            "inputs": [node.name for node in session.get_inputs()],
            "outputs": [node.name for node in session.get_outputs()],
        }

    def op_why(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"why": why_not(self._ort, request["provider"]) or self._output.last_line()}

    def op_run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        memory = self._memory.block(*request["block"])
        feeds = {
            name: self._np.ndarray(shape, dtype, buffer=memory, offset=offset)
            for name, dtype, shape, offset in request["feeds"]
        }
        outputs = self._sessions[request["session"]].run(request["wanted"], feeds)
        return self._put([self._np.asarray(each) for each in outputs], memory, request["id"])

    def op_fetch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Puts down what did not fit into the block of an earlier request."""
        outputs = self._waiting.pop(request["of"])
        return self._put(outputs, self._memory.block(*request["block"]), request["id"])

    def _put(self, outputs: Sequence[Any], memory: mmap.mmap, number: int) -> dict[str, Any]:
        if any(each.dtype.hasobject for each in outputs):
            message = "it returned what is no array of numbers."
            raise TypeError(message)
        described: list[tuple[str, tuple[int, ...], int]] = []
        end = 0
        for each in outputs:
            described.append((each.dtype.str, each.shape, end))
            end += aligned(each.nbytes)
        if end > len(memory):
            self._waiting[number] = list(outputs)
            return {"need": end}
        for each, (dtype, shape, offset) in zip(outputs, described, strict=True):
            self._np.ndarray(shape, dtype, buffer=memory, offset=offset)[...] = each
        return {"outputs": described}


class _Line:
    """The two pipes: requests are taken one by one by whichever thread is free, answers never mix."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._rest = b""
        self._taking = threading.Lock()
        self._giving = threading.Lock()

    def take(self) -> bytes:
        """The next request; empty when there will be none."""
        with self._taking:
            while b"\n" not in self._rest:
                chunk = os.read(self._incoming, 1 << 16)
                if not chunk:
                    return b""
                self._rest += chunk
            line, _, self._rest = self._rest.partition(b"\n")
            return line + b"\n"

    def give(self, reply: Mapping[str, Any]) -> None:
        data = json.dumps(reply).encode() + b"\n"
        with self._giving:
            while data:
                data = data[os.write(self._outgoing, data) :]


def _serve(line: _Line, worker: _Worker) -> None:
    """Answers requests until there are no more, then ends the process, whatever its other threads do."""
    try:
        while request := line.take():
            line.give(worker.answer(json.loads(request)))
    except OSError:  # nobody listens any more
        pass
    finally:
        os._exit(0)


def _load(folder: Path) -> Any:  # noqa: ANN401 - the onnxruntime module
    """Imports onnxruntime from a folder and nowhere else.

    Raises:
        ImportError: It is not there, does not load, or lacks what is needed.
    """
    ort = importlib.import_module("onnxruntime")
    origin = getattr(ort, "__file__", None)
    if origin is None or not (folder / "onnxruntime").samefile(Path(origin).parent):
        message = f"onnxruntime was found in {origin} instead"
        raise ImportError(message)
    missing = [name for name in _NEEDED if not hasattr(ort, name)]
    if missing:
        message = f"it lacks {', '.join(missing)}"
        raise ImportError(message)
    return ort


def main(argument: str) -> None:
    """Loads the runtime, greets, and serves until standard input ends. Never returns normally."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other side, which then closes the pipe
    settings = json.loads(argument)
    line = _Line(os.dup(0), os.dup(1))
    output = _Output()
    sys.path.insert(0, settings["folder"])
    sys.path.append(settings["numpy"])
    try:
        ort = _load(Path(settings["folder"]))
        np = importlib.import_module("numpy")
        preload(ort)
        greeting = {"version": str(ort.__version__), "providers": list(ort.get_available_providers())}
    except BaseException as error:  # noqa: BLE001 - a package may raise anything, SystemExit too
        line.give({"id": 0, "error": f"{type(error).__name__}: {error}"[:_LONGEST_TEXT]})
        os._exit(1)
    line.give({"id": 0, **greeting})
    worker = _Worker(ort, np, _Memory(settings["memory"]), output)
    for _ in range(_THREADS - 1):
        threading.Thread(target=_serve, args=(line, worker), daemon=True).start()
    _serve(line, worker)


if __name__ == "__main__":
    main(sys.argv[1])
