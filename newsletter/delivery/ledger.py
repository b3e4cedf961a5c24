"""The ledger's transitions: each one function over a transaction, a compare-and-set on state and worker.

::

    pending, deferred --claim--> claimed --mark_sending--> sending --settle--> sent, deferred, failed, uncertain
    claimed --give_back--> pending, deferred        sending --withdraw, nothing was sent--> pending, deferred
    claimed, sending --recover, after a crash--> pending, uncertain

The third step is in :mod:`newsletter.delivery.settling`, the last in :mod:`newsletter.delivery.workers`, a campaign's own steps
are in :mod:`newsletter.delivery.life`; all are called from here. What is left to do is read off the delivery rows alone. Only
``mark_sending`` lets a message out: the caller writes no byte of it before that transaction is committed (S23). Moments are
microseconds UTC.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from newsletter.delivery.life import POLICY, cancel, finish, pause, reopen, resolve, schedule, start
from newsletter.delivery.settling import Result, Settled, settle
from newsletter.delivery.workers import BEFORE_THE_CLAIM, hold, reap, recover, recover_others, register
from newsletter.store.prepared import Prepared, padded, word
from newsletter.store.tables import DUE, HELD, campaign, delivery, suppression, worker
from newsletter.store.tables import lane as lane_table

__all__ = [
    "POLICY",
    "Claimed",
    "Result",
    "Settled",
    "cancel",
    "claim",
    "earliest",
    "finish",
    "give_back",
    "held_until",
    "hold",
    "lanes_of",
    "mark_sending",
    "next_due",
    "pause",
    "reap",
    "recover",
    "recover_others",
    "register",
    "reopen",
    "resolve",
    "schedule",
    "settle",
    "start",
]


class Claimed(NamedTuple):
    """A delivery that this worker alone may send. ``attempts`` counts the earlier tries, ``first_tried_at`` is when the first
    one ended (None before it). ``variant`` names the form of the edition, where it has several."""

    id: int
    address: str
    mark: bytes
    fields: Mapping[str, str]
    attempts: int
    lane: str = "*"
    first_tried_at: int | None = None
    variant: str | None = None


def claim(  # noqa: PLR0913 - the fence needs them all
    connection: Connection, campaign_id: int, worker_id: int, wanted: int, now: int, *, lane: str | None = None
) -> list[Claimed]:
    """Take up to ``wanted`` due deliveries of a running campaign, longest due first; of one ``lane`` or of all.

    Suppression is looked up here: who must not be written to becomes ``suppressed`` in this transaction. Empty where nothing is
    due, the campaign does not run, or the worker was taken for dead.
    """
    if not _may_work(connection, campaign_id, worker_id, now):
        return []
    lanes = lanes_of(connection, campaign_id) if lane is None else [lane]
    while ids := _due(connection, campaign_id, lanes, wanted, now):
        listed = _listed(ids)
        _suppression(len(listed)).run(connection, {**listed, "moment": now})
        rows = _taking(len(listed)).run(connection, {**listed, "whose": worker_id, "moment": now})
        if rows:
            place = {one: number for number, one in enumerate(ids)}
            return sorted(_claimed(rows), key=lambda one: place[one.id])
    return []


_CLAIMED = [delivery.c[name] for name in ("id", "address", "mark", "data", "attempts", "lane", "first_tried_at", "variant")]


def _claimed(rows: Sequence[Any]) -> list[Claimed]:
    fields = json.loads(f"[{','.join([row[3] or '{}' for row in rows])}]")  # one call costs half of many
    return [Claimed(row[0], row[1], row[2], mine, *row[4:]) for row, mine in zip(rows, fields, strict=True)]


def _due(connection: Connection, campaign_id: int, lanes: Sequence[str], wanted: int, now: int) -> list[int]:
    """The ids of the longest due deliveries; each lane is asked by itself, so that the index gives them in their order."""
    found: list[tuple[int, int]] = []
    for lane in lanes:
        given = {"campaign": campaign_id, "lane": lane, "moment": now, "wanted": wanted}
        found += map(tuple, _DUE_FIRST.run(connection, given))
    return [one for _, one in sorted(found)[:wanted]]


_DUE_FIRST = Prepared(
    select(delivery.c.next_at, delivery.c.id)
    .where(delivery.c.campaign_id == bindparam("campaign"), delivery.c.lane == bindparam("lane"))
    .where(text(DUE), delivery.c.next_at <= bindparam("moment"))
    .order_by(delivery.c.next_at, delivery.c.id)
    .limit(bindparam("wanted", type_=Integer))
    .with_for_update(skip_locked=True)
)


@cache
def _suppression(count: int) -> Prepared:
    reason = select(suppression.c.reason).where(suppression.c.mark == delivery.c.mark).scalar_subquery()
    return Prepared(
        update(delivery)
        .where(_among(count), delivery.c.mark.in_(select(suppression.c.mark)))
        .values(state=word("suppressed"), why=reason, updated_at=bindparam("moment"))
    )


@cache
def _taking(count: int) -> Prepared:
    return Prepared(
        update(delivery)
        .where(_among(count), text(DUE))
        .values(state=word("claimed"), worker_id=bindparam("whose"), updated_at=bindparam("moment"))
        .returning(*_CLAIMED)
    )


def _listed(ids: Sequence[int]) -> dict[str, int]:
    """The values of :func:`_among`."""
    return {f"id{number}": one for number, one in enumerate(padded(ids))}


def _among(count: int) -> ColumnElement[bool]:
    """Whether a delivery is one of so many: ``id0``, ``id1`` …"""
    return delivery.c.id.in_([bindparam(f"id{number}", type_=BigInteger) for number in range(count)])


def lanes_of(connection: Connection, campaign_id: int) -> list[str]:
    """The lanes that a campaign's deliveries are in, by name; ``*`` holds whoever is in no lane of its own."""
    return [row[0] for row in _LANES.run(connection, {"campaign": campaign_id})]


