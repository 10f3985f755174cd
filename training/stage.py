"""A stage for pictures of characters: camera, lights, background and Cycles on the CPU.

Needs `bpy`. The camera is known in OpenCV's terms (x right, y down, z forward, metres), so that poses found in the
pictures can be compared with what was played.
"""

import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import bpy
import cv2
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

CAMERA_FROM_WORLD: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Axes of a camera that looks along +Y, in OpenCV's sense: x right is +X, y down is -Z, z forward is +Y."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How a picture is taken.

    Attributes:
        width: Pixels.
        height: Pixels.
        fov_deg: Vertical field of view.
        distance_m: From the camera to the plane that holds the target.
        target_m: World point on the optical axis.
        samples: Cycles samples for each pixel.
        denoise: Whether OpenImageDenoise cleans the picture.
        background: Linear RGB behind the character.
    """

    width: int = 320
    height: int = 320
    fov_deg: float = 30.0
    distance_m: float = 0.75
    target_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    samples: int = 6
    denoise: bool = True
    background: tuple[float, float, float] = (0.30, 0.33, 0.36)

    @property
    def focal_px(self) -> float:
        """Focal length in pixels; the principal point is the picture's centre."""
        return 0.5 * self.height / math.tan(math.radians(0.5 * self.fov_deg))

    def to_camera(self, point_m: tuple[float, float, float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """A world point (3,) in OpenCV camera axes, metres."""
        eye = np.array(self.target_m) - [0.0, self.distance_m, 0.0]
        return CAMERA_FROM_WORLD @ (np.asarray(point_m, np.float64) - eye)


def aimed(shot: Shot, target_m: tuple[float, float, float]) -> Shot:
    """The same shot with another target."""
    return replace(shot, target_m=target_m)


def set_up(scene: bpy.types.Scene, shot: Shot) -> None:
    """Put camera, three soft lights and a plain background into a scene and make it render with Cycles on the CPU."""
    _add_camera(scene, shot)
    _add_light(scene, shot, "Key", (-0.9, -1.1, 0.8), 26.0, 0.8)
    _add_light(scene, shot, "Fill", (1.2, -1.0, 0.15), 8.0, 1.2)
    _add_light(scene, shot, "Rim", (0.7, 1.1, 0.9), 18.0, 0.6)
    _add_world(scene, shot)
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = shot.samples
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = shot.denoise
    scene.cycles.denoising_quality = scene.cycles.denoising_prefilter = "FAST"
    scene.cycles.max_bounces = 3
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = shot.width, shot.height
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"


def _add_camera(scene: bpy.types.Scene, shot: Shot) -> None:
    camera = bpy.data.cameras.new("Stage Camera")
    camera.sensor_fit = "VERTICAL"
    camera.angle_y = math.radians(shot.fov_deg)
    camera.clip_start = 0.01
    placed = bpy.data.objects.new("Stage Camera", camera)
    placed.location = Vector(shot.target_m) - Vector((0.0, shot.distance_m, 0.0))
    placed.rotation_euler = (0.5 * math.pi, 0.0, 0.0)
    scene.collection.objects.link(placed)
    scene.camera = placed


def _add_light(
    scene: bpy.types.Scene, shot: Shot, name: str, offset: tuple[float, float, float], watts: float, size_m: float
) -> None:
    light = bpy.data.lights.new(f"Stage {name}", "AREA")
    light.energy, light.size = watts, size_m
    placed = bpy.data.objects.new(f"Stage {name}", light)
    placed.location = Vector(shot.target_m) + Vector(offset)
    placed.rotation_euler = (-Vector(offset)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(placed)


def _add_world(scene: bpy.types.Scene, shot: Shot) -> None:
    """The camera sees the plain background; the character is lit by soft grey."""
    world = bpy.data.worlds.new("Stage")
    if world.node_tree is None:
        world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    ambient = next(node for node in nodes if node.type == "BACKGROUND")
    output = next(node for node in nodes if node.type == "OUTPUT_WORLD")
    ambient.inputs["Color"].default_value = (0.75, 0.85, 1.0, 1.0)
    ambient.inputs["Strength"].default_value = 0.25
    seen = nodes.new("ShaderNodeBackground")
    seen.inputs["Color"].default_value = (*shot.background, 1.0)
    path, mix = nodes.new("ShaderNodeLightPath"), nodes.new("ShaderNodeMixShader")
    links.new(path.outputs["Is Camera Ray"], mix.inputs[0])
    links.new(ambient.outputs[0], mix.inputs[1])
    links.new(seen.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], output.inputs["Surface"])
    scene.world = world


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Blender's render messages, which it writes past Python, off the terminal."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def render(scene: bpy.types.Scene) -> NDArray[np.uint8]:
    """Render the scene's current frame: (height, width, 3) BGR."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.png"
        scene.render.filepath = str(path)
        with quiet():
            bpy.ops.render.render(write_still=True, scene=scene.name)
        # Not cv2.imread: on Windows it cannot open names beyond the system's code page, a user's own folder among them.
        return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR).astype(np.uint8)


def render_frames(scene: bpy.types.Scene, frames: Sequence[float]) -> Iterator[NDArray[np.uint8]]:
    """Render scene frames, fractions allowed, one after the other: (height, width, 3) BGR each."""
    for frame in frames:
        whole = math.floor(frame)
        scene.frame_set(whole, subframe=frame - whole)
        yield render(scene)


def write_video(path: Path, pictures: Iterable[NDArray[np.uint8]], rate_hz: float) -> int:
    """Write pictures as an .mp4 (MPEG-4) and return how many there were.

    Raises:
        OSError: The file cannot be written.
    """
    writer: cv2.VideoWriter | None = None
    count = 0
    try:
        for picture in pictures:
            if writer is None:
                size = (picture.shape[1], picture.shape[0])
                writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate_hz, size)
                if not writer.isOpened():
                    message = f"cannot write {path}"
                    raise OSError(message)
            writer.write(picture)
            count += 1
    finally:
        if writer is not None:
            writer.release()
    return count
