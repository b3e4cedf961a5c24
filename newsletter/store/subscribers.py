"""The subscribers that the publication keeps itself: who they are, how they come, and how they go."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from newsletter.store.consents import add_consents, linked_marks
from newsletter.store.engine import Store, insert_new
from newsletter.store.suppressions import Suppression, add_suppression
from newsletter.store.tables import attempt, campaign, delivery, signup, subscriber, suppression
from newsletter.store.tidying import EMPTIED

SubscriberState = Literal["pending", "confirmed", "gone"]
#: What an import makes of a row. ``left``: suppressed, and stays so (L9).
Taken = Literal["new", "there", "left"]
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One subscriber. ``topics`` is as a list's cell ``tags`` has them, ``fields`` are the other merge fields by name.

    ``pending``: was asked to confirm and has not yet. ``gone``: left. Moments are microseconds UTC.
    """

    id: int
    mark: bytes
    address_key: str
    address: str
    state: SubscriberState
    language: str | None
    topics: str | None
    fields: Mapping[str, str]
    created_at: int
    confirmed_at: int | None
    gone_at: int | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody with a consent that was given elsewhere. ``mark`` is ``Links.mark`` of ``address_key``."""

    mark: bytes
    address_key: str
    address: str
    language: str | None
    topics: str | None
    fields: Mapping[str, str]


def find_subscriber(store: Store, mark: bytes) -> Subscriber | None:
    """The subscriber who has or once had the address of this mark, or None."""
    with store.read() as connection:
        return subscriber_of(connection, mark)


def subscriber_of(connection: Connection, mark: bytes) -> Subscriber | None:
    """What :func:`find_subscriber` does, as part of a transaction."""
    of = select(subscriber).where(subscriber.c.mark.in_(linked_marks(connection, mark)))
    found = [_subscriber(row) for row in connection.execute(of.order_by(subscriber.c.id))]
    return min(found, key=lambda one: (one.mark != mark, one.state != "confirmed"), default=None)


def list_subscribers(store: Store) -> Iterator[Subscriber]:
    """The confirmed subscribers whom mail may go to, in the order in which they came, read as they are asked for."""
    suppressed = select(suppression.c.mark)
    confirmed = select(subscriber).where(subscriber.c.state == "confirmed", subscriber.c.mark.not_in(suppressed))
    with store.read() as connection:
        for row in connection.execute(confirmed.order_by(subscriber.c.id).execution_options(yield_per=_AT_ONCE)):
            yield _subscriber(row)


def _subscriber(row: Any) -> Subscriber:
    return Subscriber(**(dict(row._mapping) | {"fields": json.loads(row.fields)}))


def take_in(connection: Connection, newcomers: list[Newcomer], proof: Mapping[str, Any], moment: int) -> list[Taken]:
    """Take in people who agreed elsewhere, and say of each what became of it; no mark stands twice among them.

    ``proof`` is what their consents have in common: ``kind``, ``list_id``, ``source``. Whoever is suppressed stays so (L9); who
    is confirmed already stays as he is.
    """
    marks = [one.mark for one in newcomers]
    left = set(connection.scalars(select(suppression.c.mark).where(suppression.c.mark.in_(marks))))
    known = select(subscriber.c.mark, subscriber.c.state).where(subscriber.c.mark.in_(marks))
    states = {row.mark: row.state for row in connection.execute(known)}
    taken: list[Taken] = [
        "left" if one.mark in left else "there" if states.get(one.mark) == "confirmed" else "new" for one in newcomers
    ]
    new = [one for one, what in zip(newcomers, taken, strict=True) if what == "new"]
    if new:
        connection.execute(delete(subscriber).where(subscriber.c.mark.in_([one.mark for one in new])))
        connection.execute(insert(subscriber), [_row(one, "confirmed", moment) | {"confirmed_at": moment} for one in new])
        add_consents(connection, [{**proof, "mark": one.mark, "at": moment} for one in new])
    return taken


def add_pending(connection: Connection, newcomer: Newcomer, moment: int) -> None:
    """Note somebody who was asked to confirm; whoever is there already stays as he is."""
    connection.execute(insert_new(connection, subscriber).values(_row(newcomer, "pending", moment)))


def make_confirmed(connection: Connection, newcomer: Newcomer, moment: int) -> None:
    """Make somebody a subscriber by his own word, whatever he was before; a suppression ends with it."""
    connection.execute(insert_new(connection, subscriber).values(_row(newcomer, "pending", moment)))
    values: dict[str, Any] = {"state": "confirmed", "confirmed_at": moment, "gone_at": None, "address": newcomer.address}
    values |= {name: value for name in ("language", "topics") if (value := getattr(newcomer, name)) is not None}
    connection.execute(update(subscriber).where(subscriber.c.mark == newcomer.mark).values(values))
    connection.execute(delete(suppression).where(suppression.c.mark == newcomer.mark))


def move_subscriber(connection: Connection, former: bytes, newcomer: Newcomer) -> bool:
    """Give a subscriber another address. False where there is no such subscriber any more."""
    known = connection.execute(
        select(subscriber.c.id).where(subscriber.c.mark == former, subscriber.c.state == "confirmed")
    ).one_or_none()
    if known is None:
        return False
    if former != newcomer.mark:
        connection.execute(delete(subscriber).where(subscriber.c.mark == newcomer.mark))
        connection.execute(delete(suppression).where(suppression.c.mark == newcomer.mark))
    values = {"mark": newcomer.mark, "address": newcomer.address, "address_key": newcomer.address_key}
    connection.execute(update(subscriber).where(subscriber.c.id == known.id).values(values))
    return True


def change_subscriber(store: Store, subscriber_id: int, *, language: str | None, topics: str | None) -> None:
    """Change what a subscriber chose."""
    with store.write() as connection:
        chosen = {"language": language, "topics": topics}
        connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(chosen))


def _row(one: Newcomer, state: SubscriberState, moment: int) -> dict[str, Any]:
    return {
        "mark": one.mark,
        "address_key": one.address_key,
        "address": one.address,
        "state": state,
        "language": one.language,
        "topics": one.topics,
        "fields": json.dumps(dict(one.fields), ensure_ascii=False),
        "created_at": moment,
    }


def come_back(store: Store, mark: bytes, since: int) -> bool:
    """Undo that somebody unsubscribed at or after ``since``; True where there was something to undo.

    Only what the person did himself is undone: who bounced, complained or was erased stays so. A delivery that was
    suppressed meanwhile stays suppressed.
    """

    def undo(connection: Connection) -> bool:
        marks = linked_marks(connection, mark)
        undone = list(
            connection.scalars(
                delete(suppression)
                .where(suppression.c.mark.in_(marks), suppression.c.reason == "unsubscribed", suppression.c.created_at >= since)
                .returning(suppression.c.mark)
            )
        )
        if not undone:
            return False
        again = update(subscriber).where(subscriber.c.mark.in_(undone), subscriber.c.state == "gone")
        back = connection.execute(again.values(state="confirmed", gone_at=None).returning(subscriber.c.mark))
        steps = [{"mark": one, "kind": "returned", "at": store.clock()} for one in back.scalars()]
        add_consents(connection, steps)
        return True

    return store.change(undo)


def erase(store: Store, mark: bytes, list_id: str) -> bool:
    """Forget somebody, under all addresses he had: what stays are marks, counts and the proof, none with an address (L8).

    Values are removed from the deliveries of all campaigns, the server's words with them; what was not sent yet is suppressed.
    Gives True where anything but the mark was there.
    """
    moment = store.clock()

    def forget(connection: Connection) -> bool:
        marks = linked_marks(connection, mark)
        found = False
        for one in marks:
            add_suppression(connection, Suppression(one, None, "erased", None, None, moment))
            found |= _remove_values(connection, one)
        connection.execute(update(suppression).where(suppression.c.mark.in_(marks)).values(reason="erased", address=None))
        found |= connection.execute(delete(signup).where(signup.c.mark.in_(marks) | signup.c.former.in_(marks))).rowcount > 0
        found |= connection.execute(delete(subscriber).where(subscriber.c.mark.in_(marks))).rowcount > 0
        add_consents(connection, [{"mark": mark, "list_id": list_id, "kind": "erased", "at": moment}])
        return found

    found = store.change(forget)
    store.sweep()
    return found


def _remove_values(connection: Connection, mark: bytes) -> bool:
    of = (delivery.c.mark == mark, delivery.c.campaign_id.in_(select(campaign.c.id)))  # the second lets the index be used
    ids = list(connection.scalars(select(delivery.c.id).where(*of)))
    if not ids:
        return False
    connection.execute(update(attempt).where(attempt.c.delivery_id.in_(ids)).values(reply=None))
    # Also of what is on the wire: its message is made already, and it is settled by its id.
    emptied = update(delivery).where(delivery.c.id.in_(ids))
    connection.execute(emptied.values(EMPTIED))
    return True
