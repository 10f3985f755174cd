"""The command `refine`: a second pass over a take's video, in which renderings of the face correct its values."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from . import files
from . import take as takes
from .errors import AuMocapError, TakeError
from .meter import Meter
from .refine_file import ENDING, Job, check_apart, output_of, refine_file, told
from .refiners.entry import refiners
from .refiners.fitting import MOST_STEPS, STEPS
from .refiners.refiner import open_refiner
from .registry import BUNDLED, Registry
from .runtimes import AUTOMATIC_THREADS, MOST_THREADS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("input", type=Path, metavar="TAKE", help=f"a take that was analysed, NAME{takes.SUFFIX}")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help=f"the refined take (default: NAME{ENDING}, beside the other)"
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
    job = Job(source, output, options.video, options.refiner, options.steps, options.device, options.threads)
    meter = Meter(source.name)
    try:
        refined = refine_file(job, Registry((BUNDLED, *options.models)), meter)
    finally:
        meter.finish()
    _say(told(refined))
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
        return output_of(source)
    if not output.name.endswith(takes.SUFFIX):
        message = f"A refined take is a take: name NAME{takes.SUFFIX}, not {output}."
        raise TakeError(message)
    check_apart(source, output)
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
