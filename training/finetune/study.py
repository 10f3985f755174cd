"""What labels bring, measured on rendered people whose values are known: `python -m training.finetune.study`.

Each person plays two clips, the second in another light before another camera. Frames of the first clip's first part
are labelled as a coder would, a little off; the rest of it and the whole second clip are only measured. Nobody is in a
cast that the base was trained or chosen on.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics, pipeline, pose
from au_mocap import take as takes
from au_mocap.annotation import rounded
from au_mocap.crops import Crop
from au_mocap.errors import SettingsError
from au_mocap.landmark_model import INPUT_PX, LandmarkModel
from au_mocap.neutral import NeutralSettings, choose_neutral
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, features, generic_neutral, open_regressor
from au_mocap.sessions import open_session
from au_mocap.take import Take
from au_mocap.tracking import TrackedFace
from training import packages
from training.finetune import adapter, base, clips, judging, tuning
from training.synth import capture, correspondences, film, performances
from training.synth.camera import sample_lens
from training.synth.performers import anatomy, sample
from training.synth.renderer import Renderer, sample_look
from training.synth.tracked import Tracked

COUNTS: Final = (20, 50, 100, 200)
PEOPLE: Final = 8
FRAMES: Final = {"a": 420, "b": 160}
LABELLED_FRAMES: Final = 300
FIRST_MEASURED: Final = 310
RESTING: Final = 10
STEP_S: Final = 0.1
SCALED: Final = ("lip_corner_pull", "inner_brow_raise", "brow_raise", "jaw_drop")
CODER_OFF: Final = 0.08
_SEED: Final = 770
_WHOLE: Final = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)


@dataclass(frozen=True, slots=True)
class Played:
    """A clip of a person: the take, and (T, 58) what was played."""

    take: Take
    truth: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gain:
    """One person with one number of labels.

    Attributes:
        learnt: Channels that changed.
        scores: MAE and ICC(3,1), before and after, on the rest of the clip and on the other clip: (2, 2, 2).
        seconds: What fitting took.
    """

    learnt: int
    scores: NDArray[np.float64]
    seconds: float


def play(person: int, clip: str, regressor: Regressor, folder: Path) -> Played:
    """Films and measures a clip, or finds it again."""
    path, kept = folder / f"{person:02d}{clip}{takes.SUFFIX}", folder / f"{person:02d}{clip}.npy"
    if not path.exists():
        rows, faces = _filmed(person, clip)
        builder = pipeline.TakeBuilder(pose.Camera((INPUT_PX, INPUT_PX), pose.DEFAULT_FOV_DEG), regressor)
        for index, (face, tile) in enumerate(faces):
            embedding = np.zeros(0, np.float32) if face is None else regressor.embed(tile, face)
            builder.add(pipeline.FrameResult(index, index * STEP_S, face, embedding))
        np.save(kept, channels.complete(rows, channels.PREDICTED_IDS))
        takes.save(
            builder.build({"regressor": {"name": regressor.entry.name, "version": regressor.entry.version}}), path
        )
    return Played(takes.load(path), np.load(kept))


def _scaled(played: Played, scale: NDArray[np.float32]) -> Played:
    """An actor who does more with the face than it means, or less: the same picture, other true values."""
    return Played(played.take, channels.enforce_rules(played.truth * scale))


def _filmed(person: int, clip: str) -> tuple[NDArray[np.float32], list[tuple[TrackedFace | None, NDArray[np.uint8]]]]:
    """(T, P) what is played, and for each frame the face, where it was found, with the picture it was found in."""
    cache = packages.cache_folder() / "training" / f"films-{film.EDITION}"
    places = correspondences.load(cache / "places_300.npz")
    registry = Registry()
    graph = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    maps = registry.regressor("accurate").image.inputs
    renderer, tracker = Renderer(anatomy(), film.PICTURE_PX), Tracked()
    performer = sample(np.random.default_rng([_SEED, person]))
    rng = np.random.default_rng([_SEED + 1, person, clip == "b"])
    look, lens, conditions = sample_look(performer, rng), sample_lens(rng), capture.sample(rng)
    half = (FRAMES[clip] - RESTING) // 2
    rest = np.zeros((RESTING, len(channels.PREDICTED_IDS)), np.float32)
    rows = np.concatenate([rest, *(performances.sample(half, STEP_S, rng) for _ in range(2))])
    turns = [0.6 * performances.head_path(half, STEP_S, rng) for _ in range(2)]
    angles = np.concatenate([np.zeros((RESTING, 3)), *turns])
    faces: list[tuple[TrackedFace | None, NDArray[np.uint8]]] = []
    for values, camera in zip(rows, lens.views(performer, angles, film.PICTURE_PX, rng), strict=True):
        vertices = performer.pose(values)
        truth = film.true_landmarks(places.points(vertices), camera)
        picture = capture.apply(renderer.draw(vertices, values, camera, look), conditions, rng)
        tile = tracker.follow(picture, truth, rng).tile
        found = graph.run(tile, _WHOLE, maps)
        face = TrackedFace(found.landmarks, _WHOLE, 1.0, found.maps) if found.presence > MIN_PRESENCE else None
        faces.append((face, tile))
    return rows, faces


def labelled(played: Played, count: int, person: int) -> clips.Clip:
    """So many frames, spread over the first part of a clip, labelled as a coder would."""
    rng = np.random.default_rng([_SEED + 2, person, count])
    step = LABELLED_FRAMES // count
    rows = np.arange(count) * step + rng.integers(0, step, count)
    rows = rows[played.take.found[rows]]
    labels = played.truth[rows] + np.where(played.truth[rows] > 0.05, rng.normal(0.0, CODER_OFF, (len(rows), 58)), 0.0)
    for mean_id in channels.SIDES_OF:
        labels[:, channels.INDEX[mean_id]] = np.nan
    return _clip(played.take, rows, rounded(labels))


def _clip(take: Take, rows: NDArray[np.int64], labels: NDArray[np.float32]) -> clips.Clip:
    seen = features(take)
    neutral = choose_neutral(take, seen, NeutralSettings()).neutral or generic_neutral(seen.embedding.shape[1])
    return clips.Clip("study", take, seen, neutral, rows, labels, np.ones(len(rows)), 0)


def measure(found: base.Base, source: clips.Source, person: tuple[Played, Played], clip: clips.Clip) -> Gain | None:
    """Learns and measures; None where the labels were too few, or nothing was gained by them."""
    started = time.perf_counter()
    try:
        learnt = tuning.learn_from(found, source, (clip,))
    except SettingsError:
        return None
    seconds = time.perf_counter() - started
    ids = [*learnt.changed, *(need.channel for need in learnt.short)]
    able = [each for each in channels.PREDICTED_IDS if each not in ids or each in learnt.changed]
    with tempfile.TemporaryDirectory() as temporary:
        tuned = _opened(learnt, Path(temporary))
        verdict = judging.judge(source.regressor, tuned, (clip,), learnt.split.held, learnt.changed)
        if not verdict.improved:
            return None
        scores = [
            _scores(source.regressor, tuned, played, first, able)
            for played, first in zip(person, (FIRST_MEASURED, 0), strict=True)
        ]
    return Gain(len(learnt.changed), np.array(scores), seconds)


def _opened(learnt: tuning.Learnt, folder: Path) -> Regressor:
    """The adapted head in place of the base's, the stage being the same."""
    adapter.export(learnt.head, folder / "head.onnx")
    plain = learnt.source.regressor
    return Regressor(plain.entry, open_session(folder / "head.onnx", "cpu"), plain.stage)


