"""Drawing into a region of an editor, in pixels from its bottom left: shapes, texts, and colours of the user's theme.

Imported when there is something to draw.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import bpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[float, float, float, float]
Rectangle = tuple[float, float, float, float]
"""Left, bottom, width, height in pixels."""

_TEXT: Final = 9.5


@dataclass(frozen=True, slots=True)
class Style:
    """Colours of the user's theme, and pixels in a point of the interface."""

    ground: Colour
    text: Colour
    bar: Colour
    track: Colour
    scale: float


def style(context: bpy.types.Context) -> Style:
    """What drawings have in common."""
    theme: Any = context.preferences.themes[0].user_interface
    text = (*theme.wcol_tooltip.text[:3], 1.0)
    return Style(
        ground=(*theme.wcol_tooltip.inner[:3], 0.86),
        text=text,
        bar=(*theme.wcol_tool.inner_sel[:3], 1.0),
        track=(*text[:3], 0.13),
        scale=context.preferences.system.ui_scale or 1.0,
    )


def fitting(label: str, room: float, style: Style) -> str:
    """A label cut to a width."""
    while len(label) > 4 and text_width(label, style) > room:
        label = f"{label.removesuffix('…')[:-1].rstrip()}…"
    return label


def text_width(text: str, style: Style) -> float:
    """Width of a text in pixels."""
    import blf

    blf.size(0, _TEXT * style.scale)
    return blf.dimensions(0, text)[0]


def write(text: str, x: float, y: float, style: Style, colour: Colour) -> None:
    """Write a line of text from a place on."""
    import blf

    blf.size(0, _TEXT * style.scale)
    blf.color(0, *colour)
    blf.position(0, round(x), round(y), 0)
    blf.draw(0, text)


def corners(place: Rectangle) -> list[tuple[float, float]]:
    """The corners of a rectangle in turn."""
    left, bottom, width, height = place
    return [(left, bottom), (left + width, bottom), (left + width, bottom + height), (left, bottom + height)]


def fill(places: list[Rectangle], colour: Colour) -> None:
    """Fill rectangles."""
    points: list[tuple[float, float]] = []
    for place in places:
        a, b, c, d = corners(place)
        points += [a, b, c, a, c, d]
    triangles(points, colour)


def triangles(points: "NDArray[Any] | list[tuple[float, float]]", colour: Colour) -> None:
    """Fill triangles: their corners, three each."""
    draw_batch("TRIS", points, colour)


def outline(points: list[tuple[float, float]], colour: Colour) -> None:
    """Draw a closed line."""
    draw_batch("LINE_STRIP", [*points, points[0]], colour)


def draw_batch(kind: Any, points: Any, colour: Colour) -> None:  # noqa: ANN401 - what Blender's drawing takes
    """Draw something once, in one colour."""
    if len(points):
        draw_made(made(kind, points), colour)


def made(kind: Any, points: Any) -> Any:  # noqa: ANN401 - a batch, whose constructor has no types
    """A batch of one colour, to be kept and drawn again."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    return batch_for_shader(gpu.shader.from_builtin("UNIFORM_COLOR"), kind, {"pos": points})


def draw_made(batch: Any, colour: Colour) -> None:  # noqa: ANN401
    """Draw what `made` has made."""
    import gpu

    gpu.state.blend_set("ALPHA")  # drawing text switches it off
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)
