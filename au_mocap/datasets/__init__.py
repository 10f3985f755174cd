"""Labelled recordings, for whoever holds their licence: to measure regressors with, or to fine-tune on.

Each module reads one form of folder and says in its first lines what it expects to find. None of these data sets is
bundled, and nothing is fetched.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from . import annotated, bp4d, disfa, feafa, tables
from .blinks import read_blinks
from .clips import Clip, DatasetError, Labels, open_clip, within
from .folds import subject_folds
from .tables import read_table, read_truth
from .targets import Target

LOADERS: Final[Mapping[str, Callable[[Path], list[Clip]]]] = {
    "feafa": feafa.load,
    "disfa": disfa.load,
    "disfa+": disfa.load_plus,
    "bp4d": bp4d.load,
    "fera2015": bp4d.load,
    "fera2017": bp4d.load_fera2017,
    "csv": tables.load,
    "annotated": annotated.load,
}
"""Readers by the name that the command line knows them under. FERA 2015's BP4D part has BP4D's form."""

__all__ = [
    "LOADERS",
    "Clip",
    "DatasetError",
    "Labels",
    "Target",
    "load",
    "open_clip",
    "read_blinks",
    "read_table",
    "read_truth",
    "subject_folds",
    "within",
]


def load(kind: str, folder: Path) -> list[Clip]:
    """Reads the labels of a data set and finds the recordings that they belong to.

    Args:
        kind: A key of `LOADERS`.
        folder: Where it was unpacked.

    Returns:
        Its clips, in the order of their names.

    Raises:
        DatasetError: It is not there or not in the form that the reader's module describes.
    """
    if kind not in LOADERS:
        message = f"Unknown data set '{kind}': use {', '.join(LOADERS)}."
        raise DatasetError(message)
    try:
        if not folder.is_dir():
            message = f"{folder} is no folder: name the one that the data set was unpacked into."
            raise DatasetError(message)
        return LOADERS[kind](folder)
    except OSError as error:
        message = f"{folder} cannot be read ({error.strerror}): check that you may read it."
        raise DatasetError(message) from error
