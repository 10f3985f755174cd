"""A bake goes where it is sent, keeps what was there, and refuses what it could not do properly."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from .playing import (
    acting,
    angle_deg,
    bake_with,
    curves_of,
    errors,
    face_mesh,
    head_settings,
    key_curve,
    points,
    shape_row,
    shown,
    skeleton,
    strip_curves,
    table,
    turned,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

HAS_SLOTS = "slots" in bpy.types.Action.bl_rna.properties
JAW = 'key_blocks["jawOpen"].value'
JAW_ONLY = [shape_row("jaw_drop", "jawOpen")]


def with_animation(mesh: bpy.types.Object) -> Any:  # noqa: ANN401
    """Let a mesh's shape keys have animation by hand."""
    key = mesh.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.1), (20, 0.9)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    return mesh.data.shape_keys.animation_data.action


# Into a new Action


def test_new_action_keeps_the_old_one(demo_head: "DemoHead") -> None:
    old = with_animation(demo_head.head)
    before = points(key_curve(demo_head.head, "jawOpen")).tolist()
    report = bake_with(
        demo_head.head, turned(acting(9, jaw_drop=0.5), (9.0, 0, 0)), destination="new", head=head_settings()
    )
    keys = demo_head.head.data.shape_keys
    assert report.actions[0].name == "take one"
    assert old not in report.actions
    assert keys.animation_data.action in report.actions
    assert (old.users, old.use_fake_user) == (1, True)
    keys.animation_data.action = old
    if HAS_SLOTS:
        keys.animation_data.action_slot = old.slots[0]
    assert points(key_curve(demo_head.head, "jawOpen")).tolist() == before
    assert len(report.actions) == (1 if HAS_SLOTS else 2)


def test_old_action_that_others_hold_needs_no_fake_user() -> None:
    mesh, other = face_mesh("Face", "jawOpen"), face_mesh("Other", "jawOpen")
    old = with_animation(mesh)
    other.data.shape_keys.animation_data_create().action = old
    bake_with(mesh, acting(9, jaw_drop=0.5), destination="new")
    assert (old.users, old.use_fake_user) == (1, False)
    assert other.data.shape_keys.animation_data.action == old


def test_every_new_bake_is_an_action_of_its_own() -> None:
    mesh = face_mesh("Face", "jawOpen")
    first = bake_with(mesh, acting(9, jaw_drop=0.5), destination="new").actions[0]
    second = bake_with(mesh, acting(9, jaw_drop=0.7), destination="new").actions[0]
    assert first != second
    assert first.use_fake_user
    assert shown(mesh, 3) == pytest.approx(0.7)


# Into a chosen Action


def test_chosen_action_takes_the_keys(demo_head: "DemoHead") -> None:
    old = with_animation(demo_head.head)
    chosen = bpy.data.actions.new("performance")
    for value in (0.5, 0.25):
        played = turned(acting(9, jaw_drop=value), (9.0, 0, 0))
        report = bake_with(demo_head.head, played, action="performance", head=head_settings())
        assert chosen in report.actions
        assert old.use_fake_user
        assert shown(demo_head.head, 4) == pytest.approx(value)
    owners = (demo_head.armature, demo_head.head.data.shape_keys)
    if HAS_SLOTS:
        assert {owner.animation_data.action for owner in owners} == {chosen}
        assert len(chosen.slots) == 2
    else:
        assert chosen in {owner.animation_data.action for owner in owners}
    assert angle_deg(demo_head.armature, "head", 4) == pytest.approx(9.0, abs=0.01)


def test_chosen_action_keeps_other_data_blocks_slots() -> None:
    first, second = face_mesh("One", "jawOpen"), face_mesh("Two", "jawOpen")
    bake_with(first, acting(9, jaw_drop=0.5), action=bpy.data.actions.new("both").name)
    bake_with(second, acting(9, jaw_drop=0.25), action="both" if HAS_SLOTS else None)
    assert shown(first, 4) == pytest.approx(0.5)
    assert shown(second, 4) == pytest.approx(0.25)


