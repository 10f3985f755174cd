"""Folds of the skin that come with expression: where they run, what drives them, how they are drawn.

Folds are grooves drawn into the four channels of a texture over the atlas; how deep they are at a vertex follows from
the channels of that vertex's side, so a one-sided action folds one side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.synth.layout import atlas_of, layout

LAYERS: Final = 4
ATLAS_PX: Final = 640
_HALF_BLEND_M: Final = 0.004
_Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """A group of folds.

    Attributes:
        layer: Channel of the texture; groups whose regions overlap have different ones.
        center_mm: Middle of the region on the actor's left, in the base figure: x to the left, y up.
        size_mm: How far the region reaches (Gaussian half widths).
        drives: Share of the full depth that each channel (without its side) brings.
        curves_mm: Grooves on the actor's left, from their beginning to their end; mirrored for the right.
        width_mm: Width of a groove.
        age_share: Share of the depth that age alone brings to a resting face.
        pebbles: Size of the dents in mm where the group is a dented area instead of grooves.
    """

    layer: int
    center_mm: tuple[float, float]
    size_mm: tuple[float, float]
    drives: Mapping[str, float]
    curves_mm: tuple[_Curve, ...] = field(default=())
    width_mm: float = 1.2
    age_share: float = 0.2
    pebbles: float = 0.0


def _level(height: float, inner: float, outer: float, sag: float) -> _Curve:
    return ((inner, height), ((inner + outer) / 2, height + sag), (outer, height - sag))


FOLDS: Final[dict[str, Fold]] = {
    "forehead, inner": Fold(
        0,
        (0.0, 780.0),
        (17.0, 26.0),
        {"inner_brow_raise": 1.0, "brow_raise": 0.55},
        tuple(_level(height, -2.0, 22.0, 0.6) for height in (765.0, 772.0, 779.5, 787.5, 796.0)),
        1.3,
    ),
    "forehead, outer": Fold(
        0,
        (40.0, 776.0),
        (20.0, 24.0),
        {"brow_raise": 1.0, "inner_brow_raise": 0.15},
        tuple(_level(height, 21.0, 56.0, 2.0) for height in (764.5, 771.5, 779.0, 787.0, 795.0)),
        1.3,
    ),
    "glabella": Fold(
        1,
        (7.0, 748.0),
        (9.0, 14.0),
        {"brow_lower": 1.0, "nose_wrinkle": 0.35},
        (
            ((6.0, 733.5), (7.0, 743.0), (9.0, 757.0)),
            ((11.0, 739.0), (13.0, 746.0), (16.0, 753.0)),
            ((2.2, 738.0), (2.5, 745.0), (3.0, 752.0)),
        ),
        1.6,
    ),
    "root of the nose": Fold(
        2,
        (4.0, 731.0),
        (10.0, 9.0),
        {"nose_wrinkle": 1.0, "brow_lower": 0.5, "cheek_raise": 0.1},
        (_level(726.0, -1.0, 9.0, -0.8), _level(731.0, -1.0, 10.0, -0.8), _level(736.0, -1.0, 9.0, -0.6)),
        1.4,
        0.1,
    ),
    "side of the nose": Fold(
        1,
        (11.0, 713.0),
        (8.0, 12.0),
        {"nose_wrinkle": 1.0, "upper_lip_raise": 0.3},
        (
            ((6.0, 724.0), (11.0, 717.5), (16.0, 712.0)),
            ((5.0, 719.0), (10.0, 712.0), (14.5, 705.0)),
            ((5.0, 713.0), (9.0, 706.5), (12.5, 699.0)),
            ((9.5, 727.5), (13.5, 722.0), (19.0, 718.0)),
        ),
        1.5,
        0.05,
    ),
    "crow's foot": Fold(
        0,
        (57.0, 729.0),
        (10.0, 15.0),
        {"cheek_raise": 1.0, "lip_corner_pull": 0.4, "lid_tighten": 0.25, "eye_close": 0.12},
        (
            ((49.5, 731.0), (55.0, 735.5), (62.0, 742.0)),
            ((50.0, 728.5), (56.0, 730.5), (64.0, 733.5)),
            ((50.0, 725.5), (56.0, 724.0), (63.5, 723.0)),
            ((49.0, 722.5), (54.0, 717.5), (60.0, 713.0)),
            ((51.0, 733.5), (56.0, 740.0), (60.0, 747.0)),
        ),
        1.1,
    ),
    "under the eye": Fold(
        1,
        (33.0, 716.0),
        (16.0, 9.0),
        {"cheek_raise": 1.0, "lid_tighten": 0.7, "lip_corner_pull": 0.3, "nose_wrinkle": 0.3, "eye_close": 0.1},
        (
            ((19.0, 722.0), (31.0, 717.0), (47.0, 720.0)),
            ((19.0, 719.0), (31.0, 713.0), (46.0, 715.0)),
            ((18.0, 717.0), (26.0, 709.5), (38.0, 706.0)),
            ((25.0, 719.5), (33.0, 715.0), (43.0, 717.0)),
        ),
        1.3,
        0.35,
    ),
    "nasolabial": Fold(
        0,
        (27.0, 675.0),
        (13.0, 24.0),
        {"lip_corner_pull": 0.9, "upper_lip_raise": 0.9, "nose_wrinkle": 0.8, "cheek_raise": 0.3, "lip_stretch": 0.35},
        (((17.5, 696.0), (22.0, 687.0), (29.0, 675.0), (33.5, 664.0), (34.5, 655.0)),),
        3.4,
        0.35,
    ),
    "beside the mouth": Fold(
        1,
        (35.0, 661.0),
        (9.0, 12.0),
        {"dimple": 1.0, "lip_stretch": 0.7, "lip_corner_pull": 0.3, "lip_press": 0.3},
        (((30.0, 668.0), (33.0, 662.0), (31.0, 654.0)), ((35.5, 671.0), (38.5, 662.0), (36.0, 650.0))),
        1.8,
        0.1,
    ),
    "cheek": Fold(
        2,
        (42.0, 668.0),
        (10.0, 20.0),
        {"lip_corner_pull": 0.8, "lip_stretch": 0.6, "dimple": 0.4},
        (
            ((37.0, 685.0), (42.5, 672.0), (42.0, 655.0)),
            ((43.0, 686.0), (48.0, 673.0), (47.5, 658.0)),
            ((49.0, 692.0), (54.0, 677.0), (53.0, 664.0)),
        ),
        2.0,
        0.1,
    ),
    "marionette": Fold(
        3,
        (31.0, 646.0),
        (8.0, 12.0),
        {"lip_corner_depress": 1.0, "chin_raise": 0.4, "lip_stretch": 0.3},
        (((28.5, 658.0), (31.0, 650.0), (31.5, 638.0)), ((33.0, 654.0), (35.5, 645.0), (35.0, 635.0))),
        2.0,
        0.3,
    ),
    "below the lip": Fold(
        0,
        (5.0, 644.0),
        (17.0, 5.0),
        {"chin_raise": 1.0, "lip_pucker": 0.2, "lip_corner_depress": 0.3, "lip_press": 0.2},
        (((-1.0, 643.5), (9.0, 643.8), (18.0, 647.0)),),
        3.0,
        0.2,
    ),
    "chin": Fold(
        2,
        (6.0, 633.0),
        (13.0, 10.0),
        {"chin_raise": 1.0, "lip_corner_depress": 0.3, "lip_press": 0.15},
        width_mm=1.0,
        age_share=0.05,
        pebbles=1.9,
    ),
    "around the lips": Fold(
        3,
        (9.0, 664.0),
        (16.0, 13.0),
        {"lip_pucker": 1.0, "lip_press": 0.4, "lip_funnel": 0.3, "upper_lip_suck": 0.3, "lower_lip_suck": 0.3},
        tuple(
            ((x, 669.0 - 0.1 * x), (x * 1.15, 674.0), (x * 1.25, 679.0 - 0.15 * x))
            for x in (2.5, 6.0, 9.5, 13.5, 17.5, 22.0)
        )
        + tuple(((x, 650.0), (x * 1.05, 647.0), (x * 1.1, 643.5)) for x in (4.0, 8.0, 12.0, 16.5))
        + tuple(((x, 667.5), (x * 0.97, 663.5)) for x in (1.5, 4.0, 7.0, 10.0, 13.0, 16.0, 19.0))
        + tuple(((x, 659.5), (x * 1.03, 653.0)) for x in (1.5, 4.0, 7.0, 10.0, 13.0, 16.0)),
        0.9,
        0.15,
    ),
    "neck, across": Fold(
        0,
        (14.0, 598.0),
        (35.0, 14.0),
        {"chin_raise": 0.1, "lip_stretch": 0.1},
        (_level(601.0, -2.0, 40.0, -2.0), _level(589.0, -2.0, 42.0, -2.0)),
        1.8,
        0.5,
    ),
    "neck, bands": Fold(
        1,
        (18.0, 596.0),
        (14.0, 20.0),
        {"lip_stretch": 1.0, "lower_lip_depress": 0.4, "lip_corner_depress": 0.3},
        (((13.0, 614.0), (15.0, 596.0), (18.0, 576.0)), ((24.0, 614.0), (26.0, 598.0), (29.0, 580.0))),
        3.2,
        0.15,
    ),
    "crumpled lids": Fold(
        2,
        (36.0, 722.0),
        (18.0, 12.0),
        {"eye_close": 0.35, "lid_tighten": 0.6, "cheek_raise": 0.6},
        width_mm=1.0,
        age_share=0.25,
        pebbles=1.3,
    ),
}
"""The groups; places were read off the base figure seen from the front."""


def groups() -> tuple[tuple[str, str], ...]:
    """(name, side) of every group in the order of `Creases.depths`."""
    return tuple((name, side) for name in FOLDS for side in "LR")


@cache
def _masks() -> NDArray[np.float32]:
    """(K, N) how much each group shows at each vertex of head and chest."""
    plan = layout()
    points = plan.rest[:, :3] * 1000.0
    outside = np.isin(np.arange(len(points)), np.unique(np.concatenate([plan.skin, plan.body])))
    outside &= points[:, 2] > 20.0
    masks = np.zeros((2 * len(FOLDS), len(points)), np.float32)
    for index, (name, side) in enumerate(groups()):
        fold, sign = FOLDS[name], 1.0 if side == "L" else -1.0
        x, y = sign * points[:, 0], points[:, 1]
        region = np.exp(
            -(((x - fold.center_mm[0]) / fold.size_mm[0]) ** 2) - ((y - fold.center_mm[1]) / fold.size_mm[1]) ** 2
        )
        half = np.clip(0.5 + x / (2000.0 * _HALF_BLEND_M), 0.0, 1.0)
        masks[index] = np.minimum(1.6 * region, 1.0) * half * outside
    return masks


@cache
def _drives() -> NDArray[np.float32]:
    """(K, P) share of a group's full depth that each channel brings."""
    drives = np.zeros((2 * len(FOLDS), len(PREDICTED_IDS)), np.float32)
    for index, (name, side) in enumerate(groups()):
        for channel, share in FOLDS[name].drives.items():
            sided = f"{channel}_{side}"
            drives[index, PREDICTED_IDS.index(sided if sided in PREDICTED_IDS else channel)] = share
    return drives


