"""What people do with their faces: expressions of emotion, everyday grimaces, the shapes of speech, and look-alikes.

Actions are named by Action Unit (`AU12`) where FACS has one, and by channel where it has none or where only one side
is meant. The co-occurrences of the emotions follow the EMFACS prototypes; what comes along with them is FACS lore.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored
from training.synth.limits import INDEX, TONGUE_GAP, columns

AU_CHANNELS: Final = {
    "AU1": ("inner_brow_raise",),
    "AU2": ("brow_raise",),
    "AU4": ("brow_lower",),
    "AU5": ("lid_raise",),
    "AU6": ("cheek_raise",),
    "AU7": ("lid_tighten",),
    "AU9": ("nose_wrinkle",),
    "AU10": ("upper_lip_raise",),
    "AU12": ("lip_corner_pull",),
    "AU14": ("dimple",),
    "AU15": ("lip_corner_depress",),
    "AU16": ("lower_lip_depress",),
    "AU17": ("chin_raise",),
    "AU18": ("lip_pucker",),
    "AU19": ("tongue_out",),
    "AU20": ("lip_stretch",),
    "AU22": ("lip_funnel",),
    "AU23": ("lip_press",),
    "AU24": ("lip_press",),
    "AU26": ("jaw_drop",),
    "AU27": ("jaw_drop",),
    "AU28": ("upper_lip_suck", "lower_lip_suck"),
    "AU29": ("jaw_thrust",),
    "AU34": ("cheek_puff",),
    "AU43": ("eye_close",),
}
"""Channels (without sides) that show an Action Unit; AU23 and AU24 share what ARKit calls a press."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Actions that come together.

    Attributes:
        name: For people.
        cores: Combinations such as `AU6+AU12`; one of them is shown.
        company: Action -> (probability, greatest share of the pattern's strength).
        share: How often it is drawn against the others.
        one_sided: How often it shows on one side of the face only.
    """

    name: str
    cores: tuple[str, ...]
    company: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    share: float = 1.0
    one_sided: float = 0.06


PATTERNS: Final = (
    Pattern(
        "happiness",
        ("AU6+AU12", "AU7+AU12", "AU6+AU7+AU12", "AU12"),
        {"AU10": (0.3, 0.4), "AU14": (0.25, 0.5), "AU16": (0.15, 0.4), "AU26": (0.3, 0.35), "AU43": (0.15, 0.4)},
        share=3.0,
    ),
    Pattern(
        "laughter",
        ("AU6+AU12+AU26", "AU6+AU7+AU12+AU26"),
        {
            "AU10": (0.6, 0.6),
            "AU16": (0.5, 0.6),
            "AU20": (0.3, 0.4),
            "AU43": (0.4, 0.8),
            "AU9": (0.2, 0.5),
            "AU2": (0.2, 0.4),
        },
        share=1.5,
    ),
    Pattern(
        "anger",
        ("AU4+AU7", "AU17+AU24", "AU23", "AU4+AU7+AU17+AU24", "AU4+AU5+AU7+AU23"),
        {"AU10": (0.25, 0.6), "AU9": (0.2, 0.6), "AU29": (0.2, 0.7), "AU16": (0.15, 0.6), "AU26": (0.15, 0.6)},
        share=1.5,
    ),
    Pattern(
        "fear",
        ("AU1+AU2+AU4", "AU1+AU2+AU4+AU5+AU20", "AU1+AU4+AU5"),
        {"AU5": (0.6, 1.0), "AU20": (0.4, 0.9), "AU26": (0.5, 0.7), "AU16": (0.3, 0.6), "AU7": (0.3, 0.5)},
    ),
    Pattern(
        "sadness",
        ("AU1", "AU1+AU4", "AU6+AU15", "AU1+AU4+AU15", "AU1+AU4+AU15+AU17"),
        {"AU17": (0.5, 0.8), "AU43": (0.35, 0.8), "AU7": (0.3, 0.5), "look_down": (0.35, 0.8), "AU24": (0.15, 0.5)},
        share=1.5,
    ),
    Pattern(
        "weeping",
        ("AU4+AU6+AU7+AU20", "AU1+AU4+AU6+AU15+AU17"),
        {"AU26": (0.4, 0.6), "AU10": (0.5, 0.6), "AU9": (0.3, 0.6), "AU43": (0.6, 1.0), "AU16": (0.3, 0.6)},
        share=0.7,
    ),
    Pattern(
        "surprise",
        ("AU1+AU2+AU26", "AU1+AU2+AU5+AU26", "AU1+AU2"),
        {"AU5": (0.5, 1.0), "AU10": (0.15, 0.3), "AU22": (0.15, 0.5)},
        share=1.5,
    ),
    Pattern(
        "disgust",
        ("AU9", "AU10", "AU9+AU10", "AU4+AU9+AU17", "AU10+AU16"),
        {
            "AU4": (0.4, 0.6),
            "AU17": (0.4, 0.7),
            "AU15": (0.3, 0.6),
            "AU7": (0.4, 0.6),
            "AU6": (0.3, 0.6),
            "AU26": (0.2, 0.5),
            "AU19": (0.08, 0.8),
        },
        share=1.5,
        one_sided=0.12,
    ),
    Pattern("contempt", ("AU14", "AU12+AU14", "AU10+AU14"), {"AU7": (0.3, 0.4), "AU2": (0.2, 0.6)}, one_sided=0.7),
    Pattern(
        "pain",
        ("AU4+AU6+AU43", "AU4+AU7+AU9", "AU4+AU7+AU10"),
        {"AU20": (0.4, 0.8), "AU26": (0.35, 0.7), "AU12": (0.2, 0.5), "AU16": (0.25, 0.6)},
        share=0.7,
    ),
    Pattern("doubt", ("AU2", "AU2+AU4", "AU1+AU2+AU7"), {"AU14": (0.3, 0.5), "AU17": (0.3, 0.5)}, one_sided=0.6),
    Pattern("shrug", ("AU15+AU17", "AU1+AU2+AU15+AU17"), {"upper_lip_shrug": (0.8, 0.8), "AU14": (0.2, 0.4)}),
    Pattern(
        "embarrassment",
        ("AU12+AU24", "AU12+AU14", "AU12+AU28"),
        {"look_down": (0.6, 0.9), "AU43": (0.3, 0.5), "AU17": (0.3, 0.4)},
        share=0.5,
        one_sided=0.15,
    ),
    Pattern(
        "thought",
        ("AU4", "AU24", "AU18", "lower_lip_suck", "AU28", "mouth_slide_L", "mouth_slide_R"),
        {"AU7": (0.4, 0.5), "AU14": (0.2, 0.5), "AU17": (0.2, 0.4), "look_up": (0.3, 0.8), "AU2": (0.2, 0.5)},
    ),
    Pattern(
        "effort",
        ("AU4+AU7+AU24", "AU4+AU6+AU20", "AU7+AU24+AU34"),
        {"AU43": (0.3, 0.8), "AU17": (0.3, 0.7), "AU9": (0.3, 0.6), "AU19": (0.06, 0.6)},
        share=0.7,
    ),
    Pattern(
        "yawn", ("AU26+AU43", "AU4+AU26+AU43"), {"AU1": (0.3, 0.5), "AU7": (0.4, 0.6), "AU16": (0.3, 0.4)}, share=0.5
    ),
    Pattern("drowsiness", ("AU43",), {"AU1": (0.4, 0.4), "look_down": (0.4, 0.8), "AU26": (0.3, 0.2)}),
    Pattern("kiss", ("AU18", "AU18+AU43"), {"AU22": (0.4, 0.5), "AU17": (0.2, 0.4)}, share=0.5),
    Pattern("blowing", ("AU18+AU34", "AU34", "AU18+AU22"), {"AU17": (0.3, 0.4), "AU2": (0.2, 0.5)}, share=0.7),
    Pattern(
        "chewing",
        ("jaw_slide_L+AU24", "jaw_slide_R+AU24", "AU26+lips_together", "AU24"),
        {"cheek_puff_L": (0.2, 0.5), "cheek_puff_R": (0.2, 0.5), "AU17": (0.3, 0.4), "AU14": (0.2, 0.5)},
        share=0.6,
    ),
    Pattern("wink", ("eye_close_L+cheek_raise_L", "eye_close_R+cheek_raise_R"), {"AU12": (0.5, 0.7)}, share=0.8),
    Pattern("sniff", ("AU9+AU10", "AU9"), {"AU17": (0.3, 0.4), "upper_lip_shrug": (0.3, 0.5)}, share=0.5),
    Pattern("teasing", ("AU19", "AU19+AU43"), {"AU6": (0.3, 0.6), "AU9": (0.2, 0.5)}, share=0.4),
)

VISEMES: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "rest": {"jaw_drop": (0.0, 0.04)},
    "p b m": {
        "jaw_drop": (0.03, 0.22),
        "lips_together": (1.0, 1.0),  # as high as the jaw allows: the lips meet
        "lip_press": (0.0, 0.45),
        "upper_lip_suck": (0.0, 0.3),
        "lower_lip_suck": (0.0, 0.3),
        "chin_raise": (0.0, 0.2),
    },
    "f v": {"jaw_drop": (0.04, 0.16), "lower_lip_suck": (0.25, 0.8), "upper_lip_raise": (0.05, 0.35)},
    "th": {"jaw_drop": (0.2, 0.35), "tongue_out": (0.1, 0.5), "lower_lip_depress": (0.05, 0.3)},
    "t d n": {"jaw_drop": (0.06, 0.2), "lower_lip_depress": (0.05, 0.35), "lip_stretch": (0.0, 0.2)},
    "k g": {"jaw_drop": (0.1, 0.28), "lower_lip_depress": (0.0, 0.25), "upper_lip_raise": (0.0, 0.15)},
    "s z": {
        "jaw_drop": (0.02, 0.1),
        "lip_stretch": (0.1, 0.5),
        "lower_lip_depress": (0.15, 0.5),
        "upper_lip_raise": (0.0, 0.25),
        "dimple": (0.0, 0.3),
        "jaw_thrust": (0.0, 0.2),
    },
    "sh ch j": {
        "jaw_drop": (0.04, 0.16),
        "lip_funnel": (0.3, 0.8),
        "lip_pucker": (0.0, 0.3),
        "lower_lip_depress": (0.0, 0.3),
        "upper_lip_raise": (0.0, 0.2),
        "jaw_thrust": (0.0, 0.3),
    },
    "l": {"jaw_drop": (0.18, 0.35), "tongue_out": (0.0, 0.2), "lower_lip_depress": (0.0, 0.25)},
    "r": {"jaw_drop": (0.08, 0.2), "lip_funnel": (0.15, 0.5), "lip_pucker": (0.05, 0.35)},
    "aa": {"jaw_drop": (0.3, 0.85), "lower_lip_depress": (0.05, 0.4), "upper_lip_raise": (0.0, 0.25)},
    "eh": {
        "jaw_drop": (0.15, 0.4),
        "lip_stretch": (0.05, 0.4),
        "lip_corner_pull": (0.0, 0.3),
        "lower_lip_depress": (0.1, 0.4),
        "upper_lip_raise": (0.0, 0.25),
    },
    "ee": {
        "jaw_drop": (0.03, 0.18),
        "lip_stretch": (0.15, 0.6),
        "lip_corner_pull": (0.05, 0.4),
        "lower_lip_depress": (0.15, 0.5),
        "upper_lip_raise": (0.0, 0.25),
        "dimple": (0.0, 0.25),
    },
    "oh": {"jaw_drop": (0.2, 0.5), "lip_funnel": (0.25, 0.75), "lip_pucker": (0.1, 0.45)},
    "oo w": {"jaw_drop": (0.02, 0.14), "lip_pucker": (0.35, 1.0), "lip_funnel": (0.1, 0.5)},
}
"""Mouth shapes of speech sounds: channel (both sides where it has sides) -> range."""

LOOK_ALIKES: Final = (
    ("jaw_drop", "lower_lip_depress", "lips_together"),
    ("lip_press", "upper_lip_suck", "lower_lip_suck"),
    ("lip_press", "dimple", "chin_raise"),
    ("cheek_raise", "lid_tighten", "eye_close"),
    ("brow_lower", "nose_wrinkle"),
    ("brow_lower", "lid_tighten"),
    ("upper_lip_raise", "nose_wrinkle"),
    ("upper_lip_raise", "lip_corner_pull"),
    ("mouth_slide", "jaw_slide"),
    ("mouth_slide", "lip_corner_pull"),
    ("mouth_slide", "dimple"),
    ("chin_raise", "upper_lip_shrug"),
    ("chin_raise", "lip_corner_depress"),
    ("chin_raise", "jaw_thrust"),
    ("lip_pucker", "lip_funnel"),
    ("lip_stretch", "dimple", "lip_corner_pull"),
    ("lip_stretch", "lip_corner_depress", "lower_lip_depress"),
    ("inner_brow_raise", "brow_raise"),
    ("inner_brow_raise", "brow_lower"),
    ("brow_raise", "lid_raise"),
    ("jaw_thrust", "lower_lip_depress"),
    ("jaw_thrust", "lower_lip_suck"),
    ("tongue_out", "lower_lip_depress", "jaw_drop"),
    ("cheek_puff", "lip_press"),
    ("cheek_puff", "lip_pucker"),
    ("cheek_puff", "lip_funnel"),
    ("cheek_puff", "upper_lip_suck"),
    ("cheek_puff", "lower_lip_suck"),
    ("cheek_puff", "lip_corner_pull"),
    ("cheek_puff", "lip_corner_depress"),
    ("cheek_puff", "lip_stretch"),
    ("cheek_puff", "chin_raise"),
    ("cheek_puff", "mouth_slide"),
    ("cheek_puff", "jaw_drop", "lips_together"),
    ("upper_lip_shrug", "upper_lip_suck"),
)
"""Groups of channels (without sides) that resemble each other, or that must be told apart within each other."""


def _alike() -> dict[str, tuple[str, ...]]:
    alike: dict[str, tuple[str, ...]] = {}
    for channel_id in PREDICTED_IDS:
        stem = re.sub("_[LR]$", "", channel_id)
        members = {other for group in LOOK_ALIKES if stem in group for other in group if other != stem}
        others = [PREDICTED_IDS[column] for other in sorted(members) for column in columns(other)]
        alike[channel_id] = tuple(others)
    return alike


ALIKE: Final = _alike()
"""For each predicted channel the channels that it is easily taken for."""


def prepare(row: NDArray[np.float32], channel_id: str, rng: np.random.Generator) -> None:
    """Drops the jaw as far as an action in a (P,) row needs it: for the tongue, and for lips that meet over it."""
    jaw = INDEX["jaw_drop"]
    if channel_id == "tongue_out":
        needed = TONGUE_GAP * row[INDEX[channel_id]] + rng.uniform(0.05, 0.5)
    elif channel_id == "lips_together":
        needed = row[INDEX[channel_id]] + abs(rng.normal(0.0, 0.1))
    else:
        return
    row[jaw] = max(row[jaw], min(needed, 1.0))


def pattern(rng: np.random.Generator) -> NDArray[np.float32]:
    """(P,) one of `PATTERNS` at a strength between a trace and full."""
    shares = np.array([pattern.share for pattern in PATTERNS])
    chosen = PATTERNS[rng.choice(len(PATTERNS), p=shares / shares.sum())]
    strength = 1.0 - 0.9 * rng.random() ** 1.5
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for action in chosen.cores[rng.integers(len(chosen.cores))].split("+"):
        _perform(row, action, strength * rng.uniform(0.55, 1.0), rng)
    for action, (probability, most) in chosen.company.items():
        if rng.random() < probability:
            _perform(row, action, strength * most * rng.uniform(0.3, 1.0), rng)
    if rng.random() < chosen.one_sided:
        _lean(row, rng)
    return np.clip(row, 0.0, 1.0)


def viseme(name: str, rng: np.random.Generator, articulation: float = 1.0) -> NDArray[np.float32]:
    """(P,) the mouth of one of `VISEMES`; `articulation` scales it: 0.4 mumbled, 1.2 declaimed."""
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for stem, (low, high) in VISEMES[name].items():
        value = rng.uniform(low, high) * articulation
        row[columns(stem)] = value * rng.normal(1.0, 0.05, len(columns(stem)))
    return np.clip(row, 0.0, 1.0)


def gaze(to_left: float, up: float, convergence: float = 0.0) -> NDArray[np.float32]:
    """(P,) both eyes looking one way: shares -1..1 of their travel to the actor's left and up, and towards the nose."""
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for side, outward in (("L", to_left - convergence), ("R", -to_left - convergence)):
        row[INDEX[f"look_out_{side}"]] = max(outward, 0.0)
        row[INDEX[f"look_in_{side}"]] = max(-outward, 0.0)
        row[INDEX[f"look_up_{side}"]] = max(up, 0.0)
        row[INDEX[f"look_down_{side}"]] = max(-up, 0.0)
    return np.clip(row, 0.0, 1.0)


def _perform(row: NDArray[np.float32], action: str, value: float, rng: np.random.Generator) -> None:
    """Adds an action, nearly the same on both sides, with what it needs."""
    for stem in AU_CHANNELS.get(action, (action,)):
        places = columns(stem)
        row[places] = np.maximum(row[places], value * rng.normal(1.0, 0.08, len(places)))
        prepare(row, stem, rng)


def _lean(row: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Weakens or drops the sided actions on one side of the face, but for the gaze."""
    side = "L" if rng.random() < 0.5 else "R"
    rest = rng.choice([0.0, rng.uniform(0.0, 0.6)])
    for channel_id in PREDICTED_IDS:
        if channel_id.endswith(side) and not channel_id.startswith("look_") and row[INDEX[mirrored(channel_id)]] > 0:
            row[INDEX[channel_id]] *= rest
