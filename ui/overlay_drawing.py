"""The overlay of live preview: the camera's picture with the face found in it, and a bar for every channel.

Imported when there is something to draw.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy

from ..operators import live, live_status
from . import drawing
from .drawing import Colour, Rectangle

if TYPE_CHECKING:
    import gpu

    from ..operators.live_run import LiveRun

_WIDTH: Final = 220
_MARGIN: Final = 10
_PADDING: Final = 7
_LINE: Final = 12
_BAR: Final = 52
_SMALLEST: Final = 2.2
"""An editor narrower than so many overlays has none."""

_FACE: Final[Colour] = (0.25, 0.95, 0.55, 0.9)
_ALERT: Final[Colour] = (1.0, 0.32, 0.28, 1.0)
_RECORDING: Final[Colour] = (0.72, 0.06, 0.06, 0.9)
_TOLD: Final[Colour] = (0.0, 0.0, 0.0, 0.7)
_WHITE: Final[Colour] = (1.0, 1.0, 1.0, 1.0)


class _Kept:
    """The picture on the graphics card, made once for each of the camera's pictures, whatever is drawn how often."""

    key: ClassVar[tuple[int, int, int, bool] | None] = None
    texture: "ClassVar[gpu.types.GPUTexture | None]" = None


def draw(context: bpy.types.Context, run: "LiveRun") -> None:
    """Draw a live preview's overlay into the region at hand, if there is room.

    Args:
        context: Its area and region count.
        run: The live preview, which has a frame.
    """
    assert run.frame is not None
    style = drawing.style(context)
    height = run.frame.image.shape[0] * (_WIDTH - 2 * _PADDING) / run.frame.image.shape[1]
    place = _place(context, style, height)
    if place is not None:
        _draw_overlay(run, place, style, context.scene.aumocap.live.mirror)


def forget() -> None:
    """Let go of the picture."""
    _Kept.texture, _Kept.key = None, None


def _place(context: bpy.types.Context, style: drawing.Style, picture: float) -> Rectangle | None:
    """Bottom left, beside the toolbar: with bars where there is room, without them in a low editor, else None."""
    from ..operators import live_look

    area, region = context.area, context.region
    overlap = context.preferences.system.use_region_overlap and area.type == "VIEW_3D"
    beside = {"LEFT": 0, "RIGHT": 0}
    for each in area.regions if overlap else ():
        if each.type in ("TOOLS", "UI") and each.alignment in beside and each.width > 1:
            beside[each.alignment] += each.width
    lines = len(live_look.bars()) + 1
    margin, width = _MARGIN * style.scale, _WIDTH * style.scale
    low = (picture + _LINE + 2.5 * _PADDING) * style.scale
    full = low + lines * _LINE * style.scale
    if region.width - sum(beside.values()) < _SMALLEST * width or region.height < low + 2.0 * margin:
        return None
    height = full if region.height >= full + 2.0 * margin else low
    return beside["LEFT"] + margin, margin, width, height


def _draw_overlay(run: "LiveRun", place: Rectangle, style: drawing.Style, mirror: bool) -> None:
    import gpu

    left, bottom, width, height = place
    padding = _PADDING * style.scale
    drawing.fill([place], style.ground)
    inner = width - 2 * padding
    shown = inner * run.frame.image.shape[0] / run.frame.image.shape[1] if run.frame else 0.0
    picture = (left + padding, bottom + height - padding - shown, inner, shown)
    _draw_picture(run, picture, mirror)
    _draw_face(run, picture, style, mirror)
    line = picture[1] - _LINE * style.scale
    _draw_status(run, (left + padding, line, inner, _LINE * style.scale), picture, style)
    if line - bottom > 2 * _LINE * style.scale:
        _draw_bars(run, (left + padding, bottom + padding, inner, line - bottom - padding), style)
    gpu.state.blend_set("NONE")


def _draw_picture(run: "LiveRun", place: Rectangle, mirror: bool) -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    texture = _texture(run, max(1, round(place[2])), mirror)
    left, bottom, width, height = place
    shader = gpu.shader.from_builtin("IMAGE")
    corners = ((left, bottom), (left + width, bottom), (left + width, bottom + height), (left, bottom + height))
    batch = batch_for_shader(
        shader, "TRI_FAN", {"pos": corners, "texCoord": ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))}
    )
    shader.bind()
    shader.uniform_sampler("image", texture)
    batch.draw(shader)


