"""The zip installs into Blender with a window, its tab is drawn, and its first button works."""

from pathlib import Path

import matplotlib.image
import numpy as np

from tests.window import window

SCRIPTS = Path(__file__).with_name("scripts")


def colours(path: Path) -> int:
    """How many different colours a picture shows: one or two where nothing was drawn."""
    pixels = (matplotlib.image.imread(path)[..., :3] * 255).astype(np.uint32)
    return len(np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32)))


def test_the_zip_installs_and_the_tab_is_drawn(blender: str, built_zip: Path) -> None:
    result = window.run(blender, SCRIPTS / "first_look.py", 90.0, [built_zip])
    assert result.code == 0, result.log
    assert result.json["finished"], result.json
    assert result.json["blender"].startswith(blender)
    assert result.problems == []
    assert result.json["tab"] == "AU Mocap"
    assert (result.json["active"], result.json["shape_keys"]) == ("Demo Head", 53)
    assert result.json["moved_keys"] == [], "the new head is neutral"
    runtime, vision, arrays = result.json["wheels"]
    assert "/user/extensions/" in runtime
    assert "/user/extensions/" in vision
    assert "/user/" not in arrays, "numpy is Blender's own"
    assert colours(result.screenshot("empty")) > 100
    assert colours(result.screenshot("head")) > colours(result.screenshot("empty"))


def test_a_failing_step_is_told(blender: str, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def steps():\n    yield\n    raise RuntimeError('the head is missing')\n", encoding="utf-8")
    result = window.run(blender, script, 60.0)
    assert result.code == 3
    assert "the head is missing" in result.json["error"]
    assert any("the head is missing" in line for line in result.problems)


def test_time_runs_out_and_nothing_stays(blender: str, tmp_path: Path) -> None:
    script = tmp_path / "patient.py"
    script.write_text("def steps():\n    while True:\n        yield 1.0\n", encoding="utf-8")
    result = window.run(blender, script, 4.0)
    assert result.code == window.TIMED_OUT
    assert result.seconds < 10.0
    assert str(result.folder) not in Path("/proc/mounts").read_text(encoding="utf-8")
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [one for one in commands if str(result.folder).encode() in one]
