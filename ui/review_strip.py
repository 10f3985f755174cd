"""The strip along the bottom of timelines: confidence as a filled curve, gaps hatched, problems as ticks above it.

Imported when there is something to draw.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..operators import review_look, review_state
from . import drawing
from .drawing import Colour

if TYPE_CHECKING:
    from ..operators.review_finding import Review, Spot

_LEAST_TICK: Final = 3
_HATCH: Final = 5
_MOST_EDITORS: Final = 8

_GROUND: Final[Colour] = (0.05, 0.05, 0.05, 0.72)
_GAP: Final[Colour] = (0.02, 0.02, 0.02, 0.85)
_HATCHING: Final[Colour] = (0.86, 0.34, 0.30, 0.95)
_WHITE: Final[Colour] = (1.0, 1.0, 1.0, 1.0)
_LEVELS: Final = (0.0, 0.45, 0.8)
_SHADES: Final = ((0.85, 0.24, 0.20), (0.90, 0.66, 0.20), (0.33, 0.64, 0.45))
"""Colours of the curve at these levels of confidence: below the second one values are not the frame's own any more."""

COLOURS: Final[dict[str, Colour]] = {
    "gap": (0.86, 0.34, 0.30, 1.0),
    "confidence": (0.95, 0.72, 0.25, 1.0),
    "spike": (0.86, 0.48, 0.95, 1.0),
    "clamp": (0.38, 0.72, 0.98, 1.0),
    "contact": (0.98, 0.93, 0.45, 1.0),
}


@dataclass(frozen=True, slots=True)
class _Form:
    """Sizes in points of the interface.

    Attributes:
        height: Of the curve.
        tick: Of the ticks above it.
        bottom: Of what lies below: the scrollbar.
        markers: Of what lies below where there are markers.
    """

    height: int
    tick: int
    bottom: int
    markers: int


_USUAL: Final = _Form(height=15, tick=5, bottom=11, markers=44)
_BARE: Final = _Form(height=7, tick=4, bottom=1, markers=1)
"""For a timeline as low as a new window has it: between the ruler and the edge there is hardly room."""

_SCROLLED: Final = _Form(height=6, tick=3, bottom=9, markers=9)
"""The same up to Blender 4.5, whose scrollbar covers the edge all the time."""

_LOW_EDITOR: Final = 62
_LEAST_EDITOR: Final = 16


@dataclass(frozen=True, slots=True)
class _View:
    """What an editor shows, by which its drawing is kept.

    Attributes:
        form: How large the strip is there.
        left: Scene frame at the region's left edge.
        right: Scene frame at its right edge.
        width: Its width in pixels.
        scale: Pixels in a point of the interface.
        kinds: Kinds of problems that are drawn.
        active: Line of the list that is chosen.
    """

    form: "_Form"
    left: float
    right: float
    width: int
    scale: float
    kinds: frozenset[str]
    active: int

    def x(self, frame: float) -> float:
        """Pixel of a scene frame."""
        return (frame - self.left) / (self.right - self.left) * self.width


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One editor's strip on the graphics card: batches with their colour, and the curve with colours of its own."""

    review: "Review"
    view: _View
    batches: list[tuple[Any, Colour]]
    curve: Any
    over: list[tuple[Any, Colour]]


class _Count:
    """How many strips were made anew, which happens only when the take, a setting or the view changes."""

    made: ClassVar[int] = 0


_drawn: "dict[int, _Drawn]" = {}


def forget() -> None:
    """Let go of all strips."""
    _drawn.clear()


def made() -> int:
    """How many strips were made so far, in place of being drawn as they were."""
    return _Count.made


def draw(context: bpy.types.Context, review: "Review", settings: Any) -> None:  # noqa: ANN401 - a property group
    """Draw the strip into the region at hand, if there is room.

    Args:
        context: Its area and region count.
        review: What is known of the take.
        settings: What is to be seen.
    """
    import gpu

    view = _view(context, settings)
    if view is None:
        return
    key = context.region.as_pointer()
    known = _drawn.get(key)
    if known is None or known.review is not review or known.view != view:
        while len(_drawn) >= _MOST_EDITORS:
            _drawn.pop(next(iter(_drawn)))
        known = _drawn[key] = _make(review, view)
        _Count.made += 1
    bottom = _bottom(context, view)
    matrix: Any = gpu.matrix  # whose functions have no types
    with matrix.push_pop():
        matrix.translate((0.0, bottom))
        for batch, colour in known.batches:
            drawing.draw_made(batch, colour)
        if known.curve is not None:
            gpu.state.blend_set("ALPHA")
            known.curve.draw(gpu.shader.from_builtin("FLAT_COLOR"))
        for batch, colour in known.over:
            drawing.draw_made(batch, colour)
    _write_chosen(context, review, view, bottom)
    gpu.state.blend_set("NONE")


