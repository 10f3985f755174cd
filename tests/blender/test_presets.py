"""Presets on characters that are built from the public lists of names, and on the rigs that Rigify generates."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Vector

from tests import rigs
from training import extension

from . import rigify_maker
from .conftest import Properties
from .playing import bake, face_mesh, key_curves, skeleton, still, xyz

if TYPE_CHECKING:
    from tests.blender.playing import Played

FRAME_RATE = 30

BLINKS = {
    "arkit": ("eyeBlinkLeft", "eyeBlinkRight"),
    "audio2face": ("eyesCloseL", "eyesCloseR"),
    "cc4": ("Eye_Blink_L", "Eye_Blink_R"),
    "facs": ("AU43_L", "AU43_R"),
    "makehuman": ("eye-left-closure", "eye-right-closure"),
    "metahuman": ("CTRL_expressions_eyeBlinkL", "CTRL_expressions_eyeBlinkR"),
    "mmd": ("ウィンク", "ウィンク右"),
    "roblox": ("LeftEyeClosed", "RightEyeClosed"),
    "vrchat": ("vrc.blink_left", "vrc.blink_right"),
    "vrm0": ("Blink_L", "Blink_R"),
    "vrm1": ("blinkLeft", "blinkRight"),
    "vroid": ("Fcl_EYE_Close_L", "Fcl_EYE_Close_R"),
}
MOUTHS = {
    "arkit": "jawOpen", "audio2face": "jawDrop", "cc4": "Jaw_Open", "facs": "AU26", "makehuman": "mouth-open",
    "metahuman": "CTRL_expressions_jawOpen", "mmd": "あ", "roblox": "JawDrop", "vrchat": "vrc.v_aa", "vrm0": "A",
    "vrm1": "aa", "vroid": "Fcl_MTH_A",
}  # fmt: skip
"""What a person would expect to move, written without looking at the presets."""


def one_by_one(*channel_ids: str) -> "Played":
    """A neutral frame, then each channel alone at its full, a frame each; all channels where none are named."""
    channels = extension.module("au_mocap.channels")
    asked = channel_ids or channels.IDS
    played = still(len(asked) + 1, FRAME_RATE)
    for frame, channel_id in enumerate(asked, 1):
        for each in channels.SIDES_OF.get(channel_id, (channel_id,)):
            played.values[frame, channels.INDEX[each]] = 1.0
    return replace(played, values=channels.enforce_rules(played.values.astype(np.float32)))


def chosen(character: bpy.types.Object) -> Properties:
    """A character, chosen in the panel, with the table that it was offered."""
    bpy.context.scene.render.fps = FRAME_RATE
    bpy.context.scene.aumocap.character = character
    return character.aumocap


def play(character: bpy.types.Object, played: "Played") -> None:
    """Bake a performance with the character's own table."""
    table = extension.module("operators.rows").table_of(character.aumocap)
    report = bake(character, played, table, head_pose=False)
    assert report.skipped == ()


def title(kind: str) -> str:
    return extension.module("au_mocap.mapping").load(kind).name


@pytest.mark.parametrize("kind", sorted(BLINKS))
def test_a_face_of_shape_keys_plays_its_own_preset(kind: str) -> None:
    names = rigs.read(kind)
    mesh = face_mesh("Face", *names.shape_keys)
    if names.bones:
        mesh.parent = skeleton(*((bone, "", (x, 0, 0), (x, 0, 1), 0.0) for x, bone in enumerate(names.bones)))
    character = chosen(mesh)
    assert character.table_name == title(kind)
    assert {row.confidence for row in character.rows} == {1.0}

    mapping = extension.module("au_mocap.mapping")
    channels = extension.module("au_mocap.channels")
    played = one_by_one()
    expected = mapping.evaluate(mapping.load(kind), channels.IDS, played.values)
    play(mesh, played)
    keys = mesh.data.shape_keys.key_blocks
    for frame, channel_id in enumerate(("", *channels.IDS)):
        bpy.context.scene.frame_set(frame + 1)
        for target, curve in expected.items():
            if isinstance(target, mapping.ShapeKeyTarget):
                value = keys[target.name].value
                assert value == pytest.approx(np.clip(curve[frame], 0.0, 1.0), abs=1e-5), (channel_id, target)
        if channel_id in ("eye_close_L", "eye_close_R"):
            left, right = (keys[name].value for name in BLINKS[kind])
            assert (left, right) == ((1.0, 0.0) if channel_id == "eye_close_L" else (0.0, 1.0))
        if channel_id == "jaw_drop":
            assert keys[MOUTHS[kind]].value == 1.0


