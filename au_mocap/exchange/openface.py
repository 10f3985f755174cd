"""The table that OpenFace 2 writes (`FeatureExtraction -aus -pose -gaze`).

Columns as in its documentation (github.com/TadasBaltrusaitis/OpenFace, wiki "Output Format"): intensities `AU01_r` …
`AU45_r` from 0 to 5, presence `AU01_c` …, `pose_Tx` … in millimetres and `pose_Rx` … in radians with `R = Rx Ry Rz` in
OpenCV camera axes (its `RotationHelpers.h`), gaze vectors of eye 0, the leftmost in the image and so the actor's right
one, and of eye 1 in camera axes.

Action Units become the channels of the same FACS number, five to one. Both sides get the same value, as OpenFace does
not tell them apart. What has no channel is left out (AU23, AU25), and so is what is only told to be present or absent
(AU28): a lip that snaps in and out is worse than one that rests. Channels that no Action Unit tells (tongue, jaw to the
side, funnel, …) stay at rest. OpenFace places the head's origin elsewhere in the head than the point between the eyes,
by a constant that no bake shows.
"""

import csv
import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels, rotations
from ..arrays import Floats
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import gaze
from .recording import Recording
from .sheet import Rows, Sheet, Wanted
from .timing import clock_of

FULL: Final = 5.0
"""OpenFace's highest intensity."""

_INTENSITY: Final = re.compile(r"au(\d{2})_r")
_POSITION: Final = ("pose_Tx", "pose_Ty", "pose_Tz")
_ANGLES: Final = ("pose_Rx", "pose_Ry", "pose_Rz")
_EYES: Final[tuple[tuple[gaze.EyeSide, tuple[str, ...]], ...]] = (
    ("R", ("gaze_0_x", "gaze_0_y", "gaze_0_z")),
    ("L", ("gaze_1_x", "gaze_1_y", "gaze_1_z")),
)
_UNGRADED: Final = 28


def _channels_by_unit() -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for channel in channels.CHANNELS:
        if channel.id in channels.PREDICTED_IDS and channel.facs.startswith("AU"):
            for unit in re.findall(r"\d+", channel.facs):
                found[int(unit)] = (*found.get(int(unit), ()), channel.id)
    return found


CHANNELS_OF: Final = _channels_by_unit()
"""Channels that are predicted on their own, by FACS number."""

UNITS: Final = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 26, 45)
"""Action Units that OpenFace grades and that have channels."""


