"""How a regressor fares on heads that it was not trained on.

    python -m training.transfer.evaluate FOLDER REGRESSOR … [--models FOLDER] [--channels] [--json FILE]

FOLDER holds rendered heads (see `training.transfer.album`). Each picture is looked at on its own: the tracker forgets
the face between them. The regressor gets the head's own neutral, the mean of its neutral frames, as it would get an
actor's; those frames are left out of the figures. Nothing is smoothed.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics
from au_mocap.calibration import NeutralSettings, Settings, curves
from au_mocap.errors import AuMocapError
from au_mocap.pipeline import extract
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.tracking import FaceTracker, TrackedFace, open_tracker
from training.transfer import album

_TURN_LIMIT_DEG: Final = 20.0
"""Up to this angle between the head and the camera a face counts as frontal."""


class Stills:
    """A tracker for pictures that have nothing to do with each other: it looks for the face in each of them anew."""

    def __init__(self, tracker: FaceTracker) -> None:
        """Wraps a tracker."""
        self.name = tracker.name
        self.version = tracker.version
        self._tracker = tracker
        self._maps: tuple[str, ...] = ()

    def reset(self, maps: Sequence[str] = ()) -> None:
        """Notes what faces should carry; see `FaceTracker.reset`."""
        self._maps = tuple(maps)

    def track(self, image: NDArray[Any], time_s: float) -> TrackedFace | None:
        """Finds the largest face; see `FaceTracker.track`.

        A second look from the crop that the first one gave settles the landmarks as following a face does.
        """
        self._tracker.reset(self._maps)
        if self._tracker.track(image, time_s) is None:
            return None
        return self._tracker.track(image, time_s + 1e-3)


@dataclass(frozen=True, slots=True)
class Score:
    """How a regressor fared on one head.

    Attributes:
        head: The head's name.
        regressor: The regressor's name.
        pictures: How many were looked at, neutral ones left out.
        found: Share of them in which the tracker found the face.
        channels: Ids of the channels that the head can show.
        icc: (C,) ICC(3,1) of each of them.
        pcc: (C,) Pearson's correlation.
        frontal_icc: (C,) ICC(3,1) in frames within 20 degrees of frontal.
        mae: (C,) mean absolute error.
        gain: (C,) slope of what was found against what was played: below 1 where amplitudes are too small.
    """

    head: str
    regressor: str
    pictures: int
    found: float
    channels: tuple[str, ...]
    icc: NDArray[np.float64]
    pcc: NDArray[np.float64]
    frontal_icc: NDArray[np.float64]
    mae: NDArray[np.float64]
    gain: NDArray[np.float64]

    def mean(self, name: str, *, feafa: bool) -> float:
        """Mean of a measure over FEAFA's channels that the head can show, or over all of its predicted ones."""
        wanted = channels.FEAFA_IDS if feafa else channels.PREDICTED_IDS
        rows = [row for row, channel_id in enumerate(self.channels) if channel_id in wanted]
        return float(np.mean(getattr(self, name)[rows]))


def evaluate(folder: Path, tracker: FaceTracker, regressor: Regressor) -> Score:
    """Runs a tracker and a regressor on the pictures of one head.

    Args:
        folder: Pictures and truth.
        tracker: Any tracker.
        regressor: Any regressor that looks at one frame at a time; neighbours in time mean nothing here.

    Raises:
        AlbumError: The folder is not what `training.transfer` renders.
        AuMocapError: A picture cannot be read, or a model does not run.
    """
    take, _ = extract(album.pictures(folder), Stills(tracker), regressor)
    truth = album.read_truth(folder, len(take))
    neutral = tuple(frame for frame in truth.neutral_frames if take.found[frame])
    settings = Settings(neutral=NeutralSettings("frames", neutral), smoothing="off")
    found_values = curves(take, settings, regressor).values
    shown = np.setdiff1d(np.arange(len(take)), truth.neutral_frames)
    seen = shown[take.found[shown]]
    columns = np.array([channels.INDEX[channel_id] for channel_id in truth.channels])
    predicted, played = (table[np.ix_(seen, columns)] for table in (found_values, truth.values))
    frontal = _turn_deg(truth.head_rotation[seen]) <= _TURN_LIMIT_DEG
    return Score(
        head=folder.name,
        regressor=regressor.entry.name,
        pictures=len(shown),
        found=len(seen) / len(shown),
        channels=truth.channels,
        icc=metrics.icc(predicted, played),
        pcc=metrics.pcc(predicted, played),
        frontal_icc=metrics.icc(predicted[frontal], played[frontal]),
        mae=metrics.mae(predicted, played),
        gain=_slope(predicted, played),
    )