_LANES = Prepared(select(lane_table.c.lane).where(lane_table.c.campaign_id == bindparam("campaign")).order_by(lane_table.c.lane))


def mark_sending(  # noqa: PLR0913 - the fence needs them all
    connection: Connection, campaign_id: int, worker_id: int, ids: Iterable[int], now: int, *, again: bool = False
) -> set[int]:
    """The intent: these messages are about to leave. Gives the ids that may; the others stay where they are (give them back).

    Refused are a delivery that is no longer this worker's (taken over, unsubscribed meanwhile) and a campaign that does not run.
    ``again`` is for a transaction whose COMMIT was not answered: it may have been stored, so the own ``sending`` counts.
    """
    if not (wanted := list(ids)):
        return set()
    listed = _listed(wanted)
    given = {**listed, "whose": worker_id, "running": campaign_id, "moment": now}
    return {row[0] for row in _intents(len(listed), again).run(connection, given)}


#: The fence: a worker that is alive, and a campaign that runs. Both rows are locked FOR SHARE: whoever declares the worker dead,
#: or pauses the campaign, waits for this transaction, and the other way round.
_AT_WORK: Select[Any] = (
    select(literal_column("1"))
    .where(worker.c.id == bindparam("whose"), worker.c.state == word("alive"))
    .where(or_(worker.c.lease_until.is_(None), worker.c.lease_until > bindparam("moment", type_=BigInteger)))
    .where(campaign.c.id == bindparam("running"), campaign.c.state == word("running"))
    .with_for_update(read=True)
)
_MAY_WORK = Prepared(_AT_WORK)


@cache
def _intents(count: int, again: bool) -> Prepared:
    claimed = delivery.c.state == word("claimed")
    held = or_(claimed, delivery.c.state == word("sending")) if again else claimed
    return Prepared(
        update(delivery)
        # "+ 0": else SQLite takes the index of the campaign and reads all its rows for a dozen intents.
        .where(_among(count), delivery.c.campaign_id + 0 == bindparam("running"))
        .where(delivery.c.worker_id == bindparam("whose"), held, _AT_WORK.exists())
        .values(state=word("sending"), updated_at=bindparam("moment"))
        .returning(delivery.c.id)
    )


def give_back(connection: Connection, worker_id: int, ids: Iterable[int], now: int) -> None:
    """Let go of claimed deliveries of which nothing was sent; they are due as before."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(list(ids)), delivery.c.worker_id == worker_id, delivery.c.state == "claimed")
        .values(state=BEFORE_THE_CLAIM, updated_at=now)
    )


def withdraw(connection: Connection, worker_id: int, ids: Iterable[int], now: int) -> list[str]:
    """Take intents back of which no byte was sent; they are due as before. Gives the lane of each.

    For the worker that knows it, also where it was taken for dead meanwhile, and they for uncertain.
    """
    own = (delivery.c.worker_id == worker_id, delivery.c.state.in_(["claimed", "sending", "uncertain"]))
    taken = update(delivery).where(delivery.c.id.in_(list(ids)), *own).values(state=BEFORE_THE_CLAIM, updated_at=now)
    return list(connection.scalars(taken.returning(delivery.c.lane)))


def claimed_at(connection: Connection, worker_id: int, moments: Sequence[int]) -> list[Claimed]:
    """What this worker claimed at these moments and still holds: a claim whose COMMIT was not answered may have been stored."""
    own = (delivery.c.worker_id == worker_id, delivery.c.state == "claimed", text(HELD), delivery.c.updated_at.in_(moments))
    rows = connection.execute(select(*_CLAIMED).where(*own).order_by(delivery.c.next_at, delivery.c.id)).all()
    return _claimed(rows)


def next_due(connection: Connection, campaign_id: int, worker_id: int, *, lane: str | None = None) -> int | None:
    """When this worker's next delivery (of one lane or of all) is due, or None where none is left, the campaign does not run or
    the worker is dead."""
    return earliest(connection, campaign_id, lane=lane) if _may_work(connection, campaign_id, worker_id) else None


def held_until(connection: Connection, campaign_id: int, worker_id: int) -> int | None:
    """When what other workers hold of a campaign will be due again at the latest, or None where they hold nothing of it."""
    others = (delivery.c.campaign_id == campaign_id, delivery.c.worker_id != worker_id, text(f"delivery.{HELD}"))
    last = select(func.max(worker.c.lease_until)).join(delivery, delivery.c.worker_id == worker.c.id).where(*others)
    until: int | None = connection.scalar(last) if _may_work(connection, campaign_id, worker_id) else None
    return until


def earliest(connection: Connection, campaign_id: int, *, lane: str | None = None) -> int | None:
    """When the next pending or deferred delivery is due, of one lane or of all, or None where there is none."""
    first = select(func.min(delivery.c.next_at)).where(
        delivery.c.campaign_id == campaign_id, delivery.c.lane == lane_table.c.lane, text(DUE)
    )
    lanes = select(func.min(first.scalar_subquery())).where(lane_table.c.campaign_id == campaign_id)
    if lane is not None:
        lanes = lanes.where(lane_table.c.lane == lane)
    moment: int | None = connection.scalar(lanes)
    return moment


def _may_work(connection: Connection, campaign_id: int, worker_id: int, now: int = 0) -> bool:
    given = {"whose": worker_id, "running": campaign_id, "moment": now}
    return bool(_MAY_WORK.run(connection, given))
