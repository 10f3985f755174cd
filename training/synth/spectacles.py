"""Glasses made from a few numbers: rims around rounded lenses, a bridge, arms to the ears.

Metres in MakeHuman's axes on the base figure (x to the left, y up, z out of the face).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EYES_Y_M: Final = 0.7284
_LENS_Z_M: Final = 0.1562
"""The lenses' middle stands about 17 mm before the eyeballs."""

_WRAP_PER_M: Final = 4.2
"""How fast the front curves back towards the temples: metres back per square metre sideways."""

_TILT: Final = 0.1
"""Slope of the lenses: their lower edge is nearer to the cheeks."""

_HINGE_X_M: Final = 0.068
_ARM_X_M: Final = 0.0755
_EAR_M: Final = (0.742, 0.042)
"""Height and depth at which an arm rests on the ear."""

_RING: Final = 6
_OUTLINE: Final = 40
_TEXTURE_PX: Final = 64
_LENS_U: Final = 0.9
_FRAME_U: Final = 0.6
_EDGE_U: Final = 0.74
"""The texture's left part is the frame's material, its right fifth the lens, between them a bare lens's ground edge."""

_EDGE: Final = (178, 186, 190, 110)


@dataclass(frozen=True, slots=True)
class Style:
    """What a pair of glasses looks like.

    Attributes:
        name: Its name.
        width_m: Of one lens.
        height_m: Of one lens.
        squareness: Exponent of the outline: 2 an ellipse, 5 nearly a rectangle.
        taper: How much wider the lens is at its top than at its middle, as a share.
        bridge_m: Gap between the lenses.
        rim_m: Half thickness of the rim seen from the front; 0 for glasses without one.
        colour: (red, green, blue) 0..255 of the frame.
        second_colour: Of the frame's spots; the same for a plain one.
        lens: (red, green, blue, alpha) 0..255.
        half: The rim runs along the upper edge only.
        drop_m: How far the lenses' middle lies below the eyes' centres.
    """

    name: str
    width_m: float
    height_m: float
    squareness: float = 2.0
    taper: float = 0.0
    bridge_m: float = 0.018
    rim_m: float = 0.001
    colour: tuple[int, int, int] = (20, 20, 22)
    second_colour: tuple[int, int, int] = (20, 20, 22)
    lens: tuple[int, int, int, int] = (215, 222, 226, 16)
    half: bool = False
    drop_m: float = 0.0


_GOLD: Final = (178, 140, 70)
_STEEL: Final = (120, 124, 130)
_BROWN: Final = (92, 52, 26)
_AMBER: Final = (150, 92, 44)
_DARK: Final = (34, 20, 14)

STYLES: Final = (
    Style("round-wire", 0.046, 0.044, bridge_m=0.020, rim_m=0.0007, colour=_GOLD, second_colour=_GOLD),
    Style("round-thick", 0.047, 0.044, 2.2, 0.02, 0.019, 0.0024),
    Style("round-tortoise", 0.048, 0.043, 2.3, 0.04, 0.018, 0.0020, _AMBER, _DARK),
    Style("rectangle-thin", 0.052, 0.032, 4.0, 0.03, 0.017, 0.0008, _STEEL, _STEEL),
    Style("rectangle-black", 0.052, 0.036, 4.2, 0.05, 0.016, 0.0022),
    Style("rectangle-brown", 0.054, 0.034, 3.6, 0.04, 0.017, 0.0017, _BROWN, _DARK),
    Style("square-thick", 0.050, 0.043, 3.6, 0.06, 0.017, 0.0033, (12, 12, 14), (12, 12, 14)),
    Style("rimless", 0.051, 0.034, 3.0, 0.02, 0.018, 0.0, _STEEL, _STEEL, (205, 214, 220, 30)),
    Style("rimless-oval", 0.047, 0.034, 2.3, 0.0, 0.020, 0.0, _GOLD, _GOLD, (210, 216, 218, 26)),
    Style("half-rim", 0.053, 0.033, 3.4, 0.05, 0.017, 0.0013, half=True),
    Style("aviator", 0.056, 0.049, 2.5, 0.12, 0.015, 0.0008, _GOLD, _GOLD, (190, 180, 160, 40), drop_m=0.004),
    Style("cat-eye", 0.052, 0.040, 2.7, 0.14, 0.017, 0.0021, (110, 22, 34), (60, 10, 22)),
    Style("clear-plastic", 0.051, 0.041, 3.0, 0.05, 0.018, 0.0022, (205, 200, 192), (188, 184, 178)),
    Style("reading", 0.048, 0.026, 3.2, 0.0, 0.018, 0.0012, (40, 50, 80), (40, 50, 80), drop_m=0.006),
)
"""Common kinds, wire to thick, round to square."""


