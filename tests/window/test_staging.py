"""A clip is shown beside the viewport and behind the camera of a real Blender, in step with the timeline."""

from pathlib import Path

import matplotlib.image
import numpy as np

from tests.window import window

SCRIPTS = Path(__file__).with_name("scripts")
CLIP = Path(__file__).resolve().parents[1] / "data" / "rendered_performance.mp4"


def picture(result: window.Result, name: str) -> np.ndarray:
    return matplotlib.image.imread(result.screenshot(name))[..., :3]


def test_clip_is_shown_in_step(blender: str, built_zip: Path) -> None:
    result = window.run(blender, SCRIPTS / "staging.py", 90.0, [built_zip, CLIP])
    assert result.code == 0, result.log
    seen = result.json
    assert seen["finished"], seen
    assert seen["reused"]
    assert seen["hint"] == ""
    assert len(seen["after"]) == len(seen["before"]) + 1
    assert [kind for kind, _ in seen["after"]].count("IMAGE_EDITOR") == 1
    assert seen["user"] == [11, 150, True]
    assert (seen["shows_11"], seen["shows_60"]) == (1, 50)
    x, y, width, height = seen["place"]
    rows = slice(window.SIZE_PX[1] - y - height, window.SIZE_PX[1] - y)
    editors = [picture(result, f"editor_{frame}")[rows, x : x + width] for frame in (11, 60)]
    assert editors[0].std() > 0.05, "the clip is drawn"
    assert np.abs(editors[0] - editors[1]).max() > 0.3, "and another picture later"
    cameras = [picture(result, f"camera_{frame}") for frame in (1, 60)]
    assert np.abs(cameras[0] - cameras[1]).max() > 0.3
    assert "fills the whole window" in seen["full"]
