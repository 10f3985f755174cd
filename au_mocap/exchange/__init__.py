"""Curves in the files of other programs, both ways.

`read` makes a take of a recording, `write` gives a take's curves to another program, `FORMATS` lists what is known. One
module for each format says where its form is described and how its axes and units become the channels and the head pose
contract.
"""

from .formats import FORMATS, JSON, NAMES, TABLE, Format, by_name, detect, read, stored_name, write
from .recording import Imported, Recording, to_take
from .tables import COLUMNS, write_csv
from .timing import check_rate

__all__ = [
    "COLUMNS",
    "FORMATS",
    "JSON",
    "NAMES",
    "TABLE",
    "Format",
    "Imported",
    "Recording",
    "by_name",
    "check_rate",
    "detect",
    "read",
    "stored_name",
    "to_take",
    "write",
    "write_csv",
]
