"""Characters whose lids and lips rest or close otherwise than the actor's: closed means closed on the mesh."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

channels = extension.module("au_mocap.channels")
fit_notes = extension.module("operators.fit_notes")
keying = extension.module("operators.keying")
mapping = extension.module("au_mocap.mapping")
meeting = extension.module("au_mocap.meeting")
resting = extension.module("operators.resting")
rows = extension.module("operators.rows")
scene = extension.module("operators.scene")


class Played:
    """One second of any values, the head at rest."""

    def __init__(self, **values: float) -> None:
        self.time_s = np.arange(3) / 3.0
        self.values = np.zeros((3, len(channels.IDS)), np.float32)
        for channel_id, value in values.items():
            self.values[1:, channels.INDEX[channel_id]] = value
        self.head_rotation = np.tile([1.0, 0.0, 0.0, 0.0], (3, 1))
        self.head_position = np.zeros((3, 3))


def places(key: bpy.types.ShapeKey) -> np.ndarray:
    flat = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def motion(mesh: bpy.types.Object, name: str) -> np.ndarray:
    return places(mesh.data.shape_keys.key_blocks[name]) - places(mesh.data.shape_keys.reference_key)


def reshape(mesh: bpy.types.Object, change: Callable[[str, np.ndarray], np.ndarray]) -> None:
    """Give every key the places that `change` makes of its name and places."""
    for key in mesh.data.shape_keys.key_blocks:
        key.data.foreach_set("co", np.ascontiguousarray(change(key.name, places(key)), np.float32).ravel())


def evaluated(mesh: bpy.types.Object, frame: int) -> np.ndarray:
    """Places of the mesh's vertices in a frame, as Blender evaluates its keys."""
    bpy.context.scene.frame_set(frame)
    shapes = mesh.data.shape_keys
    rest = places(shapes.reference_key)
    keys = shapes.evaluated_get(bpy.context.evaluated_depsgraph_get()).key_blocks
    return rest + sum(
        key.value * (places(shapes.key_blocks[key.name]) - rest)
        for key in keys
        if key.name != shapes.reference_key.name
    )


def opening(mesh: bpy.types.Object, name: str, *, opens: bool = False) -> Any:  # noqa: ANN401 - the engine's class, known only inside the extension
    """The opening that a key closes, or opens."""
    edges = np.empty(2 * len(mesh.data.edges), np.int32)
    mesh.data.edges.foreach_get("vertices", edges)
    own, rest = motion(mesh, name), places(mesh.data.shape_keys.reference_key)
    start, way = (rest + own, -own) if opens else (rest, own)
    return meeting.find(start, way, edges.reshape(-1, 2), [1.0, 0.0, 0.0])


def bake(demo: "DemoHead", played: Played, *, fit: bool = True) -> None:
    character = scene.find_character(demo.armature)
    settings = keying.BakeSettings(start_frame=0.0, fit_contacts=fit, head=None)
    bpy.context.scene.render.fps = 3
    keying.bake(bpy.context.scene, character, played, mapping.load("arkit"), settings)


def test_the_demo_head_closes_as_it_is(demo_head: "DemoHead") -> None:
    table = mapping.load("arkit")
    fit = resting.fit(scene.find_character(demo_head.armature), table)
    assert fit.table == table
    assert "Lips touch at rest" in fit.notes


@pytest.mark.parametrize("share", [0.7, 1.6])
def test_lids_that_leave_a_slit_or_go_too_far_shut(demo_head: "DemoHead", share: float) -> None:
    mesh = demo_head.head
    own, rest = motion(mesh, "eyeBlinkLeft"), places(mesh.data.shape_keys.reference_key)
    eye = opening(mesh, "eyeBlinkLeft")
    reshape(mesh, lambda name, old: rest + share * own if name == "eyeBlinkLeft" else old)
    mesh.data.shape_keys.key_blocks["eyeBlinkLeft"].slider_max = 2.0
    played = Played(eye_close_L=1.0)
    bake(demo_head, played, fit=False)
    loose = eye.gap(evaluated(mesh, 2)) / eye.gap(rest)
    bake(demo_head, played)
    shut = eye.gap(evaluated(mesh, 2)) / eye.gap(rest)
    assert abs(loose) > 0.07
    assert -0.12 < shut <= 0.01
    np.testing.assert_allclose(evaluated(mesh, 0), rest, atol=1e-6)