def creases(
    values: NDArray[np.floating], depths: NDArray[np.floating], resting: NDArray[np.floating]
) -> NDArray[np.float32]:
    """How deep each layer's grooves are at each vertex.

    Args:
        values: (P,) channels 0..1.
        depths: (K,) a person's full depths, 1 being common.
        resting: (K,) share of them that a resting face shows.

    Returns:
        (N + M, 4).
    """
    amount = resting + (1.0 - resting) * (1.0 - np.prod(1.0 - _drives() * np.clip(values, 0.0, 1.0), axis=1))
    strength = (amount * depths).astype(np.float32)
    return np.stack([strength[rows] @ masks for rows, masks in _masks_of_layers()], axis=1)


@cache
def _masks_of_layers() -> list[tuple[NDArray[np.bool_], NDArray[np.float32]]]:
    """For each layer its (K,) groups, and their masks: picked once, not for every frame."""
    layers = np.array([FOLDS[name].layer for name, _ in groups()])
    return [(layers == layer, _masks()[layers == layer]) for layer in range(LAYERS)]


@cache
def _surface() -> tuple[NDArray[np.float32], float, float]:
    """Depth (z, metres) of the base figure's front on a grid of 1 mm, and x and y of its first cell in mm."""
    plan = layout()
    triangles = np.concatenate([plan.skin, plan.body])
    points = plan.rest * 1000.0
    middle = points[triangles].mean(axis=1)
    order = np.argsort(middle[:, 2])
    depth = np.full((320, 200), np.nan, np.float32)
    for index in order[middle[order, 2] > 20.0]:
        corners = points[triangles[index]]
        cv2.fillConvexPoly(
            depth, np.round(corners[:, :2] + [100.0, -540.0]).astype(np.int32), [float(corners[:, 2].mean()) / 1000.0]
        )
    hole = np.isnan(depth)
    depth[hole] = 0.03
    return cv2.GaussianBlur(depth, (0, 0), 1.5).astype(np.float32), -100.0, 540.0


