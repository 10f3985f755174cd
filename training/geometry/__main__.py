"""`python -m training.geometry`: makes the canonical face and the `geometry` regressor from nothing."""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from au_mocap import landmarks, pose
from au_mocap.registry import BUNDLED
from training import packages
from training.all_or_nothing import all_or_nothing
from training.geometry import canonical, examples, export, pose_correction, train
from training.synth import film
from training.synth.correspondences import Correspondences


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: what is filmed, and passes over the training cast."""

    call: film.Call
    epochs: int


FULL = Plan(film.Call({"validation": 8, "test": 12, "training": 70}), epochs=50)
SMOKE = Plan(film.Call({"validation": 1, "test": 1, "training": 1}, views=12, performers=4), epochs=2)


def main() -> int:
    """Runs every step; finished shards are kept and found again."""
    parser = argparse.ArgumentParser(description="Train the geometry regressor.")
    parser.add_argument("--smoke", action="store_true", help="a tiny run that shows that every step works")
    parser.add_argument("--out", type=Path, help="folder for the results (default: models/; required with --smoke)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.smoke and options.out is None:
        parser.error("--smoke needs --out FOLDER: its results are not fit for models/")
    out: Path = options.out or BUNDLED
    out.mkdir(parents=True, exist_ok=True)
    plan = SMOKE if options.smoke else FULL
    torch.set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    try:
        places, paths = film.film_all(plan.call, options.out and options.out / "films")
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    parts = tuple(film.load(paths[cast]) for cast in film.CASTS)
    engine = landmarks.CANONICAL_FILE.parent if options.out is None else out
    tables = [engine / path.name for path in (landmarks.CANONICAL_FILE, pose.CORRECTION_FILE)]
    with all_or_nothing([*tables, *(out / name for name in (export.FILE, export.CARD, "registry.toml"))]):
        _shape(places, parts[0], *tables)
        measured = _fit(parts, plan, options.seed, out)
        export.register(out / export.FILE, measured)
        export.write_card(out / export.CARD, measured)
    seconds = time.perf_counter() - started
    sys.stderr.write(f"Wrote {out / export.FILE} and its card in {seconds / 60:.1f} minutes\n")
    return 0


def _shape(places: Correspondences, training: film.Frames, canonical_file: Path, correction_file: Path) -> None:
    """Makes the canonical face and the pose correction. In the engine's folder they count at once, for what follows."""
    face = canonical.mean_face(places, np.random.default_rng(0))
    canonical.write(face, canonical.reliability(face, training), canonical_file)
    landmarks.canonical_face.cache_clear()
    pose_correction.write(pose_correction.fit(training), correction_file)


def _fit(parts: tuple[film.Frames, ...], plan: Plan, seed: int, out: Path) -> export.Measured:
    rng = np.random.default_rng([seed, 1])
    training, validation, test = (examples.prepare(part, rng) for part in parts)
    head = train.train(training, validation, plan.epochs, seed)
    train.restore_amplitude(head, validation)
    difference = export.export(head, out / export.FILE)
    sys.stderr.write(f"ONNX against PyTorch: {difference:.1g}\n")
    return export.Measured(
        own=train.evaluate(head, test),
        generic=train.evaluate(head, test, trust=0.0),
        performers=len(test.neutrals),
        trained_on=len(training.values),
    )


if __name__ == "__main__":
    raise SystemExit(main())
