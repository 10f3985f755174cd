"""The translator on the command line of `make.py train papers`."""

import argparse
from pathlib import Path
from typing import Final

from training.papers.translator.making import Commission
from training.papers.translator.settings import TranslatorError, settings

NAME: Final = "translator"
"""No regressor, so no system: it makes pictures, and is trained only where it is named."""

_LOOK: Final = "frontal"
_SHEET: Final = Path(__file__).parents[3] / "docs" / "papers-translator.jpg"
_SMOKE_EACH: Final = 2


def add(parser: argparse.ArgumentParser) -> None:
    """Adds what else can be said of a translator."""
    parser.add_argument("--look", default=_LOOK, help=f"{NAME}: how faces are cut out (default: {_LOOK})")
    parser.add_argument("--size", type=int, help=f"{NAME}: side of its pictures in pixels, a power of two")


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuses what no translator can be made of."""
    try:
        settings(options.look, options.size)
    except TranslatorError as error:
        parser.error(str(error))


def commission(options: argparse.Namespace, out: Path) -> Commission:
    """The translator that was asked for; only a full run into the usual folder changes the documentation's sheet."""
    chosen = settings(options.look, options.size)
    sheet = _SHEET if options.out is None else out / _SHEET.name
    return Commission(chosen, sheet, _SMOKE_EACH) if options.smoke else Commission(chosen, sheet)
