"""The README's picture: a rendered performer beside the demo head that was keyed from its video.

    python -m training.readme_picture

Writes `docs/contact_sheet.png`.
"""

import tempfile
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from training import demo, extension, stage
from training.contact_sheet import contact_sheet

PICTURE: Final = extension.ROOT / "docs" / "contact_sheet.png"
FRAMES: Final = (24, 49, 61, 75, 83, 94)
"""Smile, open jaw, one-sided smile, pucker, lowered brows, turned head."""

_WIDTH_PX: Final = 1500


def main() -> int:
    """Extract and bake the rendered clip, and lay out its apexes in three columns."""
    with extension.registered(), tempfile.TemporaryDirectory() as folder:
        clip = demo.Clip(demo.FALLBACK, "rendered")
        path = Path(folder) / "take.take.npz"
        take = demo.extract(clip, path)
        crops = extension.module("au_mocap.crops")
        frames = [
            # A little wider than the tracked crop, and upright: the head's tilt belongs into the picture.
            crops.crop_image(frame, crops.Crop(float(x), float(y), 1.25 * float(side), 0.0), demo.PORTRAIT.height)
            for frame, (x, y, side, _) in zip(
                demo.video_frames(clip.path, list(FRAMES)), take.crop[list(FRAMES)], strict=True
            )
        ]
        with stage.quiet():
            demo.bake(take, path)
        cells = demo.make_cells(take, np.array(FRAMES), frames)
    sheet = contact_sheet("AU Mocap", "left of each pair a rendered performer, right the demo head", cells, columns=3)
    small = cv2.resize(
        sheet, (_WIDTH_PX, round(sheet.shape[0] * _WIDTH_PX / sheet.shape[1])), interpolation=cv2.INTER_AREA
    )
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(cv2.imencode(".png", small, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
