"""Memory that a helper process sees too, handed out in blocks.

One file without a name, inherited by the helper, holds all blocks: it is gone when both processes are, however they
end. Windows cannot inherit one that way and gives each block a name instead, with the same effect.
"""

import mmap
import os
import secrets
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import IO, Any, Final

from .errors import ModelError

_SMALLEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """A block of shared memory.

    Attributes:
        number: Its number, from 0.
        offset: Where it begins in the file; 0 where it has a name.
        length: Its size in bytes.
        name: Its name on Windows, empty elsewhere.
        memory: Its content.
    """

    number: int
    offset: int
    length: int
    name: str
    memory: mmap.mmap

    @property
    def address(self) -> tuple[int, int, int, str]:
        """What the helper needs to open it."""
        return self.number, self.offset, self.length, self.name


class SharedMemory:
    """Blocks that grow on demand and are used again. Any number of threads may take and give back at once.

    Attributes:
        fd: The file for the helper to inherit, None where blocks have names.
    """

    def __init__(self) -> None:
        """Makes an empty file.

        Raises:
            ModelError: There is no place for it.
        """
        self._lock = threading.Lock()
        self._free: list[Block] = []
        self._count = 0
        self._end = 0
        self._token = secrets.token_hex(8)
        try:
            self._file = _file()
        except OSError as error:
            raise _no_room(error) from error
        self.fd: int | None = self._file.fileno() if self._file else None

    def take(self, size: int) -> Block:
        """A block of at least so many bytes that nobody else uses.

        Raises:
            ModelError: There is not that much memory.
        """
        with self._lock:
            fitting = [block for block in self._free if block.length >= size]
            if fitting:
                smallest = min(fitting, key=lambda block: block.length)
                self._free.remove(smallest)
                return smallest
            try:
                return self._new(max(_SMALLEST, 1 << (size - 1).bit_length()))
            except (OSError, ValueError, OverflowError) as error:
                raise _no_room(error) from error

    def give(self, block: Block) -> None:
        """Hands a block back that the helper does not use any more."""
        with self._lock:
            self._free.append(block)

    def close(self) -> None:
        """Lets go of the file; blocks that are in use stay until they are dropped."""
        with self._lock:
            self._free.clear()
            if self._file is not None:
                self._file.close()

    def _new(self, length: int) -> Block:
        number, offset, name = self._count, self._end, ""
        if self._file is None:
            name = f"au_mocap_{os.getpid()}_{self._token}_{number}"
            memory = _named(length, name)
            offset = 0
        else:
            # Written, not merely reserved: touching reserved memory of a full disk would kill the process.
            self._file.seek(offset)
            self._file.write(bytes(length))
            self._file.flush()
            memory = mmap.mmap(self._file.fileno(), length, offset=offset)
        self._count += 1
        self._end += length
        return Block(number, offset, length, name, memory)


def _file() -> IO[bytes] | None:
    if sys.platform == "win32":
        return None
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("au_mocap"), "r+b")
    return tempfile.TemporaryFile()


def _named(length: int, name: str) -> mmap.mmap:
    named: Any = mmap.mmap  # the name exists on Windows alone, and so in Windows' type stubs
    return named(-1, length, tagname=name)


def _no_room(error: Exception) -> ModelError:
    message = f"There is no memory to share with the helper process ({error}). Free some, or use the bundled runtime."
    return ModelError(message)