def test_custom_properties_are_keyed() -> None:
    names = rigs.read("custom_properties")
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    for path in names.properties:
        rig[path.strip('[]"')] = 0.0
    assert chosen(rig).table_name == title("custom_properties")
    play(rig, one_by_one("eye_close_L", "jaw_drop", "inner_brow_raise_R", "cheek_puff"))
    values = {}
    for frame in range(1, 6):
        bpy.context.scene.frame_set(frame)
        values[frame] = {path: rig.path_resolve(path) for path in names.properties if rig.path_resolve(path)}
    assert values == {
        1: {},
        2: {'["eyeBlinkLeft"]': 1.0},
        3: {'["jawOpen"]': 1.0},
        4: {'["browInnerUp"]': 0.5},
        5: {'["cheekPuff"]': 1.0},
    }


def test_properties_of_bones_and_what_is_no_number() -> None:
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    rig["title"], rig["pair"], rig["whole"], rig['a "quoted" name'] = "text", [0.0, 1.0], 3, 0.5
    rig.pose.bones["head"]["smile"] = 0.0
    found = extension.module("operators.table").members(rig).properties
    assert set(found) == {'["whole"]', '["a \\"quoted\\" name"]', 'pose.bones["head"]["smile"]'}
    assert [rig.path_resolve(path) for path in sorted(found)] == [0.5, 3, 0.0]


# Rigs of bones


def auto_rig(scale: float = 1.0) -> bpy.types.Object:
    """A rig with the names of Auto-Rig Pro: controls in the armature's axes, the jaw forwards and down."""
    names = rigs.read("auto_rig_pro").bones
    sides = {".l": 0.0315, ".r": -0.0315, ".x": 0.0}
    bones = []
    for name in names:
        place = Vector((sides[name[-2:]], -0.1, 1.6)) * scale
        bones.append((name, "", xyz(place), xyz(place + Vector((0, 0.02, 0)) * scale), 0.0))
    rig = skeleton(*bones)
    bpy.ops.object.mode_set(mode="EDIT")
    jaw = rig.data.edit_bones["c_jawbone.x"]
    jaw.head, jaw.tail, jaw.roll = Vector((0, 0, 1.6)) * scale, Vector((0, -0.08, 1.54)) * scale, 0.0
    jaw.align_roll(Vector((0, 0.6, -0.8)))
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def moved(rig: bpy.types.Object, bone: str, frame: int) -> Vector:
    """How far the head of a bone is from its rest, in the armature: x to its left, y to the back, z up."""
    bpy.context.scene.frame_set(frame)
    evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return evaluated.pose.bones[bone].head - rig.data.bones[bone].head_local


@pytest.mark.parametrize("scale", [1.0, 3.0, 0.01])
def test_auto_rig_pro_moves_like_a_face_of_its_size(scale: float) -> None:
    rig = auto_rig(scale)
    assert chosen(rig).table_name == title("auto_rig_pro")
    assert extension.module("operators.presets").size(rig) == pytest.approx(scale, rel=1e-3)
    asked = ("jaw_drop", "eye_close_L", "eye_close_R", "lip_corner_pull_L", "lip_corner_pull_R", "brow_raise_L")
    play(rig, one_by_one(*asked))
    assert moved(rig, "c_jawbone.x", 2).z < -0.02 * scale
    lids = {name: moved(rig, f"c_eyelid_top.{name}", 3).z / scale for name in "lr"}
    assert lids["l"] == pytest.approx(-0.009, abs=1e-5)
    assert lids["r"] == pytest.approx(0.0, abs=1e-6)
    assert moved(rig, "c_eyelid_top.r", 4).z == pytest.approx(-0.009 * scale, rel=1e-3)
    left, right = moved(rig, "c_lips_smile.l", 5), moved(rig, "c_lips_smile.r", 6)
    assert left.x > 0.004 * scale
    assert left.z > 0.005 * scale
    assert (right.x, right.y, right.z) == pytest.approx((-left.x, left.y, left.z))
    assert moved(rig, "c_lips_smile.r", 5).length < 1e-6
    assert moved(rig, "c_eyebrow_03.l", 7).z > 0.005 * scale


def test_a_saved_table_of_bones_comes_back_in_its_own_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension.module("operators.package"), "user_folder", lambda _name: tmp_path)
    rig = auto_rig(2.0)
    character = chosen(rig)
    rows = extension.module("operators.rows")
    before = [rows.row_of(row) for row in character.rows]
    bpy.ops.aumocap.save_preset(name="Giant")
    bpy.ops.aumocap.load_preset(name="auto_rig_pro")
    assert [rows.row_of(row) for row in character.rows] == before, "a bundled preset is scaled once, not twice"
    bpy.ops.aumocap.load_preset(name="Giant")
    assert [rows.row_of(row) for row in character.rows] == before
    character.rows.clear()
    assert bpy.ops.aumocap.match_by_name() == {"FINISHED"}
    assert character.table_name == "Giant", "one's own preset comes before the bundled one that it was made from"


