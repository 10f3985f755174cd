"""The text that iFacialMocap sends and that recorders store, one frame on each line.

    mouthSmile_R-0|eyeLookOut_L-12|…|=head#-21.5,-6.0,-6.6,-0.03,-0.10,-0.66|rightEye#6.0,2.4,0.3|leftEye#6.0,-1.7,-0.2|

Weights run from 0 to 100, the head has three angles in degrees and a place in metres
(www.ifacialmocap.com/for-developer). Facemotion3d writes `&` in place of `-` and `Left` and `Right` in place of `_L`
and `_R`.

Angles are ARKit's about x, y and z (x right, y up, z towards the camera): in the published line the eyes' x is positive
downwards, and their y positive to the actor's left, as their look shapes tell. So pitch keeps its sign in the head pose
contract, yaw and roll change theirs, with `R = Ry Rx Rz`; of the place, y and z change theirs.
Lines carry no time: they are taken for 60 a second unless a rate is named.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import gaps, rotations
from ..arrays import Floats
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import arkit, gaze
from .lines import Line, lines_of
from .recording import Recording
from .sheet import shown
from .timing import check_rate

DEFAULT_HZ: Final = 60.0
FULL: Final = 100.0
_WEIGHT: Final = re.compile(r"([A-Za-z_]\w*)[&-](-?\d+(?:[.,]\d+)?(?:e-?\d+)?)")
_LONGEST_S: Final = 86_400.0
_STATUS: Final = "trackingstatus"
_FLIP: Final = np.array([-1.0, 1.0, -1.0])
_CAMERA: Final = np.array([1.0, -1.0, -1.0])


def fits(text: str) -> bool:
    """Whether text is such a recording."""
    first = text.lstrip("\ufeff").lstrip().partition("\n")[0]
    weights = [found for part in first.split("|") if (found := _WEIGHT.fullmatch(part.strip()))]
    return any(arkit.shape_of(found.group(1)) is not None for found in weights)


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads a recording.

    Args:
        path: The file.
        rate_hz: Lines a second; None for 60.

    Raises:
        ExchangeError: It is no such text; the message names the line.
    """
    check_rate(rate_hz)
    shapes: tuple[str, ...] = ()
    rows: list[NDArray[np.float32]] = []
    heads: list[list[float]] = []
    found: list[bool] = []
    for line in lines_of(path):
        weights, head = _parse(line, path)
        tracked = weights.pop(_STATUS, 1.0) != 0.0
        if not shapes:
            shapes = tuple(shape for shape in arkit.SHAPES if shape in weights)
        rows.append(np.array([weights.get(shape, np.nan) for shape in shapes], np.float32))
        heads.append(head)
        found.append(tracked)
    if not shapes:
        message = f"{path} holds no shapes such as eyeBlink_L-20."
        raise ExchangeError(message)
    told, values = arkit.to_channels(shapes, np.stack(rows) / np.float32(FULL))
    pose = np.array(heads, np.float64)
    rate = rate_hz or DEFAULT_HZ
    angles = np.asarray(np.radians(pose[:, [1, 0, 2]]) * _FLIP, np.float64)
    notes = () if rate_hz else (f"no times in the file: {DEFAULT_HZ:g} lines a second taken",)
    return Recording(
        time_s=np.arange(len(rows)) / rate,
        channels=told,
        values=values,
        found=np.array(found),
        rotation=rotations.to_quaternions(rotations.from_angles(angles)),
        position=pose[:, 3:] * _CAMERA,
        notes=notes,
    )


def _parse(line: Line, path: Path) -> tuple[dict[str, float], list[float]]:
    """Weights by shape, and the head's three angles and place, NaN where not told."""
    weights: dict[str, float] = {}
    head = [np.nan] * 6
    for part in line.text.split("|"):
        name, sign, numbers = part.strip().lstrip("=").partition("#")
        if sign and name.lower() == "head":
            cells = _numbers(numbers, line, path)
            head = [*cells, *[np.nan] * (6 - len(cells))]
        elif not sign and part.strip():
            found = _WEIGHT.fullmatch(part.strip())
            if found is None:
                message = f"{path}, line {line.number}: {shown(part)} is no weight such as eyeBlink_L-20."
                raise ExchangeError(message)
            key = found.group(1)
            shape = _STATUS if key.lower() == _STATUS else arkit.shape_of(key)
            if shape is not None:
                weights[shape] = float(found.group(2).replace(",", "."))
    return weights, head


def _numbers(text: str, line: Line, path: Path) -> list[float]:
    try:
        cells = [float(cell) for cell in text.split(",")]
    except ValueError:
        cells = []
    if len(cells) not in (3, 6):
        message = f"{path}, line {line.number}: {shown(text)} are not a head's 3 angles and place, with decimal points."
        raise ExchangeError(message)
    return cells


