"""Real clips without exact values: blinks listed by eye, jitter on still faces, agreement with MediaPipe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import DEFAULT_REGRESSOR, calibration, metrics, pipeline
from au_mocap.channels import INDEX
from au_mocap.datasets import read_blinks
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from training import packages
from training.outcome import FEAFA

from . import Row, at_least, at_most

_CLIPS: Final = {
    "webcam_a": packages.WEBCAM_A,
    "webcam_b": packages.WEBCAM_B,
    "single_face": packages.SINGLE_FACE,
    "langer": packages.LANGER,
}
_STILL: Final = {"webcam_a": (14, 57), "webcam_b": (353, 382)}
"""Stretches without any movement of head or face, first and last frame, found by eye (tests/data/clip_notes.csv)."""

_WEBCAM: Final = ("webcam_a", "webcam_b")
_BLINKS: Final = Path(__file__).parents[1] / "data" / "blinks.csv"
_AGREE: Final = {
    "blink": ("eye_close_L", "eye_close_R"),
    "smile": ("lip_corner_pull_L", "lip_corner_pull_R"),
    "jaw": ("jaw_drop",),
    "gaze": ("look_in_L", "look_out_L", "look_in_R", "look_out_R", "look_down_L", "look_down_R"),
}
_RAW: Final = calibration.Settings(smoothing="off")
_UNSETTLED: Final = calibration.Settings(calibration.NeutralSettings("none"), smoothing="off")

_TARGETS: Final = {
    "jitter": (at_most, 0.02),
    "blink_pcc_with_mediapipe": (at_least, 0.9),
    "smile_pcc_with_mediapipe": (at_least, 0.9),
    "webcam_blinks_recall": (at_least, 0.95),
    "webcam_blinks_false": (at_most, 0.02),
    "between_blinks": (at_most, 0.1),
}

Curves = dict[str, NDArray[np.float32]]


def rows() -> Iterator[Row]:
    """Yield the figures of every regressor; those of the default have targets."""
    registry = Registry()
    peer = _curves(registry, "mediapipe", _UNSETTLED)
    for name in (entry.name for entry in registry.regressors):
        for what, value, note in _figures(_curves(registry, name, _RAW), peer):
            key = f"{name}_{what}"
            if what in _TARGETS and name == DEFAULT_REGRESSOR:
                compared, limit = _TARGETS[what]
                yield compared(key, value, "", limit, note)
            else:
                yield Row(key, value, note=note)


def _figures(curves: Curves, peer: Curves) -> Iterator[tuple[str, float, str]]:
    """Name, value and note of each figure."""
    yield "jitter", max(_jitter(curves, clip) for clip in _STILL), "still: webcam_a 14-57, webcam_b 353-382"
    for what, ids in _AGREE.items():
        yield f"{what}_pcc_with_mediapipe", _agreement(curves, peer, ids), ""
    listed = read_blinks(_BLINKS)
    closing = {clip: _closing(table) for clip, table in curves.items()}
    for name, clips in (("webcam", _WEBCAM), ("all", tuple(_CLIPS))):
        blinks = [len(listed[clip]) for clip in clips]
        for what, measure in (("recall", metrics.blink_recall), ("false", metrics.false_blinks)):
            shares = [measure(closing[clip], listed[clip]) for clip in clips]
            yield f"{name}_blinks_{what}", float(np.average(shares, weights=blinks)), f"{sum(blinks)} blinks"
    yield "between_blinks", max(metrics.median_between_blinks(closing[clip], listed[clip]) for clip in _WEBCAM), ""


def _curves(registry: Registry, name: str, settings: calibration.Settings) -> Curves:
    """(T, 58) unsmoothed curves of every clip."""
    regressor = open_regressor(registry, name, "cpu")
    tracker = open_tracker("onnx", registry, "cpu")
    found: Curves = {}
    for clip, package in _CLIPS.items():
        take, _ = pipeline.extract(packages.fetch(package), tracker, regressor)
        found[clip] = calibration.curves(take, settings, regressor).values
    return found


def _closing(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) mean of both eyes' closing."""
    return table[:, [INDEX["eye_close_L"], INDEX["eye_close_R"]]].mean(axis=1)


def _jitter(curves: Curves, clip: str) -> float:
    """Mean over FEAFA's 24 on the clip's still stretch."""
    first, last = _STILL[clip]
    return float(metrics.jitter(curves[clip][first : last + 1, FEAFA]).mean())


def _agreement(curves: Curves, peer: Curves, ids: tuple[str, ...]) -> float:
    """Mean correlation over channels of all clips' frames that both found."""
    columns = [INDEX[channel_id] for channel_id in ids]
    ours, theirs = (np.concatenate([table[clip][:, columns] for clip in _CLIPS]) for table in (curves, peer))
    known = ~np.isnan(ours).any(axis=1) & ~np.isnan(theirs).any(axis=1)
    return float(metrics.pcc(ours[known], theirs[known]).mean())
