"""`python -m training.papers`: trains the papers' systems on the synthetic performers."""

import argparse
import hashlib
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from training import packages
from training.all_or_nothing import all_or_nothing
from training.papers import data, export, study
from training.papers.aunet import AuNet
from training.papers.cnn48 import Cnn48, Cnn48Lite
from training.papers.feafa import Feafa
from training.papers.genet.system import Genet
from training.papers.imagenet import BACKBONES
from training.papers.places import folder
from training.papers.registration import Registered
from training.papers.saying import say
from training.papers.system import Order, Product, Studied, System
from training.papers.translator import making, ordering
from training.synth import film

_ALL: Final = (Feafa(), Cnn48(), Cnn48Lite(), Registered(), Genet(), AuNet())
SYSTEMS: Final[dict[str, System | Product]] = {system.name: system for system in _ALL}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything.

    Attributes:
        call: What is filmed.
        epochs: Passes over the training cast.
    """

    call: film.Call
    epochs: int


FULL: Final = Plan(film.Call({"validation": 8, "test": 12, "training": 300}), epochs=14)
SMOKE: Final = Plan(film.Call({"validation": 1, "test": 1, "training": 1}, views=12, performers=2), epochs=1)


def main() -> int:
    """Trains what is named, or everything; finished films, features and passes are kept and found again.

    With --study the papers' comparisons are made in place of the regressors.
    """
    options = _arguments()
    plan = _plan(options)
    torch.set_num_threads(os.cpu_count() or 1)
    out: Path = options.out or folder()
    out.mkdir(parents=True, exist_ok=True)
    try:
        _, paths = film.film_all(plan.call, options.films or (out / "films" if options.smoke else None))
        casts = {name: data.load(own) for name, own in paths.items()}
        order = _order(options, plan, casts, out)
        for name in options.names or SYSTEMS:
            if name == ordering.NAME:
                making.make(order, ordering.commission(options, out), out)
            elif not options.study:
                make(SYSTEMS[name], order, out)
            elif isinstance(system := SYSTEMS[name], Studied):
                study.make(system, order, options.out or study.PAGES)
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def make(system: System | Product, order: Order, out: Path) -> None:
    """Trains one system and writes its regressor, or what else it makes, into a folder of models."""
    if isinstance(system, Product):
        system.make(order, out)
        return
    started = time.perf_counter()
    trained = system.train(order)
    with all_or_nothing([out / name for name in (*export.files(system.name), "registry.toml")]):
        measured = export.publish(trained, out, order.casts["validation"], order.casts["test"])
    minutes = (time.perf_counter() - started) / 60
    say(f"{system.name}: ONNX against PyTorch {measured.difference:.1g}")
    say(f"{system.name}: ICC(3,1) {measured.icc:.3f}, F1 {measured.f1:.3f} on the test cast, {minutes:.1f} minutes")
    for note in trained.shortened:
        say(f"{system.name}: {note}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make.py train papers", description="Train the papers' systems.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which; all without a name: {', '.join(SYSTEMS)}; or {ordering.NAME}"
    )
    parser.add_argument("--smoke", action="store_true", help="a tiny run that shows that every step works")
    parser.add_argument("--study", action="store_true", help="the papers' comparisons (a page in docs), no regressor")
    parser.add_argument("--hours", type=float, help="time for all of them; what is shortened is said")
    parser.add_argument("--out", type=Path, help=f"folder of the models (default: {folder()}; required with --smoke)")
    parser.add_argument("--films", type=Path, help="folder of films (default: the cache)")
    parser.add_argument("--shards", type=int, help="shards of the training cast, 480 frames each")
    parser.add_argument("--measure", type=int, help="shards of the validation and of the test cast to measure on")
    parser.add_argument("--epochs", type=int, help="passes over the training cast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--backbone", choices=sorted(BACKBONES), default="efficientnet_lite0", help="feafa: the network"
    )
    parser.add_argument("--weights", type=Path, help="feafa: its ImageNet weights, a PyTorch state dict")
    parser.add_argument("--finetune", type=int, default=0, help="feafa, registered: passes with all set free")
    ordering.add(parser)
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in (*SYSTEMS, ordering.NAME)]:
        parser.error(f"there is no system {unknown[0]}: choose from {', '.join((*SYSTEMS, ordering.NAME))}")
    ordering.check(parser, options)
    studied = [name for name, system in SYSTEMS.items() if isinstance(system, Studied)]
    if options.study and (without := [name for name in options.names if name not in studied]):
        parser.error(f"{without[0]} has no comparisons of its own: --study knows {', '.join(studied) or 'none yet'}")
    if options.smoke and options.out is None:
        parser.error("--smoke needs --out FOLDER: its results are not fit for use")
    if options.hours is not None and not options.hours > 0:
        parser.error("--hours must be above 0")
    if any(number is not None and number < least for number, least in _bounds(options)):
        parser.error("--shards, --measure and --epochs must be 1 or more, --finetune 0 or more")
    return options


def _bounds(options: argparse.Namespace) -> tuple[tuple[int | None, int], ...]:
    return (options.shards, 1), (options.measure, 1), (options.epochs, 1), (options.finetune, 0)


def _plan(options: argparse.Namespace) -> Plan:
    plan = SMOKE if options.smoke else FULL
    shards = dict(plan.call.shards)
    shards["training"] = options.shards or shards["training"]
    for cast in ("validation", "test"):
        shards[cast] = min(options.measure or shards[cast], shards[cast])
    plan = replace(plan, call=replace(plan.call, shards=shards))
    return replace(plan, epochs=options.epochs or plan.epochs)


def _order(options: argparse.Namespace, plan: Plan, casts: dict[str, data.Cast], out: Path) -> Order:
    """What every system is asked for; checkpoints of another plan are left alone."""
    mark = f"{plan.call.shards['training']} {plan.epochs} {options.seed} {options.weights}"
    digest = hashlib.sha256(mark.encode()).hexdigest()[:12]
    home = out / "checkpoints" if options.smoke else packages.cache_folder() / "training" / "papers-checkpoints"
    return Order(
        casts=casts,
        checkpoints=home / digest,
        epochs=plan.epochs,
        seed=options.seed,
        deadline_s=None if options.hours is None else time.monotonic() + 3600.0 * options.hours,
        backbone=options.backbone,
        weights=options.weights,
        finetune=options.finetune,
        folds=2 if options.smoke else 5,
    )


if __name__ == "__main__":
    raise SystemExit(main())
