"""What a list shows of a take, read from its description and a few bytes more, never from its large arrays."""

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
from numpy.lib import format as _format

from .. import take as takes
from ..errors import TakeError
from ..files import is_file

MOST_META_BYTES: Final = 8_000_000
MOST_FRAMES: Final = 20_000_000
_CHUNK_BYTES: Final = 1 << 20
_FIRST_VERSION: Final = b"\x93NUMPY\x01\x00"
_NPY: Final[Any] = _format  # its types are not declared


@dataclass(frozen=True, slots=True)
class Summary:
    """A take in a list.

    Attributes:
        frames: Number of frames.
        first_frame: Number of the first one in the video.
        duration_s: Length in seconds.
        faces: 0..1, share of frames with a face.
        regressor: Name of the regressor, empty where the take does not say.
        partial: Whether analysis was stopped before the end.
        clip: Name of the video, empty where the take does not say.
        clip_path: Where it was, empty where the take does not say.
        clip_bytes: Its size; None for images in a folder, or where the take does not say.
        clip_sha256: Its checksum in lower-case hex, empty where there is none.
        rate_hz: Frames a second, 0 where the take does not say.
    """

    frames: int
    first_frame: int
    duration_s: float
    faces: float
    regressor: str
    partial: bool
    clip: str
    clip_path: str
    clip_bytes: int | None
    clip_sha256: str
    rate_hz: float

    def to_document(self) -> dict[str, Any]:
        """As JSON-compatible data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_document(cls, document: object) -> "Summary":
        """Back from JSON; raises ValueError where it is something else."""
        known = _mapping(document)
        if set(known) != {field.name for field in fields(cls)}:
            message = "other fields"
            raise ValueError(message)
        numbers = (known["frames"], known["first_frame"], known["duration_s"], known["faces"], known["rate_hz"])
        texts = (known["regressor"], known["clip"], known["clip_path"], known["clip_sha256"])
        if not all(_is_number(each) for each in numbers) or not all(isinstance(each, str) for each in texts):
            message = "other types"
            raise ValueError(message)
        return cls(**known)


def read(path: Path) -> Summary:
    """Reads a take's summary: about a millisecond, whatever the take's length.

    Raises:
        TakeError: The file is missing, cut short, of a newer version or no take at all; the message says which.
    """
    if not is_file(path):
        message = f"There is no take {path}."
        raise TakeError(message)
    try:
        with path.open("rb") as file:
            if file.read(len(takes.ARCHIVE_MARK)) != takes.ARCHIVE_MARK:
                message = "no archive"
                raise ValueError(message)
            with zipfile.ZipFile(file) as archive:
                return _summary(archive, path)
    except PermissionError as error:
        message = f"{path} cannot be read: permission denied."
        raise TakeError(message) from error
    except (*takes.DAMAGE, KeyError) as error:
        message = f"{path} is not a take, or is damaged: analyse the video again."
        raise TakeError(message) from error


def _summary(archive: zipfile.ZipFile, path: Path) -> Summary:
    meta = takes.meta_from(_meta(archive), path)
    found = _found(archive)
    source = _mapping(meta.get("source", {}))
    rate_hz = _number(source.get("rate_hz"))
    size = source.get("size_bytes")
    return Summary(
        frames=len(found),
        first_frame=int(meta.get("first_frame", 0)),
        duration_s=len(found) / rate_hz if rate_hz > 0 else _length_s(archive, len(found)),
        faces=float(found.mean()),
        regressor=_text(_mapping(meta.get("regressor", {})).get("name")),
        partial=meta.get("partial") is True,
        clip=_text(source.get("name")),
        clip_path=_text(source.get("path")),
        clip_bytes=size if isinstance(size, int) and not isinstance(size, bool) else None,
        clip_sha256=_text(source.get("sha256")),
        rate_hz=rate_hz,
    )


def _meta(archive: zipfile.ZipFile) -> str | None:
    if "meta.npy" not in archive.NameToInfo:
        return None
    with archive.open("meta.npy") as member:
        shape, dtype = _header(member)
        if shape or dtype.kind != "U" or dtype.itemsize > MOST_META_BYTES:
            message = "its description has another form"
            raise ValueError(message)
        content = member.read(dtype.itemsize)
        return str(np.frombuffer(content, dtype)[0]) if dtype.itemsize else ""


def _found(archive: zipfile.ZipFile) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """(T,) bool of the frames with a face."""
    with archive.open("found.npy") as member:
        shape, dtype = _header(member)
        if len(shape) != 1 or dtype != np.bool_ or not 0 < shape[0] <= MOST_FRAMES:
            message = "no frames"
            raise ValueError(message)
        return np.frombuffer(member.read(shape[0]), np.bool_, shape[0])


def _length_s(archive: zipfile.ZipFile, frames: int) -> float:
    """Time of the last frame, for a take that does not say its rate; reads past the others without keeping them."""
    with archive.open("time_s.npy") as member:
        shape, dtype = _header(member)
        if shape != (frames,) or dtype != np.float64:
            message = "other times"
            raise ValueError(message)
        first = last = member.read(8)
        left = 8 * (frames - 1)
        while left > 0:
            chunk = member.read(min(left, _CHUNK_BYTES))
            if not chunk:
                message = "times are missing"
                raise EOFError(message)
            left -= len(chunk)
            last = (last + chunk)[-8:]
    length_s = float(np.frombuffer(last, np.float64)[0] - np.frombuffer(first, np.float64)[0])
    return length_s if math.isfinite(length_s) else 0.0


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], "np.dtype[Any]"]:
    """Shape and type of the array that a member of the archive holds; the stream then stands on its first byte."""
    start = member.read(10)
    if not start.startswith(_FIRST_VERSION):  # takes are written in this form, which holds headers up to 64 KB
        message = "another kind of array"
        raise ValueError(message)
    return _parsed(start + member.read(int.from_bytes(start[8:], "little")))


@lru_cache(maxsize=1024)
def _parsed(header: bytes) -> tuple[tuple[int, ...], "np.dtype[Any]"]:
    """What a header says; takes of one length share theirs, and reading it is what costs most."""
    stream = BytesIO(header)
    _NPY.read_magic(stream)
    shape, is_fortran, dtype = _NPY.read_array_header_1_0(stream)
    if is_fortran and len(shape) > 1:
        message = "columns first"
        raise ValueError(message)
    return shape, dtype


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        message = "no mapping"
        raise ValueError(message)  # noqa: TRY004 - callers catch what a damaged file raises
    return cast(dict[str, Any], value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float:
    """A finite number above 0, else 0."""
    number = float(cast(float, value)) if _is_number(value) else 0.0
    return number if math.isfinite(number) and number > 0.0 else 0.0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
