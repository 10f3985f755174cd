"""What was read of a folder's takes, kept so that the next scan reads only what has changed.

It lies in the user's cache, not in the folder: that may be read-only, or shared by several people at once, and what
synchronises it should not carry a file that changes with every look. Whatever is wrong with it, it is made anew.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from ..errors import AuMocapError, LibraryError, OutputError, TakeError
from ..files import replacing
from . import notes, summary
from .folders import File
from .notes import Notes
from .summary import Summary

VERSION: Final = 1
MOST_BYTES: Final = 200_000_000
_T = TypeVar("_T")


@dataclass(slots=True)
class Kept(Generic[_T]):
    """One kind of file, as far as it was read: values by path with the file's size and time.

    Attributes:
        read: Reads one; raises an AuMocapError, whose text is kept in its place.
        decode: A value from JSON; raises ValueError or LibraryError where it is something else.
        encode: A value as JSON-compatible data.
        known: What an earlier scan has left.
        used: What this scan has asked for.
        is_new: Whether this scan has read any.
    """

    read: Callable[[Path], _T]
    decode: Callable[[object], _T]
    encode: Callable[[_T], object]
    known: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    used: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    is_new: bool = False

    def get(self, key: str, file: File, path: Path) -> _T | str:
        """A file's value, or what is wrong with it.

        Args:
            key: The file inside the folder.
            file: Its size and time.
            path: What `read` is given.
        """
        kept = self.known.get(key)
        if kept is not None and kept[:2] == [file.size_bytes, file.modified_ns]:
            with contextlib.suppress(ValueError, AuMocapError, IndexError, TypeError):
                value = kept[2] if isinstance(kept[2], str) else self.decode(kept[2])
                self.used[key] = kept
                return value
        self.is_new = True
        try:
            value = self.read(path)
        except (TakeError, LibraryError) as error:
            value = str(error)
        stored = value if isinstance(value, str) else self.encode(value)
        self.used[key] = [file.size_bytes, file.modified_ns, stored]
        return value


@dataclass(slots=True)
class Index:
    """What is known of one folder.

    Attributes:
        path: The index file, None to keep none.
        takes: Summaries of takes.
        notes: Notes beside them.
    """

    path: Path | None
    takes: Kept[Summary] = field(default_factory=lambda: Kept(summary.read, Summary.from_document, Summary.to_document))
    notes: Kept[Notes] = field(default_factory=lambda: Kept(notes.load, notes.from_document, notes.to_document))

    def save(self) -> None:
        """Keeps what this scan has found, where anything has changed; without a word where that is not possible."""
        both = (self.takes, self.notes)
        if self.path is None or not any(kept.is_new or len(kept.used) != len(kept.known) for kept in both):
            return
        document = {"version": VERSION, "takes": self.takes.used, "notes": self.notes.used}
        with contextlib.suppress(OutputError), replacing(self.path) as temporary:
            temporary.write_text(json.dumps(document), encoding="utf-8")


def open_index(folder: Path, cache: Path | None) -> Index:
    """The index of a folder, empty where there is none that can be used.

    Args:
        folder: The folder of takes.
        cache: The user's cache folder; None keeps no index.
    """
    if cache is None:
        return Index(None)
    name = hashlib.sha256(str(folder.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:20]
    index = Index(cache / f"takes-{name}.json")
    assert index.path is not None
    try:
        with index.path.open("rb") as file:
            content = file.read(MOST_BYTES)
        document: object = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return index
    if isinstance(document, dict):
        table = cast(dict[str, object], document)
        if table.get("version") == VERSION:
            index.takes.known, index.notes.known = _rows(table.get("takes")), _rows(table.get("notes"))
    return index


def _rows(value: object) -> dict[str, list[Any]]:
    table = cast(dict[str, object], value) if isinstance(value, dict) else {}
    return {key: cast(list[Any], row) for key, row in table.items() if isinstance(row, list)}
