"""The paper's ablation: base, with the label VAE, with temporal differences, with both; on the same pictures."""

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics
from training.outcome import FEAFA, amplitude
from training.papers import dependency
from training.papers.aunet_fitting import Judged, fit, judge
from training.papers.aunet_network import VARIANTS
from training.papers.export import tune, tuned_f1
from training.papers.study import table
from training.papers.system import Order

_DRAWS: Final = 200
_INTERVAL: Final = (2.5, 97.5)

_TEXT: Final = """\
Four networks, as in the paper's Table VI, trained at once on the same {trained} performers in the same order; {rounds}.
Measured on {frames} pictures of {people} performers of the test cast, {performed} of them of performances; amplitudes
and thresholds of presence were set on the validation cast. F1 and ICC(3,1) are means over FEAFA's 24 channels, without
a neutral. "Moving" counts the pictures of performances alone: in the others nothing lies before or after.

{figures}

Differences from the base, and in brackets where 95 of 100 draws of the test performers lie:

{differences}

## Dependencies (Table X)

On the performances, over the {channels} channels. Distance: between the matrices of correlations of every AU with every
other, predicted and true, as a share of the true one's size; lower is better. Dependency F1: of each AU in the frames
that show another one, from mean precision and recall over all {pairs} ordered pairs that occur; higher is better.

{dependencies}

The paper reports F1 of 62.7, 63.3, 64.9 and 65.5 percent on BP4D in the same order (Table VII), and for the label VAE a
distance that is 2.2 and a dependency F1 that is 1.5 percent better there (Table X). {shortened}"""


@dataclass(frozen=True, slots=True)
class _Figures:
    f1: float
    f1_moving: float
    icc: float
    icc_moving: float


def study(order: Order) -> str:
    """Trains all variants and compares them; see `system.Studied`."""
    networks, shortened = fit(VARIANTS, order)
    settled = judge(networks, order.casts["validation"])
    shown = {name: _Shown(judged, settled[name]) for name, judged in judge(networks, order.casts["test"]).items()}
    base = shown[VARIANTS[0].name]
    figures = [(variant, shown[variant.name].figures(None)) for variant in VARIANTS]
    found = {variant.name: shown[variant.name].dependency() for variant in VARIANTS}
    first = found[VARIANTS[0].name]
    return _TEXT.format(
        trained=order.casts["training"].performers,
        rounds=f"{order.epochs} {'pass was' if order.epochs == 1 else 'passes were'} asked for",
        frames=len(base.truth),
        people=order.casts["test"].performers,
        performed=int(base.performed.sum()),
        figures=table(
            ["variant", "label VAE", "differences", "F1", "F1, moving", "ICC", "ICC, moving"],
            [
                [variant.paper, _tick(variant.labels), _tick(variant.motion), *astuple(each)]
                for variant, each in figures
            ],
        ),
        differences=table(
            ["variant", "F1", "F1, moving", "ICC", "ICC, moving"],
            [[variant.paper, *_against(shown[variant.name], base)] for variant in VARIANTS[1:]],
        ),
        channels=len(channels.PREDICTED_IDS),
        pairs=first.pairs,
        dependencies=table(
            ["variant", "distance", "against base", "dependency F1", "against base"],
            [
                [
                    variant.paper,
                    found[variant.name].l2,
                    f"{100 * (found[variant.name].l2 / first.l2 - 1):+.1f}%" if first.l2 else "",
                    found[variant.name].f1,
                    f"{100 * (found[variant.name].f1 - first.f1):+.1f} points",
                ]
                for variant in VARIANTS
            ],
        ),
        shortened=f"Shortened: {shortened}." if shortened else "Nothing was shortened.",
    )


class _Shown:
    """A variant's values of the test cast, as the engine gives them; what is tuned, on the validation cast."""

    def __init__(self, test: Judged, validation: Judged) -> None:
        self.performed = test.performed
        self.performer = test.performer
        gains = amplitude(validation.outcome).astype(np.float32)
        settled = channels.complete(np.clip(validation.outcome.predicted * gains, 0, 1), channels.PREDICTED_IDS)
        self._values = np.clip(test.outcome.predicted * gains, 0.0, 1.0)
        self.predicted = channels.complete(self._values, channels.PREDICTED_IDS)
        _, self.truth = test.outcome.tables()
        self._true_values = test.outcome.truth
        self._thresholds = tune(settled, validation.outcome.tables()[1])

    def figures(self, rows: NDArray[np.int64] | None) -> _Figures:
        """Of some pictures, or of all."""
        chosen = np.arange(len(self.truth)) if rows is None else rows
        moving = chosen[self.performed[chosen]]
        return _Figures(self._f1(chosen), self._f1(moving), self._icc(chosen), self._icc(moving))

    def dependency(self) -> dependency.Dependency:
        """Of performances."""
        limits = [self._thresholds.get(name, channels.PRESENT_ABOVE) for name in channels.PREDICTED_IDS]
        said, true = self._values[self.performed], self._true_values[self.performed]
        return dependency.measure(said, true, said > np.array(limits, np.float32))

    def _f1(self, rows: NDArray[np.int64]) -> float:
        if not len(rows):
            return float("nan")
        return float(np.nanmean(tuned_f1(self.predicted[rows], self.truth[rows], self._thresholds)[FEAFA]))

    def _icc(self, rows: NDArray[np.int64]) -> float:
        return float(metrics.icc(self.predicted[rows], self.truth[rows])[FEAFA].mean()) if len(rows) else float("nan")


def _against(shown: _Shown, base: _Shown) -> list[str]:
    """Each figure's difference from the base, with where it lies when other performers are drawn from the cast."""
    names = ("f1", "f1_moving", "icc", "icc_moving")
    own, theirs = shown.figures(None), base.figures(None)
    rng = np.random.default_rng(0)
    people = [np.flatnonzero(base.performer == performer) for performer in np.unique(base.performer)]
    drawn: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(_DRAWS):
        rows = np.concatenate([people[each] for each in rng.integers(0, len(people), len(people))])
        one, other = shown.figures(rows), base.figures(rows)
        for name in names:
            drawn[name].append(getattr(one, name) - getattr(other, name))
    cells: list[str] = []
    for name in names:
        low, high = np.nanpercentile(drawn[name], _INTERVAL) if np.isfinite(drawn[name]).any() else (np.nan, np.nan)
        cells.append(f"{getattr(own, name) - getattr(theirs, name):+.3f} ({low:+.3f} to {high:+.3f})")
    return cells


def _tick(on: bool) -> str:
    return "yes" if on else ""
