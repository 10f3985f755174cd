"""What the tracker saw, drawn over the video: landmarks, the regressor's crop, the head's axes.

In image editors that show the take's clip, and over the camera's view where it lies behind it. Imported when there is
something to draw.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..operators import live_look, review_look, review_step
from . import drawing
from .drawing import Colour

if TYPE_CHECKING:
    from ..operators.review_finding import Review

_LINES: Final[Colour] = (0.25, 0.95, 0.55, 0.85)
_POINTS: Final[Colour] = (0.25, 0.95, 0.55, 0.6)
_CROP: Final[Colour] = (1.0, 0.75, 0.16, 0.9)
_AXES: Final[tuple[Colour, ...]] = ((0.98, 0.25, 0.30, 1.0), (0.50, 0.85, 0.20, 1.0), (0.25, 0.55, 1.0, 1.0))
_AXIS_WIDTH: Final = 3.0
_SAME_SHAPE: Final = 0.02
"""Pictures whose proportions differ by more are turned or cut: nothing found in the clip lies there."""

Place = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From parts of the picture to pixels of the region."""


def is_shown(context: bpy.types.Context) -> bool:
    """Whether the editor at hand shows the active take's clip."""
    return _image_place(context) is not None


def draw(context: bpy.types.Context, review: "Review", settings: Any) -> None:  # noqa: ANN401 - a property group
    """Draw what was seen at the scene's frame over the clip in the region at hand.

    Args:
        context: Its area and region count.
        review: What is known of the take.
        settings: What is to be seen.
    """
    found = _image_place(context)
    index = review.index_at(context.scene.frame_current_final)
    size = review_look.frame_size(review.take)
    if found is None or size is None:
        return
    image, place = found
    if abs(image.size[0] * size[1] / max(image.size[1] * size[0], 1) - 1.0) > _SAME_SHAPE:
        return
    import gpu

    style = drawing.style(context)
    if index is None or not review.take.found[index]:
        _say(place, "No face here" if index is not None else "Outside the take", style)
    else:
        _draw_seen(review, index, place, settings, style)
    gpu.state.line_width_set(1.0)
    gpu.state.blend_set("NONE")


def _draw_seen(review: "Review", index: int, place: Place, settings: Any, style: drawing.Style) -> None:  # noqa: ANN401
    import gpu

    take = review.take
    corners = review_look.crop(take, index)
    if settings.show_crop and len(corners):
        gpu.state.line_width_set(1.5 * style.scale)
        drawing.outline([(float(x), float(y)) for x, y in place(corners)], _CROP)
    if settings.show_landmarks:
        marks = place(review_look.points(take, index))
        drawing.triangles(live_look.squares(marks, 1.8 * style.scale), _POINTS)
        gpu.state.line_width_set(1.4 * style.scale)
        drawing.draw_batch("LINES", place(review_look.contours(take, index)), _LINES)
    ends = review_look.axes(take, index) if settings.show_axes else ()
    if len(ends):
        gpu.state.line_width_set(_AXIS_WIDTH * style.scale)
        middle, *tips = place(np.asarray(ends))
        for tip, colour in zip(tips, _AXES, strict=True):
            drawing.draw_batch("LINES", np.stack([middle, tip]).astype(np.float32), colour)


def _say(place: Place, text: str, style: drawing.Style) -> None:
    """A line in the picture's lower left corner."""
    x, y = (float(each) + 10.0 * style.scale for each in place(np.zeros((1, 2), np.float32))[0])
    x, y = max(x, 10.0 * style.scale), max(y, 10.0 * style.scale)
    width = drawing.text_width(text, style)
    drawing.fill([(x - 5, y - 5, width + 10, 18 * style.scale)], style.ground)
    drawing.write(text, x, y, style, style.text)


def _image_place(context: bpy.types.Context) -> "tuple[bpy.types.Image, Place] | None":
    """The clip's picture in the region at hand, and where it lies."""
    images = review_step.clip_images(context.scene)
    if not images or context.region is None:
        return None
    space: Any = context.space_data
    if context.area.type == "IMAGE_EDITOR":
        return (space.image, _in_image_editor(context.region)) if space.image in images else None
    return _in_camera_view(context, images)


def _in_image_editor(region: bpy.types.Region) -> Place:
    low = np.array(region.view2d.region_to_view(0, 0))
    high = np.array(region.view2d.region_to_view(region.width, region.height))
    factor = np.array([region.width, region.height]) / np.maximum(high - low, 1e-9)
    return lambda share: ((share - low) * factor).astype(np.float32)


def _in_camera_view(
    context: bpy.types.Context, images: list[bpy.types.Image]
) -> "tuple[bpy.types.Image, Place] | None":
    """Over the camera's frame, where the clip lies behind it as Blender puts it there: neither moved nor turned."""
    space: Any = context.space_data
    view: Any = context.region_data
    camera = space.camera if space.type == "VIEW_3D" else None
    if camera is None or camera.type != "CAMERA" or view is None or view.view_perspective != "CAMERA":
        return None
    if not camera.data.show_background_images:
        return None
    for shown in camera.data.background_images:
        moved = any(shown.offset) or shown.rotation or shown.scale != 1.0
        flipped = shown.use_flip_x or shown.use_flip_y
        if shown.show_background_image and shown.source == "IMAGE" and shown.image in images and not moved | flipped:
            frame = _camera_frame(context, camera)
            return (shown.image, _fitted(frame, shown)) if frame is not None else None
    return None


def _camera_frame(context: bpy.types.Context, camera: bpy.types.Object) -> NDArray[np.float64] | None:
    """(2, 2) lower left and upper right corner of the camera's frame in the region."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    data: Any = camera.data
    matrix = camera.matrix_world.normalized()
    seen = [
        location_3d_to_region_2d(context.region, context.region_data, matrix @ corner)
        for corner in data.view_frame(scene=context.scene)
    ]
    if any(each is None for each in seen):
        return None
    table = np.array(seen, np.float64)
    return np.stack([table.min(axis=0), table.max(axis=0)])


def _fitted(frame: NDArray[np.float64], shown: Any) -> Place:  # noqa: ANN401 - a background image
    """Where the picture lies by the background's way to fill the camera's frame."""
    size, middle = frame[1] - frame[0], frame.mean(axis=0)
    if shown.frame_method != "STRETCH":
        ratios = size / np.array(shown.image.size, np.float64)
        size = np.array(shown.image.size) * (ratios.min() if shown.frame_method == "FIT" else ratios.max())
    return lambda share: (middle + (share - 0.5) * size).astype(np.float32)
