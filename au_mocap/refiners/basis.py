"""What a refiner's numbers mean: its layout of parameters, the subspace of identities, rates and priors.

All parameters lie in 0..1. Pose is yaw and pitch, with 0.5 for a face seen from the front; values are those of the
channels; identity is a place in the subspace that the training performers' neutral faces span.
"""

import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import ModelError
from ..landmarks import COUNT

POSES: Final = 2
MAX_ANGLE_RAD: Final = float(np.radians(60.0))
"""The angle that pose parameters 0 and 1 stand for."""

_LEAST: Final = 1e-6
_REACH: Final = 3.0
"""Deviations from the mean face that identity parameters 0 and 1 stand for."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Tables that belong to a refiner's graphs.

    Attributes:
        mean: (478, 3) float32 mean neutral face, aligned (`landmarks.align`): head axes, distances between the eyes.
        components: (K, 478, 3) float32 orthonormal directions in which identities differ.
        deviations: (K,) float32 standard deviation along each.
        patches: (A, S, S) float32 weights, each summing to 1: where the picture's colours are taken.
        rates: (2 + P + K,) float32 learning rates of pose, values and identity.
        step: Factor of all rates.
        anchor: Strength of the prior that values and pose stay near their start.
        steadiness: Strength of the prior that neighbouring frames agree.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    deviations: NDArray[np.float32]
    patches: NDArray[np.float32]
    rates: NDArray[np.float32]
    step: NDArray[np.float32]
    anchor: NDArray[np.float32]
    steadiness: NDArray[np.float32]

    @property
    def identities(self) -> int:
        """K."""
        return len(self.deviations)

    @property
    def appearances(self) -> int:
        """Numbers that say how a picture is lit and coloured: three for each patch."""
        return 3 * len(self.patches)

    def identity_of(self, neutral: Floats) -> NDArray[np.float32]:
        """A neutral face, (478, 3) aligned, as the (K,) identity parameters nearest to it."""
        offset = (np.asarray(neutral, np.float32) - self.mean).reshape(-1)
        places = self.components.reshape(self.identities, -1) @ offset
        return np.clip(0.5 + places / (2.0 * _REACH * np.maximum(self.deviations, _LEAST)), 0.0, 1.0).astype(np.float32)

    def neutral_of(self, identity: Floats) -> NDArray[np.float32]:
        """The (478, 3) aligned neutral face that (K,) identity parameters stand for."""
        places = (np.asarray(identity, np.float32) - 0.5) * 2.0 * _REACH * self.deviations
        return self.mean + np.tensordot(places, self.components, 1).astype(np.float32)

    def appearance_of(self, pictures: Floats) -> NDArray[np.float32]:
        """(N, 3, S, S) pictures, RGB 0..1, to (N, A) mean colours of the patches."""
        flat = np.asarray(pictures, np.float32).reshape(len(pictures), 3, -1)
        colours = flat @ self.patches.reshape(len(self.patches), -1).T
        return colours.transpose(0, 2, 1).reshape(len(pictures), -1).astype(np.float32)


def poses_of(angles: Floats) -> NDArray[np.float32]:
    """(T, 2 or 3) yaw, pitch, roll in radians to (T, 2) parameters; the picture's alignment takes the roll away."""
    return np.clip(0.5 + np.asarray(angles)[:, :POSES] / (2.0 * MAX_ANGLE_RAD), 0.0, 1.0).astype(np.float32)


def patches_of(size_px: int) -> NDArray[np.float32]:
    """(4, S, S) weights of a Gaussian each on the cheeks, the forehead and the chin of the base face, summing to 1."""
    across = (np.arange(size_px) + 0.5) / size_px
    places = ((0.32, 0.52), (0.68, 0.52), (0.5, 0.18), (0.5, 0.88))
    patches = [
        np.exp(-((across[None, :] - x) ** 2 + (across[:, None] - y) ** 2) / (2 * 0.05**2)).astype(np.float32)
        for x, y in places
    ]
    return np.stack([patch / patch.sum() for patch in patches])


def save(basis: Basis, path: Path) -> None:
    """Writes a basis as a compressed archive of arrays, half floats where the values allow."""
    wide = {"mean", "components", "patches"}
    np.savez_compressed(
        path,
        **{
            each.name: getattr(basis, each.name).astype(np.float16 if each.name in wide else np.float32)
            for each in fields(Basis)
        },
    )


def load(path: Path, size_px: int, channels: int) -> Basis:
    """Reads a basis.

    Args:
        path: The file.
        size_px: S, side of the refiner's pictures.
        channels: P, number of its channels.

    Raises:
        ModelError: The file is none, or its tables do not fit each other or the refiner.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            tables: dict[str, NDArray[np.float32]] = {
                each.name: np.asarray(stored[each.name]).astype(np.float32) for each in fields(Basis)
            }
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        message = f"Model file {path} is no refiner's basis, or is damaged: install the refiner again."
        raise ModelError(message) from error
    basis = Basis(**tables)
    count = basis.deviations.size
    wanted: dict[str, tuple[int, ...]] = {
        "mean": (COUNT, 3),
        "components": (count, COUNT, 3),
        "deviations": (count,),
        "patches": (len(basis.patches) if basis.patches.ndim else 0, size_px, size_px),
        "rates": (POSES + channels + count,),
        **dict.fromkeys(("step", "anchor", "steadiness"), ()),
    }
    for name, shape in wanted.items():
        _check(path, name, tables[name], shape)
    return basis


def _check(path: Path, name: str, table: NDArray[Any], shape: tuple[int, ...]) -> None:
    least_allowed = -np.inf if name in ("mean", "components") else 0.0
    if table.shape != shape or not np.isfinite(table).all() or not (table >= least_allowed).all():
        message = f"Model file {path} does not fit its refiner: its '{name}' is {table.shape}, expected {shape}."
        raise ModelError(message)
