"""Whatever way a character was built, its evaluated head turns in the world as the actor's did."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from training import extension

from .builds import (
    BUILDS,
    FBX,
    HEAD_AND_NECK,
    Y_UP,
    YAW_PITCH_ROLL,
    Build,
    about,
    degrees_between,
    evaluated_turn,
    person,
    wanted_turn,
)
from .playing import acting, bake_with, errors, face_mesh, head_settings, table, turned, xyz


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
def test_face_looks_where_the_actors_does(build: Build) -> None:
    rig = person(build)
    bake_with(rig, turned(acting(2), YAW_PITCH_ROLL), table(), face=False, gaze=False, head=head_settings())
    shown, wanted = evaluated_turn(rig), wanted_turn(build)
    frame = build.placed.to_3x3() @ build.turned
    for direction in ((0, -1, 0), (0, 0, 1)):  # where the face looks, and the crown
        at_rest = frame @ Vector(direction)
        assert degrees_between(shown @ at_rest, wanted @ at_rest) < 0.1
        assert degrees_between(shown @ at_rest, at_rest) > 5.0


def test_known_directions_in_the_world() -> None:
    """Said without the code's own matrices: turning right, a character that faces +X looks to -Y."""
    rig = person(Build(turned=about("Z", 90.0)))
    bake_with(rig, turned(acting(2), (90.0, 0, 0)), table(), face=False, gaze=False, head=head_settings())
    assert xyz(evaluated_turn(rig) @ Vector((1, 0, 0))) == pytest.approx((0, -1, 0), abs=1e-3)
    rig = person(Build(turned=Y_UP))
    bake_with(rig, turned(acting(2), (0, -90.0, 0)), table(), face=False, gaze=False, head=head_settings())
    assert xyz(evaluated_turn(rig) @ Vector((0, 0, 1))) == pytest.approx((0, 1, 0), abs=1e-3), "looks up along +Y"


@pytest.mark.parametrize(
    ("facing", "nose"), [("-Y", (0, -1, 0)), ("+Y", (0, 1, 0)), ("+X", (1, 0, 0)), ("-X", (-1, 0, 0))]
)
def test_the_artist_has_the_last_word(facing: str, nose: tuple) -> None:
    rig = person(Build())
    how = head_settings(facing=facing)
    bake_with(rig, turned(acting(2), (90.0, 0, 0)), table(), face=False, gaze=False, head=how)
    right = Vector(np.cross(nose, (0, 0, 1)).tolist())
    assert degrees_between(evaluated_turn(rig) @ Vector(nose), right) < 0.1


def test_facing_along_z_of_a_y_up_character() -> None:
    rig = person(Build(turned=Y_UP))
    how = head_settings(facing="+Z")
    bake_with(rig, turned(acting(2), (90.0, 0, 0)), table(), face=False, gaze=False, head=how)
    assert degrees_between(evaluated_turn(rig) @ Vector((0, 0, 1)), Vector((-1, 0, 0))) < 0.1


def test_unknown_facing_is_an_error() -> None:
    with pytest.raises(errors("SettingsError"), match="facing 'north'"):
        head_settings(facing="north")


def found(rig: bpy.types.Object) -> tuple[tuple[float, ...], tuple[str, ...]]:
    character = extension.module("operators.scene").find_character(rig)
    facing = extension.module("operators.facing").facing_of(character)
    return tuple(np.round(facing.forward, 6).tolist()), facing.found_by


def test_what_told_the_facing_is_named() -> None:
    assert found(person(Build()))[1] == ("eye bones", "feet", "sides")
    assert found(person(Build(bones=HEAD_AND_NECK)))[1] == ()


def test_sides_named_from_the_viewers_own_do_not_turn_the_character() -> None:
    rig = person(Build())
    for one, other in (("eye.L", "eye.R"), ("foot.L", "foot.R"), ("toe.L", "toe.R")):
        rig.data.bones[one].name = "swap"
        rig.data.bones[other].name = one
        rig.data.bones["swap"].name = other
    assert found(rig)[0] == (0, -1, 0)


