"""ONNX sessions: the one seam through which every network runs."""

import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from .errors import ModelError, SettingsError

_ort: Any = onnxruntime  # it carries no types


_DIRECTML: Final = "DmlExecutionProvider"
_PREFERENCE: Final = ("CUDAExecutionProvider", _DIRECTML, "CoreMLExecutionProvider")
_CPU: Final = "CPUExecutionProvider"


class ProviderWarning(UserWarning):
    """The wanted execution provider was not used; the text says which one is, and why."""


class Session(Protocol):
    """A loaded network.

    Attributes:
        providers: What the network really runs on, first the one in charge.
        input_names: Names that `run` expects.
        output_names: Names of the arrays that `run` returns, in order.
    """

    providers: tuple[str, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def run(self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Runs the network on named inputs and returns the wanted outputs in their order, all without any named."""
        ...


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
        self._turn: AbstractContextManager[Any] = threading.Lock() if _DIRECTML in self.providers else nullcontext()

    def run(self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Runs the network on named inputs and returns the wanted outputs in their order, all without any named.

        Raises:
            ModelError: The network does not take these inputs, or its device failed.
        """
        try:
            with self._turn:
                outputs: list[Any] = self._inference.run(wanted, dict(feeds))
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            message = f"{self._name} failed on {self.providers[0]}: {_first_line(error)} Use the CPU, or reinstall."
            raise ModelError(message) from error
        return [np.asarray(output) for output in outputs]


def available_providers() -> tuple[str, ...]:
    """Execution providers that the installed onnxruntime was built with, best first."""
    return tuple(_ort.get_available_providers())


def wanted_providers(device: str, available: tuple[str, ...]) -> tuple[str, ...]:
    """Providers to try for a device, best first, the CPU always last.

    Raises:
        SettingsError: The device is none of auto, cpu and cuda.
    """
    if device == "cpu":
        return (_CPU,)
    if device == "cuda":
        return (_PREFERENCE[0], _CPU)
    if device == "auto":
        return (*(provider for provider in _PREFERENCE if provider in available), _CPU)
    message = f"Unknown device '{device}': use auto, cpu or cuda."
    raise SettingsError(message)


def open_session(path: Path, device: str = "auto", threads: int = 1) -> Session:
    """Loads a network on the best provider of a device.

    Falls back to the CPU with a `ProviderWarning` when a better provider was asked for and cannot be used.

    Args:
        path: A verified ONNX file.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads inside one operator (0 leaves the choice to onnxruntime).

    Raises:
        ModelError: The file is not a network that onnxruntime can load.
        SettingsError: Unknown device.
    """
    available = available_providers()
    providers = wanted_providers(device, available)
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # problems are raised or warned about here, not printed by the library
    reason = ""
    for index, provider in enumerate(providers):
        if provider not in available:
            reason = f"{provider} is not part of the installed onnxruntime"
            continue
        try:
            session = _start(path, options, providers[index:])
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            if provider == _CPU:
                message = f"{path.name} cannot be loaded: {_first_line(error)} Reinstall it."
                raise ModelError(message) from error
            reason = f"{provider}: {_first_line(error)}"
            continue
        if session.providers[0] != providers[0]:
            reason = reason or f"{providers[0]} did not start"
            warnings.warn(f"{path.name} runs on {session.providers[0]}. {reason}.", ProviderWarning, stacklevel=2)
        return session
    message = f"{path.name} cannot be loaded: no execution provider. Reinstall onnxruntime."
    raise ModelError(message)


def _start(path: Path, options: object, providers: tuple[str, ...]) -> OnnxSession:
    # Its own fallback prints to stdout and hides the reason.
    inference = _ort.InferenceSession(str(path), options, providers=list(providers), enable_fallback=0)
    return OnnxSession(inference, path.name)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
