"""A recipient list becomes the audience of a campaign: every row accounted for, all of it or nothing in the database.

:func:`discard` is the way back, as long as nothing was sent.
"""

import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic_core import to_json
from sqlalchemy import Connection, delete, exists, func, select, text, update

from newsletter.audience.recipient import Duplicate, Recipient, Refused
from newsletter.compose.edition import Edition
from newsletter.problem import InputError, Problem, complaint
from newsletter.store.campaigns import Campaign
from newsletter.store.editions import save_edition
from newsletter.store.engine import Store, insert_rows
from newsletter.store.tables import DUE, OPEN, campaign, delivery, picture, suppression
from newsletter.store.tables import edition as edition_table
from newsletter.store.tables import lane as lane_table

#: Rows that go to the database at once: what a statement costs by itself is shared by so many.
_BATCH = 500
#: Ids are drawn at random, since they stand in links: after a restart with an empty database and the old key, an old view link
#: must not open another person's mail.
_CAMPAIGN_IDS = 2**31 - 1
#: How many refused and duplicate rows are told one by one; all are counted.
TOLD = 1000
#: The lane of whoever is in none of its own.
_COMMON = "*"


class Recipients(Protocol):
    """A recipient list: rows in file order, and what to call it in messages."""

    @property
    def path(self) -> Path:
        """The file."""

    def __iter__(self) -> Iterator[Recipient | Refused]: ...


@dataclass(frozen=True, slots=True)
class FreezeReport:
    """What became of every row of a list: ``candidates = prepared + suppressed + duplicates + refused``.

    ``duplicate_rows`` and ``refused_rows`` are the first :data:`TOLD` of them.
    """

    candidates: int
    prepared: int
    suppressed: int
    duplicates: int
    refused: int
    duplicate_rows: tuple[Duplicate, ...]
    refused_rows: tuple[Refused, ...]


def freeze(  # noqa: PLR0913 - each says its own, by name
    store: Store,
    *,
    slug: str,
    edition: Edition,
    recipients: Recipients,
    mark: Callable[[str], bytes],
    list_name: str,
    again: bool = False,
    lane: Callable[[str], str] | None = None,
) -> tuple[Campaign, FreezeReport]:
    """Make the campaign of an issue: edition, audience and their counts, in one transaction and in flat memory.

    The edition has each variant that a recipient gets, and ``mark`` is ``Links.mark``. The campaign is a ``draft`` until
    :func:`~newsletter.delivery.drive.drive` starts it. ``again`` makes another campaign of an issue whose last one is over.
    ``lane`` gives the lane of a recipient's domain (A-label); few lanes, ``*`` for all others.

    Raises :class:`~newsletter.problem.InputError`, with nothing stored, where no row can be used, the issue has a campaign that
    stands in the way, or the rows stored are not those that were read.
    """
    moment = store.clock()
    with store.fill() as connection:
        number = _next_number(connection, slug, again)
        save_edition(connection, edition, slug=slug, moment=moment)
        row = {
            "id": 1 + secrets.randbelow(_CAMPAIGN_IDS),
            "key": secrets.token_hex(16),
            "slug": slug,
            "number": number,
            "edition_hash": edition.hash,
            "state": "draft",
            "list_name": list_name,
            "candidates": 0,
            "duplicates": 0,
            "refused": 0,
            "created_at": moment,
        }
        campaign_id = int(connection.execute(campaign.insert().returning(campaign.c.id), row).scalar_one())
        audience = _Audience(connection, campaign_id, moment, str(recipients.path), edition, mark, lane)
        report = audience.take(recipients)
        counts = {"candidates": report.candidates, "duplicates": report.duplicates, "refused": report.refused}
        frozen = update(campaign).where(campaign.c.id == campaign_id).values(counts).returning(campaign)
        return Campaign(**connection.execute(frozen).one()._mapping), report


