"""A baked character as glTF and FBX: read again by a second Blender, compared, and refused where it differs."""

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

from .builds import BUILDS, person
from .conftest import Properties
from .playing import acting, bake, errors, face_mesh, key_curves, shape_row, table, turned

if TYPE_CHECKING:
    from operators.demo_head import DemoHead
    from operators.outlets_character import Outcome

COUNT = 8
FORMS = ("gltf", "fbx")


def performed() -> Any:  # noqa: ANN401
    """Jaw and one lid move, the head turns."""
    steps = np.linspace(0.0, 1.0, COUNT)
    played = acting(COUNT, jaw_drop=steps, eye_close_L=np.sin(9 * steps) ** 2, rate_hz=24.0)
    return turned(played, np.stack([25 * steps, -10 * steps, 8 * steps], axis=1))


def export(chosen: bpy.types.Object, path: Path, form: str, **wish: object) -> "Outcome":
    module = extension.module("operators.outlets_character")
    return module.export(bpy.context, chosen, module.Wish(path, form, **wish))


def state() -> list[object]:
    """What an export must leave alone: every data-block, selection, frames, rate, visibility, the scene's own data."""
    scene: Any = bpy.context.scene
    blocks = [sorted(each.name for each in getattr(bpy.data, name)) for name in _collections()]
    objects = [(each.name, each.select_get(), each.hide_get(), each.hide_viewport) for each in scene.objects]
    places = [(each.name, *(value for row in each.matrix_world for value in row)) for each in scene.objects]
    times = [scene.frame_start, scene.frame_end, scene.frame_current_final, scene.render.fps, scene.render.fps_base]
    kept = sorted(key for key in scene.keys() if not key.startswith("aumocap"))  # noqa: SIM118 - ours come when looked at
    return [blocks, objects, places, times, bpy.context.view_layer.objects.active, kept]


def _collections() -> list[str]:
    kinds = bpy.types.bpy_prop_collection
    return [name for name in dir(bpy.data) if isinstance(getattr(bpy.data, name), kinds) and name != "batch_remove"]


def glb_times(path: Path) -> tuple[float, float]:
    """First and last second of a glTF's animation, from the file's own bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    inputs = [each["input"] for one in document["animations"] for each in one["samplers"]]
    accessors = [document["accessors"][each] for each in inputs]
    return min(each["min"][0] for each in accessors), max(each["max"][0] for each in accessors)


@pytest.fixture
def small() -> bpy.types.Object:
    """A face without bones, baked, which turns as an object."""
    face = face_mesh("Face", "jawOpen", "eyeBlinkLeft")
    bake(face, performed(), start_frame=10.0)
    for frame, turn in ((10, 0.0), (17, 0.6)):
        face.rotation_euler = (0.1, turn, -turn)
        face.keyframe_insert("rotation_euler", frame=frame)
    return face


@pytest.mark.parametrize("form", FORMS)
def test_the_demo_head_is_in_the_file_as_it_plays(demo_head: "DemoHead", tmp_path: Path, form: str) -> None:
    bake(demo_head.armature, performed(), start_frame=10.0)
    demo_head.hair.hide_set(True)
    before = state()
    outcome = export(demo_head.armature, tmp_path / "head", form)
    assert state() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [outcome.path.name]
    verdict = outcome.verdict
    assert outcome.frames == (10, 17)
    assert verdict.holds
    assert verdict.missing == verdict.at_rest == ()
    assert verdict.compared == 52 + 2 * 5 + 2, "shapes, turns and places of bones and armature"
    assert verdict.moving >= 2 + 6
    assert verdict.worst["key"].amount < 1e-5
    assert verdict.worst["turn"].amount < 0.01
    assert verdict.worst["place"].amount < 1e-5
    assert outcome.lost == ()
    assert any("Subdivision" in note for note in outcome.notes)


def test_a_head_that_turns_as_an_object(small: bpy.types.Object, tmp_path: Path) -> None:
    """At a rate and from a start of its own; FBX stores where it begins."""
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.001
    outcome = export(small, tmp_path / "face.FBX", "fbx", from_zero=True)
    assert outcome.path.name == "face.FBX"
    assert any("FBX keeps" in note for note in outcome.notes)
    assert outcome.verdict.holds
    assert outcome.verdict.moving >= 3
    assert set(outcome.verdict.worst) == {"key", "turn", "place"}


def test_film_rates_and_starts_are_right(small: bpy.types.Object, tmp_path: Path) -> None:
    """By the file's own times, not by what Blender reads."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.001
    rate_hz = 24 / 1.001
    outcome = export(small, tmp_path / "a.glb", "gltf")
    assert glb_times(outcome.path) == pytest.approx((10 / rate_hz, 17 / rate_hz), rel=1e-5)
    assert outcome.verdict.holds
    scene.frame_start, scene.frame_end = 12, 20
    outcome = export(small, tmp_path / "b.glb", "gltf", from_zero=True, span="scene")
    assert outcome.frames == (12, 20)
    assert glb_times(outcome.path) == pytest.approx((0.0, 8 / rate_hz), rel=1e-5)
    assert outcome.verdict.holds
    assert scene.render.fps_base == pytest.approx(1.001)


