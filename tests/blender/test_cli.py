"""`blender RIG.blend --command au_mocap bake`: the button's code path, exit codes, and files left as they were."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest

from training import extension

from .conftest import CLIP

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


def run(*arguments: object) -> int:
    return extension.module("operators.cli").run([str(one) for one in arguments])


def test_a_take_becomes_keys_in_a_new_file(demo_head: "DemoHead", stored_take: Path, tmp_path: Path) -> None:
    out = tmp_path / "shots" / "out.blend"
    options = ("--start", 10, "--smooth", "medium", "--destination", "nla")
    assert run("bake", stored_take, "--mapping", "arkit", "-o", out, *options) == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    keys = bpy.data.objects["Demo Head Face"].data.shape_keys
    strips = [strip for track in keys.animation_data.nla_tracks for strip in track.strips]
    assert [strip.frame_start for strip in strips] == [10.0]
    item = bpy.context.scene.aumocap.takes[0]
    assert (item.smoothing, item.filepath) == ("medium", str(stored_take))
    assert bpy.context.scene.aumocap.character == bpy.data.objects["Demo Head"]


def test_a_video_is_analysed_first(demo_head: "DemoHead", tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    out = tmp_path / "out.blend"
    assert run("bake", CLIP, "-o", out, "--regressor", "geometry", "--device", "cpu", "--reduce", 0.01) == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert bpy.context.scene.aumocap.takes[0].detail == "150 frames, face in 100 %, geometry"
    assert f"{CLIP.name}: 150/150 frames, 150 faces" in capfd.readouterr().err


def test_an_actors_profile_is_used(demo_head: "DemoHead", stored_take: Path, tmp_path: Path) -> None:
    profile = extension.module("au_mocap.profile")
    profile.save(profile.Profile("Ada", gains={"jaw_drop": 1.5}), tmp_path / "ada.json")
    out = tmp_path / "out.blend"
    assert run("bake", stored_take, "-o", out, "--profile", tmp_path / "ada.json") == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    item = bpy.context.scene.aumocap.takes[0]
    assert (item.actor, item.channels["jaw_drop"].gain, item.neutral) == ("Ada", 1.5, "auto")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["bake", "TAKE"], 2, "-o"),
        (["dance"], 2, "invalid choice"),
        (["bake", "TAKE", "-o", "OUT", "--smooth", "much"], 2, "invalid choice"),
        (["bake", "nowhere.take.npz", "-o", "OUT"], 1, "There is no take"),
        (["bake", "nowhere.mp4", "-o", "OUT"], 1, "nowhere.mp4"),
        (["bake", "TAKE", "-o", "OUT", "--mapping", "unknown"], 1, "No mapping"),
        (["bake", "TAKE", "-o", "OUT", "--character", "Hero"], 1, "no object 'Hero'"),
        (["bake", "CLIP", "-o", "OUT", "--regressor", "magic"], 1, "There is no regressor 'magic'"),
        (["bake", "TAKE", "-o", "TAKE"], 1, "already exists"),
        (["bake", "TAKE", "-o", "OUT", "--profile", "nobody.json"], 1, "choose a profile that exists"),
    ],
)
def test_what_goes_wrong_is_told_and_writes_nothing(
    demo_head: "DemoHead",
    stored_take: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    before = stored_take.read_bytes()
    out = tmp_path / "out.blend"
    names = {"TAKE": stored_take, "OUT": out, "CLIP": CLIP}
    assert run(*(names.get(one, one) for one in arguments)) == code
    assert message in capfd.readouterr().err
    assert not out.exists()
    assert stored_take.read_bytes() == before


def test_a_scene_without_a_character_is_told(stored_take: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    assert run("bake", stored_take, "-o", tmp_path / "out.blend") == 1
    assert "no mesh with shape keys" in capfd.readouterr().err
    for _ in range(2):
        bpy.ops.aumocap.add_demo_head()
    assert run("bake", stored_take, "-o", tmp_path / "out.blend") == 1
    assert "2 characters" in capfd.readouterr().err


def test_several_takes_become_actions_and_one_that_fails_stops_no_other(
    demo_head: "DemoHead", stored_take: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    sources = [tmp_path / f"{name}.take.npz" for name in ("one", "broken", "two")]
    for source in sources:
        source.write_bytes(b"cut off" if "broken" in source.name else stored_take.read_bytes())
    out = tmp_path / "out.blend"
    assert run("bake", *sources, "-o", out, "--destination", "new") == 1
    told = capfd.readouterr().err
    assert "broken.take.npz is not a take" in told
    assert "1 of 3 inputs failed." in told
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert {"one", "two"} <= {action.name for action in bpy.data.actions}
    assert [item.name for item in bpy.context.scene.aumocap.takes] == ["one", "two"]
    assert run("bake", sources[1], sources[1], "-o", tmp_path / "none.blend") == 1
    assert not (tmp_path / "none.blend").exists()
