"""The folder that holds one head's pictures and the truth about them.

frame_00000.jpg …   pictures; the first ones show the neutral face
truth.csv           the project's table (`exchange.COLUMNS`): exact values, head pose
head.json           what the head is, which channels it can show, which frames are neutral, fields of view
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, rotations
from au_mocap.exchange import COLUMNS
from au_mocap.files import replacing
from training.transfer import shapes
from training.transfer.plan import NEUTRAL_FRAMES, SIZE_PX, Frame

_RATE_HZ: Final = 30.0
_QUALITY: Final = 92


class AlbumError(Exception):
    """A folder is not what this module writes; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What was played.

    Attributes:
        values: (T, 58) float32.
        head_rotation: (T, 4) quaternions.
        channels: Ids of the channels that the head can show.
        neutral_frames: Numbers of the frames that show nothing.
    """

    values: NDArray[np.float32]
    head_rotation: NDArray[np.float64]
    channels: tuple[str, ...]
    neutral_frames: tuple[int, ...]


def picture_path(folder: Path, index: int) -> Path:
    """Where a frame's picture lies."""
    return folder / f"frame_{index:05d}.jpg"


def pictures(folder: Path) -> Path:
    """All pictures, as the engine names a sequence."""
    return folder / "frame_%05d.jpg"


def heads_in(folder: Path) -> list[Path]:
    """Folders of rendered heads in a folder.

    Raises:
        AlbumError: There are none.
    """
    heads = sorted(path.parent for path in folder.glob("*/head.json"))
    if not heads:
        message = f"{folder} holds no rendered heads: render some with python -m training.transfer --out {folder}."
        raise AlbumError(message)
    return heads


def write_picture(folder: Path, index: int, picture: NDArray[np.uint8]) -> None:
    """Writes a frame's (H, W, 3) BGR picture, whole or not at all."""
    with replacing(picture_path(folder, index)) as temporary:
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        temporary.write_bytes(encoded.tobytes())


def write_truth(folder: Path, frames: Sequence[Frame]) -> None:
    """Writes the table of all planned frames.

    Raises:
        AlbumError: Pictures were made by another plan.
    """
    values = shapes.truth(np.stack([frame.values for frame in frames]))
    turned = rotations.to_quaternions(np.stack([frame.view.rotation for frame in frames]))
    rows = [list(COLUMNS)]
    for frame, row, quaternion in zip(frames, values, turned, strict=True):
        numbers = (*row, *quaternion, *frame.view.translation)
        rows.append([str(frame.index), f"{frame.index / _RATE_HZ:.6f}", "1", "1.00000", *(f"{x:.5f}" for x in numbers)])
    path = folder / "truth.csv"
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            if any(old != new for old, new in zip(csv.reader(file), rows, strict=False)):
                message = f"{folder} was made by another plan of frames: remove the folder and render it again."
                raise AlbumError(message)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def write_description(folder: Path, terms: str, held: Sequence[str], frames: Sequence[Frame]) -> None:
    """Writes what the head is and can."""
    fov_deg = [2 * np.degrees(np.arctan(0.5 * SIZE_PX / frame.view.focal_px)) for frame in frames]
    description = {
        "terms": terms,
        "use": "evaluation only, never training or choosing",
        "channels": list(shapes.channels_of(held)),
        "neutral_frames": list(range(min(NEUTRAL_FRAMES, len(frames)))),
        "fov_deg": [round(float(angle), 4) for angle in fov_deg],
    }
    with replacing(folder / "head.json") as temporary:
        temporary.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def read_truth(folder: Path, count: int) -> Truth:
    """Reads the truth about the first `count` pictures.

    Raises:
        AlbumError: The folder holds no truth, or less of it.
    """
    try:
        description = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[:count]
    except FileNotFoundError as error:
        message = f"{folder} is no rendered head: render one with python -m training.transfer --out FOLDER."
        raise AlbumError(message) from error
    if len(rows) < count:
        message = f"{folder} holds {count} pictures and the truth about {len(rows)}: render it again."
        raise AlbumError(message)
    return Truth(
        values=np.array([[row[channel_id] for channel_id in channels.IDS] for row in rows], np.float32),
        head_rotation=np.array([[row[f"head_q{axis}"] for axis in "wxyz"] for row in rows], np.float64),
        channels=tuple(description["channels"]),
        neutral_frames=tuple(description["neutral_frames"]),
    )
