"""The papers' systems beside the standard regressors and MediaPipe's scores; writes docs/papers.md."""

from collections.abc import Iterator
from pathlib import Path

from training.papers.__main__ import SYSTEMS
from training.papers.comparison import compare
from training.papers.places import folder
from training.papers.system import Product
from training.papers.table import text, write
from training.synth.film import FRAMES_PER_PERFORMER

from . import Row, at_most, skipped

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "papers.md"
_SHARDS = 12
_PERFORMERS_IN_SHARD = 20
_MOST_MS = 5.0
_MOST_MB = 10.0
_LITE = "cnn48_lite"


def rows() -> Iterator[Row]:
    """Yield every figure of the table; targets are those of the light 48x48 network."""
    home = folder()
    found = compare([home] if (home / "registry.toml").is_file() else [], _SHARDS)
    performers = _SHARDS * _PERFORMERS_IN_SHARD
    write(_PAGE, text(found, list(SYSTEMS.values()), performers * FRAMES_PER_PERFORMER, performers))
    for row in found:
        key = row.name.replace(", ", "_").replace(" ", "_").replace("'", "")
        yield Row(f"{key}_icc", row.icc)
        yield Row(f"{key}_loss", row.loss)
        yield Row(f"{key}_f1", row.f1 if row.f1_tuned is None else row.f1_tuned)
        if row.ms is not None and row.size_mb is not None:
            light = row.name.startswith(_LITE)
            yield at_most(f"{key}_ms", row.ms, "ms", _MOST_MS) if light else Row(f"{key}_ms", row.ms, "ms")
            yield (
                at_most(f"{key}_size", row.size_mb, "MB", _MOST_MB) if light else Row(f"{key}_size", row.size_mb, "MB")
            )
    trained = {row.name.partition(",")[0] for row in found}
    for name in SYSTEMS:
        if name not in trained and not isinstance(SYSTEMS[name], Product):
            yield skipped(name, f"not trained yet: run make.py train papers {name}")
