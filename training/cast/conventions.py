"""The demo head's 52 shapes told again in the shape keys of other conventions."""

from collections.abc import Mapping
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from training.mesh_parts import smooth_step

Places = NDArray[np.float32]

Recipe = Mapping[str, Mapping[str, float]]
"""A shape key's name to the weights of the ARKit shapes that it is made of; `mouthPucker@UL` is the upper left quarter
of one, `cheekPuff@R` its right half."""

_SEAM_M: Final = 0.008
"""Half the width in which one half of a face passes over to the other."""


def _both(**weights: float) -> dict[str, float]:
    return {f"{name}{side}": weight for name, weight in weights.items() for side in ("Left", "Right")}


MMD: Final[Recipe] = {
    "真面目": _both(browDown=0.5),
    "困る": {"browInnerUp": 1.0, **_both(mouthFrown=0.1)},
    "にこり": _both(browOuterUp=0.4, cheekSquint=0.3),
    "怒り": _both(browDown=1.0),
    "上": {"browInnerUp": 0.8, **_both(browOuterUp=1.0)},
    "下": _both(browDown=0.7),
    "まばたき": _both(eyeBlink=1.0),
    "笑い": _both(eyeBlink=1.0, cheekSquint=0.8),
    "ウィンク": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.8},
    "ウィンク右": {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.8},
    "ウィンク２": {"eyeBlinkLeft": 1.0},
    "ｳｨﾝｸ２右": {"eyeBlinkRight": 1.0},
    "びっくり": _both(eyeWide=1.0),
    "じと目": _both(eyeBlink=0.45),
    "あ": {"jawOpen": 0.75, **_both(mouthLowerDown=0.3, mouthUpperUp=0.2)},
    "い": _both(mouthStretch=0.6, mouthLowerDown=0.6, mouthUpperUp=0.3),
    "う": {"mouthPucker": 0.9, "jawOpen": 0.1},
    "え": {"jawOpen": 0.35, **_both(mouthStretch=0.5, mouthLowerDown=0.3)},
    "お": {"jawOpen": 0.5, "mouthFunnel": 0.8},
    "にやり": _both(mouthSmile=1.0),
    "口角上げ": _both(mouthSmile=0.6),
    "口角下げ": _both(mouthFrown=1.0),
    "口横広げ": _both(mouthStretch=1.0),
    "ぺろっ": {"jawOpen": 0.3, "tongueOut": 1.0},
}
"""The morphs that models for MikuMikuDance share."""


def _sides(stem: str, shape: str, part: str = "") -> dict[str, dict[str, float]]:
    """Two keys made of the halves of one shape, or of the halves of its upper or lower half."""
    return {f"{stem}_{side}": {f"{shape}@{part}{side}": 1.0} for side in "LR"}


def _pairs(**shapes: str) -> dict[str, dict[str, float]]:
    """Pairs of keys, each made of one shape."""
    ends = {"L": "Left", "R": "Right"}
    return {f"{stem}_{side}": {f"{shape}{end}": 1.0} for stem, shape in shapes.items() for side, end in ends.items()}


CC4: Final[Recipe] = {
    **_sides("Brow_Raise_Inner", "browInnerUp"),
    **_pairs(Brow_Raise_Outer="browOuterUp", Brow_Drop="browDown"),
    **_pairs(Eye_Blink="eyeBlink", Eye_Squint="eyeSquint", Eye_Wide="eyeWide"),
    "Eye_L_Look_L": {"eyeLookOutLeft": 1.0},
    "Eye_R_Look_L": {"eyeLookInRight": 1.0},
    "Eye_L_Look_R": {"eyeLookInLeft": 1.0},
    "Eye_R_Look_R": {"eyeLookOutRight": 1.0},
    "Eye_L_Look_Up": {"eyeLookUpLeft": 1.0},
    "Eye_R_Look_Up": {"eyeLookUpRight": 1.0},
    "Eye_L_Look_Down": {"eyeLookDownLeft": 1.0},
    "Eye_R_Look_Down": {"eyeLookDownRight": 1.0},
    **_pairs(Nose_Sneer="noseSneer", Cheek_Raise="cheekSquint"),
    **_sides("Cheek_Puff", "cheekPuff"),
    **_pairs(Mouth_Smile="mouthSmile", Mouth_Frown="mouthFrown", Mouth_Stretch="mouthStretch"),
    **_pairs(Mouth_Dimple="mouthDimple", Mouth_Press="mouthPress"),
    **_sides("Mouth_Pucker_Up", "mouthPucker", "U"),
    **_sides("Mouth_Pucker_Down", "mouthPucker", "D"),
    **_sides("Mouth_Funnel_Up", "mouthFunnel", "U"),
    **_sides("Mouth_Funnel_Down", "mouthFunnel", "D"),
    **_sides("Mouth_Roll_In_Upper", "mouthRollUpper"),
    **_sides("Mouth_Roll_In_Lower", "mouthRollLower"),
    "Mouth_L": {"mouthLeft": 1.0},
    "Mouth_R": {"mouthRight": 1.0},
    "Mouth_Shrug_Upper": {"mouthShrugUpper": 1.0},
    "Mouth_Shrug_Lower": {"mouthShrugLower": 1.0},
    **_pairs(Mouth_Up_Upper="mouthUpperUp", Mouth_Down_Lower="mouthLowerDown"),
    "Mouth_Close": {"mouthClose": 1.0},
    "Tongue_Out": {"tongueOut": 1.0},
    "Jaw_Open": {"jawOpen": 1.0},
    "Jaw_Forward": {"jawForward": 1.0},
    "Jaw_L": {"jawLeft": 1.0},
    "Jaw_R": {"jawRight": 1.0},
}
"""Character Creator's extended facial profile, as far as ARKit's shapes can tell it."""


def rekey(face: bpy.types.Object, recipe: Recipe) -> None:
    """Give a mesh with ARKit's shape keys those of another convention in their place.

    Args:
        face: A mesh whose keys include all that the recipe uses.
        recipe: The new keys.
    """
    keys = face.data.shape_keys
    count = len(face.data.vertices)
    places = {key.name: _places(key, count) for key in keys.key_blocks}
    rest = places[keys.reference_key.name]
    mouth_m = _height(rest, places["mouthClose"])
    face.shape_key_clear()
    face.shape_key_add(name="Basis", from_mix=False).value = 0.0
    for name, weights in recipe.items():
        moved = rest.copy()
        for shape, weight in weights.items():
            whole, _, part = shape.partition("@")
            moved += weight * _share(rest, part, mouth_m) * (places[whole] - rest)
        key = face.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", moved.ravel())
        key.value = 0.0


def _height(rest: Places, closed: Places) -> float:
    """Height of the mouth's line: of what closing moves, as far as it moves it."""
    travel = np.linalg.norm(closed - rest, axis=1)
    return float((rest[:, 2] * travel).sum() / travel.sum())


def _share(rest: Places, part: str, mouth_m: float) -> Places:
    """(n, 1) how much of each vertex belongs to a part of the face: any of L, R, U and D; all of it where empty."""
    share = np.ones((len(rest), 1), np.float32)
    for letter in part:
        distance = rest[:, :1] if letter in "LR" else rest[:, 2:] - mouth_m
        way = -1.0 if letter in "RD" else 1.0
        share *= smooth_step(way * distance, -_SEAM_M, _SEAM_M)
    return share


def _places(key: bpy.types.ShapeKey, count: int) -> Places:
    """A key's vertices: (n, 3) float32 metres."""
    flat = np.empty(3 * count, np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3)
