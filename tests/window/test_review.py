"""A take is reviewed in a real window: video beside the character, strip, face over the video, and all away again."""

from pathlib import Path

from tests.window import window

from .test_first_look import SCRIPTS, colours, picture

CLIP = Path(__file__).resolve().parents[1] / "data" / "rendered_performance.mp4"


def test_a_take_is_reviewed_beside_its_video(built_zip: Path) -> None:
    result = window.run("5.2", SCRIPTS / "review.py", 180.0, [built_zip, CLIP])
    assert result.code == 0, result.log
    seen = result.json
    assert result.problems == []
    assert seen["finished"]
    for shown in ("gap", "later", "panel", "camera"):
        assert colours(picture(result, shown)) > 100, shown