def head_mesh(rig: bpy.types.Object, turn: Matrix) -> Any:  # noqa: ANN401
    """A ball for a head whose blinks and jaw are in its front half."""
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.1, location=(0, 0, 0))
    ball = bpy.context.object
    ball.shape_key_add(name="Basis")
    places = {"eyeBlinkLeft": (0.03, -0.09, 0.03), "eyeBlinkRight": (-0.03, -0.09, 0.03), "jawOpen": (0, -0.08, -0.06)}
    for name, place in places.items():
        key = ball.shape_key_add(name=name)
        key.value = 0.0
        for point in key.data:
            if (point.co - Vector(place)).length < 0.04:
                point.co.z -= 0.01
    for block in ball.data.shape_keys.key_blocks:
        for point in block.data:
            point.co = turn @ point.co
    ball.parent = rig
    ball.location = turn @ Vector((0, 0, 1.62))
    bpy.context.view_layer.update()
    return ball


@pytest.mark.parametrize(
    ("turn", "nose"), [(about("Z", 180.0), (0, 1, 0)), (about("Z", 90.0), (1, 0, 0)), (Y_UP, (0, 0, 1))]
)
def test_the_face_itself_tells_where_bones_do_not(turn: Matrix, nose: tuple) -> None:
    rig = person(Build(turned=turn, bones=HEAD_AND_NECK))
    head_mesh(rig, turn)
    assert found(rig) == (nose, ("face", "sides of the face"))


def test_a_face_on_a_posed_bone_is_read_at_rest() -> None:
    turn = about("Z", 180.0)
    rig = person(Build(turned=turn, bones=HEAD_AND_NECK))
    ball = head_mesh(rig, turn)
    ball.parent_type, ball.parent_bone = "BONE", "head"
    ball.matrix_world = Matrix.Translation(turn @ Vector((0, 0, 1.62)))
    rig.pose.bones["head"].rotation_mode = "XYZ"
    rig.pose.bones["head"].rotation_euler = (0.0, 1.4, 0.0)
    bpy.context.view_layer.update()
    assert found(rig)[0] == (0, 1, 0)


def test_keys_that_move_nothing_tell_nothing() -> None:
    rig = person(Build(bones=HEAD_AND_NECK))
    mesh = face_mesh("Face", "eyeBlinkLeft", "eyeBlinkRight")
    mesh.parent = rig
    assert found(rig) == ((0, -1, 0), ())


def test_gaze_follows_the_facing() -> None:
    rig = person(Build(turned=about("Z", 90.0)))
    eyes = extension.module("operators.bake_settings").EyeSettings()
    played = acting(2, look_in_L=1.0, look_out_R=1.0)  # 35 degrees to the actor's right
    bake_with(rig, played, table(), face=False, eyes=eyes)
    for name in ("eye.L", "eye.R"):
        seen = evaluated_turn(rig, name) @ Vector((1, 0, 0))
        assert degrees_between(seen, Vector((np.cos(np.radians(35)), -np.sin(np.radians(35)), 0))) < 0.1


def test_what_no_view_layer_shows_is_placed_by_its_parents(tmp_path: Path) -> None:
    """Blender keeps no matrices of excluded collections: an imported face in one is read like any other."""
    build = Build(turned=Y_UP, placed=FBX, bones=HEAD_AND_NECK)
    rig = person(build)
    ball = head_mesh(rig, Y_UP)
    away = bpy.data.collections.new("Away")
    bpy.context.scene.collection.children.link(away)
    for each in (rig, ball):
        for collection in list(each.users_collection):
            collection.objects.unlink(each)
        away.objects.link(each)
    bpy.context.view_layer.layer_collection.children["Away"].exclude = True
    path, names = str(tmp_path / "away.blend"), (rig.name, ball.name)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    rig, ball = bpy.data.objects[names[0]], bpy.data.objects[names[1]]
    places = extension.module("operators.places")
    assert found(rig) == ((0, 0, 1), ("face", "sides of the face"))
    wanted = build.placed @ Matrix.Translation(Y_UP @ Vector((0, 0, 1.62)))
    assert np.abs(np.array(places.world_of(ball)) - np.array(wanted)).max() < 1e-6