def test_a_face_that_rests_with_half_shut_eyes(demo_head: "DemoHead") -> None:
    mesh = demo_head.head
    own, eye = motion(mesh, "eyeBlinkLeft"), opening(mesh, "eyeBlinkLeft")
    wide = eye.gap(places(mesh.data.shape_keys.reference_key))
    reshape(mesh, lambda _, old: old + 0.35 * own)
    bake(demo_head, Played(eye_close_L=1.0))
    assert -0.12 < eye.gap(evaluated(mesh, 2)) / wide <= 0.01
    notes = resting.fit(scene.find_character(demo_head.armature), mapping.load("arkit")).notes
    assert any(note.startswith("Left lids meet at 0.4") or note.startswith("Left lids meet at 0.5") for note in notes)


def test_a_key_that_cannot_go_far_enough_is_told(demo_head: "DemoHead") -> None:
    mesh = demo_head.head
    own, rest = motion(mesh, "eyeBlinkLeft"), places(mesh.data.shape_keys.reference_key)
    reshape(mesh, lambda name, old: rest + 0.6 * own if name == "eyeBlinkLeft" else old)
    notes = resting.fit(scene.find_character(demo_head.armature), mapping.load("arkit")).notes
    assert any("Range Max" in note and "eyeBlinkLeft" in note for note in notes)


@pytest.mark.parametrize("dropped", [0.0, 0.4])
def test_a_mouth_that_rests_open_closes_where_the_actors_lips_meet(demo_head: "DemoHead", dropped: float) -> None:
    mesh = demo_head.head
    mouth, own = opening(mesh, "jawOpen", opens=True), motion(mesh, "jawOpen")
    wide = -mouth.closing(own)
    reshape(mesh, lambda _, old: old + 0.25 * own)
    rest = mouth.gap(places(mesh.data.shape_keys.reference_key))
    assert rest > 0.1 * wide
    played = Played(jaw_drop=dropped, lips_together=dropped)
    bake(demo_head, played, fit=False)
    assert mouth.gap(evaluated(mesh, 2)) > 0.1 * wide
    bake(demo_head, played)
    assert mouth.gap(evaluated(mesh, 2)) < 0.0
    notes = resting.fit(scene.find_character(demo_head.armature), mapping.load("arkit")).notes
    assert any(note.startswith("Lips rest parted") for note in notes)


def test_without_a_key_that_closes_the_lips_the_jaw_rises(demo_head: "DemoHead") -> None:
    mesh = demo_head.head
    mouth, wide = (
        opening(mesh, "jawOpen", opens=True),
        -opening(mesh, "jawOpen", opens=True).closing(motion(mesh, "jawOpen")),
    )
    mesh.shape_key_remove(mesh.data.shape_keys.key_blocks["mouthClose"])
    bake(demo_head, Played(jaw_drop=0.4, lips_together=0.4), fit=False)
    assert mouth.gap(evaluated(mesh, 2)) > 0.2 * wide
    bake(demo_head, Played(jaw_drop=0.4, lips_together=0.4))
    assert mouth.gap(evaluated(mesh, 2)) < 0.0
    bake(demo_head, Played(jaw_drop=0.4))
    assert mouth.gap(evaluated(mesh, 2)) > 0.2 * wide, "an open mouth stays open"


def test_bones_are_left_alone_and_that_is_said(demo_head: "DemoHead") -> None:
    bone = mapping.BoneTarget("head", "rotation", "x")
    table = mapping.Mapping("Bones", (mapping.Row("eye_close_L", bone), mapping.Row("jaw_drop", bone)))
    fit = resting.fit(scene.find_character(demo_head.armature), table)
    assert fit.table == table
    assert any("no shape key" in note for note in fit.notes)


def test_keys_that_move_nothing_measure_nothing() -> None:
    mesh = bpy.data.objects.new("Face", bpy.data.meshes.new("Face"))
    mesh.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    bpy.context.collection.objects.link(mesh)
    for name in ("Basis", "eyeBlinkLeft", "jawOpen", "mouthClose"):
        mesh.shape_key_add(name=name).value = 0.0
    assert resting.fit(scene.find_character(mesh), mapping.load("arkit")).notes == ()


def test_the_switch_reaches_the_bake_and_the_panel_shows_what_was_found(demo_head: "DemoHead") -> None:
    bpy.context.scene.aumocap.character = demo_head.armature
    own = demo_head.armature.aumocap
    assert own.fit_contacts
    assert any(note.startswith("Left lids meet at") for note in fit_notes.of(demo_head.armature))
    settings = extension.module("operators.settings")
    own.fit_contacts = False
    assert not settings.of_bake(bpy.context.scene.aumocap.bake, own, "Take").fit_contacts
