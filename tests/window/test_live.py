"""Live preview in real windows: it keeps up, its overlay can be read, and it leaves nothing behind."""

from pathlib import Path

from tests.window import window

from .test_first_look import SCRIPTS, changed, colours, picture

TICK_S = 0.05
"""Beside a window that the processor draws, on a machine with other work: `make.py bench live_preview` is exact."""

DRAW_S = 0.5


def test_live_in_a_window(blender: str, built_zip: Path, single_face: Path) -> None:
    result = window.run(blender, SCRIPTS / "live.py", 280.0, [built_zip, single_face])
    found = result.json
    assert result.code == 0, result.log
    assert result.problems == []
    assert found["started"]
    assert found["problem"] == ""
    assert found["moving"] > 0.2
    median_s, _ = found["tick_s"]
    assert median_s <= TICK_S, found["tick_s"]
    for shown in ("off", "dark", "large", "light", "image_editor", "recording", "end"):
        assert colours(picture(result, shown)) > 100, shown
    assert changed(picture(result, "no_overlay"), picture(result, "light")) > 20_000, "picture and bars"
    assert found["calibration"] in ("done", "refused"), "the clip's actor may move"
    assert found["playing"] == [True, "FRAME_DROP"]
    assert found["after_recording"] == [False, "NONE", ""]
    ((name, detail, has_video),) = found["takes"]
    assert name == "Live"
    assert "fast" in detail
    assert has_video
    late = 3.0 + 30.0 * found["lag_s"][1]
    assert abs(found["bake_start"] - 11.0) < late, "the first picture was taken about when the scene began to play"
    curves, group, frames = found["keys"]
    assert (curves, group) == (52, "AU Mocap Face")
    assert len(frames) >= 2, "drawn by the processor, few frames are played"
    assert frames == sorted(frames)
    assert all(frame == int(frame) >= 11 for frame in frames)
    assert found["after_closing"] == [True, ""]
    assert found["after_undo"] == [True, "", 500]
    assert found["draw_s"][0] <= DRAW_S
    assert found["stopped_s"] < 0.5
    assert found["left"] == 0.0
    assert found["frame_end"] == 500
    assert found["left_by_undo"] == 0.0
