"""Scores as people and programs read them: a text table and JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from . import channels, strict_json
from .datasets import Target
from .scores import MEASURES, Pair, Scores, of_zero, score

ZERO: Final = "constant zero"
FEAFA_MEAN: Final = "mean of FEAFA's"
_SHOWN: Final = ("icc", "pcc", "mae", "f1")
_SUMMED_UP: Final = ("icc", "pcc", "mae", "mse", "f1", "jitter")
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Result:
    """One regressor's scores.

    Attributes:
        name: The regressor, or `ZERO`.
        version: Its version, empty where it has none.
        scores: Over all clips.
        folds: Over the clips of each fold, with its subjects.
    """

    name: str
    version: str
    scores: Scores
    folds: tuple[tuple[tuple[str, ...], Scores], ...] = ()


def results_of(pairs: Mapping[tuple[str, str], Sequence[Pair]], folds: Sequence[tuple[str, ...]] = ()) -> list[Result]:
    """Scores the pairs of each regressor, and constant zero on the same frames.

    Args:
        pairs: At least one regressor's, by its name and version; all of the same clips.
        folds: Subjects of each fold.
    """
    everything = {**pairs, (ZERO, ""): of_zero(next(iter(pairs.values())))}
    results: list[Result] = []
    for (name, version), of_one in everything.items():
        parts = ((fold, [one for one in of_one if one.subject in fold]) for fold in folds)
        scored = tuple((fold, score(part)) for fold, part in parts if part)
        results.append(Result(name, version, score(of_one), scored))
    return results


def extent(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many clips, subjects and labelled frames there are."""
    return {
        "clips": len(pairs),
        "subjects": len({one.subject for one in pairs}),
        "frames": sum(len(one.frames) for one in pairs),
    }


def heading(facts: Mapping[str, Any]) -> str:
    """One line of what was measured and how, of `extent` and the settings."""
    counts = ", ".join(f"{facts[name]} {name if facts[name] != 1 else name[:-1]}" for name in ("clips", "subjects"))
    return (
        f"{facts['dataset'] or 'labels'} of {facts['source']}: {counts}, {facts['frames']} labelled frames; "
        f"neutral {facts['neutral']}, smoothing {facts['smoothing']}"
    )


def write_json(figures: Mapping[str, Any], path: Path) -> None:
    """Writes figures (`as_json` and what they are of) to a file.

    Raises:
        OutputError: It cannot be written.
    """
    strict_json.write(figures, path)


def text(results: Sequence[Result]) -> str:
    """A line for every target with a group of columns for each result, then a line for every result.

    Args:
        results: At least one; all with the same targets.
    """
    shown = [result for result in results if result.name != ZERO] or list(results)
    lines = [*_by_target(shown), "", *_by_result(results)]
    lines += [line for result in shown for line in _by_fold(result)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _by_target(results: Sequence[Result]) -> list[str]:
    first = results[0].scores
    width = max(len(FEAFA_MEAN), *(len(target.name) for target in first.targets))
    group = 7 * len(_SHOWN)
    lines = [
        f"{'':{width}}  {'':>8}" + "".join(f"  {result.name[:group]:^{group}}" for result in results),
        f"{'channel':{width}}  {'frames':>8}"
        + ("  " + "".join(f"{name.upper():>7}" for name in _SHOWN)) * len(results),
    ]
    for k, target in enumerate(first.targets):
        cells = ("  " + _cells([result.scores.figures[name][k] for name in _SHOWN]) for result in results)
        lines.append(f"{target.name:{width}}  {first.counts[k]:>8}" + "".join(cells))
    for label, among in _averaged(first.targets):
        means = ("  " + _cells([result.scores.mean(name, among) for name in _SHOWN]) for result in results)
        lines.append(f"{label:{width}}  {'':>8}" + "".join(means))
    return lines


def _averaged(targets: Sequence[Target]) -> list[tuple[str, tuple[str, ...]]]:
    """Rows of means: of all targets, and of FEAFA's 24 where they are some of them."""
    names = tuple(target.name for target in targets)
    rows = [("mean", names)]
    if set(channels.FEAFA_IDS) < set(names):
        rows.append((FEAFA_MEAN, channels.FEAFA_IDS))
    return rows


def _by_result(results: Sequence[Result]) -> list[str]:
    width = max(len("regressor"), *(len(result.name) for result in results))
    heading = "".join(f"{name.upper() if name != 'jitter' else name:>7}" for name in _SUMMED_UP)
    with_loss = any(result.scores.feafa_loss is not None for result in results)
    lines = [f"{'regressor':{width}}  {heading}  {'face':>7}" + ("  FEAFA loss  of zero's" if with_loss else "")]
    for result in results:
        scores = result.scores
        line = f"{result.name:{width}}  " + _cells([scores.mean(name) for name in _SUMMED_UP])
        line += f"  {100 * scores.found:6.1f}%"
        if scores.feafa_loss is not None and scores.feafa_loss_of_zero is not None:
            line += f"  {scores.feafa_loss:10.3f}  {_cell(_share(scores)):>9}"
        lines.append(line)
    return lines


def _by_fold(result: Result) -> list[str]:
    if not result.folds:
        return []
    width = max(len(result.name), 9)
    lines = ["", f"{result.name:{width}}  " + "".join(f"{name.upper():>7}" for name in _SHOWN)]
    means = np.array([[scores.mean(name) for name in _SHOWN] for _, scores in result.folds])
    for number, ((subjects, _), row) in enumerate(zip(result.folds, means, strict=True), 1):
        what = "1 subject" if len(subjects) == 1 else f"{len(subjects)} subjects"
        lines.append(f"{f'fold {number}':{width}}  {_cells(row)}  {what}")
    lines.append(f"{'deviation':{width}}  {_cells(means.std(axis=0))}")
    return lines


def _share(scores: Scores) -> float:
    if scores.feafa_loss is None or not scores.feafa_loss_of_zero:
        return math.nan
    return scores.feafa_loss / scores.feafa_loss_of_zero


def _cells(figures: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]) -> str:
    return "".join(f"{_cell(float(figure)):>7}" for figure in figures)


def _cell(figure: float) -> str:
    return _NONE if math.isnan(figure) else f"{figure:.3f}"


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The same as JSON-compatible data; null stands for what a measure does not say."""
    return [
        {
            "regressor": result.name,
            "version": result.version,
            **_summary(result.scores),
            "channels": [
                {
                    "target": target.name,
                    "channels": list(target.channels),
                    "graded": target.graded,
                    "frames": int(result.scores.counts[k]),
                    **{name: _number(result.scores.figures[name][k]) for name in MEASURES},
                }
                for k, target in enumerate(result.scores.targets)
            ],
            "folds": [{"subjects": list(subjects), **_summary(scores)} for subjects, scores in result.folds],
        }
        for result in results
    ]


def _summary(scores: Scores) -> dict[str, Any]:
    return {
        "mean": {name: _number(scores.mean(name)) for name in MEASURES},
        "mean_of_feafa": {name: _number(scores.mean(name, channels.FEAFA_IDS)) for name in MEASURES},
        "found": _number(scores.found),
        "feafa_loss": scores.feafa_loss,
        "feafa_loss_of_zero": scores.feafa_loss_of_zero,
    }


def _number(figure: float) -> float | None:
    return None if math.isnan(figure) else float(figure)
