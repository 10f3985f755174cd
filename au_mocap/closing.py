"""Curves that honour contact: what touches on the actor touches on the character, and what does not, does not.

Applied after gains and smoothing, which know nothing of contact: a blink that both have lowered still shuts the eye.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .contact import Contacts

MOST_APART: Final = 0.75
"""The most that an eye closes which is not shut: on many characters the lids meet from 0.8 on."""

LEAST_GAP: Final = 0.05
"""What is left of a dropped jaw, at least, between lips that surely do not touch."""

_KNEE: Final = 0.55
"""From here on the closing of an eye that is not shut is held back."""

_NARROWING: Final = {"lid_tighten": 0.3, "look_down": 0.3}
"""Channels that bring the lids nearer to each other, too, with how far against a blink."""

_PARTING: Final = (
    "lower_lip_depress_L",
    "lower_lip_depress_R",
    "upper_lip_raise_L",
    "upper_lip_raise_R",
    "lip_funnel",
    "tongue_out",
)
"""Channels that part the lips by themselves."""


def close(values: Floats, contacts: Contacts, strength: float) -> NDArray[np.float64]:
    """Makes curves keep to contacts.

    Args:
        values: (T, 58) columns as `channels.IDS`; NaN where there is no face. The symmetric means are left to
            `channels.enforce_rules`.
        contacts: Of the same frames, sides as those of the values.
        strength: 0..1: 0 changes nothing, 1 brings lids and lips all the way together.

    Returns:
        (T, 58) float64.
    """
    result = np.array(values, np.float64)
    # Values may be known where no face was seen, since a moment's loss is bridged; of contact nothing is known there.
    eyes, eyes_apart, lips, lips_apart = (
        strength * np.nan_to_num(each)
        for each in (contacts.eyes, 1.0 - contacts.eyes, contacts.lips, contacts.lips_apart)
    )
    for side, name in enumerate("LR"):
        _close_eye(result, name, eyes[:, side], eyes_apart[:, side])
    _close_lips(result, lips, lips_apart)
    return result


def lids_closed(values: Floats, side: str) -> NDArray[np.float64]:
    """(T,) 0..1 how far the lids of a side, `L` or `R`, are closed by all that brings them together; NaN as the values.

    Args:
        values: (T, 58) columns as `channels.IDS`.
        side: The curves' own.
    """
    shut = np.clip(np.asarray(values, np.float64)[:, channels.INDEX[f"eye_close_{side}"]], 0.0, 1.0)
    return np.minimum(shut + _company(np.asarray(values, np.float64), side), 1.0)


def lips_opened(values: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T,) what the jaw leaves open between the lips, and (T,) the most that they part by themselves; NaN kept."""
    table = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    dropped, together = table[:, channels.INDEX["jaw_drop"]], table[:, channels.INDEX["lips_together"]]
    return dropped - np.minimum(together, dropped), table[:, [channels.INDEX[name] for name in _PARTING]].max(axis=1)


def mirrored(contacts: Contacts) -> Contacts:
    """The contacts with left and right swapped."""
    return Contacts(contacts.eyes[:, ::-1], contacts.lips, contacts.lips_apart)


def _close_eye(
    table: NDArray[np.float64], side: str, touching: NDArray[np.float64], apart: NDArray[np.float64]
) -> None:
    closing, raised = channels.INDEX[f"eye_close_{side}"], channels.INDEX[f"lid_raise_{side}"]
    shut = np.clip(table[:, closing], 0.0, 1.0)
    company = _company(table, side)
    narrowed = np.minimum(shut + company, 1.0)
    most = np.minimum(narrowed, _KNEE + (narrowed - _KNEE) * (MOST_APART - _KNEE) / (1.0 - _KNEE))
    held = np.clip(most - company, 0.0, shut)
    shut = shut + apart * (held - shut)
    table[:, closing] = shut + touching * (1.0 - shut)
    table[:, raised] *= 1.0 - touching


def _company(table: NDArray[np.float64], side: str) -> NDArray[np.float64]:
    """(T,) what other channels do to bring a side's lids together."""
    parts = (part * np.clip(table[:, channels.INDEX[f"{name}_{side}"]], 0.0, 1.0) for name, part in _NARROWING.items())
    return np.sum([*parts], axis=0)


def _close_lips(table: NDArray[np.float64], touching: NDArray[np.float64], apart: NDArray[np.float64]) -> None:
    together, jaw = channels.INDEX["lips_together"], channels.INDEX["jaw_drop"]
    dropped = np.clip(table[:, jaw], 0.0, 1.0)
    closed = np.clip(table[:, together], 0.0, dropped)
    closed = np.minimum(closed, np.maximum(dropped - apart * LEAST_GAP, 0.0))
    table[:, together] = closed + touching * (dropped - closed)
    for name in _PARTING:
        table[:, channels.INDEX[name]] *= 1.0 - touching
