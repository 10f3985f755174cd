"""`python -m training.geometry`: makes the canonical face and the `geometry` regressor from nothing."""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from au_mocap import landmarks, pose
from au_mocap.registry import BUNDLED
from training import packages
from training.geometry import canonical, correspondences, dataset, examples, export, pose_correction, train

_HELD_OUT = (0.1, 0.1)  # performers for validation and for the test
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything.

    Attributes:
        views: Renders for the correspondences.
        shards: Shards of tracked frames (480 frames each).
        epochs: Passes over the training split.
    """

    views: int
    shards: int
    epochs: int


FULL = Plan(views=300, shards=70, epochs=50)
SMOKE = Plan(views=12, shards=1, epochs=2)


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
        places, frames = _film(plan, options.seed)
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    parts = examples.split(frames, _HELD_OUT)
    engine = landmarks.CANONICAL_FILE.parent if options.out is None else out
    tables = [engine / path.name for path in (landmarks.CANONICAL_FILE, pose.CORRECTION_FILE)]
    with _all_or_nothing([*tables, *(out / name for name in (export.FILE, export.CARD, "registry.toml"))]):
        _shape(places, parts[0], *tables)
        measured = _fit(parts, plan, options.seed, out)
        export.register(out / export.FILE, measured)
        export.write_card(out / export.CARD, measured)
    seconds = time.perf_counter() - started
    sys.stderr.write(f"Wrote {out / export.FILE} and its card in {seconds / 60:.1f} minutes\n")
    return 0


def _film(plan: Plan, seed: int) -> tuple[correspondences.Correspondences, dataset.Frames]:
    places = correspondences.find(plan.views, np.random.default_rng(seed))
    folder = packages.cache_folder() / "training" / f"geometry-{_recipe(plan, seed)}"
    paths: list[Path] = []
    for path in dataset.film_all(places, seed, plan.shards, folder):
        paths.append(path)
        sys.stderr.write(f"filmed shard {len(paths)}/{plan.shards}\n")
    return places, dataset.load(paths)


@contextmanager
def _all_or_nothing(paths: Sequence[Path]) -> Iterator[None]:
    """Puts files back as they were when the block fails: a new canonical face must not meet an old network."""
    before = {path: path.read_bytes() if path.exists() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, raw in before.items():
            if raw is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(raw)
        raise


def _shape(
    places: correspondences.Correspondences, training: dataset.Frames, canonical_file: Path, correction_file: Path
) -> None:
    """Makes the canonical face and the pose correction. In the engine's folder they count at once, for what follows."""
    face = canonical.mean_face(places, np.random.default_rng(0))
    canonical.write(face, canonical.reliability(face, training), canonical_file)
    landmarks.canonical_face.cache_clear()
    pose_correction.write(pose_correction.fit(training), correction_file)


def _recipe(plan: Plan, seed: int) -> str:
    """Names the frames by everything that decides them, so that old ones are never taken for new."""
    digest = hashlib.sha256(f"{plan.views} {seed}".encode())
    sources = [*(_ROOT / "training" / "synth").glob("*.py"), *(_ROOT / "training" / "geometry").glob("[cd]*.py")]
    for path in sorted([*sources, BUNDLED / "face_landmarks.onnx"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _fit(parts: tuple[dataset.Frames, ...], plan: Plan, seed: int, out: Path) -> export.Measured:
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
