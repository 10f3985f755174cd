"""One helper process: started, asked, and ended without a trace. `remote` says what it is asked for."""

import itertools
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

import numpy as np

from .errors import ModelError
from .shared_memory import SharedMemory

START_TIMEOUT_S: Final = 90.0
"""Generous: gigabytes of libraries may come from a slow disk, past a virus scanner."""

ANSWER_TIMEOUT_S: Final = 300.0
"""Generous: a graphics card may have to compile a network before it runs for the first time."""

_GRACE_S: Final = 3.0
_WORKER: Final = Path(__file__).with_name("remote_worker.py")
_CHUNK: Final = 1 << 16


class HelperError(ModelError):
    """The helper process could not be started, or is gone, or does not answer."""


class RefusalError(Exception):
    """The helper process answered that something failed; the text is onnxruntime's own."""


class _Mail:
    """Answers on their way to the threads that wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[dict[str, Any] | None]] = {}
        self.closed = False

    def expect(self, number: int) -> SimpleQueue[dict[str, Any] | None]:
        box: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        with self._lock:
            if self.closed:
                box.put(None)
            else:
                self._waiting[number] = box
        return box

    def forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)

    def deliver(self, answer: dict[str, Any]) -> None:
        with self._lock:
            box = self._waiting.pop(answer.get("id", -1), None)
        if box is not None:
            box.put(answer)

    def close(self) -> None:
        """Tells everybody who waits, now or later, that nothing will come."""
        with self._lock:
            self.closed = True
            boxes = list(self._waiting.values())
            self._waiting.clear()
        for box in boxes:
            box.put(None)


class Helper:
    """A running helper process. Any number of threads may ask at once.

    Attributes:
        folder: Where its onnxruntime lies.
        memory: What both processes see.
        version: Version of its onnxruntime.
        providers: Execution providers that its onnxruntime was built with.
        process: The process.
    """

    def __init__(self, folder: Path) -> None:
        """Starts the process and waits until its onnxruntime is loaded.

        Raises:
            HelperError: It cannot be started, or its onnxruntime cannot be loaded or is not ready in time.
            ModelError: There is no memory to share.
        """
        program = python()
        self.folder = folder
        self.memory = SharedMemory()
        self._giving = threading.Lock()
        self._numbers = itertools.count(1)
        self._mail = _Mail()
        greeting = self._mail.expect(0)
        self.process = _start(program, folder, self.memory)
        reader = threading.Thread(target=_read, args=(self.process, self._mail), name="runtime answers", daemon=True)
        reader.start()
        # Runs when nobody needs the helper any more, and at the latest when Python ends.
        self._end = weakref.finalize(self, _stop, self.process, reader, self.memory)
        answer = self._greeted(greeting)
        self.version = str(answer["version"])
        self.providers: tuple[str, ...] = tuple(answer["providers"])

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return not self._mail.closed and self.process.poll() is None

    def ask(self, request: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Sends a request and waits for its answer.

        Args:
            request: What `remote_worker` understands, without its number; the answer's `id` names that.
            what: What the process is busy with, for the user.

        Raises:
            RefusalError: It answered that it failed.
            HelperError: It has died, or gave no answer in time and was ended.
        """
        number = next(self._numbers)
        box = self._mail.expect(number)
        try:
            self._send(json.dumps({**request, "id": number}).encode() + b"\n")
            answer = box.get(timeout=ANSWER_TIMEOUT_S)
        except Empty:
            self.kill()
            message = f"{self._name} gave no answer in {ANSWER_TIMEOUT_S:g} s while {what} and was ended. {_ADVICE}"
            raise HelperError(message) from None
        finally:
            self._mail.forget(number)
        if answer is None:
            raise self._gone(what)
        if "error" in answer:
            raise RefusalError(answer["error"])
        return answer

    def check(self, what: str) -> None:
        """Raises HelperError where the process has ended before `what` could begin."""
        if self._mail.closed:
            raise self._gone(what)

    def close(self) -> None:
        """Ends the process in good order; does nothing where it has ended."""
        self._end()

    def kill(self) -> None:
        """Ends the process at once, whatever it is doing."""
        self.process.kill()
        self._end()

    @property
    def _name(self) -> str:
        return f"The helper process with the onnxruntime of {self.folder}"

    def _gone(self, what: str) -> HelperError:
        message = f"{self._name} stopped{_code(self.process)} while {what}. {_ADVICE}"
        return HelperError(message)

    def _send(self, data: bytes) -> None:
        pipe = self.process.stdin
        with self._giving:
            try:
                while pipe is not None and data:
                    data = data[pipe.write(data) or 0 :]
            except (OSError, ValueError):  # it is gone, or was closed: whoever reads its answers notices, and tells
                return

    def _greeted(self, box: "SimpleQueue[dict[str, Any] | None]") -> dict[str, Any]:
        try:
            answer = box.get(timeout=START_TIMEOUT_S)
        except Empty:
            self.kill()
            message = f"The onnxruntime in {self.folder} did not load within {START_TIMEOUT_S:g} s. {_REINSTALL}"
            raise HelperError(message) from None
        if answer is None:
            code = _code(self.process)
            said = _said(self.process.stderr)
            self.kill()
            message = f"The onnxruntime in {self.folder} stopped the helper process{code}: {said}. {_REINSTALL}"
            raise HelperError(message)
        if "error" in answer:
            self.kill()
            message = f"The onnxruntime in {self.folder} cannot be loaded: {_line(answer['error'])}. {_REINSTALL}"
            raise HelperError(message)
        return answer