@dataclass(frozen=True, slots=True)
class Spectacles:
    """A pair of glasses as a mesh.

    Attributes:
        vertices: (V, 3) float64 metres on the base figure.
        triangles: (F, 3) int32; the lenses come last, so that they are drawn over the frame behind them.
        uv: (V, 2) float32 0..1, v downwards.
        texture: (64, 64, 4) uint8 RGBA.
    """

    vertices: Floats
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    texture: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Piece:
    vertices: Floats
    triangles: NDArray[np.int32]
    uv: Floats


def make(style: Style) -> Spectacles:
    """Makes a pair of glasses of a style."""
    pieces = [*_frame(style), *(_lens(_outline(style, sign)) for sign in (1.0, -1.0))]
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    return Spectacles(
        vertices=np.concatenate([piece.vertices for piece in pieces]),
        triangles=np.concatenate([p.triangles + s for p, s in zip(pieces, starts, strict=False)]).astype(np.int32),
        uv=np.concatenate([piece.uv for piece in pieces]).astype(np.float32),
        texture=_texture(style),
    )


def _outline(style: Style, sign: float) -> Floats:
    """(_OUTLINE, 3) edge of a lens, from its outer end over the top; `sign` 1 is the left one."""
    angle = np.linspace(0.0, 2.0 * np.pi, _OUTLINE, endpoint=False)
    across, up = (np.sign(f) * np.abs(f) ** (2.0 / style.squareness) for f in (np.cos(angle), np.sin(angle)))
    x = 0.5 * (style.bridge_m + style.width_m) + 0.5 * style.width_m * across * (1.0 + style.taper * up)
    y = _EYES_Y_M - style.drop_m + 0.5 * style.height_m * up
    return np.stack([sign * x, y, _front_z(x, y)], axis=1)


def _front_z(x: "Floats | float", y: "Floats | float") -> "Floats | float":
    return _LENS_Z_M - _WRAP_PER_M * x**2 + _TILT * (y - _EYES_Y_M)


