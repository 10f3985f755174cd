"""Photographing a head: camera, lights and a backdrop, anew for every frame."""

from pathlib import Path
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from training import stage
from training.transfer.character import Character
from training.transfer.plan import SIZE_PX, Frame, Lamp

_SAMPLES: Final = 8
_LAMP_DISTANCE_M: Final = 1.2
_LAMPS: Final = ("Stage Key", "Stage Fill", "Stage Rim")
_BLENDER_FROM_OPENCV: Final = np.diag([1.0, -1.0, -1.0])
"""A camera in Blender looks along -Z with +Y up."""


class Studio:
    """A scene that photographs one character."""

    def __init__(self, character: Character) -> None:
        """Sets up the scene that holds the character."""
        self._character = character
        self._scene = bpy.data.scenes[0]
        x, y, z = character.origin_m.tolist()
        stage.set_up(self._scene, stage.Shot(SIZE_PX, SIZE_PX, target_m=(x, y, z), samples=_SAMPLES))
        self._scene.render.film_transparent = True
        self._scene.render.image_settings.color_mode = "RGBA"

    def photograph(self, frame: Frame, picture: Path) -> None:
        """Poses, lights and renders a frame into a file with alpha (PNG)."""
        self._character.pose(frame.values)
        world_from_camera = self._character.world_from_head() @ frame.view.rotation.T
        self._place_camera(frame, world_from_camera)
        for name, lamp in zip(_LAMPS, frame.lamps, strict=True):
            self._place_lamp(bpy.data.objects[name], lamp, world_from_camera)
        self._light_all_round(frame.ambient)
        self._scene.view_settings.exposure = frame.exposure_ev
        self._scene.cycles.seed = frame.index
        self._scene.render.filepath = str(picture)
        with stage.quiet():
            bpy.ops.render.render(write_still=True, scene=self._scene.name)

    def _place_camera(self, frame: Frame, world_from_camera: NDArray[np.float64]) -> None:
        camera = bpy.data.objects["Stage Camera"]
        place = self._character.origin_m - world_from_camera @ frame.view.translation
        camera.matrix_world = _matrix(world_from_camera @ _BLENDER_FROM_OPENCV, place)
        assert isinstance(camera.data, bpy.types.Camera)
        camera.data.angle_y = 2.0 * float(np.arctan(0.5 * SIZE_PX / frame.view.focal_px))

    def _place_lamp(self, placed: bpy.types.Object, lamp: Lamp, world_from_camera: NDArray[np.float64]) -> None:
        towards = Vector((world_from_camera @ lamp.direction).tolist())
        placed.location = Vector(self._character.origin_m.tolist()) + _LAMP_DISTANCE_M * towards
        placed.rotation_euler = (-towards).to_track_quat("-Z", "Y").to_euler()
        assert isinstance(placed.data, bpy.types.AreaLight)
        placed.data.energy, placed.data.size = lamp.watts * _LAMP_DISTANCE_M**2, lamp.size_m
        placed.data.color = lamp.colour.tolist()

    def _light_all_round(self, ambient: NDArray[np.float64]) -> None:
        world = self._scene.world
        assert world is not None
        assert world.node_tree is not None
        for node in world.node_tree.nodes:
            if node.type == "BACKGROUND":
                node.inputs["Color"].default_value = (*ambient.tolist(), 1.0)
                node.inputs["Strength"].default_value = 1.0


def _matrix(rotation: NDArray[np.float64], place: NDArray[np.float64]) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, place
    return Matrix(matrix.tolist())
