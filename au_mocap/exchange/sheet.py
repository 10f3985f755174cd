"""Tables of numbers in text files that other programs wrote, read row by row.

What programs and spreadsheets make of one and the same table is put right here: byte order marks, semicolons or tabs
between cells, decimal commas, spaces around names, columns in another order, further columns, empty lines, and a last
row that was cut off. Numbers go straight into arrays, so that a million rows need little more memory than those.
"""

import csv
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from ..errors import ExchangeError
from ..files import is_file

HEAD_BYTES: Final = 65_536
"""How much of a file is looked at to tell what it is."""

_DELIMITERS: Final = (",", ";", "\t")
_NOT_A_NUMBER: Final = ("", "nan", "-nan", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan", "null", "none", "n/a", "na")
_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SHOWN: Final = 40

Converter = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file.

    Attributes:
        content: Its first bytes.
        encoding: How its text is encoded.
        text: The same as text; empty where it is none.
    """

    content: bytes
    encoding: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read of T rows.

    Attributes:
        exact: (T, E) float64, NaN where a cell is empty or no number.
        values: (T, V) float32, the same.
        lines: (T,) number of the line on which each row ends.
        notes: What was put right, for the user.
    """

    exact: NDArray[np.float64]
    values: NDArray[np.float32]
    lines: NDArray[np.int64]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of each row.

    Attributes:
        exact: Columns that are kept in double precision.
        values: The other columns.
        converters: How to read a cell of some exact columns; the others hold plain numbers. A ValueError is told as the
            user's.
        may_be_short: Whether a row that ends early means that its last cells are empty.
    """

    exact: tuple[int, ...]
    values: tuple[int, ...]
    converters: Mapping[int, Converter] = field(default_factory=dict[int, Converter])
    may_be_short: Callable[[Sequence[str]], bool] = lambda _row: False


def look(path: Path) -> Head:
    """Reads the beginning of a file.

    Raises:
        ExchangeError: It is missing, empty, or cannot be read.
    """
    try:
        if path.exists() and not is_file(path):
            message = f"{path} is no file: name the recording itself."
            raise ExchangeError(message)
        with path.open("rb") as file:
            content = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        message = f"There is no file {path}."
        raise ExchangeError(message) from error
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({getattr(error, 'strerror', None) or error})."
        raise ExchangeError(message) from error
    if not content.strip():
        message = f"{path} is empty: record or export it again."
        raise ExchangeError(message)
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    text = content.decode(encoding, errors="ignore")
    return Head(content, encoding, "" if "\0" in text else text)


def shown(text: str) -> str:
    """Foreign text for a message: short, and without line breaks or control characters."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def key_of(name: str) -> str:
    """A column's name as columns are looked up."""
    return name.strip().strip("\ufeff").strip().lower()


def names_in(text: str) -> tuple[str, ...]:
    """Column names on a table's first line, as `key_of` gives them."""
    line = _first_line(text)
    try:
        rows = list(csv.reader([line], delimiter=_delimiter(line), skipinitialspace=True))
    except csv.Error:
        return ()
    return tuple(key_of(name) for name in rows[0]) if rows else ()


def _first_line(text: str) -> str:
    for line in text.splitlines():
        if line.strip() and not line.lower().startswith("sep="):  # a line for spreadsheets
            return line
    return ""


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


class Sheet:
    """A table whose first line names its columns.

    Attributes:
        path: Its file.
        names: Names of the columns, as `key_of` gives them.
    """

    def __init__(self, path: Path) -> None:
        """Looks at the first line; raises ExchangeError where there is no text."""
        head = look(path)
        if not head.text:
            message = f"{path} holds no text: it is no table."
            raise ExchangeError(message)
        self.path = path
        self.names = names_in(head.text)
        self._encoding = head.encoding
        self._delimiter = _delimiter(_first_line(head.text))
        self._float: Converter = float

    def find(self, *names: str) -> int | None:
        """The column of the first of these names that there is.

        Raises:
            ExchangeError: There are two of it.
        """
        for name in names:
            count = self.names.count(key_of(name))
            if count > 1:
                message = f"{self.path} has the column {shown(name)} {count} times: remove all but one."
                raise ExchangeError(message)
            if count:
                return self.names.index(key_of(name))
        return None

    def read(self, wanted: Wanted) -> Rows:
        """Reads all rows.

        Raises:
            ExchangeError: There are none, or one holds words in place of numbers, or too many or too few cells; the
                message names the line.
        """
        exact, values, lines = array("d"), array("f"), array("q")
        chosen = _chooser(wanted.values)
        notes: list[str] = []
        short_line = 0
        for row, line in self._rows():
            if short_line:
                self._refuse_short(short_line)
            if len(row) < len(self.names):
                if wanted.may_be_short(row):
                    row = [*row, *[""] * (len(self.names) - len(row))]
                else:
                    short_line = line
                    continue
            elif len(row) > len(self.names) and any(cell.strip() for cell in row[len(self.names) :]):
                self._refuse_long(row, line)
            exact.extend(self._exact(row, line, wanted))
            values.extend(self._values(chosen(row), row, line, wanted))
            lines.append(line)
        if short_line and len(lines):
            notes.append(f"line {short_line} is cut off and was left out")
        if not len(lines):
            message = f"{self.path} holds no rows of numbers: record or export it again."
            raise ExchangeError(message)
        return Rows(
            exact=np.frombuffer(exact, np.float64).reshape(len(lines), len(wanted.exact)),
            values=_finite(np.frombuffer(values, np.float32).reshape(len(lines), len(wanted.values))),
            lines=np.frombuffer(lines, np.int64),
            notes=tuple(notes),
        )

    def _rows(self) -> Iterator[tuple[list[str], int]]:
        """The rows below the names, each with its line's number."""
        try:
            with self.path.open(newline="", encoding=self._encoding) as file:
                reader = csv.reader(_text_lines(file), delimiter=self._delimiter, skipinitialspace=True)
                header = True
                for row in reader:
                    if not any(row) or (header and row[0].lower().startswith("sep=")):
                        continue
                    if header:
                        header = False
                        continue
                    yield row, reader.line_num
        except UnicodeDecodeError as error:
            message = f"{self.path} is not UTF-8 text: save it as UTF-8."
            raise ExchangeError(message) from error
        except csv.Error as error:
            message = f"{self.path} is no table ({error}): export it again."
            raise ExchangeError(message) from error
        except OSError as error:
            message = f"{self.path} cannot be read ({error.strerror})."
            raise ExchangeError(message) from error

    def _exact(self, row: Sequence[str], line: int, wanted: Wanted) -> Iterable[float]:
        try:
            return [wanted.converters.get(column, self._float)(row[column]) for column in wanted.exact]
        except ValueError:
            return [self._cell(row, line, column, wanted.converters.get(column)) for column in wanted.exact]

    def _values(self, cells: Sequence[str], row: Sequence[str], line: int, wanted: Wanted) -> Iterable[float]:
        try:
            return list(map(self._float, cells))
        except ValueError:
            return [self._cell(row, line, column, None) for column in wanted.values]

    def _cell(self, row: Sequence[str], line: int, column: int, converter: Converter | None) -> float:
        """One cell that may be empty, no number, or hold a decimal comma."""
        text = row[column].strip()
        try:
            if converter is not None:
                return converter(text) if text else math.nan
            if text.lower() in _NOT_A_NUMBER:
                return math.nan
            if "," in text:
                self._float = _with_comma  # the rest will be alike
                return _with_comma(text)
            return float(text)
        except ValueError as error:
            what = str(error) if converter is not None else "is no number"
            message = f"{self.path}, line {line}, column {shown(self.names[column])}: {shown(text)} {what}."
            raise ExchangeError(message) from error

    def _refuse_short(self, line: int) -> None:
        message = (
            f"{self.path}, line {line}: the row has fewer cells than the {len(self.names)} columns that the first line "
            "names. Export the recording again."
        )
        raise ExchangeError(message)

    def _refuse_long(self, row: Sequence[str], line: int) -> None:
        comma = self._delimiter == "," and len(row) > 1.5 * len(self.names)
        cure = (
            "It seems to write numbers with a comma and to separate them with commas too: export it with decimal points"
            if comma
            else "Export the recording again"
        )
        message = f"{self.path}, line {line}: the row has {len(row)} cells for {len(self.names)} columns. {cure}."
        raise ExchangeError(message)


def _with_comma(text: str) -> float:
    return float(text.replace(",", "."))


def _chooser(columns: tuple[int, ...]) -> Callable[[Sequence[str]], Sequence[str]]:
    """A function that picks cells of a row."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: [row[column] for column in columns]


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same array, infinities made NaN."""
    values[np.isinf(values)] = np.nan
    return values


def _text_lines(file: TextIO) -> Iterator[str]:
    """Lines without what the csv module of some Pythons refuses and others read as text."""
    for line in file:
        if "\0" in line:
            message = "it holds binary data"
            raise csv.Error(message)
        yield line
