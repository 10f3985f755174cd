"""The command `agree`: how far the coders of a clip agree, and the labels that they agree on."""

import argparse
import sys
from pathlib import Path

from . import annotation, files
from .annotation import agreement, agreement_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("input", type=Path, metavar="FOLDER", help="labels of a clip, NAME.annotation")
    parser.add_argument("-o", "--output", type=Path, metavar="CSV", help="write the figures there as well")
    parser.add_argument(
        "--coder", action="append", default=[], metavar="NAME", help="compare these alone; may be given several times"
    )
    parser.add_argument(
        "--write-agreed", action="store_true", help=f"write the mean of valid values as {annotation.AGREED} into FOLDER"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that exist")
    parser.set_defaults(runtime=None)  # no network runs here


def run(options: argparse.Namespace) -> int:
    """Compares the coders, prints the report and returns the exit code.

    Raises:
        AuMocapError: The folder cannot be read, coders do not fit each other, or a result cannot be written.
    """
    folder: Path = options.input
    stored = annotation.load(folder)
    if options.output is not None:
        files.check_writable(options.output, overwrite=options.overwrite)
    if options.write_agreed:
        files.check_writable(folder / annotation.AGREED, overwrite=options.overwrite)
    found = agreement.compare(stored, tuple(annotation.check_coder(coder) for coder in options.coder))
    said = f"{len(found.coders)} coders" if len(found.coders) != 1 else "1 coder, with nobody to compare"
    sys.stdout.write(f"{stored.clip.name}: {said}, {len(found.agreed)} agreed frames\n\n{agreement_table.text(found)}")
    if options.output is not None:
        agreement_table.write(found, options.output)
        sys.stderr.write(f"Wrote {options.output}\n")
    if options.write_agreed:
        annotation.save_agreed(folder, found.agreed, stored.channels)
        sys.stderr.write(f"Wrote {folder / annotation.AGREED}\n")
    return 0