def test_size_without_eyes_is_told_by_the_head_bone() -> None:
    presets = extension.module("operators.presets")
    assert presets.size(skeleton(("head", "", (0, 0, 0), (0, 0, 0.5), 0.0))) == pytest.approx(2.5)
    assert presets.size(skeleton(("Bone", "", (0, 0, 0), (0, 0, 0.5), 0.0))) == 1.0
    both = skeleton(("eye.L", "", (0, 0, 0), (0, 0, 1), 0.0), ("eye.R", "", (0, 0, 0), (0, 0, 1), 0.0))
    assert presets.size(both) == 1.0, "eyes in one place say nothing"
    assert presets.size(face_mesh("Face", "a")) == 1.0
    assert presets.size(bpy.data.objects.new("Empty", None)) == 1.0


@pytest.fixture(scope="module")
def rigify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two rigs that Blender's own Rigify generates."""
    folder = tmp_path_factory.mktemp("rigify")
    done = subprocess.run([sys.executable, rigify_maker.__file__, folder], capture_output=True, text=True, check=False)
    if done.returncode == rigify_maker.MISSING:
        pytest.skip("this Blender has no Rigify")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("kind", ["rigify_legacy", "rigify"])
def test_the_rig_that_rigify_generates_moves_the_right_way(kind: str, rigify: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(rigify / f"{kind}.blend"))
    rig = bpy.data.objects["rig"]
    names = rigs.read(kind)
    assert set(names.bones) <= {bone.name for bone in rig.data.bones}, "the list of names is Rigify's own"
    assert all(isinstance(rig.path_resolve(path), float) for path in names.properties)
    character = chosen(rig)
    assert character.table_name == title(kind)
    size = extension.module("operators.presets").size(rig)
    assert 1.4 < size < 1.8, "Rigify's human has eyes far apart"

    asked = (
        "jaw_drop", "lips_together", "eye_close_L", "eye_close_R", "lip_corner_pull_L", "brow_raise_R", "lip_pucker",
        "jaw_slide_L", "lower_lip_depress_R", "tongue_out",
    )  # fmt: skip
    played = one_by_one(*asked)
    played.values[2] = played.values[1]
    played.values[2, extension.module("au_mocap.channels").INDEX["lips_together"]] = 1.0
    play(rig, played)
    poses = [_pose(rig, frame) for frame in range(1, len(asked) + 2)]
    away = {
        name: {bone: poses[1 + index][bone] - poses[0][bone] for bone in poses[0]} for index, name in enumerate(asked)
    }

    assert away["jaw_drop"]["DEF-chin"].z < -0.015 * size
    assert away["jaw_drop"]["DEF-jaw"].y > 0.0, "the chin swings back as it drops"
    gap = [pose["DEF-lip.T.L"].z - pose["DEF-lip.B.L"].z for pose in poses]
    assert gap[1] > 2.0 * gap[0]
    assert gap[2] == pytest.approx(gap[0], abs=0.002 * size), "lips together close the dropped mouth"

    for side, other, frame in (("L", "R", 3), ("R", "L", 4)):
        closed, opened = _lid_gap(poses[frame], side), _lid_gap(poses[0], side)
        assert abs(closed) < 0.1 * opened
        assert _lid_gap(poses[frame], other) == pytest.approx(opened, abs=1e-5)

    smile = away["lip_corner_pull_L"]
    assert smile["DEF-lip.T.L.001"].z > 0.005 * size
    assert smile["DEF-lip.T.L.001"].x > 0.003 * size
    assert smile["DEF-lip.T.R.001"].length < 1e-4
    assert away["brow_raise_R"]["DEF-brow.T.R.001"].z > 0.006 * size
    assert away["brow_raise_R"]["DEF-brow.T.L.001"].length < 1e-5
    assert away["lip_pucker"]["DEF-lip.T.L.001"].x < -0.006 * size
    assert away["lip_pucker"]["DEF-lip.T.L.001"].y < 0.0
    assert away["jaw_slide_L"]["DEF-chin"].x > 0.004 * size
    assert away["lower_lip_depress_R"]["DEF-lip.B.R"].z < 2.0 * away["lower_lip_depress_R"]["DEF-lip.B.L"].z < 0.0
    assert away["tongue_out"]["DEF-tongue"].y < -0.01 * size


def _pose(rig: bpy.types.Object, frame: int) -> dict[str, Vector]:
    """Ends of the deforming bones, where they carry the skin."""
    bpy.context.scene.frame_set(frame)
    evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: bone.tail.copy() for bone in evaluated.pose.bones if bone.name.startswith("DEF-")}


def _lid_gap(pose: dict[str, Vector], side: str) -> float:
    """Between the middles of the lids."""
    return pose[f"DEF-lid.T.{side}.001"].z - pose[f"DEF-lid.B.{side}.001"].z


