"""A take is reviewed in a real window: video beside the character, strip, face over the video, and all away again."""

from pathlib import Path

import numpy as np
import pytest

from tests.window import window

from .test_first_look import SCRIPTS, colours, picture

CLIP = Path(__file__).resolve().parents[1] / "data" / "rendered_performance.mp4"


def timeline(result: window.Result, name: str) -> np.ndarray:
    """What is drawn in the timeline below its ruler."""
    x, y, width, _ = result.json["timeline"]
    bottom = window.SIZE_PX[1] - y
    return picture(result, name)[bottom - 10 : bottom, x : x + width]


@pytest.mark.parametrize("blender", ["5.2"], indirect=True)
def test_a_take_is_reviewed_beside_its_video(blender: str, built_zip: Path) -> None:
    result = window.run(blender, SCRIPTS / "review.py", 240.0, [built_zip, CLIP])
    assert result.code == 0, result.log
    seen = result.json
    assert result.problems == []
    assert seen["during"] == sorted([*seen["before"], "IMAGE_EDITOR"])
    assert seen["after"] == [seen["before"], False], "the window is as it was, without the strip"
    assert seen["problems"][:2] == [["gap", 71], ["confidence", 111]]
    # The take's frame 30 is the clip's frame 40, at 1.333 s: frame 71 of a scene of 60 frames a second.
    assert seen["gap"] == [71, -9, 41 - 81]
    assert seen["later"] == [71 - 141, 71]
    assert seen["chosen"] == 111
    assert seen["made"][1] == 0, "playing draws the strips that are there"
    for shown in ("gap", "later", "camera", "editors"):
        assert colours(picture(result, shown)) > 100, shown
    with_strip, without = timeline(result, "gap"), timeline(result, "camera")
    changed = np.abs(with_strip - without).max(axis=2).max(axis=0) > 25
    assert 0.4 < changed.mean() < 0.9, "the strip is as long as the take"
