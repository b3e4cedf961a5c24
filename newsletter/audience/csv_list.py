"""A CSV file as people's spreadsheets make it becomes a stream of recipients and refused rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from newsletter.audience.address import normalise
from newsletter.audience.columns import ADDRESS, HeaderError, field_names
from newsletter.audience.encoding import TextFile, find_encoding
from newsletter.audience.recipient import Recipient, Refused
from newsletter.audience.rows import Broken, Row, read_rows
from newsletter.compose.edition import clean
from newsletter.problem import InputError, Problem, complaint

#: What separates the cells, most usual in German offices first: it decides where the heading fits two equally well.
_DELIMITERS = ";,\t|"
_SEP = re.compile(r'"?sep=([;,|:^~#\t])"?\s*', re.IGNORECASE)
#: What a formula begins with, as :func:`newsletter.audience.export.harmless` knows it; a value holds no tab.
_FORMULA = ("=", "+", "-", "@")
_DAMAGED = re.compile("[\0\ufffd\ud800-\udfff]")
#: How many refused rows an error about the whole list shows.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RecipientList:
    """A recipient list that is ready to be read, as often as wanted, in constant memory.

    Iterating gives a :class:`Recipient` or a :class:`Refused` for every row but blank ones, in file order. At its end it raises
    :class:`InputError` where not one recipient came: a list without a usable row is an error, whoever reads it. Duplicates are
    not looked for; see :func:`newsletter.audience.recipient.distinct`.
    """

    path: Path
    columns: tuple[str, ...]
    _file: TextFile
    _delimiter: str
    _header_line: int
    _names: tuple[str | None, ...]

    def __iter__(self) -> Iterator[Recipient | Refused]:
        refused: list[Refused] = []
        count = 0
        rows = self._rows()
        for row in rows:
            yield row
            if isinstance(row, Recipient):
                yield from rows
                return
            if (count := count + 1) <= _SHOWN:
                refused.append(row)
        self._nothing(refused, count)

    def _nothing(self, refused: list[Refused], count: int) -> NoReturn:
        path = str(self.path)
        told = f"; the first {_SHOWN} of {count} refused rows follow" if count > _SHOWN else ""
        why = f"no row can be used{told}" if count else "has no row below the headings"
        raise InputError([Problem(path, 0, 0, "", why), *(Problem(path, row.line, 1, "", row.reason) for row in refused)])

    def _rows(self) -> Iterator[Recipient | Refused]:
        path, header_line, at = str(self.path), self._header_line, self._names.index(ADDRESS)
        with self._file.open() as stream:
            for row in read_rows(stream, self._delimiter, self._stands_alone):
                line = row[0]
                if line <= header_line:
                    continue
                if isinstance(row, Broken):
                    yield Refused(path, line, row.reason)
                    continue
                try:
                    if found := self._recipient(row[1], at, line):
                        yield found
                except ValueError as error:
                    yield Refused(path, line, str(error))

    def _recipient(self, cells: list[str], at: int, line: int) -> Recipient | None:
        """The recipient of a row, None for a blank row. Raises ValueError."""
        cell = _as_written(cells[at]) if len(cells) > at else ""
        if not cell or cell.isspace():
            if not any(map(str.strip, cells)):
                return None
            raise ValueError("has no address")
        try:
            address, key = normalise(cell)
        except ValueError as error:
            raise ValueError(f"the address {_shown(cell)} {error}") from None
        fields = {}
        for name, value in zip(self._names, cells, strict=False):
            if value and name is not None:
                text = value.strip() if value.isprintable() and "\ufffd" not in value else _value(value, name)
                if text:
                    fields[name] = text if text[0] != "'" else _as_written(text)
        fields[ADDRESS] = address
        if len(cells) > len(self._names) and any(map(str.strip, cells[len(self._names) :])):
            raise ValueError(
                f"has {len(cells)} cells, but the first line names only {len(self._names)} columns; "
                f"put a value that contains {self._separator()} in quotes"
            )
        return Recipient(address, key, fields, line)

    def _stands_alone(self, cells: list[str]) -> bool:
        """Whether one line within a quoted value is a row of its own: as many cells as headings, one of them an address."""
        if len(cells) != len(self._names):
            return False
        try:
            return bool(normalise(cells[self._names.index(ADDRESS)]))
        except ValueError:
            return False

    def _separator(self) -> str:
        return "a tab" if self._delimiter == "\t" else repr(self._delimiter)


def open_list(path: Path) -> RecipientList:
    """Find out encoding, delimiter and columns of a recipient list; its rows are read by iterating.

    ``columns`` names the fields that recipients can have, ``email`` among them. Excel's first line ``sep=;`` is heeded; else the
    delimiter is the one by which the first row names the most columns, one of them the address.

    Raises :class:`InputError` where the file is missing, a folder, empty, a spreadsheet or no text, and where its first row does
    not name the columns (:func:`field_names`).
    """
    file = find_encoding(path)
    with file.open() as stream:
        declared = _SEP.fullmatch(stream.readline(100))
    found: list[RecipientList] = []
    failed: list[tuple[float, Problem]] = []
    for delimiter in declared[1] if declared else _DELIMITERS:
        row = _first_row(file, delimiter, after=1 if declared else 0)
        if isinstance(row, Broken):  # more telling than a single column, less than several
            failed.append((1.5, Problem(str(path), row.line, 1, "", row.reason)))
            continue
        try:
            names = field_names(row.cells)
        except HeaderError as error:
            failed.append((len(row.cells), Problem(str(path), row.line, 1, "", str(error))))
            continue
        columns = tuple(name for name in names if name is not None)
        found.append(RecipientList(path, columns, file, delimiter, row.line, names))
    if not found:
        raise InputError(max(failed, key=lambda failure: failure[0])[1])
    return max(found, key=lambda one: len(one.columns))


def _first_row(file: TextFile, delimiter: str, after: int) -> Row | Broken:
    """The row of the headings: the first below line ``after`` that is not blank. Raises :class:`InputError` without one."""
    with file.open() as stream:
        for row in read_rows(stream, delimiter):
            if row.line <= after:
                continue
            if isinstance(row, Broken):
                return row
            if any("\0" in cell for cell in row.cells):
                raise complaint("is no text file; save the list as CSV UTF-8", str(file.path))
            if any(map(str.strip, row.cells)):
                return row
    raise complaint("is empty; its first line must name the columns, e.g. email;vorname;nachname", str(file.path))


def _as_written(cell: str) -> str:
    """Without the apostrophe that keeps spreadsheets from calculating a cell, as our own export puts it (S20)."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in _FORMULA else cell


def _value(cell: str, name: str) -> str:
    if _DAMAGED.search(cell):
        raise ValueError(f"{name} contains a character that could not be read ({_shown(cell)}); save the list as CSV UTF-8")
    return clean(cell).strip("\ufeff\u200b\u200e\u200f\u2060 ")


def _shown(cell: str) -> str:
    """A cell in a message: one line, not too long, nothing that a terminal would obey."""
    line = "".join(char if char.isprintable() else "�" if _DAMAGED.match(char) else " " for char in cell)
    line = " ".join(line.split())
    return f"'{line}'" if len(line) <= 60 else f"'{line[:59]}…'"
