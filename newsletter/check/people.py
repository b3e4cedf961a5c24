"""A recipient list becomes what is wrong with it: every recipient's message is made once, and the ones worth a look are kept.

The list is read once, in constant memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.audience.recipient import People as Rows
from newsletter.audience.recipient import Recipient, Refused
from newsletter.check.origin import Place
from newsletter.check.sampling import Writer, choose
from newsletter.compose.edition import Edition
from newsletter.message import HeaderError

#: How many rows are told one by one of each kind; all are counted.
TOLD = 20


@dataclass(frozen=True, slots=True)
class EmptyField:
    """A recipient who has no value for a merge field that has no default."""

    at: Place
    address: str
    field: str


@dataclass(frozen=True, slots=True)
class Unmakeable:
    """A recipient whose values make no message. ``reason`` is one sentence."""

    at: Place
    address: str
    reason: str


@dataclass(frozen=True)
class People:
    """A recipient list after it was read: who is ``chosen`` for a closer look, how many there are, what is wrong with rows."""

    path: str
    columns: tuple[str, ...]
    chosen: tuple[Recipient, ...]
    recipients: int
    refused: int
    empty: tuple[EmptyField, ...]
    unmakeable: tuple[Unmakeable, ...]


class _Reading:
    def __init__(self, path: str, edition: Edition, writer: Writer) -> None:
        self.recipients = self.refused = 0
        self.empty: list[EmptyField] = []
        self.unmakeable: list[Unmakeable] = []
        self._path = path
        self._writer = writer
        self._choice = edition.choice
        self._needed = {
            name: [slot for slot in edition.variant(name).fields if slot.default is None] for name in edition.variant_names
        }

    def pass_on(self, rows: Rows) -> Iterator[Recipient]:
        """Every recipient whose message can be made, after it was."""
        for row in rows:
            if isinstance(row, Refused):
                self.refused += 1
                continue
            self.recipients += 1
            if self._complete(row) and self._make(row):
                yield row

    def _complete(self, row: Recipient) -> bool:
        needed = self._needed[self._choice(row.fields)]
        missing = [slot.name for slot in needed if not slot.has_value(row.fields)]
        if len(self.empty) < TOLD:
            self.empty += (EmptyField(Place(self._path, row.line, 1), row.address, name) for name in missing)
        return not missing

    def _make(self, row: Recipient) -> bool:
        try:
            self._writer.write(row)
        except HeaderError as error:
            if len(self.unmakeable) < TOLD:
                self.unmakeable.append(Unmakeable(Place(self._path, row.line, 1), row.address, str(error)))
            return False
        return True


def read_people(rows: Rows, edition: Edition, writer: Writer) -> People:
    """Read a list for an edition. Raises :class:`~newsletter.problem.InputError` where no row of it can be used."""
    path = str(rows.path)
    reading = _Reading(path, edition, writer)
    chosen = choose(reading.pass_on(rows), edition.choice)
    return People(
        path,
        rows.columns,
        tuple(chosen),
        reading.recipients,
        reading.refused,
        tuple(reading.empty),
        tuple(reading.unmakeable),
    )
