"""`python -m training.appearance`: makes the `accurate` and `fast` regressors from nothing."""

import argparse
import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from au_mocap.registry import BUNDLED
from training import packages
from training.all_or_nothing import all_or_nothing
from training.appearance import export, looks
from training.appearance.batches import Films
from training.appearance.network import ACCURATE, FAST
from training.appearance.refit import MOST_PERFORMERS, evaluate, refit
from training.appearance.train import Training, restore_amplitude
from training.synth import film


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: what is filmed, and passes over the training cast."""

    call: film.Call
    epochs: int


FULL = Plan(film.Call({"validation": 8, "test": 12, "training": 400}), epochs=20)
SMOKE = Plan(film.Call({"validation": 1, "test": 1, "training": 1}, views=12, performers=4), epochs=2)
DESIGNS = (ACCURATE, FAST)


def main() -> int:
    """Runs every step; finished shards and passes are kept and found again."""
    parser = argparse.ArgumentParser(description="Train the accurate and the fast regressor.")
    parser.add_argument("--smoke", action="store_true", help="a tiny run that shows that every step works")
    parser.add_argument("--out", type=Path, help="folder for the results (default: models/; required with --smoke)")
    parser.add_argument("--shards", type=int, help="shards of the training cast, 480 frames each")
    parser.add_argument("--epochs", type=int, help="passes over the training cast")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.smoke and options.out is None:
        parser.error("--smoke needs --out FOLDER: its results are not fit for models/")
    plan = SMOKE if options.smoke else FULL
    if options.shards:
        plan = Plan(film.Call({**plan.call.shards, "training": options.shards}), plan.epochs)
    torch.set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    try:
        _, paths = film.film_all(plan.call, options.out / "films" if options.smoke else None)
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    out: Path = options.out or BUNDLED
    out.mkdir(parents=True, exist_ok=True)
    names = [name for design in DESIGNS for name in export.files(design.name)]
    with all_or_nothing([out / name for name in (*names, "registry.toml")]):
        _train(paths, options.epochs or plan.epochs, options.seed, out, options.smoke)
    sys.stderr.write(f"Wrote {', '.join(names)} in {(time.perf_counter() - started) / 60:.1f} minutes\n")
    return 0


def _train(paths: dict[str, list[Path]], epochs: int, seed: int, out: Path, smoke: bool) -> None:
    films = {cast: _films(own) for cast, own in paths.items()}
    plan = hashlib.sha256(f"{len(paths['training'])} {epochs} {seed} {DESIGNS}".encode()).hexdigest()[:12]
    checkpoints = out / "checkpoints" if smoke else packages.cache_folder() / "training" / f"appearance-{plan}"
    models = Training(DESIGNS, films["training"], films["validation"], epochs, seed, checkpoints).run()
    kept = {
        cast: looks.look(models, own, 0 if cast == "training" else None, seed, MOST_PERFORMERS, checkpoints)
        for cast, own in films.items()
    }
    fusions = refit(models, kept["training"], kept["validation"], seed)
    for name, outcome in evaluate(models, fusions, kept["validation"]).items():
        restore_amplitude(models[name], outcome)
        difference = export.export(models[name], out, fusions.get(name))
        sys.stderr.write(f"{name}: ONNX against PyTorch {difference:.1g}\n")
    own, generic = (evaluate(models, fusions, kept["test"], trust) for trust in (1.0, 0.0))
    for name, model in models.items():
        measured = export.Measured(own[name], generic[name], films["training"].frames, films["test"].performers)
        export.register(model, out, measured)
        sys.stderr.write(f"{name}: ICC(3,1) {own[name].feafa_icc:.3f} on the test cast\n")


def _films(paths: list[Path]) -> Films:
    frames, tiles = film.load(paths), film.load_tiles(paths)
    return Films(frames, tiles, np.arange(len(frames) // film.FRAMES_PER_PERFORMER), paths[0].parent)


if __name__ == "__main__":
    raise SystemExit(main())
