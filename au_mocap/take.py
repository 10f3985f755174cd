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
from .landmarks import COUNT

SUFFIX: Final = ".take.npz"
VERSION: Final = 1

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
_REFINEMENT: Final = "refinement"
"""The one array that a take may lack."""


@dataclass(frozen=True, slots=True)
class Take:
    """T analysed frames of one actor. A frame without a face is data: NaN and `found=False`.

    Attributes:
        time_s: (T,) float64, presentation times in seconds, strictly increasing.
        found: (T,) bool, whether the face was found.
        confidence: (T,) float32, 0..1, 0 where no face was found.
        values: (T, C) float32, the regressor's output with its own generic neutral, before any setting.
        channels: The C channel ids of the columns.
        head_rotation: (T, 4) float32 unit quaternions w, x, y, z with `x_cam = R x_head` in OpenCV camera axes (x
            right, y down, z forward), relative to the optical axis, with continuous sign.
        head_position: (T, 3) float32 metres, the point between the eyes in OpenCV camera axes.
        crop: (T, 4) float32, the face crop: centre x, centre y, side in pixels, roll in radians.
        landmarks: (T, 478, 3) float16 in crop coordinates: origin the crop's centre, unit its side, turned by its roll.
            (T, 0, 3) in an imported take, whose values another program measured.
        embedding: (T, E) float16, output of the regressor's image stage (E = 0 where it has none).
        meta: Source, tracker, regressor and settings, as JSON-compatible data.
        refinement: (T, C) float16, what a refining pass adds to the values of any neutral (`refining`); None where
            none was made. The other arrays are those of the take that was refined.
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
    refinement: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.time_s)

    @property
    def is_imported(self) -> bool:
        """Whether another program measured the values, so that there is no face to measure again."""
        return self.landmarks.shape[1:] == (0, 3)

    @property
    def first_frame(self) -> int:
        """Number of the first frame in the video; tables and the neutral's frames count as the video does."""
        return int(self.meta.get("first_frame", 0))

    def __post_init__(self) -> None:
        """Checks that all arrays describe the same frames.

        Raises:
            TakeError: There are no frames, shapes disagree or times do not increase.
        """
        count = self.time_s.size
        if not count:
            message = "Take holds no frames."
            raise TakeError(message)
        expected: dict[str, tuple[int, ...]] = {
            "time_s": (count,),
            "found": (count,),
            "confidence": (count,),
            "values": (count, len(self.channels)),
            "head_rotation": (count, 4),
            "head_position": (count, 3),
            "crop": (count, 4),
            "landmarks": (count, 0 if self.is_imported else COUNT, 3),
            "embedding": (count, self.embedding.size // count),
            **({} if self.refinement is None else {_REFINEMENT: (count, len(self.channels))}),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                message = f"Take is inconsistent: {name} is {getattr(self, name).shape}, expected {shape}."
                raise TakeError(message)
        if not (np.isfinite(self.time_s).all() and np.all(np.diff(self.time_s) > 0)):
            message = "Take is inconsistent: its times do not increase."
            raise TakeError(message)


def save(take: Take, path: Path) -> None:
    """Writes a take under `path` (`NAME.take.npz`), replacing an earlier file only when all is written.

    Raises:
        OutputError: The file cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(take, name).astype(dtype, copy=False) for name, dtype in _TYPES.items()}
    if take.refinement is not None:
        arrays[_REFINEMENT] = take.refinement.astype(np.float16, copy=False)
    arrays["channels"] = np.array(take.channels, dtype=np.str_)
    arrays["meta"] = np.array(json.dumps({**take.meta, "version": VERSION}, ensure_ascii=False))
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        # As np.savez_compressed, which leaves its archive open when the disk is full.
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.save(member, array, allow_pickle=False)


def load(path: Path) -> Take:
    """Reads a take.

    Raises:
        TakeError: The file is missing, truncated, of a newer version or no take at all; the message says which.
    """
    try:
        stored = _read_arrays(path)
    except FileNotFoundError as error:
        message = f"There is no take {path}."
        raise TakeError(message) from error
    except IsADirectoryError as error:
        message = f"{path} is a folder: name a {SUFFIX} file."
        raise TakeError(message) from error
    except PermissionError as error:
        message = f"{path} cannot be read: permission denied."
        raise TakeError(message) from error
    except DAMAGE as error:
        message = f"{path} is not a take, or is damaged: analyse the video again."
        raise TakeError(message) from error
    return _take_from(stored, path)


DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    OSError,
    MemoryError,  # an array that claims to be huge
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted archive
)
"""What reading a file that is no take, or a damaged one, raises in zipfile and numpy."""


ARCHIVE_MARK: Final = b"PK\x03\x04"
"""How a take's file begins."""


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as file:
        if file.read(len(ARCHIVE_MARK)) != ARCHIVE_MARK:
            message = "no archive"
            raise ValueError(message)
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            return {field.name: archive[field.name] for field in fields(Take) if field.name in archive.files}


def _take_from(stored: dict[str, NDArray[Any]], path: Path) -> Take:
    meta = meta_from(stored.get("meta"), path)
    missing = [field.name for field in fields(Take) if field.name not in stored and field.name != _REFINEMENT]
    if missing:
        message = f"{path} is not a take: it has no {', '.join(missing)}."
        raise TakeError(message)
    try:
        arrays = {name: stored[name].astype(dtype, copy=False) for name, dtype in _TYPES.items()}
        if _REFINEMENT in stored:
            arrays[_REFINEMENT] = np.nan_to_num(stored[_REFINEMENT].astype(np.float16, copy=False))
        channel_ids = tuple(str(channel_id) for channel_id in stored["channels"])
    except (ValueError, TypeError) as error:
        message = f"{path} is not a take, or is damaged: an array has the wrong type."
        raise TakeError(message) from error
    try:
        return Take(channels=channel_ids, meta=meta, **arrays)
    except TakeError as error:
        message = f"{path} is damaged: {error} Analyse the video again."
        raise TakeError(message) from error


def meta_from(stored: NDArray[Any] | str | None, path: Path) -> dict[str, Any]:
    """The description without the file's version, which comes first: a newer file may look different altogether.

    Args:
        stored: The description's JSON, None where the file has none.
        path: The take, for messages.

    Raises:
        TakeError: It is none, or of a newer version.
    """
    if stored is None:
        message = f"{path} is not a take: it has no description."
        raise TakeError(message)
    try:
        meta: dict[str, Any] = json.loads(str(stored))
        version = int(meta.pop("version"))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        message = f"{path} is not a take, or is damaged: its description cannot be read."
        raise TakeError(message) from error
    if version > VERSION:
        message = f"{path} was made by a newer AU Mocap (take version {version}): update to open it."
        raise TakeError(message)
    sections = (meta.get(name, {}) for name in ("source", "tracker", "regressor", "settings"))
    if not all(isinstance(section, dict) for section in sections) or not isinstance(meta.get("first_frame", 0), int):
        message = f"{path} is not a take, or is damaged: its description has another form."
        raise TakeError(message)
    return meta
