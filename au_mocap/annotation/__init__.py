"""Labels that people give to the frames of a clip, as FEAFA's coders did: several coders, two decimals, 0..1.

    FOLDER.annotation/
      annotation.json     which clip, which take it began with, and which channels are labelled
      coders/NAME.csv     frame,time_s,key,<channels…>: one row per labelled frame, an empty cell is not labelled
      agreed.csv          the same columns: the mean of the coders' valid values

`docs/annotation.md` describes the form for other programs.
"""

from .folder import AGREED, SUFFIX, Annotation, ClipFacts, TakeFacts, labels_of, load, save, save_agreed, save_coder
from .labels import DECIMALS, Labels, rounded
from .names import check_coder
from .table import read_labels, write_labels

__all__ = [
    "AGREED",
    "DECIMALS",
    "SUFFIX",
    "Annotation",
    "ClipFacts",
    "Labels",
    "TakeFacts",
    "check_coder",
    "labels_of",
    "load",
    "read_labels",
    "rounded",
    "save",
    "save_agreed",
    "save_coder",
    "write_labels",
]
