"""Writing a camera's pictures: as a video where a codec is at hand, as a folder of JPEGs where not."""

from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np

from ..crops import Image
from ..errors import OutputError
from ..files import check_writable

_CODECS: Final = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "MJPG", ".avi": "MJPG"}
_JPEG_QUALITY: Final = 95


class Film(Protocol):
    """Pictures on their way to the disk.

    Attributes:
        path: The video, or the folder of images.
    """

    path: Path

    def write(self, image: Image) -> None:
        """Adds a picture; raises OutputError where it cannot be written."""
        ...

    def close(self) -> None:
        """Finishes the file; raises OutputError where it did not come out whole."""
        ...


def open_film(path: Path, size_px: tuple[int, int], rate_hz: float) -> Film:
    """Begins a video.

    Args:
        path: A video file that does not exist yet; its suffix chooses the codec: MPEG-4 (.mp4, .mov), or JPEG pictures
            with the least loss (.avi, .mkv). Without a suffix, and where OpenCV has no encoder for it, a folder of
            JPEGs of the name without its suffix.
        size_px: Width and height.
        rate_hz: Frames per second that the file declares.

    Raises:
        OutputError: It exists, its name ends otherwise, or it cannot be written there.
    """
    suffix = path.suffix.lower()
    if suffix and suffix not in _CODECS:
        message = f"{path.name} is no name for a video: let it end in {', '.join(_CODECS)}."
        raise OutputError(message)
    if suffix:
        check_writable(path, overwrite=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*_CODECS[suffix]), rate_hz, size_px)
        if writer.isOpened():
            return _Video(path, writer, size_px)
        writer.release()
        path.unlink(missing_ok=True)
    return _Folder(path.with_suffix(""))


class _Video:
    def __init__(self, path: Path, writer: cv2.VideoWriter, size_px: tuple[int, int]) -> None:
        self.path = path
        self._writer = writer
        self._size_px = size_px
        self._count = 0

    def write(self, image: Image) -> None:
        size_px = (image.shape[1], image.shape[0])
        # Without this the writer drops such a picture silently, and pictures and rows go out of step.
        fitting = image if size_px == self._size_px else np.asarray(cv2.resize(image, self._size_px), np.uint8)
        self._writer.write(fitting)
        self._count += 1

    def close(self) -> None:
        self._writer.release()
        if not self.path.is_file() or (self._count and self.path.stat().st_size == 0):
            message = f"{self.path} could not be written: free some space on the disk, or choose another place."
            raise OutputError(message)


class _Folder:
    def __init__(self, path: Path) -> None:
        if path.exists():
            message = f"{path} already exists: choose another name."
            raise OutputError(message)
        try:
            path.mkdir(parents=True)
        except OSError as error:
            message = f"Cannot make the folder {path} ({error.strerror}): choose another place."
            raise OutputError(message) from error
        self.path = path
        self._count = 0

    def write(self, image: Image) -> None:
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        file = self.path / f"frame_{self._count:06d}.jpg"
        try:
            encoded.tofile(file)  # not cv2.imwrite: on Windows it cannot write names beyond the system's code page
        except OSError as error:
            message = f"Cannot write {file} ({error.strerror}): free some space, or choose another place."
            raise OutputError(message) from error
        self._count += 1

    def close(self) -> None:
        pass
