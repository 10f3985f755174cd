"""The clip beside the character: behind the active camera, or in an image editor next to the viewport, in step."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import bpy
from mathutils import Vector

from ..au_mocap.errors import SettingsError, VideoError

if TYPE_CHECKING:
    from ..au_mocap.video import VideoInfo

Kind = Literal["camera", "image_editor"]

CAMERA_NAME: Final = "AU Mocap Camera"
_EYE_LEVEL: Final = Vector((0.0, 0.0, 1.6))
_MARGIN: Final = 1.1
"""Room around what a new camera looks at."""

_SHARE_OF_VIEWPORT: Final = 0.6
_RATE_TOLERANCE: Final = 2e-4
"""Half a frame in two minutes at 24 frames per second; 24 and 23.976 differ by five times as much."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a clip is shown now.

    Attributes:
        image: The clip as Blender's image.
        camera: The camera that shows it, for kind `camera`.
        area: The image editor that shows it, for kind `image_editor`.
        hint: What keeps picture and keys from staying in step, empty where nothing does.
    """

    image: bpy.types.Image
    camera: bpy.types.Object | None
    area: bpy.types.Area | None
    hint: str


def set_up(context: bpy.types.Context, video_path: str | Path, start_frame: float, kind: Kind) -> Stage:
    """Show a clip in step with the timeline; what shows this clip already is used again.

    Args:
        context: Its scene, window and active object count.
        video_path: A video file or an image sequence as `au_mocap.video.open_video` takes it; may be relative to the
            .blend file.
        start_frame: Scene frame of the clip's first frame; rounded, since pictures change with whole frames.
        kind: `camera` shows it behind the active camera's view (a camera is made where there is none), `image_editor`
            beside the largest 3D viewport.

    Raises:
        VideoError: The clip does not exist or cannot be shown.
        SettingsError: There is no window, no viewport or no room for an image editor; an unknown kind.
        AuMocapError: In all these cases the file and its screens are untouched.
    """
    if kind not in ("camera", "image_editor"):
        message = f"Unknown place '{kind}' for the video: use camera or image_editor."
        raise SettingsError(message)
    viewport = _viewport(context) if kind == "image_editor" else None
    path = Path(bpy.path.abspath(str(video_path)))
    info = _info(path)
    image = _image(path, info)
    scene: Any = context.scene
    hint = frame_rate_hint(scene, info.rate_hz)
    if viewport is None:
        return Stage(image, _behind_camera(context, image, start_frame), None, hint)
    return Stage(image, None, _beside(context, viewport, image, start_frame), hint)


def frame_rate_hint(scene: bpy.types.Scene, rate_hz: float) -> str:
    """What to know where a scene's frame rate differs from a clip's; empty where they agree.

    Args:
        scene: Whose rate counts.
        rate_hz: The clip's frames per second.
    """
    scene_hz = scene.render.fps / scene.render.fps_base
    if abs(scene_hz / rate_hz - 1.0) <= _RATE_TOLERANCE:
        return ""
    return (
        f"The scene plays {scene_hz:.6g} frames per second, the video has {rate_hz:.6g}: Blender shows one video frame "
        "in each scene frame, so the picture drifts from keys that are timed in seconds. Set the scene to "
        f"{rate_hz:.6g} frames per second, or bake frame by frame."
    )


def _info(path: Path) -> "VideoInfo":
    try:
        from ..au_mocap.video import open_video
    except ModuleNotFoundError as error:
        message = f"This Blender's Python has no {error.name}, which videos need: install it there first."
        raise VideoError(message) from error
    with open_video(path) as video:
        return video.info


def _image(path: Path, info: "VideoInfo") -> bpy.types.Image:
    if info.kind == "sequence":
        from ..au_mocap import image_sequence

        path = image_sequence.resolve(path)[0]
    # Blender's own search for an image that is loaded already passes by films.
    shown = (
        image for image in bpy.data.images if bpy.path.abspath(image.filepath) == str(path) and 0 not in image.size
    )
    known = next((image for image in shown if image.source in ("MOVIE", "SEQUENCE")), None)
    if known is not None:
        return known
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        message = f"Blender cannot read {path}: convert the clip to H.264."
        raise VideoError(message) from error
    if 0 in image.size:
        bpy.data.images.remove(image)
        message = f"Blender cannot show {info.name}: convert the clip to H.264."
        raise VideoError(message)
    if info.kind == "sequence" and (info.frame_count or 1) > 1:
        image.source = "SEQUENCE"
    return image


def _keep_in_step(user: bpy.types.ImageUser, image: bpy.types.Image, start_frame: float) -> None:
    number = re.search(r"(\d+)\D*$", Path(image.filepath).stem) if image.source == "SEQUENCE" else None
    user.frame_start = round(start_frame)
    user.frame_offset = int(number[1]) - 1 if number else 0
    user.frame_duration = max(_length(image), 1)
    user.use_cyclic = False
    user.use_auto_refresh = True


def _length(image: bpy.types.Image) -> int:
    if image.source != "SEQUENCE":
        return image.frame_duration
    from ..au_mocap import image_sequence

    return len(image_sequence.resolve(Path(bpy.path.abspath(image.filepath))))


def _behind_camera(context: bpy.types.Context, image: bpy.types.Image, start_frame: float) -> bpy.types.Object:
    scene = context.scene
    if scene.camera is None:
        scene.camera = _new_camera(context)
    camera = scene.camera
    data: Any = camera.data
    background = next((each for each in data.background_images if each.image == image), None)
    if background is None:
        background = data.background_images.new()
        background.image = image
    background.source = "IMAGE"
    background.show_background_image = True
    data.show_background_images = True
    _keep_in_step(background.image_user, image, start_frame)
    return camera


def _new_camera(context: bpy.types.Context) -> bpy.types.Object:
    """A camera in front of the active object, which faces -Y."""
    camera = bpy.data.objects.new(CAMERA_NAME, bpy.data.cameras.new(CAMERA_NAME))
    context.scene.collection.objects.link(camera)
    chosen = context.active_object
    center, size = _EYE_LEVEL, 1.0
    context.view_layer.update()
    if chosen is not None:
        corners = [chosen.matrix_world @ Vector(corner) for corner in chosen.bound_box]
        center = sum(corners, Vector()) / len(corners)
        size = max(max((corner - center).length for corner in corners), 1e-3)
    scene: Any = context.scene
    frame = camera.data.view_frame(scene=scene)
    reach = min(abs(frame[0].x), abs(frame[0].y)) / abs(frame[0].z)
    camera.location = center + Vector((0.0, -size * (1.0 + _MARGIN / reach), 0.0))
    camera.rotation_euler = (1.5707963, 0.0, 0.0)
    camera.data.clip_start = min(camera.data.clip_start, 0.1 * size)
    return camera


def _viewport(context: bpy.types.Context) -> bpy.types.Area:
    if bpy.app.background or context.window is None:
        message = "An image editor needs Blender's window: without one, show the video behind the camera."
        raise SettingsError(message)
    screen = context.window.screen
    if screen.show_fullscreen:
        message = "An editor fills the whole window: leave that (Ctrl Space), then show the video again."
        raise SettingsError(message)
    viewports = [area for area in screen.areas if area.type == "VIEW_3D"]
    if not viewports:
        message = "There is no 3D viewport to show the video beside: open one first."
        raise SettingsError(message)
    return max(viewports, key=lambda area: area.width * area.height)


def _beside(
    context: bpy.types.Context, viewport: bpy.types.Area, image: bpy.types.Image, start_frame: float
) -> bpy.types.Area:
    screen = context.window.screen
    showing = [area for area in screen.areas if area.type == "IMAGE_EDITOR" and area.spaces.active.image == image]
    area = showing[0] if showing else _split(context, viewport)
    area.type = "IMAGE_EDITOR"
    space: Any = area.spaces.active
    space.mode = "VIEW"
    space.image = image
    _keep_in_step(space.image_user, image, start_frame)
    area.tag_redraw()
    return area


def _split(context: bpy.types.Context, viewport: bpy.types.Area) -> bpy.types.Area:
    window: Any = context.window
    before = set(window.screen.areas)
    region = next(region for region in viewport.regions if region.type == "WINDOW")
    with context.temp_override(window=window, area=viewport, region=region):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=_SHARE_OF_VIEWPORT)
    made = [area for area in window.screen.areas if area not in before]
    if not made:
        message = "The 3D viewport is too small to share its place: make it wider, then show the video again."
        raise SettingsError(message)
    return made[0]
