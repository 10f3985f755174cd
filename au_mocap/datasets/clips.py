"""What every data set is read into: clips with labels, whatever their folders look like."""

import re
import warnings
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import image_sequence
from ..errors import AuMocapError, VideoError
from ..video import Video, VideoFrame, VideoInfo, open_video
from .targets import Target

_VIDEO_SUFFIXES: Final = (".mp4", ".avi", ".mov", ".mkv", ".wmv", ".mpg", ".mpeg", ".m4v", ".webm")

_SHOWN: Final = 5

_SPARE_FRAMES: Final = 2
"""Labels may run on for so many frames after the last one that decodes: some clips of the public sets are so."""

_SPARE_SHARE: Final = 0.01
"""Share of the labelled frames that may lack their image: the public sets lose a few."""


class DatasetError(AuMocapError):
    """A data set's folder or a table of labels does not have the form that is expected."""


class DatasetWarning(UserWarning):
    """Part of a data set is not there and is left out."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of N frames of a clip.

    Attributes:
        targets: The K things that were coded.
        frames: (N,) int64, strictly increasing, places in the clip from 0.
        values: (N, K) float32, 0..1; NaN where a frame was not coded for a target.
    """

    targets: tuple[Target, ...]
    frames: NDArray[np.int64]
    values: NDArray[np.float32]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N, K) where something was coded."""
        return ~np.isnan(self.values)


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of one person.

    Attributes:
        name: Unique in its data set; fit for a file name.
        subject: Who is seen. All clips of one person share it, so that folds can keep people apart.
        source: A video file, or images in order.
        labels: What is known of its frames.
        rate_hz: Frames per second of images; a video file carries its own times.
    """

    name: str
    subject: str
    source: Path | tuple[Path, ...]
    labels: Labels
    rate_hz: float = 25.0


def leave_out(names: Sequence[str], what: str, folder: Path, count: int) -> None:
    """Warns of clips whose labels are there but not their recording; labels often come in one piece, recordings not.

    Args:
        names: The clips.
        what: What each lacks.
        folder: Where it was looked for.
        count: How many clips there are with and without it.

    Raises:
        DatasetError: All lack it.
    """
    if not names:
        return
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    if len(names) == count:
        message = f"{folder} has labels, but no {what} for any of them ({shown}): unpack the recordings there as well."
        raise DatasetError(message)
    message = f"{folder} has no {what} for {len(names)} of {count} labelled clips ({shown}): they are left out."
    warnings.warn(message, DatasetWarning, stacklevel=2)


def made_labels(targets: Sequence[Target], rows: dict[int, NDArray[np.float32]], origin: Path) -> Labels:
    """Puts rows of (K,) values by frame into labels, without the rows that say nothing.

    Raises:
        DatasetError: Nothing is left, or a frame lies before the first.
    """
    frames = [frame for frame in sorted(rows) if not np.isnan(rows[frame]).all()]
    if not frames:
        message = f"{origin} labels no frame: check that it was unpacked completely."
        raise DatasetError(message)
    if frames[0] < 0:
        message = f"{origin} labels a frame before the first: its frame numbers do not start where this data set's do."
        raise DatasetError(message)
    return Labels(tuple(targets), np.array(frames, np.int64), np.stack([rows[frame] for frame in frames]))


def within(labels: Labels, count: int, name: str) -> Labels:
    """The labels of a clip's first `count` frames.

    Raises:
        DatasetError: More labels lie behind the end than a container's rounding explains.
    """
    behind = int(labels.frames[-1]) + 1 - count
    if behind <= 0:
        return labels
    inside = labels.frames < count
    if behind > _SPARE_FRAMES or not inside.any():
        message = (
            f"{name} has {count} frames, but labels up to frame {int(labels.frames[-1]) + 1}: check that video and "
            "labels belong together and that the video is complete."
        )
        raise DatasetError(message)
    return Labels(labels.targets, labels.frames[inside], labels.values[inside])


def numbered_images(folder: Path) -> dict[int, Path]:
    """The images of a folder by the number that is their whole name (`00000994.jpg`).

    Where there are none, those whose name begins with the number (`00000994_crop.jpg`).
    """
    images = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in image_sequence.SUFFIXES]
    plain = {int(file.stem): file for file in images if file.stem.isdecimal()}
    if plain:
        return plain
    stems = ((file.stem.partition("_")[0], file) for file in images)
    return {int(number): file for number, file in stems if number.isdecimal()}


def at_images(
    rows: dict[int, NDArray[np.float32]], images: dict[int, Path], name: str
) -> tuple[dict[int, NDArray[np.float32]], tuple[Path, ...]]:
    """Turns rows by image number into rows by place among the images, which may lack numbers.

    Raises:
        DatasetError: More labelled images are missing than the public sets lose.
    """
    place = {number: index for index, number in enumerate(sorted(images))}
    missing = sorted(set(rows) - set(place))
    if len(missing) > _SPARE_FRAMES + _SPARE_SHARE * len(rows):
        message = (
            f"{name} has labels for {len(rows)} frames, but {len(missing)} of their images are missing (the first is "
            f"number {missing[0]}): unpack all images of this clip."
        )
        raise DatasetError(message)
    found = {place[number]: row for number, row in rows.items() if number in place}
    return found, tuple(images[number] for number in sorted(images))


def is_video(file: Path) -> bool:
    """Whether a name is that of a video file."""
    return file.suffix.lower() in _VIDEO_SUFFIXES


def video_of(subject: str, videos: Iterable[Path]) -> Path | None:
    """The video whose name holds a subject's; of the two that DISFA recorded at once, the left camera's."""
    fitting = [video for video in videos if re.search(rf"{re.escape(subject)}(?!\d)", video.name)]
    return min(fitting, key=lambda video: (not video.name.lower().startswith("left"), video), default=None)


def open_clip(clip: Clip) -> Video:
    """Opens a clip for decoding.

    Raises:
        VideoError: It cannot be read.
    """
    return (
        open_video(clip.source) if isinstance(clip.source, Path) else _ImageList(clip.source, clip.name, clip.rate_hz)
    )


class _ImageList(Video):
    """Images in a given order; unlike a sequence on disk their numbers may have gaps, as those of data sets do."""

    def __init__(self, files: tuple[Path, ...], name: str, rate_hz: float) -> None:
        height, width = image_sequence.read_image(files[0]).shape[:2]
        count = len(files)
        super().__init__(VideoInfo(files[0].parent, name, (width, height), count, rate_hz, count / rate_hz, "sequence"))
        self._files = files

    def close(self) -> None:
        """Do nothing: images are opened one at a time."""

    def _decode(self, start: int, stop: int | None) -> Generator[VideoFrame]:
        self._check_start(start, len(self._files))
        for index, file in enumerate(self._files[start:stop], start):
            image = image_sequence.read_image(file)
            if image.shape[1::-1] != self.info.size_px:
                message = (
                    f"{file} differs in size from the clip's first image: use the recorded images, not face crops."
                )
                raise VideoError(message)
            yield VideoFrame(index, index / self.info.rate_hz, image)