@pytest.mark.parametrize("form", FORMS)
def test_a_rig_that_was_imported_itself(tmp_path: Path, form: str) -> None:
    rig = person(BUILDS["imported: Y up, X turned by 90, scale 0.01"])
    face = face_mesh("Face", "jawOpen")
    face.parent, face.parent_type, face.parent_bone = rig, "BONE", "head"
    bake(rig, performed())
    outcome = export(rig, tmp_path / "rig", form)
    assert outcome.verdict.holds, outcome.text
    assert outcome.verdict.worst["turn"].amount < 0.05
    assert len(outcome.notes) == (1 if form == "gltf" else 0), outcome.notes
    assert outcome.verdict.moving > 4


def test_strips_drivers_and_properties(tmp_path: Path) -> None:
    """Driven values are sampled, a strip counts, and animated properties are told as lost."""
    face = face_mesh("Face", "jawOpen", "driven")
    keys = face.data.shape_keys
    curve = keys.driver_add('key_blocks["driven"].value')
    curve.driver.expression = "frame / 100"
    face["mood"] = 0.5
    property_row = {"channel": "jaw_drop", "target": {"kind": "property", "object": "Face", "data_path": '["mood"]'}}
    rows = table(shape_row("jaw_drop", "jawOpen"), property_row)
    bake(face, performed(), rows, head_pose=False)
    outcome = export(face, tmp_path / "a.glb", "gltf")
    assert outcome.verdict.holds, outcome.text
    assert outcome.verdict.moving == 2
    assert any('["mood"]' in each for each in outcome.lost)
    assert any("1 drivers became keys" in each for each in outcome.notes)
    strip_owner = keys.animation_data
    action = strip_owner.action
    assert action is not None
    strip_owner.action = None
    strip_owner.nla_tracks.new().strips.new("take", 30, action)
    outcome = export(face, tmp_path / "b.glb", "gltf")
    assert outcome.frames == (1, 37), "the object's own animation begins at 1"
    assert outcome.verdict.holds
    assert outcome.verdict.moving == 2


