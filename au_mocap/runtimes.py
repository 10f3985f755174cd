"""What networks run on: the forms that every onnxruntime and its sessions have here, wherever they run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from numpy.typing import NDArray

CUDA: Final = "CUDAExecutionProvider"
DIRECTML: Final = "DmlExecutionProvider"
CORE_ML: Final = "CoreMLExecutionProvider"
CPU: Final = "CPUExecutionProvider"
PREFERENCE: Final = (CUDA, DIRECTML, CORE_ML, CPU)
"""Execution providers that are used, best first."""

AUTOMATIC_THREADS: Final = 0
MOST_THREADS: Final = 64


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


class Runtime(Protocol):
    """An onnxruntime, wherever it runs.

    Attributes:
        name: What to call it in messages.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    def version(self) -> str:
        """Its version; raises ModelError where it cannot be started."""
        ...

    def providers(self) -> tuple[str, ...]:
        """Execution providers that it was built with; raises ModelError where it cannot be started."""
        ...

    def start(self, path: Path, threads: int, providers: Sequence[str]) -> Session:
        """Loads a network on the first of the providers that starts; raises whatever onnxruntime raises."""
        ...

    def why_not(self, provider: str) -> str:
        """Why a provider did not start, as far as that can be told."""
        ...

    def close(self) -> None:
        """Ends what it runs in, if that is a process of its own."""
        ...