def discard(store: Store, campaign_id: int) -> None:
    """Remove a campaign that nobody confirmed, with its deliveries, in one transaction.

    Its edition goes too where no other campaign sends it, and the pictures that no other edition shows: no mail of a draft was
    sent, so no link leads to them. Ids are never given out again. Raises :class:`~newsletter.problem.InputError`, with nothing
    changed, where there is no such campaign or it is no ``draft`` any more: then it may have sent something.
    """
    with store.write() as connection:
        row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
        if row is None:
            raise complaint(f"there is no campaign {campaign_id} in the database")
        if row.state != "draft":
            raise complaint(f"the campaign of {row.slug} was started already and stays; it is {row.state}")
        connection.execute(delete(delivery).where(delivery.c.campaign_id == campaign_id))
        connection.execute(delete(lane_table).where(lane_table.c.campaign_id == campaign_id))
        connection.execute(delete(campaign).where(campaign.c.id == campaign_id))
        _discard_edition(connection, row.edition_hash)


def _discard_edition(connection: Connection, edition_hash: str) -> None:
    unused = ~exists().where(campaign.c.edition_hash == edition_table.c.hash)
    gone = delete(edition_table).where(edition_table.c.hash == edition_hash, unused).returning(edition_table.c.body)
    body = connection.scalar(gone)
    if body is None:
        return
    for file in Edition.from_json(body, {}).files:
        shown = exists().where(edition_table.c.body.contains(file.name, autoescape=True))
        connection.execute(delete(picture).where(picture.c.name == file.name, ~shown))


