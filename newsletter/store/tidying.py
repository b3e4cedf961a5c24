"""What has no reason to be kept any more is deleted, in short transactions, so that nobody else waits long for the database.

What stays: the counts, the state of each delivery, and the marks by which somebody who left is known again (L8).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, literal_column, or_, select, update

from newsletter.store.engine import Store
from newsletter.store.tables import attempt, campaign, consent, delivery, signup, subscriber, suppression

#: Rows in one transaction.
_AT_ONCE = 500
#: A delivery of which only the state and the mark are left.
EMPTIED: dict[str, Any] = {"data": None, "address": "", "address_key": "", "line": 0, "variant": None, "reply": None}

#: Told after each transaction how many seconds it took, waits so that others get their turn; False: stop for now.
Rest = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Before:
    """What is older goes; moments, microseconds UTC."""

    signups: int
    values: int
    proofs: int


@dataclass(slots=True)
class Tidied:
    """How much went: ``signups`` (requests, and those who did not confirm), ``left`` (subscribers), ``values`` (deliveries that
    lost address, values and the server's words), ``addresses`` (beside the marks of those who left or bounced), ``proofs``."""

    signups: int = 0
    left: int = 0
    values: int = 0
    addresses: int = 0
    proofs: int = 0


def sleep(seconds: float) -> bool:
    """Leave the database to others as long as it was held."""
    time.sleep(min(seconds, 1))
    return True


def tidy(store: Store, before: Before, rest: Rest = sleep) -> Tidied:
    """Delete what is older. It can be stopped and begun again at any moment, and run beside anything else."""
    done = Tidied()
    done.signups = _forget_signups(store, before.signups, rest)
    done.left = _forget_left(store, before.signups, rest)
    done.values = _empty_campaigns(store, before.values, rest)
    done.addresses = _forget_addresses(store, before.values, rest)
    done.proofs = _forget_proofs(store, before.proofs, rest)
    store.sweep()
    return done


def _forget_signups(store: Store, before: int, rest: Rest) -> int:
    """L5: requests, then those who did not confirm."""
    asked = (signup.c.asked_at < before,)
    count = _portions(store, signup.c.id, asked, lambda of, these: of.execute(delete(signup).where(*these)).rowcount, rest)
    waiting = select(signup.c.mark).where(signup.c.state.in_(["waiting", "sent"]))
    late = (subscriber.c.state == "pending", subscriber.c.created_at < before, subscriber.c.mark.not_in(waiting))
    return count + _portions(
        store, subscriber.c.id, late, lambda of, these: of.execute(delete(subscriber).where(*these)).rowcount, rest
    )


def _forget_left(store: Store, before: int, rest: Rest) -> int:
    """L8: those who left, and their addresses beside the marks."""
    left = (subscriber.c.state == "gone", subscriber.c.gone_at < before)

    def forget(connection: Connection, these: Sequence[ColumnElement[bool]]) -> int:
        marks = select(subscriber.c.mark).where(*these)
        connection.execute(update(suppression).where(suppression.c.mark.in_(marks)).values(address=None))
        return connection.execute(delete(subscriber).where(*these)).rowcount

    return _portions(store, subscriber.c.id, left, forget, rest)


def _forget_addresses(store: Store, before: int, rest: Rest) -> int:
    """L17: of those whose mail bounced, who complained, or who left a list that is not kept here; the mark stays."""
    old = (suppression.c.created_at < before, suppression.c.address.is_not(None))
    return _portions(
        store,
        suppression.c.mark,
        old,
        lambda of, these: of.execute(update(suppression).where(*these).values(address=None)).rowcount,
        rest,
    )


def _forget_proofs(store: Store, before: int, rest: Rest) -> int:
    """L8: of those who are no subscribers any more, and whose last step is older."""
    later, moved = consent.alias(), consent.alias()
    old = (
        consent.c.at < before,
        ~exists().where(subscriber.c.mark == consent.c.mark),
        ~exists().where(later.c.mark == consent.c.mark, later.c.at >= before),
        ~exists().where(moved.c.former == consent.c.mark),
    )
    return _portions(store, consent.c.id, old, lambda of, these: of.execute(delete(consent).where(*these)).rowcount, rest)


def _portions(
    store: Store,
    key: ColumnElement[Any],
    old: Sequence[ColumnElement[bool]],
    forget: Callable[[Connection, Sequence[ColumnElement[bool]]], int],
    rest: Rest,
) -> int:
    """Go once through the rows for which all of ``old`` holds; it is looked at again in the transaction that forgets them."""
    count, last = 0, None
    while True:
        some = select(key).where(*old, *(() if last is None else (key > last,))).order_by(key).limit(_AT_ONCE)
        with store.read() as connection:
            keys = list(connection.scalars(some))
        if not keys:
            return count
        last, begun = keys[-1], time.perf_counter()
        with store.write() as connection:
            count += forget(connection, [key.in_(keys), *old])
        if not rest(time.perf_counter() - begun):
            return count


# --- deliveries -------------------------------------------------------------------------------------------------------------


def _is_over(before: int) -> ColumnElement[bool]:
    return and_(campaign.c.state.in_(["done", "cancelled"]), campaign.c.ended_at < before, campaign.c.emptied_at.is_(None))


def _empty_campaigns(store: Store, before: int, rest: Rest) -> int:
    """L17: the values of campaigns that are over so long; no other campaign is touched."""
    with store.read() as connection:
        campaigns = list(connection.scalars(select(campaign.c.id).where(_is_over(before)).order_by(campaign.c.id)))
    return sum(_empty(store, one, before, rest) for one in campaigns)


def _empty(store: Store, campaign_id: int, before: int, rest: Rest) -> int:
    """In the order of the ids, in which the rows lie beside each other."""
    ends = select(func.min(delivery.c.id), func.max(delivery.c.id)).where(delivery.c.campaign_id == campaign_id)
    with store.read() as connection:
        first, last = connection.execute(ends).one()
    this = and_(campaign.c.id == campaign_id, _is_over(before))
    count = 0
    for start in range(first or 0, (last or 0) + 1, _AT_ONCE):
        begun = time.perf_counter()
        with store.write() as connection:
            # Locked where the database locks rows: resolve may make it go on.
            if connection.scalar(select(campaign.c.id).where(this).with_for_update()) is None:
                return count
            count += _empty_some(connection, campaign_id, start, start + _AT_ONCE - 1)
        if not rest(time.perf_counter() - begun):
            return count
    with store.write() as connection:
        connection.execute(update(campaign).where(this).values(emptied_at=store.clock()))
    return count


def _empty_some(connection: Connection, campaign_id: int, first: int, last: int) -> int:
    # "+": else SQLite takes the index of marks, which jumps all over the table.
    these = and_(delivery.c.id.between(first, last), literal_column("+delivery.campaign_id") == campaign_id)
    tried = select(delivery.c.id).where(these, delivery.c.attempts > 0)
    connection.execute(delete(attempt).where(attempt.c.delivery_id.in_(tried)))
    full = or_(delivery.c.address != "", delivery.c.reply.is_not(None))
    return connection.execute(update(delivery).where(these, full).values(EMPTIED)).rowcount
