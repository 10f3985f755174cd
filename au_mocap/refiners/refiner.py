"""A refiner that is ready to run: pictures to features, parameters to gradients and to renderings."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats
from ..crops import Image, planes
from ..errors import ModelError
from ..registry import Registry
from ..runtimes import AUTOMATIC_THREADS, Session
from ..sessions import open_session
from . import aligning
from .basis import POSES, Basis, load
from .entry import RefinerEntry, refiner_entry

_AT_ONCE: Final = 16
"""Frames that a graph sees at a time: few enough for the processor's caches."""


class Refiner:
    """The graphs and tables of one refiner.

    Attributes:
        entry: Its registry entry.
        basis: What its parameters mean.
    """

    def __init__(self, entry: RefinerEntry, basis: Basis, graphs: dict[str, Session]) -> None:
        """Wraps sessions of the graphs `features`, `step` and `render`; use `open_refiner`."""
        self.entry = entry
        self.basis = basis
        self._graphs = graphs

    @property
    def parameters(self) -> int:
        """D: pose, values, identity and appearance."""
        return POSES + len(self.entry.channels) + self.basis.identities + self.basis.appearances

    @property
    def columns(self) -> list[int]:
        """Places of its channels in the vocabulary."""
        return [channels.INDEX[each] for each in self.entry.channels]

    def picture(self, image: Image, landmarks: Floats) -> NDArray[np.float32]:
        """(3, S, S) RGB 0..1: a face as this refiner looks at it.

        Raises:
            TrackerError: The landmarks lie nowhere.
        """
        return planes(aligning.picture(image, landmarks, self.entry.size_px))

    def features(self, pictures: Floats) -> NDArray[np.float32]:
        """(N, 3, S, S) pictures to (N, F, T, T) what is compared; raises ModelError."""
        return self._run("features", {"picture": pictures}, len(pictures))

    def step(self, parameters: Floats, features: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Loss (N,) and its gradient (N, D) of renderings against features; raises ModelError."""
        both = self._run("step", {"parameters": parameters, "features": features}, len(parameters))
        if both.shape != (len(parameters), 1 + self.parameters):
            message = f"its step returned {both.shape} for {len(parameters)} frames of {self.parameters} parameters."
            raise _unusable(self.entry.name, message)
        return both[:, 0], both[:, 1:]

    def render(self, parameters: Floats) -> NDArray[np.float32]:
        """(N, D) parameters to (N, 3, S, S) pictures, RGB 0..1; raises ModelError."""
        return self._run("render", {"parameters": parameters}, len(parameters))

    def _run(self, graph: str, feeds: dict[str, Any], count: int) -> NDArray[np.float32]:
        parts: list[NDArray[np.float32]] = []
        for start in range(0, count, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            fed = {name: np.ascontiguousarray(table[part], np.float32) for name, table in feeds.items()}
            parts.append(self._graphs[graph].run(fed)[0])
        result = np.concatenate(parts)
        if not np.isfinite(result).all():
            raise _unusable(self.entry.name, f"its {graph} graph returned values that are no numbers.")
        return result


def open_refiner(
    registry: Registry, name: str | None = None, device: str = "auto", threads: int = AUTOMATIC_THREADS
) -> Refiner:
    """Loads a refiner and tries it once.

    Args:
        registry: Where it is looked up.
        name: Its name there; None for the first.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads inside one operator, 0 for automatic.

    Raises:
        ModelError: Unknown name, or a damaged or missing file, or graphs and tables that do not fit each other.
        SettingsError: Unknown device.
    """
    entry = refiner_entry(registry, name)
    try:
        basis = load(registry.path(entry.basis), entry.size_px, len(entry.channels))
        files = {"features": entry.features, "step": entry.step, "render": entry.render}
        graphs = {kind: open_session(registry.path(file), device, threads) for kind, file in files.items()}
        refiner = Refiner(entry, basis, graphs)
        _try(refiner)
    except ModelError as error:
        raise _unusable(entry.name, str(error)) from error
    return refiner


def _try(refiner: Refiner) -> None:
    """Renders a face and compares it with itself, so that what does not fit is told before any video is read."""
    size_px, parameters = refiner.entry.size_px, np.full((2, refiner.parameters), 0.5, np.float32)
    pictures = refiner.render(parameters)
    if pictures.shape != (2, 3, size_px, size_px):
        message = f"it renders {pictures.shape[1:]}, its registry entry promises {size_px} px."
        raise ModelError(message)
    refiner.step(parameters, refiner.features(pictures))


def _unusable(name: str, reason: str) -> ModelError:
    start = f"Refiner '{name}' cannot be used: "
    return ModelError(reason if reason.startswith(start) else start + reason)
