"""What the pose fit gets wrong because people differ: learnt from performers whose true head rotation is known."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import pose, rotations
from au_mocap.landmarks import COUNT
from training.geometry.dataset import PICTURE_PX, Frames

_RIDGE: Final = 3e-3
"""Share of the mean variance that is added to every coordinate: keeps the correction small and smooth."""


def fit(frames: Frames) -> NDArray[np.float64]:
    """Ridge regression from a face's departure from the canonical one to the turn that the fit lacks.

    Every face is fitted twice, with the camera's own field of view and with the default one: users seldom know theirs.

    Returns:
        (478, 3, 3): turn about each head axis in radians per unit (distance between the eyes) of each coordinate.
    """
    fov_deg = np.round(np.degrees(2 * np.arctan(PICTURE_PX / 2 / frames.focal_px)))
    known = np.empty((len(frames), 3, 3))
    for one in np.unique(fov_deg):  # a fit takes one camera for all its frames
        rows = fov_deg == one
        known[rows] = pose.fit(frames.landmarks[rows], pose.Camera((PICTURE_PX, PICTURE_PX), float(one)))[0]
    assumed = pose.fit(frames.landmarks, pose.Camera((PICTURE_PX, PICTURE_PX)))[0]
    departures = pose.departures(frames.landmarks).reshape(len(frames), -1)
    lacking = (_turns(known, frames.rotation) + _turns(assumed, frames.rotation)) / 2
    gram = departures.T @ departures / len(frames)
    ridge = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    coefficients = np.linalg.solve(gram + ridge, departures.T @ lacking / len(frames))
    return coefficients.reshape(COUNT, 3, 3).transpose(0, 2, 1)


def _turns(fitted: NDArray[np.float64], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, 3) rotation vectors in head axes that lead from fitted to true rotations."""
    quaternions = rotations.to_quaternions(fitted.transpose(0, 2, 1) @ truth)
    return 2.0 * quaternions[:, 1:] * np.sign(quaternions[:, :1])


def write(coefficients: NDArray[np.float64], path: Path) -> None:
    """Writes the table that `au_mocap.pose` reads: one row for each landmark."""
    names = ",".join(f"turn_{turn}_by_{axis}" for turn in "xyz" for axis in "xyz")
    np.savetxt(path, coefficients.reshape(COUNT, 9), fmt="%.5f", delimiter=",", header=names, comments="")