def _next_number(connection: Connection, slug: str, again: bool) -> int:
    last = select(campaign.c.number, campaign.c.state).where(campaign.c.slug == slug).order_by(campaign.c.number.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    if row is None:
        return 1
    if row.state in ("draft", "scheduled", "running", "paused"):
        raise complaint(f"the sending of {slug} is not finished; the same newsletter send without --again resumes it")
    if not again:
        raise complaint(f"{slug} was sent already; newsletter send --again sends it another time")
    return int(row.number) + 1


class _Audience:
    """Puts the rows of a list into the ledger and counts what becomes of them."""

    def __init__(  # noqa: PLR0913, PLR0917 - what freeze() was given
        self,
        connection: Connection,
        campaign_id: int,
        moment: int,
        path: str,
        edition: Edition,
        mark: Callable[[str], bytes],
        lane: Callable[[str], str] | None,
    ) -> None:
        self._connection = connection
        self._campaign_id = campaign_id
        self._moment = moment
        self._path = path
        self._edition = edition
        self._variants = edition.variant_names
        self._mark = mark
        self._lane = lane
        self._lanes: set[str] = {_COMMON} if lane is None else set()
        self._candidates = self._taken = self._duplicates = self._refused = 0
        self._duplicate_rows: list[Duplicate] = []
        self._refused_rows: list[Refused] = []

    def take(self, rows: Iterable[Recipient | Refused]) -> FreezeReport:
        stream = self._usable(rows)
        while batch := list(itertools.islice(stream, _BATCH)):
            self._insert(batch)
        if not self._taken:
            raise self._nothing_usable()
        lanes = [{"campaign_id": self._campaign_id, "lane": name} for name in sorted(self._lanes)]
        self._connection.execute(lane_table.insert(), lanes)
        return self._report(self._suppress())

    def _usable(self, rows: Iterable[Recipient | Refused]) -> Iterator[Recipient]:
        for row in rows:
            self._candidates += 1
            if isinstance(row, Recipient):
                yield row
                continue
            self._refused += 1
            if len(self._refused_rows) < TOLD:
                self._refused_rows.append(row)

    def _insert(self, rows: list[Recipient]) -> None:
        marks = [self._mark(row.key) for row in rows]
        columns: dict[str, Sequence[object]] = {
            "address_key": [row.key for row in rows],
            "address": [row.address for row in rows],
            "mark": [bytearray(mark) for mark in marks],  # for bytes, sqlite3 looks each time whether to convert them
            "line": [row.line for row in rows],
            "data": [to_json(dict(row.fields)).decode() for row in rows],
        }
        if self._lane is not None:
            columns["lane"] = self._lanes_of(rows, self._lane)
        if self._edition.conditions:
            columns["variant"] = [self._variant(row) for row in rows]
        same: dict[str, int | str] = {"campaign_id": self._campaign_id, "state": "pending", "updated_at": self._moment}
        taken = insert_rows(self._connection, delivery, columns, same)
        self._taken += taken
        if taken != len(rows):  # the UNIQUE index found duplicates; only then are their lines looked up
            self._find_duplicates(rows, marks)

    def _lanes_of(self, rows: list[Recipient], lane: Callable[[str], str]) -> list[str]:
        lanes = [lane(row.key.rpartition("@")[2]) for row in rows]
        self._lanes.update(lanes)
        return lanes

    def _variant(self, row: Recipient) -> str | None:
        """What this recipient gets, decided here for good. Raises :class:`InputError` where the edition does not have it."""
        name = self._edition.choice(row.fields)
        if name not in self._variants:
            words = "gets other blocks than it said when the edition was made; nothing was sent, repeat the command"
            raise InputError(Problem(self._path, row.line, 0, "", f"{row.address} {words}"))
        return name

    def _find_duplicates(self, rows: list[Recipient], marks: list[bytes]) -> None:
        stored = select(delivery.c.mark, delivery.c.address_key, delivery.c.line).where(
            delivery.c.campaign_id == self._campaign_id, delivery.c.mark.in_(marks)
        )
        firsts = {row.mark: row for row in self._connection.execute(stored)}
        seen: set[bytes] = set()
        for row, mark in zip(rows, marks, strict=True):
            first = firsts[mark]
            if first.address_key != row.key:
                words = f"{row.address} cannot be told from the recipient of line {first.line}; change one of the two addresses"
                raise complaint(words, f"{self._path}:{row.line}")
            if first.line != row.line or mark in seen:
                self._duplicates += 1
                if len(self._duplicate_rows) < TOLD:
                    self._duplicate_rows.append(Duplicate(self._path, row.line, first.line, row.address))
            seen.add(mark)

    def _suppress(self) -> int:
        reason = select(suppression.c.reason).where(suppression.c.mark == delivery.c.mark).scalar_subquery()
        return self._connection.execute(
            update(delivery)
            .where(delivery.c.mark.in_(select(suppression.c.mark)), text(OPEN), delivery.c.campaign_id == self._campaign_id)
            .values(state="suppressed", why=reason)
        ).rowcount

    def _report(self, suppressed: int) -> FreezeReport:
        """The counts, as the database has them. Raises :class:`InputError` where they are not what was read."""
        of = delivery.c.campaign_id == self._campaign_id
        # Two counts over indexes alone; by state, each row would have to be looked at.
        stored = self._connection.scalar(select(func.count()).where(of)) or 0
        prepared = self._connection.scalar(select(func.count()).where(of, text(DUE))) or 0
        report = FreezeReport(
            candidates=self._candidates,
            prepared=prepared,
            suppressed=suppressed,
            duplicates=self._duplicates,
            refused=self._refused,
            duplicate_rows=tuple(self._duplicate_rows),
            refused_rows=tuple(self._refused_rows),
        )
        told = prepared + suppressed + self._duplicates + self._refused
        if self._candidates != told or stored != prepared + suppressed or stored != self._taken:
            raise complaint(
                f"has {self._candidates} rows, but only {told} of them are accounted for; nothing was stored, "
                "please report this as a fault of the program",
                self._path,
            )
        return report

    def _nothing_usable(self) -> InputError:
        problems = [Problem(self._path, 0, 0, "", "no row can be used; a row needs an address in the list's address column")]
        problems += [Problem(self._path, row.line, 0, "", row.reason) for row in self._refused_rows]
        return InputError(problems)
