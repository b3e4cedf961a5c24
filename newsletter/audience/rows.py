"""A text stream becomes the rows of a CSV file, each with the line it starts on, as an editor counts lines."""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple, TextIO

#: S20: what one row and one cell may hold. A row beyond that is a quote that was not closed.
MOST_LINES = 100
LONGEST_LINE = 100_000
LONGEST_CELL = 10_000

_CHUNK = 1 << 16
_UNCLOSED = (
    'a quote (") opens a value here and is not closed where the value ends; close it, or write "" for a quote inside a value'
)


class Row(NamedTuple):
    """The cells of one row as they stand in the file; ``line`` counts from 1. An empty line has no cells."""

    line: int
    cells: list[str]


class Broken(NamedTuple):
    """A line that is no row, and why. The rows go on with the line after it."""

    line: int
    reason: str


class _TooLong(csv.Error):
    """The row being read goes beyond what a row may hold."""


class _Feed:
    """Gives physical lines to the CSV reader and keeps those of the row being read, so that they can be read again."""

    def __init__(self, stream: TextIO) -> None:
        self._portions = _physical_lines(stream)
        self._lines: deque[str] = deque()
        self.line = 1
        self.held: list[str] = []

    def more(self) -> bool:
        """Whether there are lines left; called between two rows."""
        if not self._lines:
            self._lines.extend(next(self._portions, ()))
        return bool(self._lines)

    def plain(self) -> list[str] | None:
        """The next lines, which are done with, where each of them is a row that needs no second look; else None."""
        text = "".join(self._lines)
        if '"' in text or "\r" in text or max(map(len, self._lines)) > LONGEST_CELL:
            return None
        lines = list(self._lines)
        self._lines.clear()
        self.line += len(lines)
        return lines

    def pull(self) -> Iterator[str]:
        """The lines up to where a row ends and others have to be fetched. Raises :class:`_TooLong`."""
        held, lines = self.held, self._lines
        while lines or (held and self.more()):
            line = lines.popleft()
            held.append(line)
            if len(line) > LONGEST_LINE or len(held) > MOST_LINES:
                raise _TooLong
            yield line

    def accept(self) -> None:
        """The held lines were one row."""
        self.line += len(self.held)
        self.held.clear()

    def retreat(self) -> None:
        """Only the first of the held lines is done with; the others come again."""
        self._lines.extendleft(reversed(self.held[1:]))
        self.line += 1
        self.held.clear()


def _physical_lines(stream: TextIO) -> Iterator[list[str]]:
    """Lines with their ``\\n``, many at a time. One that is too long loses its end, so that memory stays bounded."""
    rest = ""
    while chunk := stream.read(_CHUNK):
        lines = list(io.StringIO(rest + chunk, newline="\n"))
        rest = "" if lines[-1].endswith("\n") else lines.pop()[: LONGEST_LINE + 1]
        if lines:
            yield lines
    if rest:
        yield [rest]


def read_rows(stream: TextIO, delimiter: str, stands_alone: Callable[[list[str]], bool] | None = None) -> Iterator[Row | Broken]:
    """The rows of ``stream``, whose line ends are ``\\n``, in constant memory.

    Cells are RFC 4180 with another delimiter; blanks before a quote are passed over. ``stands_alone`` tells whether the cells of
    one physical line are a whole row: where that is so within a quoted value, the quote was never meant to reach that far.
    """
    feed = _Feed(stream)
    while feed.more():
        line = feed.line
        if (plain := feed.plain()) is not None:
            yield from map(Row, count(line), csv.reader(plain, delimiter=delimiter, skipinitialspace=True))
        else:
            yield from _quoted_rows(feed, delimiter, stands_alone)


def _quoted_rows(feed: _Feed, delimiter: str, stands_alone: Callable[[list[str]], bool] | None) -> Iterator[Row | Broken]:
    """The next rows, as far as the lines go that were fetched; at least one."""
    reader = csv.reader(feed.pull(), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            held = feed.held
            if len(held) == 1 and len(held[0]) <= LONGEST_CELL:
                yield Row(feed.line, cells)
            elif _runs_over(held, delimiter, stands_alone):
                break
            else:
                yield _within_bounds(Row(feed.line, cells))
            feed.accept()
        else:
            return
        yield Broken(feed.line, _UNCLOSED)
    except _TooLong:
        overlong = len(feed.held[0]) > LONGEST_LINE
        yield Broken(feed.line, f"the line is longer than {LONGEST_LINE:,} characters" if overlong else _UNCLOSED)
    except csv.Error:
        yield _forgiven(feed.line, feed.held, delimiter)
    feed.retreat()


def _runs_over(held: list[str], delimiter: str, stands_alone: Callable[[list[str]], bool] | None) -> bool:
    return stands_alone is not None and any(stands_alone(_leniently(line, delimiter)) for line in held[1:])


def _within_bounds(row: Row) -> Row | Broken:
    longest = max(map(len, row.cells), default=0)
    return row if longest <= LONGEST_CELL else Broken(row.line, f"a value is longer than {LONGEST_CELL:,} characters")


def _forgiven(line: int, held: list[str], delimiter: str) -> Row | Broken:
    """A single line with something behind a closing quote, as Excel reads it, where nothing of its quotes is left over."""
    if len(held) == 1 and held[0].count('"') % 2 == 0:
        cells = _leniently(held[0], delimiter)
        if not any('"' in cell for cell in cells):
            return _within_bounds(Row(line, cells))
    return Broken(line, _UNCLOSED)


def _leniently(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