def _turn_deg(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) angle of each rotation."""
    return np.degrees(2.0 * np.arccos(np.clip(np.abs(quaternions[:, 0]), 0.0, 1.0)))


def _slope(predicted: NDArray[np.float32], played: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C,) least-squares slope of predictions over the truth."""
    a = predicted.astype(np.float64) - predicted.mean(axis=0, dtype=np.float64)
    b = played.astype(np.float64) - played.mean(axis=0, dtype=np.float64)
    return (a * b).sum(axis=0) / np.maximum((b**2).sum(axis=0), 1e-9)


def summary(scores: Sequence[Score]) -> str:
    """A table with one row for each head and regressor."""
    names = ("ICC FEAFA", "PCC FEAFA", "frontal", "ICC all", "PCC all", "MAE all")
    lines = [f"{'head':14} {'regressor':14} {'pictures':>8} {'found':>7}" + "".join(f"{name:>11}" for name in names)]
    for score in scores:
        feafa = [score.mean(name, feafa=True) for name in ("icc", "pcc", "frontal_icc")]
        every = [score.mean(name, feafa=False) for name in ("icc", "pcc", "mae")]
        numbers = "".join(f"{number:11.3f}" for number in (*feafa, *every))
        lines.append(f"{score.head:14} {score.regressor:14} {score.pictures:8} {score.found:7.1%}{numbers}")
    return "\n".join(lines)


def by_channel(score: Score) -> str:
    """A table with one row for each channel of a head."""
    lines = [f"{score.head}, {score.regressor}: channel, ICC, PCC, ICC frontal, mean absolute error, gain"]
    measures = (score.icc, score.pcc, score.frontal_icc, score.mae, score.gain)
    for channel_id, *numbers in zip(score.channels, *measures, strict=True):
        lines.append(f"  {channel_id:22}" + "".join(f"{number:8.3f}" for number in numbers))
    return "\n".join(lines)


def as_json(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Scores as plain data."""
    return [
        {
            "head": score.head,
            "regressor": score.regressor,
            "pictures": score.pictures,
            "found": round(score.found, 4),
            "channels": {
                channel_id: {"icc": round(float(icc), 4), "pcc": round(float(pcc), 4), "mae": round(float(mae), 4)}
                for channel_id, icc, pcc, mae in zip(score.channels, score.icc, score.pcc, score.mae, strict=True)
            },
        }
        for score in scores
    ]


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="training.transfer.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder that holds a folder for each head")
    parser.add_argument("regressor", nargs="+", help="names in the registry")
    parser.add_argument("--models", type=Path, action="append", default=[], help="further folder with a registry")
    parser.add_argument("--channels", action="store_true", help="print every channel too")
    parser.add_argument("--json", type=Path, help="write the figures of every channel here")
    options = parser.parse_args(arguments)
    try:
        registry = Registry((BUNDLED, *options.models))
        tracker = open_tracker("onnx", registry, "cpu")
        regressors = [open_regressor(registry, name, "cpu") for name in options.regressor]
        heads = album.heads_in(options.folder)
        scores = [evaluate(head, tracker, regressor) for regressor in regressors for head in heads]
    except (album.AlbumError, AuMocapError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.channels:
        sys.stdout.write("\n\n".join(map(by_channel, scores)) + "\n\n")
    sys.stdout.write(summary(scores) + "\n")
    if options.json:
        options.json.write_text(json.dumps(as_json(scores), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
