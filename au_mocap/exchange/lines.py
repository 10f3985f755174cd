"""Lines of text files that other programs wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import ExchangeError
from .sheet import look

_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty, and its number in the file, from 1."""

    number: int
    text: str


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a text file, without those that are empty.

    Raises:
        ExchangeError: It is missing or empty, no text, or cannot be read.
    """
    head = look(path)
    if not head.text:
        message = f"{path} holds no text: it is no recording."
        raise ExchangeError(message)
    try:
        with path.open(encoding=head.encoding) as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), ""), 1):
                if "\0" in line or len(line) == _LONGEST:
                    message = f"{path}, line {number}: it holds binary data. Export the recording again."
                    raise ExchangeError(message)
                if line.strip():
                    yield Line(number, line.strip())
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text: save it as UTF-8."
        raise ExchangeError(message) from error
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})."
        raise ExchangeError(message) from error
