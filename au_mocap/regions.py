"""Regions of the face: which channels belong together when a setting treats parts of the face apart."""

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from . import channels

Region = Literal["brows", "lids", "gaze", "nose_cheeks", "lips", "jaw", "tongue"]
REGIONS: Final[tuple[Region, ...]] = get_args(Region)

_STEMS: Final[dict[Region, tuple[str, ...]]] = {
    "brows": ("brow_lower", "brow_raise", "inner_brow_raise"),
    "lids": ("eye_close", "lid_raise", "lid_tighten"),
    "gaze": ("look_up", "look_down", "look_in", "look_out"),
    "nose_cheeks": ("nose_wrinkle", "cheek_raise", "cheek_puff"),
    "lips": (
        "lip_corner_pull",
        "lip_stretch",
        "upper_lip_suck",
        "lower_lip_suck",
        "upper_lip_raise",
        "lower_lip_depress",
        "chin_raise",
        "lip_pucker",
        "dimple",
        "lip_corner_depress",
        "lip_press",
        "lip_funnel",
        "mouth_slide",
        "upper_lip_shrug",
        "lips_together",
    ),
    "jaw": ("jaw_drop", "jaw_slide", "jaw_thrust"),
    "tongue": ("tongue_out",),
}
"""Channels by region, without their sides; the chin counts to the lips, which it pushes."""


def _regions() -> dict[str, Region]:
    named: dict[str, Region] = {stem: region for region, stems in _STEMS.items() for stem in stems}
    return {channel_id: named[channel_id.removesuffix("_L").removesuffix("_R")] for channel_id in channels.IDS}


REGION_OF: Final = _regions()
"""The region of every channel id."""


def columns(region: Region) -> NDArray[np.int64]:
    """Columns of a region's channels in a table of the whole vocabulary, in its order."""
    return np.array([column for column, channel_id in enumerate(channels.IDS) if REGION_OF[channel_id] == region])
