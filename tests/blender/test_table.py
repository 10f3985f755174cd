"""The AU-to-blendshape table: rows, presets, files, names; what is broken or hostile leaves it as it was."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest

from training import extension

from .conftest import Properties
from .playing import face_mesh

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


@pytest.fixture
def character(demo_head: "DemoHead") -> Properties:
    """The demo head with its table."""
    bpy.context.scene.aumocap.character = demo_head.armature
    return demo_head.armature.aumocap


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own presets."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    package = extension.module("operators.package")
    monkeypatch.setattr(package, "user_folder", lambda name: folder if name == "mappings" else tmp_path / name)
    return folder


def content(character: Properties) -> list[tuple]:
    rows = extension.module("operators.rows")
    return [rows.row_of(row) for row in character.rows]


def test_a_table_is_the_preset_to_the_letter(character: Properties) -> None:
    assert tuple(content(character)) == extension.module("au_mocap.mapping").load("arkit").rows


def test_rows_are_added_copied_and_removed(character: Properties) -> None:
    before = content(character)
    bpy.ops.aumocap.add_row(channel="jaw_drop", target="jawOpen")
    assert (character.active_row, character.rows[54].channel, character.rows[54].target) == (54, "jaw_drop", "jawOpen")
    character.rows[54].gain, character.rows[54].gamma = 0.5, 2.0
    bpy.ops.aumocap.duplicate_row()
    assert content(character)[54] == content(character)[55]
    bpy.ops.aumocap.remove_row()
    bpy.ops.aumocap.remove_row()
    assert content(character) == before
    character.rows.clear()
    assert bpy.ops.aumocap.remove_row() == {"CANCELLED"}
    assert bpy.ops.aumocap.duplicate_row() == {"CANCELLED"}


def test_rows_are_sorted_by_channel(character: Properties) -> None:
    index = extension.module("au_mocap.channels").INDEX
    for place in range(20):
        character.rows.move(place, 53 - place)
    before = content(character)
    bpy.ops.aumocap.sort_rows()
    after = content(character)
    order = [index[row.channel] for row in after]
    assert order == sorted(order)
    assert sorted(map(str, after)) == sorted(map(str, before))


def test_solo_rows_play_alone(character: Properties) -> None:
    rows = extension.module("operators.rows")
    character.rows[3].solo = True
    assert [row.target.name for row in rows.table_of(character).rows] == [character.rows[3].target]


def test_unused_channels_are_known(character: Properties) -> None:
    table = extension.module("operators.table")
    assert table.unused_channels(character) == ("tongue_wide",) or len(table.unused_channels(character)) < 6
    before = set(table.unused_channels(character))
    gone = character.rows[0].channel
    character.rows[0].enabled = False
    assert set(table.unused_channels(character)) == before | {gone}


def test_presets_of_ones_own_come_back(character: Properties, presets: Path) -> None:
    character.rows[0].gain = 1.25
    saved = content(character)
    assert bpy.ops.aumocap.save_preset(name="Hero Face") == {"FINISHED"}
    assert (presets / "Hero Face.json").is_file()
    with pytest.raises(RuntimeError, match="choose another name"):
        bpy.ops.aumocap.save_preset(name="Hero Face")
    assert bpy.ops.aumocap.save_preset(name="Hero Face", overwrite=True) == {"FINISHED"}
    bpy.ops.aumocap.load_preset(name="arkit")
    assert content(character) != saved
    bpy.ops.aumocap.load_preset(name="Hero Face")
    assert content(character) == saved
    assert character.table_name == "Hero Face"
    listed = extension.module("operators.table").preset_names()
    assert {"Hero Face", "arkit", "rigify"} <= set(listed)
    bpy.ops.aumocap.delete_preset(name="Hero Face")
    assert not list(presets.iterdir())


@pytest.mark.parametrize("name", ["", "  ", "../up", "a/b", "a\\b", "c:d", ".hidden", "tab\there"])
def test_a_name_that_is_no_file_name_is_refused(character: Properties, presets: Path, name: str) -> None:
    with pytest.raises(RuntimeError, match="cannot be the name of a preset"):
        bpy.ops.aumocap.save_preset(name=name)
    assert not list(presets.parent.rglob("*.json"))


def test_tables_travel_through_files(character: Properties, tmp_path: Path) -> None:
    character.rows[0].gamma = 2.0
    saved = content(character)
    path = tmp_path / "table.json"
    assert bpy.ops.aumocap.export_table(filepath=str(path)) == {"FINISHED"}
    character.rows.clear()
    assert bpy.ops.aumocap.import_table(filepath=str(path)) == {"FINISHED"}
    assert content(character) == saved


ROW = {"channel": "jaw_drop", "target": {"kind": "shape_key", "name": "jawOpen"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "must be an object"),
        (json.dumps({"name": "x", "version": 99, "rows": []}), "version"),
        (json.dumps({"name": "x", "version": 1, "rows": [{**ROW, "gain": "much"}]}), "must be a number"),
        (json.dumps({"name": "x", "version": 1, "rows": [{**ROW, "channel": "wink"}]}), "Unknown channel"),
        (json.dumps({"name": "x", "version": 1, "rows": [{**ROW, "target": {"kind": "code"}}]}), "kind"),
        (json.dumps({"name": "x", "version": 1, "rows": [{"channel": "jaw_drop"}] * 1_000_000}), "MB|too many"),
        ('{"name": "x", "version": 1, "rows": ' + "[" * 100_000, "not a mapping|nested|deep"),
    ],
    ids=["cut", "list", "newer", "type", "channel", "kind", "huge", "deep"],
)
def test_a_broken_or_hostile_file_leaves_the_table_as_it_was(
    character: Properties, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "hostile.json"
    path.write_text(text, encoding="utf-8")
    before = content(character)
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.aumocap.import_table(filepath=str(path))
    assert content(character) == before


def test_a_preset_cannot_leave_its_folder(character: Properties, presets: Path) -> None:
    (presets.parent / "secret.json").write_text(json.dumps({"name": "s", "version": 1, "rows": [ROW]}))
    with pytest.raises(RuntimeError, match="No mapping"):
        bpy.ops.aumocap.load_preset(name="../secret")
    assert len(character.rows) == 54


def test_a_preset_for_another_rig_says_what_is_missing(
    character: Properties, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    path = tmp_path / "other.json"
    other = {"channel": "jaw_drop", "target": {"kind": "shape_key", "name": "Mouth Open"}}
    path.write_text(json.dumps({"name": "Other", "version": 1, "rows": [other, ROW]}))
    assert bpy.ops.aumocap.import_table(filepath=str(path)) == {"FINISHED"}
    assert "no Mouth Open" in capfd.readouterr().out
    assert len(character.rows) == 2


def test_names_fill_the_table(presets: Path) -> None:
    mesh = face_mesh("Face", "hero_jaw_open", "hero_eye_blink_L", "hero_eye_blink_R", "hero_mouth_smile_left", "Key 5")
    bpy.context.scene.aumocap.character = mesh
    character = mesh.aumocap
    found = {row.channel: row.target for row in character.rows}
    assert found == {
        "jaw_drop": "hero_jaw_open",
        "eye_close_L": "hero_eye_blink_L",
        "eye_close_R": "hero_eye_blink_R",
        "lip_corner_pull_L": "hero_mouth_smile_left",
    }
    character.rows[0].gain = 0.5
    mesh.shape_key_add(name="hero_mouth_smile_right")
    assert bpy.ops.aumocap.match_by_name() == {"FINISHED"}
    assert character.rows[4].target == "hero_mouth_smile_right"
    assert character.rows[0].gain == 0.5, "rows that were there stay"
    assert bpy.ops.aumocap.match_by_name() == {"CANCELLED"}


def test_a_target_without_shape_keys_is_told(presets: Path) -> None:
    mesh = bpy.data.objects.new("Plain", bpy.data.meshes.new("Plain"))
    bpy.context.collection.objects.link(mesh)
    bpy.context.scene.aumocap.character = mesh
    assert len(mesh.aumocap.rows) == 0
    assert bpy.ops.aumocap.match_by_name() == {"CANCELLED"}


def test_tables_survive_saving(character: Properties, tmp_path: Path) -> None:
    character.rows[0].gain, character.neck_share = 1.25, 0.5
    saved = content(character)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    opened = bpy.data.objects["Demo Head"].aumocap
    assert content(opened) == saved
    assert opened.neck_share == 0.5
    assert bpy.context.scene.aumocap.character == bpy.data.objects["Demo Head"]


def override_of_a_linked_head(folder: Path) -> bpy.types.Object:
    """The demo head with its table, linked from another file and overridden: the usual way in a studio."""
    extension.module("operators.demo_head").add_demo_head(bpy.context)
    bpy.context.scene.aumocap.character = bpy.data.objects["Demo Head"]
    collection = bpy.data.collections.new("Hero")
    for each in bpy.data.objects:
        collection.objects.link(each)
    bpy.data.libraries.write(str(folder / "hero.blend"), {collection}, fake_user=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    extension.enable()
    reader: Properties = bpy.data.libraries.load(str(folder / "hero.blend"), link=True)
    with reader as (_source, target):
        target.collections = ["Hero"]
    scene: Properties = bpy.context.scene
    linked: Properties = bpy.data.collections["Hero"]
    scene.collection.children.link(linked)
    scene.aumocap.character = linked.objects["Demo Head"]
    with pytest.raises(RuntimeError, match="library override"):
        bpy.ops.aumocap.add_row()
    linked.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
    return next(each for each in scene.objects if each.library is None and each.type == "ARMATURE")


def test_an_overridden_character_is_keyed_and_stays_so(stored_take: Path, tmp_path: Path) -> None:
    local = override_of_a_linked_head(tmp_path)
    scene = bpy.context.scene
    scene.aumocap.character = local
    assert len(local.aumocap.rows) == 54
    local.aumocap.rows[0].gain = 0.5
    extension.module("operators.take_list").add(scene, stored_take)
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="lies in its library file"):
        bpy.ops.aumocap.load_preset(name="arkit")
    assert len(local.aumocap.rows) == 54
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    opened = next(each for each in bpy.context.scene.objects if each.name == "Demo Head Face" and not each.library)
    bpy.context.scene.frame_set(12)
    assert max(key.value for key in opened.data.shape_keys.key_blocks) > 0.1
    assert bpy.context.scene.aumocap.character.aumocap.rows[0].gain == 0.5


def test_a_bake_that_fails_overrides_nothing(stored_take: Path, tmp_path: Path) -> None:
    local = override_of_a_linked_head(tmp_path)
    scene = bpy.context.scene
    scene.aumocap.character = local
    for row in local.aumocap.rows:
        row.target = "nothing"
    extension.module("operators.take_list").add(scene, stored_take)
    with pytest.raises(RuntimeError, match="exists on this character"):
        bpy.ops.aumocap.bake()
    mesh = next(each for each in scene.objects if each.name == "Demo Head Face" and not each.library)
    assert mesh.data.library is not None
    assert not [each for each in bpy.data.meshes if each.library is None]
