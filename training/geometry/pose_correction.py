"""What the pose fit gets wrong because people differ: learnt from performers whose true head rotation is known."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import pose, rotations
from au_mocap.landmarks import COUNT, align
from training.geometry.canonical import twins
from training.synth.film import PICTURE_PX, Frames

_RIDGE: Final = 1e-2
"""Share of the mean variance that is added to every coordinate: keeps the correction small and smooth."""

_BATCH: Final = 64


def fit(frames: Frames) -> NDArray[np.float64]:
    """Ridge regression from a person's departure from the canonical face to the turn that the fit lacks.

    One example for each performer, and one for the mirrored performer: medians over all frames, fitted with the default
    field of view, since users seldom know their own.

    Returns:
        (478, 3, 3): turn about each head axis in radians per unit (distance between the eyes) of each coordinate.
    """
    camera = pose.Camera((PICTURE_PX, PICTURE_PX))
    batches = np.array_split(frames.landmarks, -(-len(frames) // _BATCH))
    fitted = np.concatenate([pose.fit(batch, camera)[0] for batch in batches])
    turns = _turns(fitted, frames.rotation)
    aligned = align(frames.landmarks).points
    own = [frames.performer == performer for performer in np.unique(frames.performer)]
    departures = np.stack([pose.departure(aligned[rows]) for rows in own])
    lacking = np.stack([np.median(turns[rows], axis=0) for rows in own])
    twin = twins()
    departures = np.concatenate([departures, departures[:, twin] * [-1.0, 1.0, 1.0]]).reshape(2 * len(own), -1)
    lacking = np.concatenate([lacking, lacking * [1.0, -1.0, -1.0]])
    gram = departures.T @ departures / len(departures)
    ridge = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    coefficients = np.linalg.solve(gram + ridge, departures.T @ lacking / len(departures))
    return coefficients.reshape(COUNT, 3, 3).transpose(0, 2, 1)


def _turns(fitted: NDArray[np.float64], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, 3) rotation vectors in head axes that lead from fitted to true rotations."""
    quaternions = rotations.to_quaternions(fitted.transpose(0, 2, 1) @ truth)
    return 2.0 * quaternions[:, 1:] * np.sign(quaternions[:, :1])


def write(coefficients: NDArray[np.float64], path: Path) -> None:
    """Writes the table that `au_mocap.pose` reads: one row for each landmark."""
    names = ",".join(f"turn_{turn}_by_{axis}" for turn in "xyz" for axis in "xyz")
    np.savetxt(path, coefficients.reshape(COUNT, 9), fmt="%.5f", delimiter=",", header=names, comments="")