def test_a_file_that_differs_is_not_kept_unless_wanted(
    small: bpy.types.Object, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """A shape key that is muted plays nothing in the file. By the button, then by the command."""
    path = tmp_path / "face.glb"
    path.write_text("an earlier result")
    small.data.shape_keys.key_blocks["jawOpen"].mute = True
    bpy.context.scene.aumocap.character = small
    with pytest.raises(RuntimeError, match=r"does not show.*missing in the file: 'jawOpen' of 'Face'"):
        bpy.ops.aumocap.export_character(filepath=str(path))
    assert path.read_text() == "an earlier result"
    assert list(tmp_path.iterdir()) == [path]
    assert run("export", "-o", path, "--keep-anyway", "--overwrite") == 0
    told = capfd.readouterr()
    assert told.out.strip().splitlines()[-1] == str(path)
    assert "curves compared" in told.err
    assert "'jawOpen' of 'Face'" in told.err
    assert path.read_bytes().startswith(b"glTF")


def run(*arguments: object) -> int:
    return extension.module("operators.cli").run([str(one) for one in arguments])


def test_the_command_says_what_is_wrong(small: bpy.types.Object, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    (tmp_path / "face.glb").write_text("an earlier result")
    for arguments, code, message in (
        (["-o", tmp_path / "face.glb"], 1, "already exists"),
        (["-o", tmp_path / "face.obj"], 1, "neither .glb nor .fbx"),
        (["-o", tmp_path / "b.glb", "--character", "Nobody"], 1, "no object 'Nobody'"),
        (["-o", tmp_path / "b.glb", "--frames", "all"], 2, "invalid choice"),
        ([], 2, "-o"),
    ):
        assert run("export", *arguments) == code
        assert message in capfd.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["face.glb"]


def test_what_cannot_be_exported_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors("SettingsError")
    face = face_mesh("Face", "jawOpen")
    with pytest.raises(error, match="Nothing is baked on 'Face': press Bake first"):
        export(face, tmp_path / "a.glb", "gltf")
    bake(face, performed(), head_pose=False)
    for curve in key_curves(face).values():
        curve.mute = True
    with pytest.raises(error, match="All animation of 'Face' is muted"):
        export(face, tmp_path / "a.glb", "gltf")
    with pytest.raises(error, match="Choose a character"):
        export(None, tmp_path / "a.glb", "gltf")  # type: ignore[arg-type]
    for curve in key_curves(face).values():
        curve.mute = False
    bpy.context.view_layer.objects.active = face
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(error, match="Edit Mode"):
        export(face, tmp_path / "a.glb", "gltf")
    bpy.ops.object.mode_set(mode="OBJECT")
    (tmp_path / "folder.glb").mkdir()
    with pytest.raises(errors("OutputError"), match="is a folder"):
        export(face, tmp_path / "folder.glb", "gltf")
    bpy.context.scene.collection.objects.unlink(face)
    with pytest.raises(error, match="view layer"):
        export(face, tmp_path / "a.glb", "gltf")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.glb"]


def test_an_exporter_that_is_switched_off(small: bpy.types.Object, tmp_path: Path) -> None:
    import addon_utils

    addon_utils.disable("io_scene_fbx")
    try:
        with pytest.raises(errors("SettingsError"), match="'FBX format' is off or missing"):
            export(small, tmp_path / "a.fbx", "fbx")
    finally:
        addon_utils.enable("io_scene_fbx")


def test_a_file_that_cannot_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "broken.glb").write_bytes(b"glTF and nothing more")
    verify = extension.module("operators.outlets_verify")
    reading = verify.Reading(tmp_path / "broken.glb", "gltf", [0.0], 24)
    with pytest.raises(errors("OutputError"), match="cannot be read again"):
        verify.read_back(reading)


def test_differences_are_found() -> None:
    """Each kind of difference by a known amount."""
    verify = extension.module("operators.outlets_verify")
    half = np.radians(1.0) / 2
    still, off = np.tile([1.0, 0, 0, 0], (3, 1)), np.tile([-np.cos(half), 0, -np.sin(half), 0], (3, 1))
    rows = np.array([[0.0], [0.5], [1.0]])
    wanted = {("key", "A", "x"): rows, ("turn", "A", "b"): still, ("place", "A", "b"): np.zeros((3, 3))}
    found = {
        ("key", "A", "x"): rows + np.array([[0.0], [0.02], [0.0]]),
        ("turn", "A", "b"): off,
        ("place", "A", "b"): np.ones((3, 3)),
    }
    frames = np.array([5.0, 6.0, 7.0])
    verdict = verify.compare(wanted, found, {}, frames, 0.01)
    assert verdict.worst["key"] == verify.Difference(pytest.approx(0.02), "'x' of 'A'", 6.0)
    assert verdict.worst["turn"].amount == pytest.approx(1.0)
    assert verdict.worst["place"].amount == pytest.approx(np.sqrt(3) / 100)
    assert not verdict.holds
    assert verify.compare(wanted, wanted, {}, frames, 1.0).holds
    assert verify.compare(wanted, {}, {}, frames, 1.0).missing == ("'x' of 'A'",)
    assert verify.compare(wanted, {}, {}, frames, 1.0).at_rest == ("'b' of 'A'",)
    bent = {**wanted, ("stretch", "A", "b"): np.array([[0.0], [0.2], [0.0]])}
    verdict = verify.compare(bent, {**wanted, ("turn", "A", "b"): off}, {}, frames, 1.0)
    assert verdict.worst["bent"].amount == pytest.approx(1.0)
    assert "turn" not in verdict.worst
    assert verdict.holds


def test_the_button(small: bpy.types.Object, tmp_path: Path) -> None:
    own: Properties = bpy.context.scene.aumocap
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.aumocap.export_character(filepath=str(tmp_path / "a.fbx"))
    own.character = small
    assert bpy.ops.aumocap.export_character(filepath=str(tmp_path / "a.fbx"), form="fbx") == {"FINISHED"}
    assert (tmp_path / "a.fbx").read_bytes().startswith(b"Kaydara FBX Binary")
    small.animation_data_clear()
    small.data.shape_keys.animation_data_clear()
    with pytest.raises(RuntimeError, match="press Bake first"):
        bpy.ops.aumocap.export_character(filepath=str(tmp_path / "b.glb"))
    assert not (tmp_path / "b.glb").exists()
