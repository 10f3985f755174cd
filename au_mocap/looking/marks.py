"""Landmarks that an artist picks by hand where the tracker cannot see a stylised face."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import SettingsError
from ..landmarks import IPD_M, align_to, canonical_face


@dataclass(frozen=True, slots=True)
class Mark:
    """One place to pick.

    Attributes:
        landmark: Its number among the 478.
        label: Name for people; left and right are the character's own.
    """

    landmark: int
    label: str


MARKS: Final = (
    Mark(33, "Right Eye Outer Corner"),
    Mark(133, "Right Eye Inner Corner"),
    Mark(159, "Right Upper Lid Middle"),
    Mark(145, "Right Lower Lid Middle"),
    Mark(263, "Left Eye Outer Corner"),
    Mark(362, "Left Eye Inner Corner"),
    Mark(386, "Left Upper Lid Middle"),
    Mark(374, "Left Lower Lid Middle"),
    Mark(55, "Right Brow Inner End"),
    Mark(46, "Right Brow Outer End"),
    Mark(285, "Left Brow Inner End"),
    Mark(276, "Left Brow Outer End"),
    Mark(1, "Nose Tip"),
    Mark(129, "Right Nostril Wing"),
    Mark(358, "Left Nostril Wing"),
    Mark(61, "Right Lip Corner"),
    Mark(291, "Left Lip Corner"),
    Mark(0, "Upper Lip Middle"),
    Mark(17, "Lower Lip Middle"),
    Mark(152, "Chin"),
    Mark(205, "Right Cheek"),
    Mark(425, "Left Cheek"),
    Mark(468, "Right Pupil"),
    Mark(473, "Left Pupil"),
)
"""What is asked for. Fewer will do, at least `measure.LEAST_LANDMARKS`; channels that need the others are not found."""

LANDMARKS: Final = tuple(mark.landmark for mark in MARKS)


def spread(axes: Floats, centre: Floats, reach: float) -> NDArray[np.float64]:
    """Where marks are put before the artist moves them: (24, 3) as on the canonical face.

    Args:
        axes: (3, 3) rows: the directions to the face's left, down, and into the head.
        centre: (3,) the face's middle.
        reach: Half the face's width and height.
    """
    face = canonical_face().points
    middle = (face.min(axis=0) + face.max(axis=0)) / 2
    scale = 2.0 * reach / float(np.ptp(face, axis=0).max())
    return np.asarray(centre, np.float64) + (face[list(LANDMARKS)] - middle) * scale @ np.asarray(axes, np.float64)


def check(landmarks: NDArray[np.integer[Any]], points: Floats) -> None:
    """Refuses marks whose left and right are exchanged: nothing else would notice.

    Args:
        landmarks: (L,) numbers.
        points: (L, 3) where they were put, in a right-handed space.

    Raises:
        SettingsError: The mirrored face fits them better.
    """
    face = canonical_face()
    reference, weights = face.points[landmarks] / IPD_M, face.weights[landmarks]
    gaps: list[float] = []
    for side in (1.0, -1.0):
        mirrored = np.asarray(points, np.float64) * [side, 1.0, 1.0]
        aligned = align_to(mirrored[None], reference, weights).points[0]
        gaps.append(float((np.square(aligned - reference).sum(axis=1) * weights).sum()))
    if gaps[1] < gaps[0]:
        message = (
            "The left and right marks are exchanged: left is the character's own left. Swap them, then match again."
        )
        raise SettingsError(message)
