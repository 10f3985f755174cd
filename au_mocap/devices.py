"""Which execution providers are there, which of them really start, and why the others do not."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from .errors import ModelError
from .remote_worker import first_line
from .runtimes import CORE_ML, CPU, CUDA, DIRECTML, PREFERENCE, Runtime

NAMES: Final = {CUDA: "CUDA (NVIDIA)", DIRECTML: "DirectML (Windows)", CORE_ML: "CoreML (macOS)", CPU: "CPU"}
"""Execution providers as people call them."""

_NEEDS: Final = {CUDA: ("linux", "win32"), DIRECTML: ("win32",), CORE_ML: ("darwin",)}
_SYSTEMS: Final = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}
_REMEDIES: Final = {
    CUDA: "use the CUDA zip, or name a folder with onnxruntime-gpu in the preferences (--runtime on the command line)",
    DIRECTML: "name a folder with onnxruntime-directml in the preferences (--runtime on the command line)",
}
_SIDE_PX: Final = 128


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What an execution provider is worth here.

    Attributes:
        name: What people call it.
        provider: What onnxruntime calls it.
        installed: Whether the onnxruntime was built with it.
        works: Whether a network really ran on it.
        reason: Why it does not work and what to do about it, one line; empty where it does.
    """

    name: str
    provider: str
    installed: bool
    works: bool
    reason: str = ""


def examine(runtime: Runtime, graph: Path) -> tuple[DeviceState, ...]:
    """Tries every provider, in order of preference.

    Args:
        runtime: The onnxruntime that has them.
        graph: The face detector: small, and its convolutions need all of a provider's libraries.
    """
    try:
        available = runtime.providers()
    except ModelError as error:
        return tuple(
            DeviceState(NAMES[provider], provider, installed=False, works=False, reason=str(error))
            for provider in PREFERENCE
        )
    return tuple(_state(runtime, graph, provider, provider in available) for provider in PREFERENCE)


def _state(runtime: Runtime, graph: Path, provider: str, installed: bool) -> DeviceState:
    reason = _why_not(runtime, graph, provider) if installed else _why_absent(runtime, provider)
    return DeviceState(NAMES[provider], provider, installed, not reason, reason)


def _why_absent(runtime: Runtime, provider: str) -> str:
    systems = _NEEDS.get(provider, ())
    if systems and sys.platform not in systems:
        return f"exists on {' and '.join(_SYSTEMS[system] for system in systems)} only"
    return f"not part of {runtime.name}: {_REMEDIES.get(provider, 'install it again')}"


def _why_not(runtime: Runtime, graph: Path, provider: str) -> str:
    """Runs the graph on a provider; empty where that works."""
    try:
        session = runtime.start(graph, 1, [provider] if provider == CPU else [provider, CPU])
        if session.providers[0] != provider:
            return runtime.why_not(provider) or "it did not start, and onnxruntime does not say why"
        session.run({session.input_names[0]: np.zeros((1, 3, _SIDE_PX, _SIDE_PX), np.float32)})
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions have no base of their own
        reason = first_line(error) or type(error).__name__
        return (
            f"{reason}. Check the NVIDIA driver (nvidia-smi)" if provider == CUDA and " failure " in reason else reason
        )
    return ""