def fits(names: tuple[str, ...]) -> bool:
    """Whether a table with these columns is one."""
    return any(_INTENSITY.fullmatch(name) or re.fullmatch(r"au\d{2}_c", name) for name in names)


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads a table; of several faces the one that is found most often.

    Args:
        path: The file.
        rate_hz: Frames a second where there is no `timestamp`.

    Raises:
        ExchangeError: It is no such table.
    """
    sheet = Sheet(path)
    units = {unit: column for unit in UNITS if (column := sheet.find(f"AU{unit:02}_r")) is not None}
    if not units:
        message = f"{path} holds no intensities (AU01_r …): let OpenFace analyse a video with -aus, not pictures."
        raise ExchangeError(message)
    clock = clock_of(sheet, {"timestamp": 1.0}, ("frame",))
    groups = {"pose_T": _POSITION, "pose_R": _ANGLES, "R": _EYES[0][1], "L": _EYES[1][1]}
    single = {"success": ("success",), "confidence": ("confidence",), "face_id": ("face_id",), **groups}
    there = {key: found for key, names in single.items() if (found := _all_of(sheet, names))}
    exact = (*clock.columns, *(column for found in there.values() for column in found))
    rows, notes = _one_face(sheet.read(Wanted(exact, tuple(units.values()))), exact, there.get("face_id"))
    of = {key: rows.exact[:, [exact.index(column) for column in found]] for key, found in there.items()}
    times, more = clock.seconds(rows.exact[:, : len(clock.columns)], rate_hz)
    rotation = rotations.to_quaternions(_matrices(of["pose_R"])) if "pose_R" in of else None
    told, values = _values(tuple(units), rows.values, of, rotation)
    return Recording(
        time_s=times,
        channels=told,
        values=values,
        found=of["success"][:, 0] > 0.5 if "success" in of else None,
        confidence=of["confidence"][:, 0] if "confidence" in of else None,
        rotation=rotation,
        position=of["pose_T"] / 1000.0 if "pose_T" in of else None,
        notes=(*rows.notes, *notes, *more),
    )


def _all_of(sheet: Sheet, names: tuple[str, ...]) -> tuple[int, ...]:
    """The columns of these names; none where one is missing."""
    found = [column for name in names if (column := sheet.find(name)) is not None]
    return tuple(found) if len(found) == len(names) else ()


def _one_face(rows: Rows, exact: tuple[int, ...], face_column: tuple[int, ...] | None) -> tuple[Rows, list[str]]:
    if face_column is None:
        return rows, []
    faces = rows.exact[:, exact.index(face_column[0])]
    ids, counts = np.unique(faces[np.isfinite(faces)], return_counts=True)
    if len(ids) < 2:
        return rows, []
    chosen = ids[np.argmax(counts)]
    keep = faces == chosen
    note = f"the file holds {len(ids)} faces: face {chosen:g} was taken, which is in most frames"
    return Rows(rows.exact[keep], rows.values[keep], rows.lines[keep], rows.notes), [note]


def _values(
    units: tuple[int, ...],
    intensities: NDArray[np.float32],
    of: dict[str, NDArray[np.float64]],
    rotation: NDArray[np.float64] | None,
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    told = [channel_id for unit in units for channel_id in CHANNELS_OF[unit]]
    columns = [intensities[:, place] / FULL for place, unit in enumerate(units) for _ in CHANNELS_OF[unit]]
    if rotation is not None:
        inverse = np.swapaxes(rotations.to_matrices(rotation), 1, 2)
        for side, _ in _EYES:
            if side not in of:
                continue
            in_head = (inverse @ of[side][:, :, None])[:, :, 0]
            told += [f"look_{way}_{side}" for way in gaze.WAYS]
            columns += list(gaze.channels_of(gaze.angles_towards(in_head), side).T)
    return tuple(told), np.stack(columns, axis=1).astype(np.float32)


def _matrices(angles_rad: Floats) -> NDArray[np.float64]:
    """(T, 3, 3) rotations `Rx Ry Rz` from (T, 3) angles about x, y and z."""
    parts = [rotations.from_vectors(angles_rad * axis) for axis in np.eye(3)]
    return parts[0] @ parts[1] @ parts[2]


def _angles(matrices: Floats) -> NDArray[np.float64]:
    """The way back of `_matrices`."""
    y = np.arcsin(np.clip(matrices[:, 0, 2], -1.0, 1.0))
    x = np.arctan2(-matrices[:, 1, 2], matrices[:, 2, 2])
    z = np.arctan2(-matrices[:, 0, 1], matrices[:, 0, 0])
    return np.stack([x, y, z], axis=1)


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """Writes gaze, pose and the Action Units that have channels, each the mean of its sides, times five.

    `AU28_c` and the other columns of presence follow the threshold of the channels. Frames count from 1, as OpenFace
    does, and a frame without a face holds zeros and `success` 0.

    Raises:
        OutputError: The file cannot be written.
    """
    matrices = rotations.to_matrices(curves.head_rotation)
    eyes = [gaze.directions_of(gaze.angles_of(curves.values, side)) for side, _ in _EYES]
    seen_from = np.where(np.isfinite(matrices), matrices, np.eye(3))
    vectors = [(seen_from @ eye[:, :, None])[:, :, 0] for eye in eyes]
    middle = (vectors[0] + vectors[1]) / 2.0
    gaze_angles = np.stack([np.arctan2(middle[:, 0], -middle[:, 2]), np.arctan2(middle[:, 1], -middle[:, 2])], axis=1)
    graded = np.stack([_mean(curves.values, unit) for unit in UNITS], axis=1)
    present = np.concatenate([graded, _mean(curves.values, _UNGRADED)[:, None]], axis=1) > channels.PRESENT_ABOVE
    numbers = [*vectors, gaze_angles, 1000.0 * curves.head_position, _angles(matrices), FULL * graded, present]
    table = np.nan_to_num(np.concatenate(numbers, axis=1, dtype=np.float64))
    seen = np.isfinite(curves.values).all(axis=1)
    names = [name for _, eye in _EYES for name in eye] + ["gaze_angle_x", "gaze_angle_y", *_POSITION, *_ANGLES]
    names += [f"AU{unit:02}_r" for unit in UNITS] + [f"AU{unit:02}_c" for unit in (*UNITS, _UNGRADED)]
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", "face_id", "timestamp", "confidence", "success", *names])
        frames = zip(curves.time_s, take.confidence, seen, table, strict=True)
        for frame, (time_s, confidence, face, row) in enumerate(frames, 1):
            cells = [f"{value:.5f}" for value in (row if face else np.zeros_like(row))]
            writer.writerow([frame, 0, f"{time_s:.6f}", f"{confidence:.4f}", int(face), *cells])


def _mean(values: Floats, unit: int) -> NDArray[np.float64]:
    return np.mean(
        [values[:, channels.INDEX[channel_id]] for channel_id in CHANNELS_OF[unit]], axis=0, dtype=np.float64
    )
