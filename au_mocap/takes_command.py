"""The command `takes`: lists the takes of a folder, searches them, and notes something about those that were found."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from . import files
from .errors import AuMocapError
from .library import notes, query, relinking, scanning
from .library.entry import Entry
from .take import SUFFIX

_MOST_NAME = 40
_MOST_TAGS = 30


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of takes, or one take")
    parser.add_argument(
        "query",
        nargs="*",
        metavar="WORD",
        help="words that takes must have; actor:anna, tag:smile, note:, clip:, regressor:, name:, is:missing, "
        "is:broken, is:partial look in one place; -word leaves takes out (write -- in front of the first such)",
    )
    parser.add_argument("--json", action="store_true", help="write the list as JSON")
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", help="add a tag to all that were found")
    parser.add_argument("--untag", action="append", default=[], metavar="TAG", help="remove a tag from them")
    parser.add_argument("--actor", metavar="NAME", help="say who acts in them; an empty name forgets it")
    parser.add_argument("--note", metavar="TEXT", help="replace their notes")
    parser.add_argument(
        "--relink",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="look there for the videos of those whose video has moved, and note where they are",
    )


def run(options: argparse.Namespace) -> int:
    """Lists and notes what was asked for, and returns the exit code.

    Raises:
        AuMocapError: The folder cannot be read; the message says why.
    """
    folder: Path = options.folder
    if folder.name.endswith(SUFFIX) and files.is_file(folder):
        entries: tuple[Entry, ...] = (scanning.entry_of(folder),)
    else:
        listing = scanning.scan(folder, scanning.cache_folder())
        entries = listing.entries
        for problem in listing.problems:
            _say(f"Warning: {problem}")
    found = query.search(entries, " ".join(options.query))
    failures = 0
    if _is_edit(options):
        found, failures = _edit(found, options)
    if options.relink:
        found, lost = _relink(found, options.relink)
        failures += lost
    _write(found, as_json=options.json)
    return 1 if failures else 0


def _is_edit(options: argparse.Namespace) -> bool:
    return bool(options.tag or options.untag or options.actor is not None or options.note is not None)


def _edit(found: list[Entry], options: argparse.Namespace) -> tuple[list[Entry], int]:
    """Notes about every take; the takes as they are then, and how many could not be changed."""
    notes.Notes(options.actor or "", notes.tags_of(options.tag), options.note or "")  # a wrong one is told once
    changed: list[Entry] = []
    failures = 0
    for entry in found:
        try:
            notes.edit(
                entry.path, actor=options.actor, add_tags=options.tag, remove_tags=options.untag, note=options.note
            )
            changed.append(scanning.entry_of(entry.path))
        except AuMocapError as error:
            _say(f"Error: {entry.name}: {error}")
            changed.append(entry)
            failures += 1
    return changed, failures


def _relink(found: list[Entry], folders: list[Path]) -> tuple[list[Entry], int]:
    sought = [entry for entry in found if entry.clip_state in ("missing", "changed", "unknown")]
    result = relinking.find(sought, folders)
    relinking.note(result)
    _say(f"Relink: {result.summary()}")
    return [scanning.entry_of(entry.path) if entry in sought else entry for entry in found], len(result.missing)


def _write(found: list[Entry], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([document(entry) for entry in found], indent=1) + "\n")
        return
    rows = [("NAME", "ACTOR", "SECONDS", "FACE", "REGRESSOR", "VIDEO", "TAGS"), *(_row(entry) for entry in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
    for entry in found:
        for problem in (entry.problem, entry.notes_problem):
            if problem:
                _say(f"Warning: {problem}")
    sys.stdout.write(f"{len(found)} take{'' if len(found) == 1 else 's'}\n")


def _row(entry: Entry) -> tuple[str, ...]:
    name = f"{entry.folder}/{entry.name}" if entry.folder else entry.name
    noted = (_short(name, _MOST_NAME), _short(entry.notes.actor, _MOST_NAME))
    tags = _short(", ".join(entry.notes.tags), _MOST_TAGS)
    if entry.summary is None:
        return (*noted, "", "", "cannot be read", "", tags)
    known = entry.summary
    length = f"{known.duration_s:.1f}{' partial' if known.partial else ''}"
    return (*noted, length, f"{100 * known.faces:.0f} %", known.regressor, entry.clip_state, tags)


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def document(entry: Entry) -> dict[str, Any]:
    """A take of the list as JSON-compatible data."""
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.modified_ns / 1e9))
    known = entry.summary.to_document() if entry.summary is not None else None
    return {
        "path": str(entry.path),
        "name": entry.name,
        "folder": entry.folder,
        "written": written,
        "size_bytes": entry.size_bytes,
        "actor": entry.notes.actor,
        "tags": list(entry.notes.tags),
        "notes": entry.notes.notes,
        "video": str(entry.clip) if entry.clip is not None else None,
        "video_state": entry.clip_state,
        "take": known,
        "problems": [problem for problem in (entry.problem, entry.notes_problem) if problem],
    }


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
