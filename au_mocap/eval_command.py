"""The command `eval`: regressors against labelled recordings, as a table and as JSON."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import DEFAULT_REGRESSOR, datasets, evaluation, files, pose, score_table
from . import take as takes
from .arguments import EVAL_SMOOTHING, UsageError
from .calibration import NeutralSettings, Settings
from .calibration import curves as curves_of
from .datasets import Clip
from .errors import AuMocapError
from .imported import ImportedValues, identity_of
from .meter import Meter
from .registry import BUNDLED, Registry
from .regressors import open_regressor
from .scores import Pair
from .tracking import open_tracker

_Pairs = dict[tuple[str, str], list[Pair]]
"""Pairs of the same clips by a regressor's name and version."""


def run(options: argparse.Namespace) -> int:
    """Measures what was asked for, prints the table and returns the exit code: 1 where some clips failed.

    Raises:
        UsageError: Options do not fit each other.
        AuMocapError: Nothing could be measured; the message says why.
    """
    _check(options)
    if options.json is not None:
        files.check_writable(options.json, overwrite=options.overwrite)
    source: Path = options.inputs[0]
    # Without contact, which is for characters: what is measured here is what the regressor says.
    settings = Settings(options.neutral or NeutralSettings(), smoothing=options.smooth or EVAL_SMOOTHING, contact=0.0)
    failed: list[str] = []
    folds: list[tuple[str, ...]] = []
    if _is_measured(options):
        pairs = _stored_pair(source, options, settings)
    else:
        clips = _clips(source, options)
        folds = datasets.subject_folds(clips, options.folds) if options.folds else []
        pairs, failed = _clip_pairs(clips, options, settings)
    results = score_table.results_of(pairs, folds)
    facts = {"source": str(source), "dataset": options.dataset, "neutral": settings.neutral.mode}
    facts |= {"smoothing": settings.smoothing, **score_table.extent(next(iter(pairs.values())))}
    sys.stdout.write(score_table.heading(facts) + "\n\n" + score_table.text(results))
    if options.json is not None:
        score_table.write_json({**facts, "failed": failed, "results": score_table.as_json(results)}, options.json)
        _say(f"Wrote {options.json}")
    if failed:
        what = "1 clip failed and is" if len(failed) == 1 else f"{len(failed)} clips failed and are"
        _say(f"{what} in none of the figures: {', '.join(failed)}.")
    return 1 if failed else 0


def _check(options: argparse.Namespace) -> None:
    """Raises UsageError for options of `eval` that do not fit each other."""
    if options.dataset is not None and len(options.inputs) != 1:
        message = "--dataset reads one folder: name no other input."
        raise UsageError(message)
    if options.dataset is None and len(options.inputs) != 2:
        message = "Name a take, table or video and the table of its labels, or a folder with --dataset."
        raise UsageError(message)
    if options.dataset is None and options.folds is not None:
        message = "Folds are made of the subjects of a --dataset."
        raise UsageError(message)
    if options.coder is not None and options.dataset != "annotated":
        message = "--coder chooses among those who labelled a folder: add --dataset annotated."
        raise UsageError(message)
    if not _is_measured(options):
        return
    # A take still lets its neutral be chosen; a table holds finished curves.
    fixed = ["regressor", "tracker", "fov", "takes"]
    fixed += [] if _is_take(options.inputs[0]) else ["neutral", "smooth"]
    given = [f"--{name}" for name in fixed if getattr(options, name) is not None]
    if given:
        message = f"{options.inputs[0].name} has been analysed already: {', '.join(given)} needs the video."
        raise UsageError(message)


def _is_measured(options: argparse.Namespace) -> bool:
    """Whether `eval` was given a take or a table of curves rather than something to analyse."""
    source: Path = options.inputs[0]
    return options.dataset is None and (_is_take(source) or source.suffix.lower() == ".csv")


def _stored_pair(source: Path, options: argparse.Namespace, settings: Settings) -> _Pairs:
    truth = datasets.read_truth(options.inputs[1])
    name = (source.name, "")
    if _is_take(source):
        take = takes.load(source)
        made_with = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
        registry = Registry((BUNDLED, *options.models))
        maker = (
            ImportedValues()
            if take.is_imported
            else open_regressor(registry, made_with, options.device, options.threads)
        )
        known = identity_of(maker)
        name = (known["name"], known["version"])
        predicted = evaluation.table_of(take, curves_of(take, settings, maker))
    else:
        predicted = datasets.read_table(source)
    pair = evaluation.compare(source.name, predicted, truth)
    left_out = len(truth.frames) - len(pair.frames)
    if left_out:
        _say(f"Note: {left_out} of {len(truth.frames)} labelled frames are not in {source.name} and were left out.")
    return {name: [pair]}


def _clips(source: Path, options: argparse.Namespace) -> list[Clip]:
    if options.coder is not None:
        return datasets.annotated.load(source, options.coder)
    return datasets.load(options.dataset, source) if options.dataset else [_labelled(source, options.inputs[1])]


def _labelled(video: Path, table: Path) -> Clip:
    name = video.stem
    return Clip(name, name, video, datasets.read_truth(table))


def _clip_pairs(clips: Sequence[Clip], options: argparse.Namespace, settings: Settings) -> tuple[_Pairs, list[str]]:
    """Pairs by regressor, and the clips that failed; those are in nobody's pairs."""
    registry = Registry((BUNDLED, *options.models))
    names = dict.fromkeys(options.regressor or (DEFAULT_REGRESSOR,))
    regressors = [open_regressor(registry, name, options.device, options.threads) for name in names]
    tracker = open_tracker(options.tracker or "onnx", registry, options.device, options.threads)
    fov_deg = options.fov or pose.DEFAULT_FOV_DEG
    setups = [evaluation.Setup(tracker, regressor, settings, options.takes, fov_deg) for regressor in regressors]
    for clip in clips:  # a clip that cannot be read must not come to light hours later
        datasets.open_clip(clip).close()
    pairs: _Pairs = {(one.entry.name, one.entry.version): [] for one in regressors}
    failed: list[str] = []
    for clip in clips:
        try:
            of_clip = [_predict(clip, setup) for setup in setups]
        except AuMocapError as error:
            if len(clips) == 1:
                raise
            _say(f"Error: {clip.name}: {error}")
            failed.append(clip.name)
            continue
        for of_regressor, pair in zip(pairs.values(), of_clip, strict=True):
            of_regressor.append(pair)
    if len(failed) == len(clips):
        message = "Every clip failed: there is nothing to measure."
        raise AuMocapError(message)
    return pairs, failed


def _predict(clip: Clip, setup: evaluation.Setup) -> Pair:
    meter = Meter(f"{clip.name}, {setup.regressor.entry.name}")
    try:
        return evaluation.predict(clip, setup, meter)
    finally:
        meter.finish()


def _is_take(path: Path) -> bool:
    return path.name.endswith(takes.SUFFIX)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