def _view(context: bpy.types.Context, settings: Any) -> _View | None:  # noqa: ANN401
    region = context.region
    scale = context.preferences.system.ui_scale or 1.0
    if region.width < 40 or region.height < _LEAST_EDITOR * scale:
        return None
    low = _BARE if bpy.app.version >= (5, 0) else _SCROLLED
    form = low if region.height < _LOW_EDITOR * scale else _USUAL
    left, right = (region.view2d.region_to_view(x, 0)[0] for x in (0, region.width))
    if not right > left:
        return None
    return _View(form, left, right, region.width, scale, frozenset(settings.kinds), review_state.listed().active)


def _bottom(context: bpy.types.Context, view: _View) -> float:
    """Above the scrollbar, and above the markers where there are any."""
    space: Any = context.space_data
    markers = getattr(space, "show_markers", False) and len(context.scene.timeline_markers) > 0
    return round((view.form.markers if markers else view.form.bottom) * view.scale)


def _make(review: "Review", view: _View) -> _Drawn:
    height = view.form.height * view.scale
    shown = review_look.columns(review, view.left, view.right, view.width)
    covered = review_look.runs(shown.inside)
    lost = review_look.runs(shown.lost)
    batches = _boxes([(start, 0.0, stop - start, height) for start, stop in covered], _GROUND)
    over = _boxes([(start, 0.0, stop - start, height) for start, stop in lost], _GAP)
    lines = [review_look.hatching(start, stop, height, _HATCH * view.scale) for start, stop in lost]
    if lines:
        over.append((drawing.made("LINES", np.concatenate(lines)), _HATCHING))
    for kind, colour in COLOURS.items():
        ticks = [_tick(spot, view) for spot in review.spots if spot.problem.kind == kind and kind in view.kinds]
        over += _boxes(ticks, colour)
    if 0 <= view.active < len(review.spots) and review.spots[view.active].problem.kind in view.kinds:
        x, y, width, tall = _tick(review.spots[view.active], view)
        over += _boxes(
            [(x, y + tall, width, 2.0 * view.scale), (x, -2.0 * view.scale, width, 2.0 * view.scale)], _WHITE
        )
    return _Drawn(review, view, batches, _curve(shown, height), over)


def _tick(spot: "Spot", view: _View) -> drawing.Rectangle:
    """The tick above the strip: as long as the problem, and never too short to be seen."""
    first, last = view.x(spot.frame - 0.5), view.x(spot.last_frame + 0.5)
    width = max(last - first, _LEAST_TICK * view.scale)
    return (first + last - width) / 2.0, (view.form.height + 1) * view.scale, width, view.form.tick * view.scale


def _boxes(places: list[drawing.Rectangle], colour: Colour) -> list[tuple[Any, Colour]]:
    if not places:
        return []
    table = np.array(places, np.float32)
    low, high = table[:, :2], table[:, :2] + table[:, 2:]
    across = np.column_stack([high[:, 0], low[:, 1]])
    along = np.column_stack([low[:, 0], high[:, 1]])
    corners = np.stack([low, across, high, low, high, along], axis=1).reshape(-1, 2)
    return [(drawing.made("TRIS", np.ascontiguousarray(corners)), colour)]


def _curve(shown: review_look.Columns, height: float) -> Any:  # noqa: ANN401 - a batch
    """A column for each pixel, as high as its confidence and coloured by it."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    places = np.flatnonzero(shown.inside & ~shown.lost)
    if not len(places):
        return None
    tall = shown.confidence[places] * np.float32(height)
    left, zero = places.astype(np.float32), np.zeros(len(places), np.float32)
    corners = [(left, zero), (left + 1, zero), (left + 1, tall), (left, zero), (left + 1, tall), (left, tall)]
    points = np.stack([np.column_stack(each) for each in corners], axis=1).reshape(-1, 2)
    colours = np.repeat(_colours(shown.confidence[places]), 6, axis=0)
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    return batch_for_shader(shader, "TRIS", {"pos": np.ascontiguousarray(points), "color": colours})


def _colours(confidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """(W, 4) the colour of each confidence."""
    mixed = [np.interp(confidence, _LEVELS, [shade[part] for shade in _SHADES]) for part in range(3)]
    return np.column_stack([*mixed, np.full(len(confidence), 0.92)]).astype(np.float32)


def _write_chosen(context: bpy.types.Context, review: "Review", view: _View, bottom: float) -> None:
    """What the chosen problem is, above its tick, while the playhead is in it."""
    if not 0 <= view.active < len(review.spots):
        return
    spot = review.spots[view.active]
    y = bottom + (view.form.height + view.form.tick + 7) * view.scale
    is_at_hand = spot.frame <= context.scene.frame_current <= spot.last_frame and spot.problem.kind in view.kinds
    if not is_at_hand or context.region.height < y + 14 * view.scale:
        return
    style = drawing.style(context)
    text = drawing.fitting(spot.problem.message, 0.6 * view.width, style)
    width = drawing.text_width(text, style)
    x = min(max(view.x(spot.frame) + 20 * view.scale, 6 * view.scale), view.width - width - 10 * view.scale)
    drawing.fill([(x - 4 * view.scale, y - 4 * view.scale, width + 8 * view.scale, 15 * view.scale)], style.ground)
    drawing.write(text, x, y, style, style.text)
