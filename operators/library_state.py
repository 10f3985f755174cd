"""The library that the window shows: scanned by a thread, searched at once, edited take by take.

The thread never touches Blender; a timer of the window takes over what it has found.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, preferences, redrawing

if TYPE_CHECKING:
    from ..au_mocap.library.entry import Entry
    from ..au_mocap.library.scanning import Listing

_POLL_S: Final = 0.1


class _Scan:
    """One look at a folder, in a thread of its own."""

    def __init__(self, folder: Path, cache: Path | None) -> None:
        self.folder = folder
        self.count = 0
        self.listing: Listing | None = None
        self.error = ""
        self.done = False
        self._cache = cache
        self._goes_on = True

    def stop(self) -> None:
        """Have it end; nothing of it is used."""
        self._goes_on = False

    def run(self) -> None:
        """Look at the folder. Any thread may call it."""
        try:
            with bundle.needed():
                from ..au_mocap.library import scanning
            self.listing = scanning.scan(self.folder, self._cache, self._advance)
        except AuMocapError as error:
            self.error = str(error)
        finally:
            self.done = True

    def _advance(self, count: int) -> bool:
        self.count = max(self.count, count)
        return self._goes_on


class _State:
    """Of this Blender, never stored in a file."""

    scan: "ClassVar[_Scan | None]" = None
    folder: ClassVar[Path | None] = None
    entries: ClassVar[list[Any]] = []
    problems: ClassVar[tuple[str, ...]] = ()
    problem: ClassVar[str] = ""
    held: ClassVar[int] = 0
    is_stale: ClassVar[bool] = False


def folder_of(context: bpy.types.Context) -> Path:
    """The scene's library, or where takes are stored; raises OutputError where that cannot be made."""
    chosen = context.scene.aumocap_library.folder
    return Path(bpy.path.abspath(chosen)) if chosen else preferences.takes_folder(context)


def cache_folder() -> Path | None:
    """Where indexes and pictures are kept; None where there is no such place."""
    from . import package

    try:
        return package.user_folder("library")
    except OSError:
        return None


def start(context: bpy.types.Context) -> None:
    """Look at the library's folder: in the background of a window, at once where there is none.

    Raises:
        AuMocapError: The folder cannot be used.
    """
    stop()
    _State.is_stale = False
    scan = _State.scan = _Scan(folder_of(context), cache_folder())
    if bpy.app.background:
        scan.run()
        _take()
        if _State.problem:
            from ..au_mocap.errors import LibraryError

            raise LibraryError(_State.problem)
        return
    threading.Thread(target=scan.run, name="AU Mocap library", daemon=True).start()
    if not bpy.app.timers.is_registered(_take):
        bpy.app.timers.register(_take, first_interval=_POLL_S)


def want() -> None:
    """Have the window look at the folder soon, once: drawing calls this, which may not look itself."""
    if bpy.app.background or _State.scan is not None or _State.problem or bpy.app.timers.is_registered(_begin):
        return
    bpy.app.timers.register(_begin, first_interval=_POLL_S)


def heard_of(take: Path) -> None:
    """A take has come into the scene: where the list should hold it and does not, the list is read again when drawn."""
    folder = _State.folder
    if folder is not None and folder in take.parents and all(entry.path != take for entry in _State.entries):
        _State.is_stale = True


def is_stale() -> bool:
    """Whether the folder holds takes that are not shown."""
    return _State.is_stale


def folder_chosen() -> None:
    """Another folder was chosen: its takes are what is to be seen. Scripts press Refresh themselves."""
    if bpy.app.background:
        return
    _State.problem = ""
    stop()
    want()


def _begin() -> None:
    try:
        start(bpy.context)
    except AuMocapError as error:
        _State.problem = str(error)
    redrawing.redraw("", panels=True)


def stop() -> None:
    """End a look that is going on."""
    if _State.scan is not None:
        _State.scan.stop()
        _State.scan = None


def _take() -> float | None:
    """The window's timer: put what was found where panels see it."""
    scan = _State.scan
    if scan is None:
        return None
    redrawing.redraw("", panels=True)
    if not scan.done:
        return _POLL_S
    _State.scan = None
    _State.problem = scan.error
    _State.folder = scan.folder
    before = _State.entries
    if scan.listing is not None:
        _State.entries = list(scan.listing.entries)
        _State.problems = scan.listing.problems
    else:
        _State.entries, _State.problems = [], ()
    refill(before)
    return None


