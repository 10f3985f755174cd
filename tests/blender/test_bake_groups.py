"""Which groups a bake writes and replaces, names that need escapes, settings that are refused."""

from typing import TYPE_CHECKING

import pytest

from .playing import (
    acting,
    bake_with,
    curves_of,
    errors,
    face_mesh,
    head_settings,
    key_curves,
    shape_row,
    shown,
    table,
    turned,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

JAW_ONLY = [shape_row("jaw_drop", "jawOpen")]


@pytest.mark.parametrize("name", ['say "ah"', "back\\slash", "Ünïcödé 👄", "a]b[0]", "line\nbreak"])
@pytest.mark.parametrize("destination", ["new", "active", "nla"])
def test_names_that_need_escapes(name: str, destination: str) -> None:
    mesh = face_mesh("Face", name)
    for value in (0.5, 0.75):
        bake_with(mesh, acting(9, jaw_drop=value), table(shape_row("jaw_drop", name)), destination=destination)
        assert shown(mesh, 3, name) == pytest.approx(value)


def test_groups_are_baked_one_by_one(demo_head: "DemoHead") -> None:
    played = turned(acting(9, jaw_drop=0.5, look_up_L=0.5), (9.0, 0, 0))
    played.head_position[3:] += 0.1
    mesh, rig = demo_head.head, demo_head.armature
    bake_with(mesh, played, gaze=False)
    assert len(key_curves(mesh)) == 44
    assert curves_of(rig) == {}
    bake_with(mesh, played, face=False)
    assert {curve.group.name for curve in key_curves(mesh).values()} == {"AU Mocap Face", "AU Mocap Gaze"}
    assert len(key_curves(mesh)) == 52
    assert shown(mesh, 3, "eyeLookUpLeft") == pytest.approx(0.5)
    bake_with(mesh, played, face=False, gaze=False, head=head_settings(rotation=False, position=True))
    assert {path.rsplit(".", 1)[1] for path, _ in curves_of(rig)} == {"location"}
    bake_with(mesh, played, face=False, gaze=False, head=head_settings())
    assert {path.rsplit(".", 1)[1] for path, _ in curves_of(rig)} == {"rotation_quaternion"}
    assert len(key_curves(mesh)) == 52


def test_an_earlier_bake_goes_where_the_new_one_has_nothing(demo_head: "DemoHead") -> None:
    first, second = face_mesh("One", "jawOpen"), face_mesh("Two", "mouthPucker")
    for mesh in (first, second):
        mesh.parent = demo_head.armature
    bake_with(
        demo_head.armature, acting(9), table(shape_row("jaw_drop", "jawOpen"), shape_row("lip_pucker", "mouthPucker"))
    )
    assert key_curves(second)
    bake_with(demo_head.armature, acting(9), table(*JAW_ONLY))
    assert key_curves(first)
    assert not key_curves(second)


def test_mapping_without_gaze_rows_still_bakes_the_head(demo_head: "DemoHead") -> None:
    played = turned(acting(9), (9.0, 0, 0))
    report = bake_with(demo_head.head, played, table(*JAW_ONLY), face=False, head=head_settings())
    assert report.curves == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"destination": "everywhere"}, "Unknown destination 'everywhere'"),
        ({"timing": "minutes"}, "Unknown timing 'minutes'"),
        ({"face": False, "gaze": False}, "nothing to bake"),
        ({"action": "x", "destination": "new"}, "choose the destination 'active'"),
        ({"speed": 0.0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"start_frame": float("inf")}, "start frame"),
        ({"frame_range": (10.0, 9.0)}, "is empty"),
        ({"frame_range": (float("nan"), 9.0)}, "is empty"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], message: str) -> None:
    mesh = face_mesh("Face", "jawOpen")
    with pytest.raises(errors("SettingsError"), match=message):
        bake_with(mesh, acting(2), None, **settings)


def test_head_that_neither_turns_nor_moves_is_refused() -> None:
    with pytest.raises(errors("SettingsError"), match="neither turns nor moves"):
        head_settings(rotation=False)
