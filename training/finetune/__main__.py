"""`python make.py train finetune LABELS… --out FOLDER`: adapts a regressor's head to labelled frames."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from au_mocap import DEFAULT_REGRESSOR
from au_mocap.errors import AuMocapError
from training.finetune import fit, tuning, writing


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command: 0 when something better was written, 1 when nothing was, 2 for bad usage."""
    options = _parser().parse_args(arguments)
    name = options.name or f"{options.base}_adapted"
    torch.set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    try:
        writing.check(options.out, name, overwrite=options.overwrite)
        labels, models = tuple(options.labels), tuple(options.models)
        order = tuning.Order(labels, options.base, options.coder, models, options.passes)
        written = writing.keep_if_better(tuning.learn(order), options.out, name)
    except AuMocapError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written.\n")
        return 1
    minutes = (time.perf_counter() - started) / 60
    sys.stderr.write(f"Wrote {', '.join(written)} to {options.out} in {minutes:.1f} minutes\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make.py train finetune", description="Adapt a regressor's head to labelled frames (docs/finetune.md)."
    )
    parser.add_argument(
        "labels", nargs="+", type=Path, metavar="LABELS", help="folders NAME.annotation, or corrected tables NAME.csv"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="model folder to write to")
    parser.add_argument("--base", default=DEFAULT_REGRESSOR, help="what is adapted: accurate or fast (%(default)s)")
    parser.add_argument("--name", help="name of the result (BASE_adapted)")
    parser.add_argument(
        "--passes", type=_passes, default=fit.PASSES, metavar="N", help="most passes of the fit (%(default)s)"
    )
    parser.add_argument("--coder", metavar="NAME", help="learn from this coder's labels, not from the agreed ones")
    parser.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a model folder whose regressors made takes",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result of the same name")
    return parser


def _passes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        message = f"{text}: give a whole number from 1 to 1000"
        raise argparse.ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
