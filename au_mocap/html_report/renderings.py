"""What a refined take's face looks like to its refiner, beside the video: whoever sees both sees what it missed."""

import base64
import binascii
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import crops
from ..errors import TrackerError, VideoError
from ..refiners import aligning
from ..take import Take
from ..video import open_video
from . import markup, sections

_SIDE_PX: Final = 160
_MOST: Final = 12
_MOST_BYTES: Final = 200_000
_LARGEST_PX: Final = 512


def section(take: Take, video: Path | None) -> str:
    """Pairs of video and rendering, as HTML; empty where the take is not refined or keeps no renderings."""
    kept = _kept(take)
    if not kept:
        return ""
    found = _filmed(take, sorted(kept), video)
    parts: list[str] = []
    for index, rendered in sorted(kept.items()):
        time_s = float(take.time_s[index])
        pair = ("the video", found[index]) if index in found else None
        images = "".join(
            f'<img src="{sections.jpeg(image)}" width="{_SIDE_PX}" alt="{name} at {markup.clock(time_s)}">'
            for name, image in (*([pair] if pair else []), ("the rendering", rendered))
        )
        parts.append(
            f'<figure><button type="button" data-time="{time_s:.4f}" title="Show this moment in the curves">{images}'
            f"</button><figcaption><span>{markup.clock(time_s)}</span></figcaption></figure>"
        )
    about = (
        "Left the video, right what the refiner renders with the values that it found. Where both differ, its word "
        "counts for little."
    )
    return (
        f'<section><h2>Renderings</h2><p>{about}</p><div class="pictures renderings">{"".join(parts)}</div></section>'
    )


def _filmed(take: Take, indices: list[int], video: Path | None) -> dict[int, NDArray[np.uint8]]:
    """The face in some frames as a refiner looks at it; nothing where the video cannot be read or is another one."""
    remembered = take.meta.get("source", {}).get("path")
    if video is None and not remembered:
        return {}
    found: dict[int, NDArray[np.uint8]] = {}
    try:
        with open_video(video or Path(str(remembered))) as opened:
            if list(opened.info.size_px) == take.meta.get("frame_size", list(opened.info.size_px)):
                for index in indices:
                    landmarks = crops.to_image(take.landmarks[index], crops.Crop(*map(float, take.crop[index])))
                    number = take.first_frame + index
                    for frame in opened.frames(number, number + 1):
                        found[index] = aligning.picture(frame.image, landmarks, _SIDE_PX)
    except (VideoError, TrackerError, ValueError):  # ValueError: a path that no system can have
        pass
    return found


def _kept(take: Take) -> dict[int, NDArray[np.uint8]]:
    """Renderings by place in the take; what is no picture, or of no frame, is passed over."""
    about: object = take.meta.get("refined")
    rows: object = cast(dict[str, Any], about).get("renderings") if isinstance(about, dict) else None
    kept: dict[int, NDArray[np.uint8]] = {}
    for row in cast(list[object], rows)[:_MOST] if isinstance(rows, list) else []:
        known = cast(dict[str, Any], row) if isinstance(row, dict) else {}
        index, coded = known.get("index"), known.get("jpeg")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(take):
            continue
        image = _decoded(coded) if isinstance(coded, str) and len(coded) <= _MOST_BYTES else None
        if image is not None:
            kept[index] = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return kept


def _decoded(coded: str) -> NDArray[np.uint8] | None:
    try:
        raw = base64.b64decode(coded, validate=True)
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    except (binascii.Error, ValueError, cv2.error):
        return None
    return image.astype(np.uint8) if image is not None and max(image.shape) <= _LARGEST_PX else None
