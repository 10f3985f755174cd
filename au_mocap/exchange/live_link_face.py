"""The table that Epic's Live Link Face app records (`SLATE_TAKE_DEVICE.csv`).

`Timecode`, `BlendShapeCount` (61, or 0 where no face was seen), the 52 shapes of ARKit in their own order, and yaw,
pitch and roll of the head and of each eye in radians. Names and order were read from recordings that others published
(github.com/alexdjulin/LiveLinkFace-CSV-Retarget-For-Motionbuilder, csv/facial.csv).

Signs were found by comparing the eye angles of these recordings with their look shapes: yaw is positive to the actor's
right and pitch negative upwards, which is the head pose contract's sense, and the roll that a look upwards and sideways
brings fits `R = Ry Rx Rz` with the contract's sign. The head's angles are taken the same way.
The eyes' angles say nothing beyond the look shapes and are not read.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import rotations
from ..arrays import Floats
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import arkit, gaze, timecode
from .recording import Recording
from .sheet import Sheet, Wanted

_EYES_IN_ORDER: Final = ("Blink", *(f"Look{way}" for way in ("Down", "In", "Out", "Up")), "Squint", "Wide")
SHAPES: Final = (
    *(f"eye{way}{side}" for side in ("Left", "Right") for way in _EYES_IN_ORDER),
    *("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight"),
    *("mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft"),
    *("mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp"),
    *("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft"),
    *("noseSneerRight", "tongueOut"),
)
ANGLES: Final = tuple(
    f"{what}{angle}" for what in ("Head", "LeftEye", "RightEye") for angle in ("Yaw", "Pitch", "Roll")
)
COLUMNS: Final = ("Timecode", "BlendShapeCount", *(shape[0].upper() + shape[1:] for shape in SHAPES), *ANGLES)

FRAME_HZ: Final = 60
"""Rate of the timecodes that are written, the app's own."""
_FEWEST_SHAPES: Final = 8


def fits(names: tuple[str, ...]) -> bool:
    """Whether a table with these columns is one."""
    return "timecode" in names and sum(arkit.shape_of(name) is not None for name in names) >= _FEWEST_SHAPES


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads a recording.

    Args:
        path: The file.
        rate_hz: Rate at which its timecodes count; None to tell by them.

    Raises:
        ExchangeError: It is no such table, or its timecodes cannot be read.
    """
    sheet = Sheet(path)
    time_column, count_column = sheet.find("Timecode"), sheet.find("BlendShapeCount")
    shapes = {shape: sheet.find(name) for name in sheet.names if (shape := arkit.shape_of(name)) is not None}
    columns = {shape: column for shape, column in shapes.items() if column is not None}
    if time_column is None or not columns:
        message = f"{path} needs a column Timecode and columns of ARKit's shapes, such as EyeBlinkLeft."
        raise ExchangeError(message)
    head = [column for name in ANGLES[:3] if (column := sheet.find(name)) is not None]
    exact = (time_column, *([] if count_column is None else [count_column]), *(head if len(head) == 3 else []))
    forms: set[bool] = set()

    def clock(text: str) -> float:
        forms.add(timecode.is_drop_frame(text))
        return timecode.parse(text)

    def ends_early(row: Sequence[str]) -> bool:
        place = -1 if count_column is None else count_column
        return len(row) > max(place, time_column) and place >= 0 and row[place].strip() == "0"

    wanted = Wanted(exact, tuple(columns.values()), {time_column: clock}, may_be_short=ends_early)
    rows = sheet.read(wanted)
    times, notes, facts = _times(rows.exact[:, 0], True in forms, rate_hz, path)
    if len(forms) > 1:
        notes.append(
            "some timecodes have a semicolon before the frames and some have none: all are taken for drop-frame"
        )
    told, values = arkit.to_channels(tuple(columns), rows.values)
    missing = [shape for shape in SHAPES if shape not in columns]
    if missing:
        named = ", ".join(missing[:3]) + ("…" if len(missing) > 3 else "")
        what = "1 shape is missing" if len(missing) == 1 else f"{len(missing)} shapes are missing"
        notes.append(f"{what} ({named}): {'its' if len(missing) == 1 else 'their'} channels stay at rest")
    found = None if count_column is None else rows.exact[:, 1] != 0.0
    return Recording(
        time_s=times,
        channels=told,
        values=values,
        found=found,
        rotation=_rotation(rows.exact[:, -3:]) if len(head) == 3 else None,
        notes=(*rows.notes, *notes),
        facts=facts,
    )


def _times(
    packed: NDArray[np.float64], drops: bool, wanted_hz: float | None, path: Path
) -> tuple[NDArray[np.float64], list[str], dict[str, object]]:
    if np.isnan(packed).any():
        message = f"{path}: row {int(np.argmax(np.isnan(packed))) + 1} has no timecode. Export the recording again."
        raise ExchangeError(message)
    notes: list[str] = []
    if wanted_hz is None:
        rate, certain = timecode.nominal_hz(packed, drop_frame=drops)
        if not certain:
            notes.append(f"too short to tell the rate of its timecode: {rate} Hz taken, name another with the rate")
    else:
        try:
            rate = timecode.check_rate(wanted_hz, packed, drop_frame=drops)
        except ExchangeError as error:
            message = f"{path}: {error}"
            raise ExchangeError(message) from error
    real_hz = rate / 1.001 if drops else (wanted_hz or float(rate))
    times = timecode.seconds(packed, rate, drop_frame=drops)
    if not drops:
        times = times * (rate / real_hz)  # 29.97 without dropped numbers runs slower than the clock
    times, more = timecode.continuous(times, real_hz)
    start = timecode.write(float(np.floor(packed[0] / 1000.0) + packed[0] % 1000.0 / rate), rate)
    return times, [*notes, *more], {"timecode": start, "timecode_hz": real_hz}


def _rotation(angles_rad: Floats) -> NDArray[np.float64]:
    """(T, 4) quaternions from (T, 3) yaw, pitch, roll in the head pose contract's sense."""
    return rotations.to_quaternions(rotations.from_angles(angles_rad))


