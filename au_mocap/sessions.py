"""ONNX sessions: the one seam through which every network runs.

They run on the onnxruntime that is installed here, or, after `use_runtime`, on one in a folder of the user's.
"""

import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from . import remote_worker
from .devices import DeviceState, examine
from .errors import ModelError, SettingsError
from .registry import Registry
from .remote import RemoteRuntime, find_runtime
from .remote_worker import first_line
from .runtimes import AUTOMATIC_THREADS, CPU, CUDA, DIRECTML, MOST_THREADS, PREFERENCE, Runtime, Session

_ort: Any = onnxruntime  # it carries no types


class ProviderWarning(UserWarning):
    """The wanted execution provider was not used; the text says which one is, and why."""


class OnnxSession:
    """A `Session` over one onnxruntime inference session."""

    def __init__(self, inference: Any, name: str) -> None:  # noqa: ANN401 - an onnxruntime.InferenceSession
        """Wraps a session that has already been created, from a file of that name."""
        self._inference = inference
        self._name = name
        self.providers: tuple[str, ...] = tuple(inference.get_providers())
        self.input_names: tuple[str, ...] = tuple(node.name for node in inference.get_inputs())
        self.output_names: tuple[str, ...] = tuple(node.name for node in inference.get_outputs())
        # DirectML allows one call at a time on a session; the others run any number.
        self._turn: AbstractContextManager[Any] = threading.Lock() if DIRECTML in self.providers else nullcontext()

    def run(self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Runs the network on named inputs and returns the wanted outputs in their order, all without any named.

        Raises:
            ModelError: The network does not take these inputs, or its device failed.
        """
        try:
            with self._turn:
                outputs: list[Any] = self._inference.run(wanted, dict(feeds))
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            message = f"{self._name} failed on {self.providers[0]}: {first_line(error)} Use the CPU, or reinstall."
            raise ModelError(message) from error
        return [np.asarray(output) for output in outputs]


class BundledRuntime:
    """The onnxruntime that is installed here, in this process."""

    name = "the installed onnxruntime"

    def version(self) -> str:
        """Its version."""
        return str(_ort.__version__)

    def providers(self) -> tuple[str, ...]:
        """Execution providers that it was built with, best first."""
        return tuple(_ort.get_available_providers())

    def start(self, path: Path, threads: int, providers: Sequence[str]) -> OnnxSession:
        """Loads a network on the first of the providers that starts; raises whatever onnxruntime raises."""
        if CUDA in providers:
            _preload()
        options = _ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # problems are raised or warned about here, not printed by the library
        # Its own fallback prints to stdout and hides the reason.
        inference = _ort.InferenceSession(str(path), options, providers=list(providers), enable_fallback=0)
        return OnnxSession(inference, path.name)

    def why_not(self, provider: str) -> str:
        """Why a provider did not start, as far as that can be told."""
        return remote_worker.why_not(_ort, provider)

    def close(self) -> None:
        """Does nothing: it goes with the process."""


@cache
def _preload() -> None:
    remote_worker.preload(_ort)


class _Choice:
    """Which runtime later sessions use."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: Runtime = BundledRuntime()
        self.devices: tuple[DeviceState, ...] = ()


_choice: Final = _Choice()


def runtime() -> Runtime:
    """The onnxruntime that the next session will run on."""
    return _choice.runtime


def use_runtime(folder: Path | None) -> None:
    """Chooses the onnxruntime of later sessions. Sessions that are open keep theirs.

    The helper process that a folder needs is started by the first session, serves all of them, and ends when none is
    left, at the latest with this process.

    Args:
        folder: Where `pip install --target FOLDER onnxruntime-gpu` has put one; None for the one installed here.

    Raises:
        SettingsError: There is no onnxruntime in the folder, or one for another Python. The choice stays as it was.
    """
    found = None if folder is None else find_runtime(folder)
    with _choice.lock:
        current = _choice.runtime
        if found is None:
            _choice.runtime = BundledRuntime()
        elif not isinstance(current, RemoteRuntime) or current.folder != found:
            _choice.runtime = RemoteRuntime(found)
        _choice.devices = ()


def close_runtime() -> None:
    """Ends the helper process, where one runs: its sessions are of no use any more. The choice of runtime stays."""
    _choice.runtime.close()


def devices() -> tuple[DeviceState, ...]:
    """What every execution provider is worth with the chosen onnxruntime, in order of preference.

    Each is tried on a small bundled network, once after every `use_runtime`: seconds where a graphics card has to be
    woken, so never call it first while a panel is drawn. What cannot be had is told in the states, not raised.

    Raises:
        ModelError: The bundled network is missing or damaged.
    """
    with _choice.lock:
        known, chosen = _choice.devices, _choice.runtime
    if known:
        return known
    registry = Registry()
    states = examine(chosen, registry.path(registry.tracker("onnx").files["detector"]))
    with _choice.lock:
        if _choice.runtime is chosen:
            _choice.devices = states
    return states


def available_providers() -> tuple[str, ...]:
    """Execution providers that the chosen onnxruntime was built with, best first.

    Raises:
        ModelError: It cannot be started.
    """
    return _choice.runtime.providers()


def wanted_providers(device: str, available: tuple[str, ...]) -> tuple[str, ...]:
    """Providers to try for a device, best first, the CPU always last.

    Raises:
        SettingsError: The device is none of auto, cpu and cuda.
    """
    if device == "cpu":
        return (CPU,)
    if device == "cuda":
        return (CUDA, CPU)
    if device == "auto":
        return (*(provider for provider in PREFERENCE[:-1] if provider in available), CPU)
    message = f"Unknown device '{device}': use auto, cpu or cuda."
    raise SettingsError(message)


def open_session(path: Path, device: str = "auto", threads: int = AUTOMATIC_THREADS) -> Session:
    """Loads a network on the best provider of a device.

    Falls back to the CPU with a `ProviderWarning` when a better provider was asked for and cannot be used.

    Args:
        path: A verified ONNX file.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads inside one operator on the CPU, up to `MOST_THREADS`. 0 is automatic: 1, because graphs of
            this size gain little by more, and frames are looked at on several cores at once.

    Raises:
        ModelError: The file is not a network that onnxruntime can load, or the chosen runtime cannot be started.
        SettingsError: Unknown device, or a number of threads that cannot be.
    """
    if not 0 <= threads <= MOST_THREADS:
        message = f"{threads} threads cannot be: use 1 to {MOST_THREADS}, or 0 for automatic."
        raise SettingsError(message)
    chosen = _choice.runtime
    available = chosen.providers()
    providers = wanted_providers(device, available)
    reason = ""
    for index, provider in enumerate(providers):
        if provider not in available:
            reason = f"{provider} is not part of {chosen.name}"
            continue
        try:
            session = chosen.start(path, threads or 1, providers[index:])
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            if provider == CPU:
                raise _unloadable(path, error) from error
            reason = f"{provider}: {first_line(error)}"
            continue
        if session.providers[0] != providers[0]:
            reason = reason or _not_started(chosen, providers[0])
            warnings.warn(f"{path.name} runs on {session.providers[0]}. {reason}.", ProviderWarning, stacklevel=2)
        return session
    message = f"{path.name} cannot be loaded: no execution provider. Reinstall onnxruntime."
    raise ModelError(message)


def _not_started(chosen: Runtime, provider: str) -> str:
    why = chosen.why_not(provider)
    return f"{provider} did not start" + (f": {why}" if why else "")


def _unloadable(path: Path, error: Exception) -> ModelError:
    if isinstance(error, ModelError):  # the helper process has died: that is not the file's fault
        return error
    message = f"{path.name} cannot be loaded: {first_line(error)} Reinstall it."
    return ModelError(message)
