"""A refiner whose rendering is a linear map, so that what it should find is known; needs no training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from au_mocap.landmarks import canonical_face
from au_mocap.refiners import basis
from au_mocap.refiners.basis import Basis
from au_mocap.refiners.entry import RefinerEntry
from au_mocap.refiners.refiner import Refiner
from au_mocap.registry import ModelFile
from au_mocap.runtimes import Session

SIZE_PX = 8
IDENTITIES = 3


def made_basis(**changes: Any) -> Basis:  # noqa: ANN401
    """A basis of `IDENTITIES` made-up directions in which faces differ; no priors."""
    random = np.random.default_rng(3)
    directions = np.linalg.qr(random.normal(size=(478 * 3, IDENTITIES)))[0].T.reshape(IDENTITIES, 478, 3)
    number = np.zeros((), np.float32)
    tables: dict[str, Any] = {
        "mean": (canonical_face().points / 0.063).astype(np.float32),
        "components": directions.astype(np.float32),
        "deviations": np.array([0.6, 0.4, 0.2], np.float32),
        "patches": basis.patches_of(SIZE_PX),
        "rates": np.ones(basis.POSES + len(PREDICTED_IDS) + IDENTITIES, np.float32),
        "step": number + 1.0,
        "anchor": number,
        "steadiness": number,
    }
    return Basis(**{**tables, **changes})


class Linear:
    """One graph of the refiner: `features`, `step` or `render`."""

    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    def __init__(self, kind: str, inputs: int, broken: bool = False) -> None:
        pixels = 3 * SIZE_PX * SIZE_PX
        # Orthonormal, so that the gradient of half the squared difference points straight at the answer.
        self._map = np.linalg.qr(np.random.default_rng(5).normal(size=(pixels, inputs)))[0].astype(np.float32)
        self._kind, self._broken = kind, broken

    def run(self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None) -> list[NDArray[Any]]:
        if self._kind == "features":
            return [feeds["picture"].reshape(len(feeds["picture"]), 3, SIZE_PX, SIZE_PX)]
        drawn = (feeds["parameters"] - 0.5) @ self._map.T + 0.5
        if self._kind == "render":
            return [drawn.reshape(-1, 3, SIZE_PX, SIZE_PX)]
        difference = drawn - feeds["features"].reshape(len(drawn), -1)
        loss = 0.5 * np.square(difference).sum(axis=1, keepdims=True)
        both = np.concatenate([loss, difference @ self._map], axis=1).astype(np.float32)
        return [both * np.nan if self._broken else both]


def made_refiner(broken: bool = False, **changes: Any) -> Refiner:  # noqa: ANN401
    """The linear refiner, its basis changed as said."""
    tables = made_basis(**changes)
    inputs = basis.POSES + len(PREDICTED_IDS) + tables.identities + tables.appearances
    file = ModelFile(Path(), "none.onnx", "0" * 64)
    entry = RefinerEntry(
        *("linear", "1", "Linear", "A test.", "CC0-1.0", "none"), PREDICTED_IDS, SIZE_PX, file, file, file, file, {}
    )
    graphs: dict[str, Session] = {kind: Linear(kind, inputs, broken) for kind in ("features", "step", "render")}
    return Refiner(entry, tables, graphs)
