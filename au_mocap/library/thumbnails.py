"""A picture of each take: the face at its strongest expression, from the video, or drawn from what was measured.

Pictures lie in the user's cache under names made of the take's path, size, time and video, so a changed take gets
another. Any thread may make one.
"""

import contextlib
import hashlib
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import channels, portraits
from .. import take as takes
from ..errors import AuMocapError, LibraryError
from ..files import is_file, replacing
from ..regions import columns
from ..video import open_video
from . import drawing
from .entry import Entry
from .summary import MOST_FRAMES

SIDE_PX: Final = 256
MOST_KEPT: Final = 4000
_QUALITY: Final = 88
_TURN_RAD: Final = 0.6
"""A head that turned so far from the camera counts half."""

_REST: Final = 0.1
"""A channel rests at this share of its sorted values."""

_ROW_BYTES: Final = {"values": 4 * 128, "crop": 16, "confidence": 4, "found": 1, "head_rotation": 16}
_LANDMARK_BYTES: Final = 478 * 3 * 2
_HEADER_BYTES: Final = 65536


def file_of(entry: Entry, cache: Path) -> Path:
    """Where the picture of a take lies or will lie."""
    clip = str(entry.clip) if entry.clip_state == "found" else ""
    facts = "|".join((str(entry.path.absolute()), str(entry.size_bytes), str(entry.modified_ns), clip))
    return cache / "pictures" / f"{hashlib.sha256(facts.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.jpg"


def ensure(entry: Entry, cache: Path) -> Path:
    """Makes the picture of a take unless it is there.

    Args:
        entry: The take.
        cache: The user's cache folder.

    Returns:
        A JPEG file of 256 x 256 pixels.

    Raises:
        LibraryError: The take cannot be read.
        OutputError: The picture cannot be written.
    """
    path = file_of(entry, cache)
    if is_file(path):
        return path
    image = picture(entry)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
    return path


def picture(entry: Entry) -> NDArray[np.uint8]:
    """Draws a take.

    Returns:
        (256, 256, 3) uint8 BGR: the face cut out of the video; where that is not there, or is another one than was
        analysed, the landmarks; in a take without landmarks the values as bars.

    Raises:
        LibraryError: The take cannot be read.
    """
    measured = _read(entry, tuple(_ROW_BYTES))
    frame = strongest(measured)
    if entry.clip is not None and entry.clip_state == "found":
        with contextlib.suppress(AuMocapError):
            return _from_video(entry, frame, measured["crop"][frame])
    landmarks = _read(entry, ("landmarks",))["landmarks"][frame]
    if not measured["found"].any() or not len(landmarks):  # another program's values come without a face
        return drawing.bars(measured["values"][frame], SIDE_PX)
    return drawing.mesh(landmarks[:, :2].astype(np.float64), SIDE_PX)


def strongest(measured: dict[str, NDArray[Any]]) -> int:
    """The frame whose expression is farthest from rest, seen well; gaze and blinks do not count.

    Args:
        measured: `values` (T, 58), `found` (T,), `confidence` (T,) and `head_rotation` (T, 4) of a take.

    Returns:
        Its number in the take, 0 where no frame has a face.
    """
    found = measured["found"]
    if not found.any():
        return 0
    values = measured["values"].astype(np.float64)
    left_out = {*columns("gaze").tolist(), *(channels.INDEX[each] for each in ("eye_close_L", "eye_close_R"))}
    kept = [index for index in range(min(values.shape[1], len(channels.IDS))) if index not in left_out]
    seen = np.where(found[:, None], values[:, kept], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a channel without any value
        far = np.nansum(np.maximum(0.0, seen - np.nanquantile(seen, _REST, axis=0)), axis=1)
    confidence = np.nan_to_num(measured["confidence"].astype(np.float64))
    upright = np.clip(np.abs(np.nan_to_num(measured["head_rotation"][:, 0].astype(np.float64))), 0.0, 1.0)
    turns = 2.0 * np.arccos(upright)
    score = np.where(found, (0.01 + far) * confidence / (1.0 + (turns / _TURN_RAD) ** 2), -1.0)
    return int(np.argmax(score))


def prune(cache: Path, most: int = MOST_KEPT) -> int:
    """Deletes the pictures that were made longest ago where there are too many; returns how many went."""
    try:
        with os.scandir(cache / "pictures") as listing:
            known = sorted((each.stat().st_mtime_ns, each.path) for each in listing if each.name.endswith(".jpg"))
    except OSError:  # there are none
        return 0
    gone = known[: max(0, len(known) - most)]
    for _, path in gone:
        with contextlib.suppress(OSError):
            Path(path).unlink()
    return len(gone)


def _from_video(entry: Entry, frame: int, row: NDArray[Any]) -> NDArray[np.uint8]:
    """The face in the video; raises VideoError or LibraryError."""
    assert entry.clip is not None
    assert entry.summary is not None
    number = entry.summary.first_frame + frame
    if not np.isfinite(row).all() or not row[2] > 0:
        message = "there is no face in this frame"
        raise LibraryError(message)
    with open_video(entry.clip) as video:
        image = next(video.frames(number, number + 1)).image
    return portraits.square(image, row, SIDE_PX)


def _read(entry: Entry, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Arrays of a take, of which none may be larger than its frames need; raises LibraryError."""
    if entry.summary is None:
        raise LibraryError(entry.problem or f"{entry.path} cannot be read.")
    frames = min(entry.summary.frames, MOST_FRAMES)
    try:
        with zipfile.ZipFile(entry.path) as archive:
            for name in names:
                bytes_each = _ROW_BYTES.get(name, _LANDMARK_BYTES)
                if archive.getinfo(f"{name}.npy").file_size > frames * bytes_each + _HEADER_BYTES:
                    message = f"{name} is too large"
                    raise ValueError(message)
        with np.load(entry.path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in names}
        if any(len(array) != entry.summary.frames for array in arrays.values()):
            message = "other frames"
            raise ValueError(message)
    except (*takes.DAMAGE, KeyError, TypeError) as error:
        message = f"{entry.path} is damaged: analyse the video again."
        raise LibraryError(message) from error
    return arrays