def _texture(run: "LiveRun", width: int, mirror: bool) -> "gpu.types.GPUTexture":
    import gpu

    from ..operators import live_look

    assert run.frame is not None
    key = (id(run), run.frame.index, width, mirror)
    if _Kept.texture is None or _Kept.key != key:
        pixels: Any = live_look.picture(run.frame, width, mirror=mirror)
        types: Any = gpu.types  # whose constructors have no types
        buffer = types.Buffer("FLOAT", pixels.size, pixels.reshape(-1))
        _Kept.texture = types.GPUTexture((pixels.shape[1], pixels.shape[0]), format="RGBA8", data=buffer)
        _Kept.key = key
    assert _Kept.texture is not None
    return _Kept.texture


def _draw_face(run: "LiveRun", place: Rectangle, style: drawing.Style, mirror: bool) -> None:
    from ..operators import live_look

    assert run.frame is not None
    corner, size = place[:2], place[2:]
    marks = live_look.marks(run.frame, mirror=mirror) * size + corner
    if not len(marks):
        drawing.outline(drawing.corners(place), _ALERT)
        return
    inside = (marks >= corner).all(axis=1) & (marks <= (corner[0] + size[0], corner[1] + size[1])).all(axis=1)
    drawing.triangles(live_look.squares(marks[inside], 1.6 * style.scale), (*_FACE[:3], 0.55))
    box = live_look.box(run.frame, mirror=mirror) * size + corner
    kept = box.clip(corner, (corner[0] + size[0], corner[1] + size[1]))
    drawing.outline([(float(x), float(y)) for x, y in kept], _FACE)


def _draw_status(run: "LiveRun", place: Rectangle, picture: Rectangle, style: drawing.Style) -> None:
    said = live_status.status()
    if said is None:
        return
    found = run.frame is not None and run.frame.found
    drawing.write(said.text, place[0], place[1] + 0.28 * place[3], style, style.text if found else _ALERT)
    if said.told:
        strip = (picture[0], picture[1], picture[2], 1.5 * place[3])
        drawing.fill([strip], _RECORDING if live.is_recording() else _TOLD)
        told = drawing.fitting(said.told, strip[2] - 0.8 * place[3], style)
        drawing.write(told, strip[0] + 0.4 * place[3], strip[1] + 0.45 * place[3], style, _WHITE)


def _draw_bars(run: "LiveRun", place: Rectangle, style: drawing.Style) -> None:
    from ..operators import live_look

    assert run.frame is not None
    left, bottom, width, height = place
    lines = live_look.bars()
    step = height / (len(lines) + 1)
    wide, thick = _BAR * style.scale, 0.56 * step
    middle = left + width / 2.0
    tracks: list[Rectangle] = []
    filled: list[Rectangle] = []
    top = bottom + height - step
    grey = (*style.text[:3], 0.6)
    drawing.write("Right", left, top + 0.28 * step, style, grey)
    drawing.write("Left", left + width - drawing.text_width("Left", style), top + 0.28 * step, style, grey)
    for number, line in enumerate(lines):
        y = top - (number + 1) * step + (step - thick) / 2.0
        right, own_left = (float(run.frame.values[column]) for column in (line.right, line.left))
        tracks += [(left, y, wide, thick), (left + width - wide, y, wide, thick)]
        filled += [(left + wide * (1.0 - right), y, wide * right, thick)]
        filled += [(left + width - wide, y, wide * own_left, thick)]
        strength = 1.0 if max(right, own_left) > 0.1 else 0.6
        room = width - 2.0 * wide - 6.0 * style.scale
        label = drawing.fitting(line.label, room, style)
        x = middle - drawing.text_width(label, style) / 2.0
        drawing.write(label, x, y + 0.12 * thick, style, (*style.text[:3], strength))
    drawing.fill(tracks, style.track)
    drawing.fill(filled, style.bar)