_ADVICE: Final = "Try again; if that fails too, choose the CPU or the bundled runtime."


def python() -> str:
    """The Python that helpers run on: this one.

    Raises:
        HelperError: This program does not say where its Python is.
    """
    name = "python.exe" if sys.platform == "win32" else f"bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (Path(sys.executable or ""), Path(sys.prefix) / name):
        if "python" in path.name.lower() and path.is_file():
            return str(path)
    message = f"No Python was found in {sys.prefix} to run a helper process with. Use the bundled runtime."
    raise HelperError(message)


_REINSTALL: Final = (
    f"Install it again for Python {sys.version_info[0]}.{sys.version_info[1]} (that Python's -m pip install --target "
    "FOLDER onnxruntime-gpu), or use the bundled runtime."
)


def _start(program: str, folder: Path, memory: SharedMemory) -> "subprocess.Popen[bytes]":
    settings = {"folder": str(folder), "numpy": str(Path(np.__file__).parents[1]), "memory": memory.fd}
    try:
        return subprocess.Popen(
            [program, "-I", str(_WORKER), json.dumps(settings)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=() if memory.fd is None else (memory.fd,),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows would open a console
        )
    except OSError as error:
        memory.close()
        message = f"The helper process cannot be started ({error}). Use the bundled runtime."
        raise HelperError(message) from error


def _read(process: "subprocess.Popen[bytes]", mail: _Mail) -> None:
    """Hands answers on until the process ends, then sees to it that nothing of it stays behind."""
    rest = b""
    try:
        while process.stdout is not None and (chunk := process.stdout.read(_CHUNK)):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                mail.deliver(json.loads(line))
    except (OSError, ValueError):  # not what a worker writes: something else got hold of the pipe
        process.kill()
    finally:
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        mail.close()


def _stop(process: "subprocess.Popen[bytes]", reader: threading.Thread, memory: SharedMemory) -> None:
    if process.stdin is not None:
        process.stdin.close()  # the worker ends itself
    if reader is not threading.current_thread():  # garbage is collected anywhere
        reader.join(_GRACE_S)
        if reader.is_alive():
            process.kill()
            reader.join(_GRACE_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    memory.close()


def _code(process: "subprocess.Popen[bytes]") -> str:
    return "" if process.poll() is None else f" (exit code {process.returncode})"


def _said(stream: IO[bytes] | None) -> str:
    """The last line that a dead process wrote before its output was taken over."""
    text = b"" if stream is None else stream.read()
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def _line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:300].rstrip(".")
