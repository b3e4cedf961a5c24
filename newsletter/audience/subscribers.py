"""The subscribers in the database become a recipient list; a list of people who agreed elsewhere becomes subscribers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from newsletter.audience.columns import ADDRESS
from newsletter.audience.recipient import Duplicate, Recipient, Refused, distinct
from newsletter.problem import complaint
from newsletter.store.engine import Store
from newsletter.store.subscribers import Newcomer, Subscriber, Taken, list_subscribers, take_in

#: What stands for the subscribers where the name of a list stands.
SUBSCRIBERS = "subscribers"
#: Fields that have a place of their own in the database.
LANGUAGE, TAGS = "language", "tags"
#: How many rows of a list are told one by one of each kind; all are counted.
TOLD = 1000
_AT_ONCE = 500


def merge_fields(one: Subscriber) -> dict[str, str]:
    """The merge fields of a subscriber, as a list would have them: the topics are ``tags``."""
    own = {ADDRESS: one.address, LANGUAGE: one.language, TAGS: one.topics}
    return dict(one.fields) | {name: value for name, value in own.items() if value}


class Subscribers:
    """The confirmed subscribers as a recipient list, read anew by each iteration; ``line`` counts them.

    ``columns`` are the fields that any of them has. Iterating raises :class:`~newsletter.problem.InputError` without anybody.
    """

    def __init__(self, store: Store) -> None:
        self.path = Path(SUBSCRIBERS)
        self._store = store
        names = dict.fromkeys((ADDRESS, LANGUAGE, TAGS))
        for one in list_subscribers(store):
            names |= dict.fromkeys(one.fields)
        self.columns = tuple(names)

    def __iter__(self) -> Iterator[Recipient | Refused]:
        number = 0
        for number, one in enumerate(list_subscribers(self._store), 1):
            yield Recipient(one.address, one.address_key, merge_fields(one), number)
        if not number:
            raise complaint("there are no confirmed subscribers yet; newsletter subscribers import FILE.csv takes some in")


@dataclass
class Intake:
    """What became of the rows of a list: ``new`` subscribers, ``there`` already, ``left`` before and not taken in again.

    ``duplicates`` and ``refused`` are counted; ``rows`` are the first of them, in the list's order.
    """

    new: int = 0
    there: int = 0
    left: int = 0
    duplicates: int = 0
    refused: int = 0
    rows: list[Refused | Duplicate] = field(default_factory=list)

    def count(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in ("new", "there", "left", "duplicates", "refused")}


def newcomer(one: Recipient, mark: Callable[[str], bytes]) -> Newcomer:
    """A recipient as somebody who can become a subscriber."""
    own = (ADDRESS, LANGUAGE, TAGS)
    others = {name: value for name, value in one.fields.items() if name not in own}
    return Newcomer(mark(one.key), one.key, one.address, one.fields.get(LANGUAGE), one.fields.get(TAGS), others)


def take_list(  # noqa: PLR0913 - each says its own, by name
    store: Store,
    rows: Iterable[Recipient | Refused],
    *,
    path: str,
    mark: Callable[[str], bytes],
    list_id: str,
    source: str,
    kind: str = "imported",
) -> Intake:
    """Make subscribers of a list, all of it or nothing: ``source`` says where and how they agreed, and is their proof (L3).

    Whoever left, bounced, complained or was erased stays so (L9). Raises :class:`~newsletter.problem.InputError` where ``source``
    is empty or no row can be used.
    """
    proof = {"kind": kind, "list_id": list_id, "source": demand_source(source)}
    intake = Intake()
    with store.write() as connection:
        moment = store.clock()
        good = _sorted_out(distinct(rows, path), intake)
        while batch := [newcomer(one, mark) for one in islice(good, _AT_ONCE)]:
            for what in take_in(connection, batch, proof, moment):
                _count(intake, what)
    return intake


def demand_source(source: str) -> str:
    """Where a consent comes from, as it was written. Raises :class:`~newsletter.problem.InputError` where it says nothing."""
    said = " ".join(source.split())
    if not said:
        raise complaint('--source is empty; say where and how they agreed, e.g. --source "sign-up sheets, town fair 2026"')
    return said


def _sorted_out(rows: Iterable[Recipient | Refused | Duplicate], intake: Intake) -> Iterator[Recipient]:
    for row in rows:
        if isinstance(row, Recipient):
            yield row
            continue
        if isinstance(row, Refused):
            intake.refused += 1
        else:
            intake.duplicates += 1
        if len(intake.rows) < TOLD:
            intake.rows.append(row)


def _count(intake: Intake, what: Taken) -> None:
    setattr(intake, what, getattr(intake, what) + 1)
