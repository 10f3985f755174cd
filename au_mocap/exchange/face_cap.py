"""The text that the Face Cap app records.

    info,…
    bs,browInnerUp,browDown_L,…
    k,TIME,x,y,z,pitch,yaw,roll,left eye x,y,right eye x,y,52 weights

Times are milliseconds and angles degrees; the order of the shapes where `bs` is missing is that of the app's live mode
(www.bannaflak.com/face-cap/livemode.html). The meaning of the columns is what importers agree on. The app's makers say
that its axes are right-handed with -z, which is ARKit's, so signs are those of `ifacialmocap`; they name no unit for
the head's place, and it is not read. The eyes' angles say nothing beyond the look shapes.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import rotations
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import arkit, gaze
from .lines import Line, lines_of
from .recording import Recording
from .sheet import shown

_PAIRS: Final = ("browDown", "browOuterUp", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeBlink")
_LATER_PAIRS: Final = ("mouthSmile", "mouthFrown", "mouthDimple", "mouthUpperUp", "mouthLowerDown", "mouthPress")


def _sided(*stems: str) -> tuple[str, ...]:
    return tuple(f"{stem}_{side}" for stem in stems for side in "LR")


SHAPES: Final = (
    "browInnerUp",
    *_sided(*_PAIRS, "eyeSquint", "eyeWide"),
    "cheekPuff",
    *_sided("cheekSquint", "noseSneer"),
    *("jawOpen", "jawForward", "jawLeft", "jawRight", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthRollUpper", "mouthRollLower", "mouthShrugUpper", "mouthShrugLower", "mouthClose"),
    *_sided(*_LATER_PAIRS, "mouthStretch"),
    "tongueOut",
)
"""The app's own names in its own order."""

_POSE: Final = 10
"""Numbers between the time and the weights: place, angles, two angles of each eye."""
_FLIP: Final = np.array([-1.0, 1.0, -1.0])


def fits(text: str) -> bool:
    """Whether text is such a recording."""
    starts = {line.split(",", 1)[0].strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()}
    return starts <= {"info", "bs", "k"} and bool(starts & {"bs", "k"})


def read(path: Path, _rate_hz: float | None) -> Recording:
    """Reads a recording.

    Raises:
        ExchangeError: It is no such text; the message names the line.
    """
    names, table, notes = _keys(path)
    shapes = [arkit.shape_of(name) for name in names]
    known = [place for place, shape in enumerate(shapes) if shape is not None]
    if not known:
        message = f"{path} names none of ARKit's shapes in its line bs."
        raise ExchangeError(message)
    weights = table[:, [1 + _POSE + place for place in known]].astype(np.float32)
    told, values = arkit.to_channels([shape for shape in shapes if shape is not None], weights)
    angles = np.asarray(np.radians(table[:, [5, 4, 6]]) * _FLIP, np.float64)
    return Recording(
        time_s=table[:, 0] / 1000.0,
        channels=told,
        values=values,
        rotation=rotations.to_quaternions(rotations.from_angles(angles)),
        notes=tuple(notes),
    )


def _keys(path: Path) -> tuple[tuple[str, ...], NDArray[np.float64], list[str]]:
    """Names of the shapes, a row of numbers for each key, and notes; a last key that was cut off is left out."""
    names: tuple[str, ...] = SHAPES
    keys: list[NDArray[np.float64]] = []
    cut: Line | None = None
    for line in lines_of(path):
        kind, _, rest = line.text.partition(",")
        if cut is not None:
            _refuse(path, cut, len(names))
        if kind == "bs" and not keys:
            names = tuple(name.strip() for name in rest.split(",") if name.strip())
        elif kind == "k":
            numbers = _numbers(rest, line, path)
            if len(numbers) == 1 + _POSE + len(names):
                keys.append(np.array(numbers))
            else:
                cut = line
        elif kind not in ("info", "bs"):
            message = f"{path}, line {line.number}: {shown(line.text)} is no line of Face Cap (info, bs or k)."
            raise ExchangeError(message)
    if not keys and cut is not None:
        _refuse(path, cut, len(names))
    if not keys:
        message = f"{path} holds no keys (lines that begin with k)."
        raise ExchangeError(message)
    notes = [] if cut is None else [f"line {cut.number} is cut off and was left out"]
    return names, np.stack(keys), notes


def _numbers(text: str, line: Line, path: Path) -> list[float]:
    try:
        return [float(cell) if cell.strip() else math.nan for cell in text.split(",")]
    except ValueError as error:
        message = f"{path}, line {line.number}: a key holds something else than numbers. Export the recording again."
        raise ExchangeError(message) from error


def _refuse(path: Path, line: Line, count: int) -> None:
    message = (
        f"{path}, line {line.number}: a key needs {1 + _POSE + count} numbers (time, place, angles, {count} weights). "
        "If numbers are written with a comma, export with decimal points."
    )
    raise ExchangeError(message)


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """Writes a key for each frame with a face, its time in milliseconds from the first frame on; the place is 0.

    Raises:
        OutputError: The file cannot be written.
    """
    del take
    weights = arkit.to_shapes(curves.values, [str(arkit.shape_of(name)) for name in SHAPES])
    angles = np.degrees(rotations.to_angles(rotations.to_matrices(curves.head_rotation)) * _FLIP)[:, [1, 0, 2]]
    eyes = [np.degrees(gaze.angles_of(curves.values, side))[:, ::-1] * [1.0, -1.0] for side in ("L", "R")]
    numbers = np.concatenate([np.nan_to_num(angles), *eyes, weights], axis=1)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write("info,AU Mocap,milliseconds,degrees\n")
        file.write(f"bs,{','.join(SHAPES)}\n")
        for time_s, row in zip(curves.time_s - curves.time_s[0], numbers, strict=True):
            if np.isfinite(row).all():
                file.write(f"k,{round(1000.0 * time_s)},0,0,0,{','.join(f'{number:.6f}' for number in row)}\n")
