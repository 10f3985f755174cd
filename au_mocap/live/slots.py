"""Handing things from thread to thread where only the newest one counts."""

import threading
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Newest(Generic[_T]):
    """Holds the newest thing that was put in and not yet taken; an older one gives way to it."""

    def __init__(self) -> None:
        """Begins empty."""
        self._changed = threading.Condition()
        self._item: _T | None = None
        self._closed = False

    def put(self, item: _T) -> None:
        """Puts a thing in, in place of any older one."""
        with self._changed:
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float = 0.0) -> _T | None:
        """Takes the thing out, None where nothing comes in time or after `close`."""
        with self._changed:
            if self._item is None and not self._closed and timeout_s > 0.0:
                self._changed.wait(timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wakes whoever waits; what is in can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def exhausted(self) -> bool:
        """Whether it was closed and nothing is left in it."""
        with self._changed:
            return self._closed and self._item is None
