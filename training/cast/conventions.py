"""The demo head's 52 shapes told again in the shape keys of other conventions."""

from collections.abc import Mapping
from typing import Final

import bpy
import numpy as np

Recipe = Mapping[str, Mapping[str, float]]
"""A shape key's name to the weights of the ARKit shapes that it is made of."""


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
    face.shape_key_clear()
    face.shape_key_add(name="Basis", from_mix=False).value = 0.0
    for name, weights in recipe.items():
        moved = rest + sum(weight * (places[shape] - rest) for shape, weight in weights.items())
        key = face.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", moved.ravel())
        key.value = 0.0


def _places(key: bpy.types.ShapeKey, count: int) -> np.ndarray:
    """A key's vertices: (n, 3) float32 metres."""
    flat = np.empty(3 * count, np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3)
