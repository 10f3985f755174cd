"""The zip in Blenders with a window: it installs, its tab is drawn, a head is added and animated."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.window import window

SCRIPTS = Path(__file__).with_name("scripts")
CLIP = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"
PERFORMANCE = Path(__file__).parents[1] / "release" / "performance.py"


SAVE_HEAD = (
    "import bpy; bpy.ops.wm.read_homefile(use_empty=True); bpy.ops.aumocap.add_demo_head();"
    f"bpy.ops.wm.save_as_mainfile(filepath='{window.INSIDE}/head.blend')"
)
BAKE = ("-o", f"{window.INSIDE}/keyed.blend", "--regressor", "fast")
LOOK_FOR_KEYS = (
    "import bpy; bpy.context.scene.frame_set(20);"
    "assert max(key.value for key in bpy.data.objects['Demo Head Face'].data.shape_keys.key_blocks) > 0.2"
)


def picture(result: window.Result, name: str) -> NDArray[np.int32]:
    """A screenshot's pixels (h, w, 3), 0..255."""
    return np.round(matplotlib.image.imread(result.screenshot(name))[..., :3] * 255).astype(np.int32)


def colours(pixels: NDArray[np.int32]) -> int:
    """How many different colours a picture shows: one or two where nothing was drawn."""
    return len(np.unique(pixels @ np.array([1 << 16, 1 << 8, 1])))


def changed(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    """How many pixels differ clearly."""
    return int(np.count_nonzero(np.abs(first - second).max(axis=-1) > 25))


def test_the_zip_installs_and_does_the_main_job(blender: str, built_zip: Path) -> None:
    result = window.run(blender, SCRIPTS / "first_look.py", 120.0, [built_zip, CLIP, PERFORMANCE])
    assert result.code == 0, result.log
    found = result.json
    assert found["finished"], found
    assert found["blender"].startswith(blender)
    assert result.problems == []
    assert found["tab"] == "AU Mocap"
    assert (found["active"], found["shape_keys"]) == ("Demo Head", 53)
    assert found["moved_keys"] == [], "the new head is neutral"
    assert len(found["moving"]) >= 10
    assert "/user/extensions/" in found["origins"]["onnxruntime"]
    assert "/user/extensions/" in found["origins"]["cv2"]
    assert "/user/" not in found["origins"]["numpy"], "numpy is Blender's own"
    assert colours(picture(result, "empty")) > 100
    assert changed(picture(result, "empty"), picture(result, "head")) > 50_000, "a head is on the screen"
    assert changed(picture(result, "head"), picture(result, "moved")) > 1000, "and it moved"


def test_blenders_own_command_line_installs_the_zip(blender: str, built_zip: Path) -> None:
    """In three processes: what one installs, the next ones find enabled."""
    place = str(window.INSIDE / built_zip.name)
    calls = [
        ["--command", "extension", "validate", place],
        ["--command", "extension", "install-file", "--repo", "user_default", "--enable", place],
        ["--background", "--python-exit-code", "3", "--python-expr", SAVE_HEAD],
        [f"{window.INSIDE}/head.blend", "--command", "au_mocap", "bake", f"{window.INSIDE}/{CLIP.name}", *BAKE],
        ["--background", f"{window.INSIDE}/keyed.blend", "--python-exit-code", "3", "--python-expr", LOOK_FOR_KEYS],
    ]
    result = window.command(blender, calls, 90.0, [built_zip, CLIP])
    assert (result.code, result.problems) == (0, []), result.log
    broken = window.command(blender, [["--command", "extension", "validate", str(window.INSIDE / "no.zip")]], 60.0)
    assert broken.code != 0


@pytest.mark.parametrize("blender", ["5.2"], indirect=True)
def test_a_failing_step_is_told(blender: str, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def steps():\n    yield\n    raise RuntimeError('the head is missing')\n", encoding="utf-8")
    result = window.run(blender, script, 60.0)
    assert result.code == 3
    assert "the head is missing" in result.json["error"]
    assert any("the head is missing" in line for line in result.problems)


@pytest.mark.parametrize("blender", ["5.2"], indirect=True)
def test_time_runs_out_and_nothing_stays(blender: str, tmp_path: Path) -> None:
    script = tmp_path / "patient.py"
    script.write_text("def steps():\n    while True:\n        yield 1.0\n", encoding="utf-8")
    result = window.run(blender, script, 4.0)
    assert result.code == window.TIMED_OUT
    assert result.seconds < 10.0
    assert str(result.folder) not in Path("/proc/mounts").read_text(encoding="utf-8")
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [one for one in commands if str(result.folder).encode() in one]
