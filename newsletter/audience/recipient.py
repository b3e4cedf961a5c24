"""What a row of a recipient list can turn out to be: a recipient, a refused row, a duplicate."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


class Recipient(NamedTuple):
    """One address with its fields.

    ``address`` goes on the wire, ``key`` says who is the same recipient (see :class:`newsletter.audience.address.Address`).
    ``fields`` holds the merge fields, the address among them as ``email``; an empty cell is left out. ``line`` is where the
    row starts in its file.
    """

    address: str
    key: str
    fields: Mapping[str, str]
    line: int


class Refused(NamedTuple):
    """A row that cannot be written to, and why. As text: ``list.csv:8: reason``."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class Duplicate(NamedTuple):
    """A row whose recipient stood in ``first_line`` already; that one's spelling and fields are kept."""

    path: str
    line: int
    first_line: int
    address: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.address} is the recipient of line {self.first_line} again"


class People(Protocol):
    """A recipient list, wherever it is kept: can be read again; ``columns`` are the fields, ``path`` is what it is called."""

    @property
    def path(self) -> Path: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def __iter__(self) -> Iterator[Recipient | Refused]: ...


def distinct(rows: Iterable[Recipient | Refused], path: str) -> Iterator[Recipient | Refused | Duplicate]:
    """Pass rows on, each recipient once; for short lists, as every key is remembered (the ledger finds duplicates by itself)."""
    seen: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Refused) or (first := seen.setdefault(row.key, row.line)) == row.line:
            yield row
        else:
            yield Duplicate(path, row.line, first, row.address)
