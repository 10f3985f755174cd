"""The command `refine`: a second pass over a take's video, in which renderings of the face correct its values."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import DEFAULT_REGRESSOR, files, refining
from . import take as takes
from .errors import AuMocapError, TakeError
from .library import clips
from .meter import Meter
from .refiners.entry import refiners
from .refiners.fitting import MOST_STEPS, STEPS
from .refiners.refiner import open_refiner
from .registry import BUNDLED, Registry
from .regressors import open_regressor
from .runtimes import AUTOMATIC_THREADS, MOST_THREADS

_ENDING: Final = f".refined{takes.SUFFIX}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("input", type=Path, metavar="TAKE", help=f"a take that was analysed, NAME{takes.SUFFIX}")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help=f"the refined take (default: NAME{_ENDING}, beside the other)"
    )
    parser.add_argument("--video", type=Path, help="the take's video, where it has moved")
    parser.add_argument("--refiner", metavar="NAME", help="default: the first of the model folders")
    parser.add_argument(
        "--steps", type=_count(1, MOST_STEPS), default=STEPS, metavar="N", help="of each frame (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a refined take that exists")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: %(default)s")
    parser.add_argument(
        "--threads",
        type=_count(0, MOST_THREADS),
        default=AUTOMATIC_THREADS,
        metavar="N",
        help="processor threads for each network (default: 0, automatic)",
    )


def run(options: argparse.Namespace) -> int:
    """Refines a take, writes what came of it and returns the exit code.

    Raises:
        AuMocapError: The take, its video or a model cannot be used, or the result not be written; the message says why.
    """
    source: Path = options.input
    output = _output(source, options.output)
    files.check_writable(output, overwrite=options.overwrite)
    take = takes.load(source)
    registry = Registry((BUNDLED, *options.models))
    refiner = open_refiner(registry, options.refiner, options.device, options.threads)
    refining.check(take)
    name = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
    start = refining.start_of(take, open_regressor(registry, name, options.device, options.threads))
    found = clips.of_take(source, take.meta)
    video = options.video or (Path(found) if found else None)
    meter = Meter(source.name)
    try:
        refined = refining.refine(take, start, refiner, video, options.steps, meter)
    finally:
        meter.finish()
    takes.save(refined.take, output)
    left = 100.0 * refined.after / refined.before if refined.before else 100.0
    _say(f"{refined.frames} of {len(take)} frames were fitted; {left:.0f} % of the difference to the video is left.")
    _say(f"Wrote {output}")
    return 0


def listing(registry: Registry) -> list[str]:
    """Lines of `models`: every refiner, and whether it works here; none where there is none."""
    lines: list[str] = []
    for entry in refiners(registry):
        try:
            open_refiner(registry, entry.name, "cpu")
            state = "Ready."
        except AuMocapError as error:
            state = str(error)
        lines.append(f"  {entry.name} {entry.version}  {entry.label}. {entry.licence}. {state}")
    return ["Refiners", *lines] if lines else []


def _output(source: Path, output: Path | None) -> Path:
    if not source.name.endswith(takes.SUFFIX):
        message = f"{source} is no take (NAME{takes.SUFFIX}): analyse the video first (extract), then refine its take."
        raise TakeError(message)
    if output is None:
        return source.with_name(source.name.removesuffix(takes.SUFFIX) + _ENDING)
    if not output.name.endswith(takes.SUFFIX):
        message = f"A refined take is a take: name NAME{takes.SUFFIX}, not {output}."
        raise TakeError(message)
    if output.absolute() == source.absolute():
        message = "The refined take cannot take the place of the one that it is made from: choose another name."
        raise TakeError(message)
    return output


def _count(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            message = f"'{text}' is no whole number from {least} to {most}"
            raise argparse.ArgumentTypeError(message)
        return int(text)

    return read


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