def test_unknown_action_is_refused() -> None:
    mesh = face_mesh("Face", "jawOpen")
    with pytest.raises(errors("SettingsError"), match="no Action 'nowhere'"):
        bake_with(mesh, acting(9, jaw_drop=0.5), action="nowhere")
    assert mesh.data.shape_keys.animation_data is None


# Onto the NLA


def test_nla_strip_plays_at_the_right_frames_and_touches_nothing(demo_head: "DemoHead") -> None:
    old = with_animation(demo_head.head)
    keys = demo_head.head.data.shape_keys
    lower = keys.animation_data.nla_tracks.new()
    lower.name = "by hand"
    lower.strips.new("by hand", 1, old)
    keys.animation_data.action = None
    played = turned(acting(20, 30.0, jaw_drop=np.linspace(0.0, 0.95, 20)), (12.0, 0, 0))
    report = bake_with(
        demo_head.head, played, table(*JAW_ONLY), destination="nla", start_frame=5.5, head=head_settings()
    )

    assert [track.name for track in keys.animation_data.nla_tracks] == ["by hand", "take one"]
    assert [track.name for track in demo_head.armature.animation_data.nla_tracks] == ["take one"]
    assert keys.animation_data.action is None
    (strip,) = keys.animation_data.nla_tracks["take one"].strips
    assert (strip.frame_start, strip.frame_end) == pytest.approx((5.5, 5.5 + 19 * 0.8))
    assert (strip.action_frame_start, strip.action_frame_end) == pytest.approx((5.5, 20.7))
    for index in (0, 7, 18):
        assert shown(demo_head.head, 5.5 + 0.8 * index) == pytest.approx(0.05 * index, abs=1e-4)
    # Outside, the track below has its say.
    assert shown(demo_head.head, 1) == pytest.approx(0.1)
    assert shown(demo_head.head, 40) == pytest.approx(0.9)
    assert angle_deg(demo_head.armature, "head", 12) == pytest.approx(12.0, abs=0.01)
    assert len(report.actions) == (1 if HAS_SLOTS else 2)
    assert report.notes == ()


def test_same_take_replaces_its_strip_and_no_other(demo_head: "DemoHead") -> None:
    keys = demo_head.head.data.shape_keys
    bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.5), destination="nla", name="first")
    bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.25), destination="nla", name="second", start_frame=101)
    keys.animation_data.nla_tracks["first"].strips[0].influence = 0.5
    made = len(bpy.data.actions)
    bake_with(demo_head.head, acting(60, 24.0, jaw_drop=1.0), destination="nla", name="first", start_frame=201)
    tracks = keys.animation_data.nla_tracks
    assert [(track.name, len(track.strips)) for track in tracks] == [("first", 1), ("second", 1)]
    assert len(bpy.data.actions) == made
    strip = tracks["first"].strips[0]
    assert (strip.frame_start, strip.frame_end) == pytest.approx((201.0, 260.0))
    assert (strip.scale, strip.repeat) == (1.0, 1.0)
    strip.influence = 1.0
    assert shown(demo_head.head, 230) == pytest.approx(1.0)
    assert shown(demo_head.head, 110) == pytest.approx(0.25)
    # The lowest strip holds its first pose.
    assert shown(demo_head.head, 20) == pytest.approx(1.0)


def test_a_face_does_not_open_everything_beside_its_strip(demo_head: "DemoHead") -> None:
    """What no strip plays shows its default, which is 1 for shape keys from Blender 5.0."""
    by_hand = with_animation(demo_head.head)
    data = demo_head.head.data.shape_keys.animation_data
    data.nla_tracks.new().strips.new("by hand", 1, by_hand)
    data.action = None
    bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.5), destination="nla", start_frame=50)
    for frame in (40, 60, 90):
        assert shown(demo_head.head, frame, "mouthPucker") == pytest.approx(0.0)


