"""A pass over a video in a thread of its own. The thread never touches Blender."""

import threading
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ..au_mocap.pipeline import Progress


@dataclass(slots=True, kw_only=True)
class Pass:
    """Something that can be started, watched and stopped.

    Attributes:
        progress: How far it has come; None while it warms up.
        bug: An exception that nobody expected, to be raised where somebody sees it.
    """

    thread_name: ClassVar[str]
    progress: "Progress | None" = None
    bug: Exception | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin in a thread."""
        self._thread = threading.Thread(target=self.run, name=self.thread_name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end after the frames at hand, keeping what was done."""
        self._stop.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @abstractmethod
    def run(self) -> None:
        """The whole pass, in the calling thread; what goes wrong is kept for whoever watches."""