# The menu, matches and what is done by hand


def test_the_menu_shows_what_fits_first() -> None:
    mesh = face_mesh("Face", *rigs.read("makehuman").shape_keys, *rigs.read("cc4").shape_keys)
    chosen(mesh)
    entries = extension.module("operators.presets").entries(mesh)
    assert entries[0].name == "cc4", "what covers most comes first"
    assert {"cc4", "makehuman"} <= {entry.name for entry in entries if entry.fits} <= set(BLINKS)
    assert [entry.fits for entry in entries] == sorted((entry.fits for entry in entries), reverse=True)
    assert {entry.name for entry in entries} == set(rigs.KINDS)
    rest = [entry.title for entry in entries if not entry.fits]
    assert rest == sorted(rest, key=str.lower)


def test_the_menu_follows_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension.module("operators.package"), "user_folder", lambda _name: tmp_path)
    presets = extension.module("operators.presets")
    mesh = face_mesh("Face", "Open")
    chosen(mesh)
    row = {"channel": "jaw_drop", "target": {"kind": "shape_key", "name": "Open"}}
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"name": "First", "version": 1, "rows": [row]}), encoding="utf-8")
    assert presets.entries(mesh)[0] == presets.Entry("own", "First", fits=True)
    own.write_text(json.dumps({"name": "Second one", "version": 1, "rows": [row]}), encoding="utf-8")
    assert presets.entries(mesh)[0].title == "Second one"
    own.write_text("{", encoding="utf-8")
    broken = next(entry for entry in presets.entries(mesh) if entry.name == "own")
    assert (broken.title, broken.fits) == ("own", False)
    assert bpy.ops.aumocap.match_by_name() == {"CANCELLED"}, "a broken file hides nothing and breaks nothing"


def test_a_preset_comes_in_the_characters_own_names() -> None:
    mesh = face_mesh("Face", *(f"Head_{name}" for name in rigs.read("cc4").shape_keys if "Puff" not in name))
    character = chosen(mesh)
    assert character.table_name == title("cc4")
    assert {round(row.confidence, 2) for row in character.rows} == {0.8}
    assert all(row.target.startswith("Head_") for row in character.rows)
    offered = len(character.rows)
    bpy.ops.aumocap.load_preset(name="cc4")
    assert len(character.rows) == offered + 3, "who asks for a preset gets all of it: two cheeks and the jaw's bone"
    assert sorted(row.target for row in character.rows if row.confidence < 0.0) == [
        "CC_Base_JawRoot", "Cheek_Puff_L", "Cheek_Puff_R",
    ]  # fmt: skip


def test_confidence_is_lost_where_a_hand_chooses() -> None:
    mesh = face_mesh("Face", "hero_jaw_open", "hero_eye_blink_L", "hero_eye_blink_R", "hero_mouth_smile_left")
    character = chosen(mesh)
    assert {round(row.confidence, 2) for row in character.rows} == {0.8}
    character.active_row = 0
    bpy.ops.aumocap.duplicate_row()
    assert character.rows[1].confidence == pytest.approx(0.8)
    character.rows[1].gain = 0.5
    assert character.rows[1].confidence == pytest.approx(0.8), "how much is not what"
    character.rows[1].target = "hero_eye_blink_L"
    character.rows[0].channel = "lip_funnel"
    assert [row.confidence for row in character.rows[:2]] == [-1.0, -1.0]
    bpy.ops.aumocap.add_row(channel="jaw_drop", target="hero_jaw_open")
    assert character.rows[len(character.rows) - 1].confidence == -1.0


def test_a_wrong_side_is_never_offered() -> None:
    mesh = face_mesh("Face", "Smile.R.001", "NoseWrinkler", "L_Blink_R", "Left Blink_R", "jawOpen_L", "AU12", "Wink")
    assert [(row.channel, row.target) for row in chosen(mesh).rows] == [("nose_wrinkle", "NoseWrinkler")]


def test_means_are_matched_too() -> None:
    mesh = face_mesh("Face", "jaw_open")
    character = chosen(mesh)
    mesh.shape_key_add(name="Cheeks Puff")
    assert bpy.ops.aumocap.match_by_name() == {"FINISHED"}
    assert [row.channel for row in character.rows] == ["jaw_drop", "cheek_puff"]
    mesh.shape_key_add(name="cheek_puff_L")
    assert bpy.ops.aumocap.match_by_name() == {"CANCELLED"}, "never a mean together with its sides"


def test_missing_bones_are_told(capfd: pytest.CaptureFixture) -> None:
    mesh = face_mesh("Face", "jawOpen")
    chosen(mesh)
    assert bpy.ops.aumocap.load_preset(name="rigify") == {"FINISHED"}
    assert "no lid.T.L.002" in capfd.readouterr().out
    assert not key_curves(mesh)