def test_moved_and_scaled_strip_comes_back(demo_head: "DemoHead") -> None:
    keys = demo_head.head.data.shape_keys
    bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.5), destination="nla")
    strip = keys.animation_data.nla_tracks[0].strips[0]
    strip.scale = 2.0
    strip.frame_start_raw, strip.frame_end_raw = 77.0, 135.0
    with pytest.raises(errors("SettingsError"), match="was moved, scaled or cut"):
        bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.9), destination="nla", frame_range=(5, 9))
    assert shown(demo_head.head, 80) == pytest.approx(0.5)
    bake_with(demo_head.head, acting(30, 24.0, jaw_drop=0.9), destination="nla")
    strip = keys.animation_data.nla_tracks[0].strips[0]
    assert (strip.frame_start, strip.frame_end, strip.scale) == pytest.approx((1.0, 30.0, 1.0))


def test_a_users_track_of_the_takes_name_is_not_ours() -> None:
    mesh = face_mesh("Face", "jawOpen")
    by_hand = with_animation(mesh)
    data = mesh.data.shape_keys.animation_data
    track = data.nla_tracks.new()
    track.name = "take one"
    track.strips.new("take one", 1, by_hand)
    data.action = None
    bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla")
    assert len(data.nla_tracks) == 2
    assert data.nla_tracks[0].strips[0].action == by_hand


def test_copies_of_the_strip_are_removed() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla")
    data = mesh.data.shape_keys.animation_data
    action: Any = data.nla_tracks[0].strips[0].action
    data.nla_tracks[0].strips.new("again", 100, action)
    data.nla_tracks.new().strips.new("and again", 200, action)
    by_hand = data.nla_tracks.new()
    by_hand.strips.new("mixed", 300, action)
    by_hand.strips.new("other", 400, bpy.data.actions.new("other"))
    bake_with(mesh, acting(9, jaw_drop=0.7), destination="nla")
    assert [[strip.name for strip in track.strips] for track in data.nla_tracks] == [["take one"], ["other"]]


def test_punch_in_extends_the_strip() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(9, 24.0, jaw_drop=0.5), destination="nla")
    bake_with(mesh, acting(40, 24.0, jaw_drop=0.8), destination="nla", frame_range=(20, 30))
    (track,) = mesh.data.shape_keys.animation_data.nla_tracks
    assert (track.strips[0].frame_start, track.strips[0].frame_end) == pytest.approx((1.0, 30.0))
    assert [shown(mesh, frame) for frame in (5, 19, 20, 30)] == pytest.approx([0.5, 0.5, 0.8, 0.8])


def test_single_frame_on_the_nla() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(1, jaw_drop=0.5), destination="nla", start_frame=7)
    assert shown(mesh, 7) == pytest.approx(0.5)


