"""Pictures of takes for the panel: made by a thread when they are first drawn, newest wishes first."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, library_state, redrawing

if TYPE_CHECKING:
    from ..au_mocap.library.entry import Entry

_POLL_S: Final = 0.2
_MOST_SHOWN: Final = 400
_MOST_WAITING: Final = 60

_Key = tuple[str, int, int, str]


class _State:
    """Of this Blender, never stored in a file."""

    previews: ClassVar[Any] = None
    made: ClassVar[dict[_Key, Path | None]] = {}
    waiting: ClassVar[dict[_Key, Any]] = {}
    thread: ClassVar[threading.Thread | None] = None
    lock: ClassVar[Any] = threading.Lock()
    ends: ClassVar[bool] = False


def icon(entry: "Entry") -> int:
    """Icon of a take's picture, 0 until it is there; asking has it made."""
    if entry.summary is None or bpy.app.background:
        return 0
    key = _key(entry)
    name = library_state.text_of("|".join(map(str, key)))
    if _State.previews is not None and name in _State.previews:
        return _State.previews[name].icon_id
    if key not in _State.made:
        _wish(key, entry)
        return 0
    path = _State.made[key]
    return 0 if path is None else _load(name, path)


def _key(entry: "Entry") -> _Key:
    clip = str(entry.clip) if entry.clip_state == "found" else ""
    return str(entry.path), entry.size_bytes, entry.modified_ns, clip


def _load(name: str, path: Path) -> int:
    from bpy.utils import previews

    if _State.previews is None:
        _State.previews = previews.new()
    if len(_State.previews) >= _MOST_SHOWN:
        _State.previews.clear()
    try:
        made = _State.previews.load(name, str(path), "IMAGE")
    except (KeyError, RuntimeError):  # the file went away meanwhile
        return 0
    # Reads the file now, a few milliseconds: later it would be drawn as not there yet.
    _ = tuple(made.icon_size), tuple(made.image_size)
    return made.icon_id


def _wish(key: _Key, entry: "Entry") -> None:
    cache = library_state.cache_folder()
    if cache is None:
        return
    with _State.lock:
        _State.waiting.pop(key, None)
        _State.waiting[key] = entry
        while len(_State.waiting) > _MOST_WAITING:  # scrolled past
            del _State.waiting[next(iter(_State.waiting))]
        if _State.thread is None:
            _State.ends = False
            _State.thread = threading.Thread(target=_work, args=(cache,), name="AU Mocap pictures", daemon=True)
            _State.thread.start()
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_POLL_S)


def _next() -> "tuple[_Key, Entry] | None":
    with _State.lock:
        if not _State.waiting or _State.ends:
            _State.thread = None
            return None
        return _State.waiting.popitem()


def _work(cache: Path) -> None:
    """The thread: make what is wished for until nothing is."""
    pruned = False
    while (wish := _next()) is not None:
        key, entry = wish
        path = None
        try:
            with bundle.needed():
                from ..au_mocap.library import thumbnails
            if not pruned:
                thumbnails.prune(cache)
                pruned = True
            path = thumbnails.ensure(entry, cache)
        except AuMocapError:
            pass  # it stays without a picture; the list says what is wrong with the take
        except Exception:  # noqa: BLE001 - a picture is not worth a broken panel, but a bug is to be seen
            import traceback

            traceback.print_exc()
        _State.made[key] = path


def _look() -> float | None:
    """The window's timer: draw the panel again while pictures are made."""
    redrawing.redraw("", panels=True)
    return _POLL_S if _State.thread is not None else None


def forget() -> None:
    """Drop pictures, thread and timer."""
    with _State.lock:
        _State.waiting.clear()
        _State.ends = True
    _State.made.clear()
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    if _State.previews is not None:
        from bpy.utils import previews

        previews.remove(_State.previews)
        _State.previews = None