def numbers_of(values: Floats, head_rotation: Floats) -> NDArray[np.float64]:
    """What a frame says, for the table and for what the app sends.

    Args:
        values: (T, 58) curves, columns as `channels.IDS`.
        head_rotation: (T, 4) quaternions of the head pose contract; NaN where unknown.

    Returns:
        (T, 61) weights of `SHAPES` and `ANGLES` in radians; NaN weights where values are, 0 for unknown angles.
    """
    angles = [rotations.to_angles(rotations.to_matrices(head_rotation))]
    for side in ("L", "R"):
        eye = gaze.angles_of(values, side)
        angles.append(np.concatenate([eye, np.zeros((len(eye), 1))], axis=1))
    weights = arkit.to_shapes(values, SHAPES)
    return np.concatenate([weights, np.nan_to_num(np.concatenate(angles, axis=1))], axis=1)


def write(take: Take, curves: Curves, path: Path, rate_hz: float | None) -> None:
    """Writes a recording that begins at timecode 0, one row for each frame; without a face its shapes stay empty.

    Args:
        take: The take.
        curves: Its curves.
        path: The file to write.
        rate_hz: Whole rate of the timecodes; None for 60.

    Raises:
        OutputError: The file cannot be written.
        ExchangeError: No timecode counts at that rate.
    """
    rate = FRAME_HZ if rate_hz is None else round(rate_hz)
    if rate_hz is not None and (abs(rate_hz - rate) > 1e-6 or not 1 <= rate <= 240):
        message = f"Timecodes count whole frames, 1 to 240 a second, not {rate_hz:g}: name such a rate."
        raise ExchangeError(message)
    del take
    numbers = numbers_of(curves.values, curves.head_rotation)
    seen = np.isfinite(numbers).all(axis=1)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for time_s, row, face in zip(curves.time_s - curves.time_s[0], numbers, seen, strict=True):
            code = timecode.write(float(time_s), rate)
            cells = [f"{value:.10f}" for value in row] if face else [""] * len(row)
            writer.writerow([code, 61 if face else 0, *cells])