def _on_atlas(points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, 2) front view in mm to (n, 2) atlas pixels."""
    depth, left, low = _surface()
    grid = (points_mm - [left, low]).astype(np.float32)
    z = cv2.remap(depth, grid[:, :1], grid[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    return atlas_of(np.column_stack([points_mm / 1000.0, z]).astype(np.float64)) * ATLAS_PX


def drawn(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A person's grooves: (ATLAS_PX, ATLAS_PX, 4), 128 where the skin is level, less in a groove, more beside it."""
    fine = np.zeros((LAYERS, ATLAS_PX, ATLAS_PX), np.float32)
    broad, dents = np.zeros_like(fine), np.zeros_like(fine)
    for fold in FOLDS.values():
        shift = rng.normal(0.0, 1.2, 2)
        for sign in (1.0, -1.0):
            if fold.pebbles:
                _dent(dents[fold.layer], fold, sign, rng)
            for curve in fold.curves_mm:
                if rng.random() < 0.88 or len(fold.curves_mm) == 1:
                    wide = fold.width_mm > 1.7
                    _engrave((broad if wide else fine)[fold.layer], fold, curve, sign, shift, rng)
    relief = [
        _relief(thin, 0.9) + 2.0 * _relief(thick, 2.2) + _relief(spots, 1.4)
        for thin, thick, spots in zip(fine, broad, dents, strict=True)
    ]
    height = np.stack(relief, axis=2)
    return np.clip(128.0 + 127.0 * height, 0.0, 255.0).astype(np.uint8)