def test_what_keeps_a_strip_from_playing_is_told() -> None:
    mesh = face_mesh("Face", "jawOpen")
    with_animation(mesh)
    data = mesh.data.shape_keys.animation_data
    solo = data.nla_tracks.new()
    solo.is_solo = True
    data.use_nla = False
    notes = "\n".join(bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla").notes)
    for text in ("switched off", "solo", "plays above"):
        assert text in notes
    own = next(track for track in data.nla_tracks if track.name == "take one")
    own.mute = True
    assert "is muted" in "\n".join(bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla").notes)
    assert own.mute


def test_what_keeps_an_action_from_playing_is_told() -> None:
    mesh = face_mesh("Face", "jawOpen")
    assert bake_with(mesh, acting(9, jaw_drop=0.5)).notes == ()
    data = mesh.data.shape_keys.animation_data
    track = data.nla_tracks.new()
    data.action_influence = 0.5
    assert "mixes its Action" in "\n".join(bake_with(mesh, acting(9, jaw_drop=0.5)).notes)
    track.is_solo = True
    assert "solo" in "\n".join(bake_with(mesh, acting(9, jaw_drop=0.5)).notes)


# What is refused


def test_tweak_mode_is_refused_and_touches_nothing() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla")
    data = mesh.data.shape_keys.animation_data
    data.nla_tracks.active = data.nla_tracks[0]
    data.nla_tracks[0].strips[0].select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    for destination in ("new", "active", "nla"):
        with pytest.raises(errors("SettingsError"), match="tweak mode"):
            bake_with(mesh, acting(9, jaw_drop=0.9), destination=destination)
    assert len(bpy.data.actions) == 1
    assert {curve.evaluate(3) for curve in strip_curves(mesh.data.shape_keys).values()} == {0.5}
    data.use_tweak_mode = False


def test_locked_curves_groups_and_tracks_are_left_alone_and_named() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    bake_with(mesh, acting(9, jaw_drop=0.5, lip_pucker=0.5))
    key_curve(mesh, "jawOpen").lock = True
    report = bake_with(mesh, acting(9, jaw_drop=0.9, lip_pucker=0.9))
    assert f"Face: the curve of {JAW} is locked" in report.skipped
    assert (shown(mesh, 3), shown(mesh, 3, "mouthPucker")) == pytest.approx((0.5, 0.9))
    key_curve(mesh, "jawOpen").lock = False
    key_curve(mesh, "jawOpen").group.lock = True
    with pytest.raises(errors("MappingError"), match="is locked"):
        bake_with(mesh, acting(9, jaw_drop=0.1, lip_pucker=0.1))
    assert shown(mesh, 3, "mouthPucker") == pytest.approx(0.9)
    mesh.data.shape_keys.animation_data.action = None
    bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla")
    mesh.data.shape_keys.animation_data.nla_tracks[0].lock = True
    with pytest.raises(errors("MappingError"), match="NLA track 'take one' is locked"):
        bake_with(mesh, acting(9, jaw_drop=0.5), destination="nla")


def link(path: Path, kind: str, name: str) -> Any:  # noqa: ANN401
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):  # pyright: ignore[reportOptionalContextManager, reportGeneralTypeIssues]
        setattr(wanted, kind, [name])
    return getattr(wanted, kind)[0]


def test_linked_action_is_refused_but_a_new_one_taken(tmp_path: Path) -> None:
    library = tmp_path / "actions.blend"
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(9, jaw_drop=0.5), name="theirs")
    bpy.data.libraries.write(str(library), {bpy.data.actions["theirs"]})
    bpy.ops.wm.read_factory_settings(use_empty=True)

    mesh = face_mesh("Face", "jawOpen")
    linked = link(library, "actions", "theirs")
    data = mesh.data.shape_keys.animation_data_create()
    data.action = linked
    with pytest.raises(errors("MappingError"), match="Action 'theirs' is linked"):
        bake_with(mesh, acting(9, jaw_drop=0.9))
    with pytest.raises(errors("SettingsError"), match="'theirs' is linked"):
        bake_with(mesh, acting(9, jaw_drop=0.9), action="theirs")
    assert data.action == linked
    bake_with(mesh, acting(9, jaw_drop=0.9), destination="new")
    assert data.action != linked
    assert shown(mesh, 3) == pytest.approx(0.9)


def test_library_override_with_an_action_of_its_own(tmp_path: Path) -> None:
    library = tmp_path / "rig.blend"
    skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    bpy.data.libraries.write(str(library), {bpy.data.objects["Rig"]})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    linked = link(library, "objects", "Rig")
    bpy.context.collection.objects.link(linked)
    override = linked.override_create(remap_local_usages=True)
    override.override_library.is_system_override = False
    rows = table({"channel": "jaw_drop", "target": {"kind": "bone", "bone": "head", "path": "location", "axis": "x"}})
    with pytest.raises(errors("MappingError"), match="linked from another file"):
        bake_with(linked, acting(9, jaw_drop=0.5), rows)
    for destination in ("active", "new", "nla"):
        bake_with(override, acting(9, jaw_drop=0.5), rows, destination=destination)
    assert set(curves_of(override)) == {('pose.bones["head"].location', 0)}
    override.override_library.is_system_override = True
    with pytest.raises(errors("MappingError"), match="override is not editable"):
        bake_with(override, acting(9, jaw_drop=0.5), rows)
