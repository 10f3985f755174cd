"""What every live source has in common."""

from dataclasses import dataclass
from typing import Protocol

from ..crops import Image


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One picture of a live source.

    Attributes:
        index: Number of the picture since the source was opened; numbers that are left out were dropped.
        captured_s: When it was taken, in seconds of `time.perf_counter()`; strictly increasing.
        image: (H, W, 3) uint8 BGR; its own memory, free to keep.
    """

    index: int
    captured_s: float
    image: Image


class Source(Protocol):
    """Where the pictures of a live session come from. Every method is called by one and the same thread.

    Attributes:
        name: What to call it in messages and in a take's description.
        size_px: Width and height of its pictures; known from `open` on.
        rate_hz: Frames per second that it promises, 0 where it makes none; known from `open` on.
        ended: Whether no further picture will come, in good order.
    """

    name: str
    size_px: tuple[int, int]
    rate_hz: float
    ended: bool

    def open(self) -> None:
        """Begins to take pictures.

        Raises:
            LiveError: It cannot be used; the message says why and what to do.
        """
        ...

    def read(self, timeout_s: float) -> SourceFrame | None:
        """Waits for the newest picture that was not read before; older ones are dropped, never queued.

        Args:
            timeout_s: How long to wait at most. A camera's driver may take longer to notice that nothing comes.

        Returns:
            The picture, None where there was none in time or the source has `ended`.

        Raises:
            LiveError: No picture will come any more: unplugged, taken away, unreadable.
        """
        ...

    def close(self) -> None:
        """Lets go of it; does nothing where it is closed."""
        ...
