"""A take: everything that was measured in one pass over a video, kept for good.

A take is never altered after analysis. Neutral, gains, smoothing and mapping are settings that are applied to it
(`calibration.curves`), so changing one needs no second pass over the video.
"""

import json
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .errors import TakeError
from .files import replacing

SUFFIX: Final = ".take.npz"
VERSION: Final = 1
LANDMARK_COUNT: Final = 478

_TYPES: Final[dict[str, Any]] = {
    "time_s": np.float64,
    "found": np.bool_,
    "confidence": np.float32,
    "values": np.float32,
    "head_rotation": np.float32,
    "head_position": np.float32,
    "crop": np.float32,
    "landmarks": np.float16,
    "embedding": np.float16,
}


@dataclass(frozen=True, slots=True)
class Take:
    """T analysed frames of one actor. A frame without a face is data: NaN and `found=False`.

    Attributes:
        time_s: (T,) float64, presentation times in seconds, strictly increasing.
        found: (T,) bool, whether the face was found.
        confidence: (T,) float32, 0..1, 0 where no face was found.
        values: (T, C) float32, the regressor's output with its own generic neutral, before any setting.
        channels: The C channel ids of the columns.
        head_rotation: (T, 4) float32 unit quaternions w, x, y, z with `x_cam = R x_head` in OpenCV camera axes (x right,
            y down, z forward), relative to the optical axis, with continuous sign.
        head_position: (T, 3) float32 metres, the point between the eyes in OpenCV camera axes.
        crop: (T, 4) float32, the face crop: centre x, centre y, side in pixels, roll in radians.
        landmarks: (T, 478, 3) float16 in crop coordinates: origin the crop's centre, unit its side, turned by its roll.
        embedding: (T, E) float16, output of the regressor's image stage (E = 0 where it has none).
        meta: Source, tracker, regressor and settings, as JSON-compatible data.
    """

    time_s: NDArray[np.float64]
    found: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    head_rotation: NDArray[np.float32]
    head_position: NDArray[np.float32]
    crop: NDArray[np.float32]
    landmarks: NDArray[np.float16]
    embedding: NDArray[np.float16]
    meta: dict[str, Any]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.time_s)

    def __post_init__(self) -> None:
        """Checks that all arrays describe the same frames.

        Raises:
            TakeError: Shapes disagree or times do not increase.
        """
        count = len(self.time_s)
        expected: dict[str, tuple[int, ...]] = {
            "time_s": (count,),
            "found": (count,),
            "confidence": (count,),
            "values": (count, len(self.channels)),
            "head_rotation": (count, 4),
            "head_position": (count, 3),
            "crop": (count, 4),
            "landmarks": (count, LANDMARK_COUNT, 3),
            "embedding": (count, self.embedding.shape[-1]),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                msg = f"Take is inconsistent: {name} is {getattr(self, name).shape}, expected {shape}."
                raise TakeError(msg)
        if np.any(np.diff(self.time_s) <= 0):
            msg = "Take is inconsistent: its times do not increase."
            raise TakeError(msg)


def save(take: Take, path: Path) -> None:
    """Writes a take under `path` (`NAME.take.npz`), replacing an earlier file only when all is written.

    Raises:
        OutputError: The file cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(take, name).astype(dtype, copy=False) for name, dtype in _TYPES.items()}
    arrays["channels"] = np.array(take.channels, dtype=np.str_)
    arrays["meta"] = np.array(json.dumps({**take.meta, "version": VERSION}, ensure_ascii=False))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Take:
    """Reads a take.

    Raises:
        TakeError: The file is missing, truncated, of a newer version or no take at all; the message says which.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            stored = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        msg = f"There is no take {path}."
        raise TakeError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path} is a folder: name a {SUFFIX} file."
        raise TakeError(msg) from error
    except PermissionError as error:
        msg = f"{path} cannot be read: permission denied."
        raise TakeError(msg) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
        msg = f"{path} is not a take, or is damaged: analyse the video again."
        raise TakeError(msg) from error
    return _take_from(stored, path)


def _take_from(stored: dict[str, NDArray[Any]], path: Path) -> Take:
    missing = [field.name for field in fields(Take) if field.name not in stored]
    if missing:
        msg = f"{path} is not a take: it has no {', '.join(missing)}."
        raise TakeError(msg)
    try:
        meta: dict[str, Any] = json.loads(str(stored["meta"]))
        version = int(meta.get("version", 0))
    except (ValueError, TypeError, AttributeError) as error:
        msg = f"{path} is not a take, or is damaged: its description cannot be read."
        raise TakeError(msg) from error
    if version > VERSION:
        msg = f"{path} was made by a newer AU Mocap (take version {version}): update to open it."
        raise TakeError(msg)
    try:
        arrays = {name: stored[name].astype(dtype, copy=False) for name, dtype in _TYPES.items()}
    except (ValueError, TypeError) as error:
        msg = f"{path} is not a take, or is damaged: an array has the wrong type."
        raise TakeError(msg) from error
    return Take(channels=tuple(str(channel_id) for channel_id in stored["channels"]), meta=meta, **arrays)