def write(take: Take, curves: Curves, path: Path, rate_hz: float | None) -> None:
    """Writes lines at an even rate; while there is no face the last one is held, with `trackingStatus-0`.

    Args:
        take: The take.
        curves: Its curves.
        path: The file to write.
        rate_hz: Lines a second; None for 60.

    Raises:
        OutputError: The file cannot be written.
    """
    check_rate(rate_hz)
    del take
    even = resampled(curves, rate_hz or DEFAULT_HZ)
    tracked = np.isfinite(even.values).all(axis=1)
    held = [gaps.hold(rows) for rows in (even.values, even.head_rotation, even.head_position)]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{text}\n" for text in texts_of(held[0], held[1], held[2], tracked))


def texts_of(
    values: Floats, head_rotation: Floats, head_position: Floats, tracked: NDArray[np.bool_], *, whole: bool = False
) -> Iterator[str]:
    """Frames as the app writes and sends them, without an end of line.

    Args:
        values: (T, 58) curves, columns as `channels.IDS`.
        head_rotation: (T, 4) quaternions of the head pose contract; NaN where unknown, which is written as 0.
        head_position: (T, 3) metres of the same; NaN likewise.
        tracked: (T,) whether the face was found.
        whole: Weights in whole numbers, as the app sends them.
    """
    weights = FULL * arkit.to_shapes(values)
    angles = np.degrees(rotations.to_angles(rotations.to_matrices(head_rotation)) * _FLIP)[:, [1, 0, 2]]
    head = np.nan_to_num(np.concatenate([angles, head_position * _CAMERA], axis=1))
    eyes = [np.degrees(gaze.angles_of(values, side))[:, ::-1] * [1.0, -1.0] for side in ("R", "L")]
    names = [_written(shape) for shape in arkit.SHAPES]
    places = 0 if whole else 3
    for row, is_tracked, pose, right, left in zip(weights, tracked, head, *eyes, strict=True):
        parts = [f"trackingStatus-{int(is_tracked)}"]
        parts += [f"{name}-{value:.{places}f}" for name, value in zip(names, row, strict=True)]
        parts.append("=head#" + _joined(pose))
        parts += [f"rightEye#{_joined([*right, 0.0])}", f"leftEye#{_joined([*left, 0.0])}"]
        yield "|".join(parts) + "|"


def _written(shape: str) -> str:
    """A shape as the app names it: sides of the face as `_L` and `_R`, directions as words."""
    for ending in ("Left", "Right"):
        stem = shape.removesuffix(ending)
        if stem != shape and stem not in ("jaw", "mouth"):
            return f"{stem}_{ending[0]}"
    return shape


def _joined(numbers: Floats | list[float]) -> str:
    return ",".join(f"{number:.6f}" for number in numbers)


def resampled(curves: Curves, rate_hz: float) -> Curves:
    """Curves at an even rate from their first time on, on straight lines between frames; gaps stay gaps.

    Raises:
        ExchangeError: They last for more than a day, which some wrong time must have made.
    """
    length_s = float(curves.time_s[-1] - curves.time_s[0])
    if length_s > _LONGEST_S:
        message = f"The take lasts {length_s / 3600.0:.0f} hours by its times, too long to write at an even rate."
        raise ExchangeError(message)
    times = curves.time_s[0] + np.arange(int(np.floor(length_s * rate_hz + 1e-6)) + 1) / rate_hz
    rotation = _between(times, curves.time_s, rotations.continuous(curves.head_rotation))
    return Curves(
        time_s=times,
        values=_between(times, curves.time_s, curves.values).astype(np.float32),
        head_rotation=rotation / np.linalg.norm(rotation, axis=1, keepdims=True),
        head_position=_between(times, curves.time_s, curves.head_position),
        neutral=curves.neutral,
    )


def _between(wanted_s: Floats, time_s: Floats, rows: Floats) -> NDArray[np.float64]:
    after = np.clip(np.searchsorted(time_s, wanted_s - 1e-9), 0, len(time_s) - 1)
    before = np.maximum(after - 1, 0)
    length = np.maximum(time_s[after] - time_s[before], 1e-12)
    place = np.clip((wanted_s - time_s[before]) / length, 0.0, 1.0)
    table = np.asarray(rows, np.float64)
    result = (1.0 - place)[:, None] * table[before] + place[:, None] * table[after]
    # A time on a frame takes that frame alone, so that a gap beside it does not reach into it.
    for is_there, source in ((place < 1e-6, before), (place > 1.0 - 1e-6, after)):
        result[is_there] = table[source[is_there]]
    return result