def _frame(style: Style) -> Iterator[_Piece]:
    thickness = max(style.rim_m, 0.0006)
    for sign in (1.0, -1.0):
        outline = _outline(style, sign)
        if style.half:
            yield _tube(outline[: _OUTLINE // 2 + 1], thickness, 1.1 * thickness, closed=False)
        elif style.rim_m > 0.0:
            yield _tube(outline, thickness, min(1.4 * thickness, 0.0022), closed=True)
        else:
            yield replace(edge := _tube(outline, 0.0004, 0.0009, closed=True), uv=np.full_like(edge.uv, _EDGE_U))
        yield _arm(outline, thickness, sign)
    yield _bridge(style, thickness)


def _bridge(style: Style, thickness: float) -> _Piece:
    inner = _outline(style, 1.0)[int((0.42 if style.rim_m > 0.0 else 0.47) * _OUTLINE)]
    share = np.linspace(1.0, -1.0, 9)
    arch = 0.0025 * (1.0 - share**2)
    path = np.stack([inner[0] * share, inner[1] + arch, inner[2] + 0.6 * arch], axis=1)
    return _tube(path, max(thickness, 0.0009), max(thickness, 0.0009), closed=False)


def _arm(outline: Floats, thickness: float, sign: float) -> _Piece:
    """From the lens's outer end round the hinge, back over the ear and down behind it."""
    start = outline[max(1, _OUTLINE // 16)]
    y, z = _EAR_M
    hinge_x = max(abs(start[0]) + 0.003, _HINGE_X_M)
    path = np.array(
        [
            start,
            [sign * hinge_x, start[1], _front_z(hinge_x, start[1])],
            [sign * (0.7 * _ARM_X_M + 0.3 * hinge_x), start[1], _front_z(hinge_x, start[1]) - 0.006],
            [sign * _ARM_X_M, start[1], _front_z(hinge_x, start[1]) - 0.024],
            [sign * _ARM_X_M, 0.5 * (start[1] + y), 0.5 * (start[2] + z)],
            [sign * _ARM_X_M, y, z],
            [sign * (_ARM_X_M - 0.001), y - 0.008, z - 0.010],
            [sign * (_ARM_X_M - 0.003), y - 0.028, z - 0.016],
        ]
    )
    return _tube(path, max(0.8 * thickness, 0.0006), max(1.3 * thickness, 0.001), closed=False, side=[1.0, 0.0, 0.0])


def _tube(path: Floats, across_m: float, along_m: float, *, closed: bool, side: list[float] | None = None) -> _Piece:
    """A tube of elliptic section around a path: `across_m` in its own plane, `along_m` across that.

    The section's second axis is the tube's direction crossed with `side` (default: the view, z).
    """
    following = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        following[0], following[-1] = path[1] - path[0], path[-1] - path[-2]
    tangent = following / np.linalg.norm(following, axis=1, keepdims=True)
    first = np.cross(tangent, side or [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    radii = (across_m, along_m) if side is None else (along_m, across_m)
    turn = np.linspace(0.0, 2.0 * np.pi, _RING, endpoint=False)
    ring = (
        radii[0] * np.cos(turn)[None, :, None] * first[:, None]
        + radii[1] * np.sin(turn)[None, :, None] * second[:, None]
    )
    vertices = (path[:, None] + ring).reshape(-1, 3)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    u = np.repeat(_FRAME_U * (0.05 + 0.9 * length / length[-1]), _RING)
    v = np.tile(0.05 + 0.9 * np.abs(np.linspace(-1.0, 1.0, _RING)), len(path))
    return _Piece(vertices, _tube_triangles(len(path), closed=closed), np.stack([u, v], axis=1))


def _tube_triangles(count: int, *, closed: bool) -> NDArray[np.int32]:
    rows = np.arange(count if closed else count - 1)[:, None]
    columns = np.arange(_RING)[None]
    here, beside = rows * _RING + columns, rows * _RING + (columns + 1) % _RING
    there, diagonal = (rows + 1) % count * _RING + columns, (rows + 1) % count * _RING + (columns + 1) % _RING
    return np.concatenate(
        [np.stack(each, axis=2).reshape(-1, 3) for each in ((here, there, beside), (beside, there, diagonal))]
    ).astype(np.int32)


def _lens(outline: Floats) -> _Piece:
    centre = outline.mean(axis=0)
    centre[2] = outline[:, 2].mean() + 0.001
    following = np.roll(np.arange(_OUTLINE), -1)
    triangles = np.stack([np.full(_OUTLINE, _OUTLINE), np.arange(_OUTLINE), following], axis=1)
    uv = np.tile([_LENS_U, 0.5], (_OUTLINE + 1, 1))
    return _Piece(np.concatenate([outline, centre[None]]), triangles.astype(np.int32), uv)


def _texture(style: Style) -> NDArray[np.uint8]:
    """The frame's material on the left, mottled where it has a second colour, and the lens on the right."""
    rng = np.random.default_rng(1)
    cells = rng.random((8, 8)).repeat(_TEXTURE_PX // 8, axis=0).repeat(_TEXTURE_PX // 8, axis=1)
    smooth = np.mean([np.roll(cells, (dy, dx), (0, 1)) for dy in (-3, 0, 3) for dx in (-3, 0, 3)], axis=0)[..., None]
    mottle = np.clip((smooth - 0.45) * 6.0, 0.0, 1.0)
    texture = np.full((_TEXTURE_PX, _TEXTURE_PX, 4), 255.0)
    texture[..., :3] = mottle * np.array(style.second_colour) + (1.0 - mottle) * np.array(style.colour)
    texture[:, int(0.68 * _TEXTURE_PX) :] = _EDGE
    texture[:, int(0.8 * _TEXTURE_PX) :] = style.lens
    return texture.round().astype(np.uint8)