def _scores(before: Regressor, after: Regressor, played: Played, first: int, ids: list[str]) -> list[list[float]]:
    """MAE and ICC before and after, mean over the channels that could be learnt and are played here."""
    whole = _clip(played.take, np.arange(len(played.take)), played.truth)
    rows = np.flatnonzero(played.take.found & (np.arange(len(played.take)) >= first))
    truth = played.truth[rows]
    columns = [
        channels.INDEX[each] for each in ids if truth[:, channels.INDEX[each]].max() > 2 * channels.PRESENT_ABOVE
    ]
    tables = [judging.curves(regressor, whole)[rows][:, columns] for regressor in (before, after)]
    return [
        [float(metric(table, truth[:, columns]).mean()) for table in tables] for metric in (metrics.mae, metrics.icc)
    ]


def main() -> int:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description="Measure what labels bring on rendered people.")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--scale", type=float, default=1.0, help="people whose smile, brows and jaw mean so much of it")
    options = parser.parse_args()
    registry = Registry((BUNDLED,))
    found = base.load(registry, "accurate")
    source = clips.Source(registry, open_regressor(registry, "accurate", "cpu"), found.stage)
    folder = packages.cache_folder() / "training" / "finetune-study-1"
    folder.mkdir(parents=True, exist_ok=True)
    scale = np.array([options.scale if each.startswith(SCALED) else 1.0 for each in channels.IDS], np.float32)
    people: list[tuple[Played, Played]] = []
    for number in range(options.people):
        first, second = (_scaled(play(number, clip, source.regressor, folder), scale) for clip in FRAMES)
        people.append((first, second))
        sys.stderr.write(f"filmed {number + 1}/{options.people}\n")
    print("| labels | helped | channels | MAE, same clip | ICC | MAE, other clip | ICC | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for count in COUNTS:
        own = [measure(found, source, each, labelled(each[0], count, index)) for index, each in enumerate(people)]
        print(_row(count, own), flush=True)
    return 0


def _row(count: int, gains: list[Gain | None]) -> str:
    helped = [gain for gain in gains if gain is not None]
    if not helped:
        return f"| {count} | 0 of {len(gains)} | | | | | | |"
    means = np.nanmean([gain.scores for gain in helped], axis=0)
    cells = [f"{table[0, 0]:.4f} → {table[0, 1]:.4f} | {table[1, 0]:.3f} → {table[1, 1]:.3f}" for table in means]
    learnt, seconds = (np.mean([getattr(gain, name) for gain in helped]) for name in ("learnt", "seconds"))
    return f"| {count} | {len(helped)} of {len(gains)} | {learnt:.0f} | {' | '.join(cells)} | {seconds:.0f} |"


if __name__ == "__main__":
    raise SystemExit(main())