def progress() -> int | None:
    """Takes read so far by a look that is going on; None while there is none."""
    return _State.scan.count if _State.scan is not None else None


def shown_folder() -> Path | None:
    """The folder whose takes are shown; None before the first look."""
    return _State.folder


def problem() -> str:
    """What went wrong last; empty where nothing did."""
    return _State.problem


def told() -> tuple[str, ...]:
    """Folders that cannot be read."""
    return _State.problems


def count() -> int:
    """How many takes the folder holds."""
    return len(_State.entries)


def _window() -> "bpy.types.PropertyGroup":
    return bpy.context.window_manager.aumocap_library


def refill(before: "list[Entry] | None" = None) -> None:
    """Show the takes that fit the search; marks and the chosen take stay.

    Args:
        before: What the rows number; None where that has not changed.
    """
    from ..au_mocap.library import query

    own = _window()
    known = _State.entries if before is None else before
    numbers_now = {entry.path: number for number, entry in enumerate(_State.entries)}

    def now(row: "bpy.types.PropertyGroup") -> int | None:
        return numbers_now.get(known[row.number].path) if row.number < len(known) else None

    marked = {now(row) for row in own.rows if row.marked}
    active = now(own.rows[own.active]) if 0 <= own.active < len(own.rows) else None
    found = set(map(id, query.search(_State.entries, own.search)))
    numbers = [number for number, entry in enumerate(_State.entries) if id(entry) in found]
    _State.held += 1
    try:
        own.rows.clear()
        for number in numbers:
            row = own.rows.add()
            row.name, row.number = text_of(_State.entries[number].name), number
            if number in marked:
                row.marked = True
        own.active = numbers.index(active) if active in numbers else 0
        own.page = 0
    finally:
        _State.held -= 1
    choose()


def entry(row: int) -> "Entry | None":
    """The take in a row."""
    rows = _window().rows
    if not 0 <= row < len(rows) or not rows[row].number < len(_State.entries):
        return None
    return _State.entries[rows[row].number]


def shown() -> "list[Entry]":
    """The takes of the list, those that fit the search."""
    return [found for found in map(entry, range(len(_window().rows))) if found is not None]


def active() -> "Entry | None":
    """The take that is shown."""
    return entry(_window().active)


def wanted() -> "list[Entry]":
    """The takes that are marked, or the one that is shown where none is."""
    own = _window()
    rows = [index for index, row in enumerate(own.rows) if row.marked] or [own.active]
    return [found for found in map(entry, rows) if found is not None]


def choose() -> None:
    """Show what is noted about the take that was chosen."""
    if _State.held:
        return
    own, chosen = _window(), active()
    _State.held += 1
    try:
        own.actor = text_of(chosen.notes.actor) if chosen is not None else ""
        own.tags = text_of(", ".join(chosen.notes.tags)) if chosen is not None else ""
        own.notes = text_of(chosen.notes.notes) if chosen is not None else ""
    finally:
        _State.held -= 1


def note(field: str) -> None:
    """Write down what was typed about the chosen take."""
    chosen = active()
    if _State.held or chosen is None:
        return
    from ..au_mocap.library import notes

    own = _window()
    _State.problem = ""
    try:
        if field == "tags":
            old = notes.load(chosen.path).tags
            notes.edit(chosen.path, remove_tags=old, add_tags=own.tags.split(","))
        elif field == "actor":
            notes.edit(chosen.path, actor=own.actor)
        else:
            notes.edit(chosen.path, note=own.notes)
    except AuMocapError as error:
        _State.problem = str(error)
    renew([chosen.path])
    choose()


def renew(paths: "list[Path]") -> None:
    """Read some takes of the list again, after something was noted about them."""
    from ..au_mocap.library import scanning

    changed = set(paths)
    for number, old in enumerate(_State.entries):
        if old.path in changed:
            try:
                _State.entries[number] = scanning.entry_of(old.path, _State.folder)
            except AuMocapError as error:
                _State.problem = str(error)
    redrawing.redraw("", panels=True)


def tell(text: str) -> None:
    """Show what went wrong; empty where nothing did."""
    _State.problem = text


def text_of(text: str) -> str:
    """Text that Blender can show: names of files may hold bytes that are no letters."""
    return text.encode("utf-8", "replace").decode("utf-8")


def forget() -> None:
    """Drop all of it, with its timer."""
    stop()
    for timer in (_take, _begin):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    _State.entries, _State.problems, _State.problem, _State.folder = [], (), "", None