def _relief(lines: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Grooves with the swellings beside them."""
    relief = np.zeros_like(lines)
    rows, columns = np.flatnonzero(lines.any(axis=1)), np.flatnonzero(lines.any(axis=0))
    if len(rows) == 0:
        return relief
    margin = int(8 * sigma_px)  # most of the atlas has no folds, and blurring it would cost the most
    part = np.s_[
        max(rows[0] - margin, 0) : rows[-1] + margin + 1, max(columns[0] - margin, 0) : columns[-1] + margin + 1
    ]
    deep = cv2.GaussianBlur(lines[part], (0, 0), sigma_px)
    relief[part] = 0.75 * cv2.GaussianBlur(lines[part], (0, 0), 2.6 * sigma_px) - deep
    return relief


def _engrave(
    layer: NDArray[np.float32],
    fold: Fold,
    curve: _Curve,
    sign: float,
    shift_mm: NDArray[np.floating],
    rng: np.random.Generator,
) -> None:
    points = np.array(curve) + rng.normal(0.0, 0.7, (len(curve), 2)) + shift_mm
    at = np.linspace(0.0, 1.0, 24)
    knots = np.linspace(0.0, 1.0, len(points))
    degree = min(2, len(points) - 1)
    line = np.column_stack([np.polyval(np.polyfit(knots, points[:, axis], degree), at) for axis in (0, 1)])
    line += np.cumsum(rng.normal(0.0, 0.045, line.shape), axis=0)
    line[:, 0] *= sign
    pixels = np.round(_on_atlas(line) * 16.0).astype(np.int32)
    strength = float(np.clip(rng.normal(1.0, 0.25), 0.4, 1.5))
    thick = max(1, round(fold.width_mm * rng.uniform(0.7, 1.3)))
    taper = np.minimum(1.0, 0.25 + 3.0 * np.minimum(at, 1.0 - at))
    for first, second, share in zip(pixels[:-1], pixels[1:], taper, strict=False):
        cv2.line(layer, first.tolist(), second.tolist(), [strength * float(share)], thick, cv2.LINE_8, shift=4)


def _dent(layer: NDArray[np.float32], fold: Fold, sign: float, rng: np.random.Generator) -> None:
    count = int(2.2 * fold.size_mm[0] * fold.size_mm[1] / fold.pebbles**2)
    spots = rng.normal(0.0, 0.7, (count, 2)) * fold.size_mm + fold.center_mm
    spots[:, 0] *= sign
    for x, y in np.round(_on_atlas(spots) * 16.0).astype(np.int32):
        radius = int(16 * fold.pebbles * rng.uniform(0.25, 0.6))
        cv2.circle(layer, (int(x), int(y)), radius, [float(rng.uniform(0.5, 1.3))], -1, cv2.LINE_8, shift=4)
