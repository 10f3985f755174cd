"""Accuracy on the synthetic test cast: every regressor, MediaPipe's scores and constant zero, through the engine."""

from collections.abc import Iterator

import numpy as np

from au_mocap import DEFAULT_REGRESSOR, channels
from au_mocap.registry import Registry
from training.accuracy import ZERO, Table, compare
from training.outcome import FEAFA

from . import Row, at_least, at_most

_LEAST_MEAN = 0.80
_LEAST_CHANNEL = 0.55
_LEAST_LEAD = 0.35
_MOST_LOSS = 0.29


def rows() -> Iterator[Row]:
    """Yield ICC(3,1) over FEAFA's 24, the weakest channel and the FEAFA loss; targets are those of the default."""
    names = [entry.name for entry in Registry().regressors]
    tables = {table.name: table for table in compare(names)}
    best = tables[DEFAULT_REGRESSOR]
    peer = max(tables["mediapipe"].feafa_icc, tables["mediapipe, no neutral"].feafa_icc)
    yield at_least("default_icc", best.feafa_icc, "", _LEAST_MEAN)
    yield at_least("default_icc_weakest", float(best.icc[FEAFA].min()), "", _LEAST_CHANNEL, _weakest(best))
    yield at_least("default_icc_above_mediapipe", best.feafa_icc - peer, "", _LEAST_LEAD)
    yield at_most("default_loss_of_zero", best.loss_ratio, "", _MOST_LOSS)
    for name, table in tables.items():
        key = name.replace(", ", "_").replace(" ", "_")
        yield Row(f"{key}_icc", table.feafa_icc, note=_weakest(table) if name != ZERO else "")
        yield Row(f"{key}_icc_all", float(table.icc.mean()))
        yield Row(f"{key}_loss_of_zero", table.loss_ratio)


def _weakest(table: Table) -> str:
    order = np.argsort(table.icc[FEAFA])[:3]
    return "weakest: " + ", ".join(f"{channels.IDS[index]} {table.icc[index]:.2f}" for index in order)
