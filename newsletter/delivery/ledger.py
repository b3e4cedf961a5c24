"""The ledger's transitions: each one function over a transaction, a compare-and-set on state and worker.

::

    pending, deferred --claim--> claimed --mark_sending--> sending --settle--> sent, deferred, failed, uncertain
    claimed --give_back--> pending, deferred        claimed, sending --recover, after a crash--> pending, uncertain

What is left to do is read off the delivery rows alone. Only ``mark_sending`` lets a message out: the caller writes no byte of it
before that transaction is committed (S23). Moments are microseconds UTC.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Update, and_, bindparam, case, exists, func, literal_column, null, or_, select, text, update

from newsletter.store.suppressions import Suppression, add_suppression
from newsletter.store.tables import DUE, HELD, campaign, delivery, suppression, worker

#: ``why`` of a delivery that was deferred because the server refuses the sender or the content, not this recipient.
POLICY = "policy"

Settled = Literal["sent", "deferred", "failed", "uncertain", "pending"]

#: From where a result may be stored. ``uncertain`` is among them for an answer that comes after the worker was taken for dead.
_FROM: dict[Settled, tuple[str, ...]] = {
    "sent": ("sending", "uncertain"),
    "deferred": ("claimed", "sending", "uncertain"),
    "failed": ("claimed", "sending", "uncertain"),
    "uncertain": ("sending",),
    "pending": ("claimed", "sending"),
}

_BEFORE_THE_CLAIM = case((delivery.c.code.is_not(None), "deferred"), else_="pending")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker alone may send. ``attempts`` counts the earlier tries, ``variant`` is of the edition."""

    id: int
    address: str
    mark: bytes
    fields: Mapping[str, str]
    attempts: int
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a try: the new state with the server's ``code``, ``enhanced`` code (RFC 3463) and ``reply``.

    ``next_at`` is when a delivery that is still to be sent is due; ``hard_bounce`` suppresses the address.
    """

    delivery: int
    state: Settled
    code: int | None = None
    enhanced: str | None = None
    reply: str | None = None
    next_at: int = 0
    why: str | None = None
    hard_bounce: bool = False


def register(connection: Connection, *, host: str, pid: int, version: str, now: int) -> int:
    """A new worker; its id is the fence, one a process and run."""
    row = {"host": host, "pid": pid, "version": version, "state": "alive", "started_at": now}
    return int(connection.execute(worker.insert().returning(worker.c.id), row).scalar_one())


def claim(connection: Connection, campaign_id: int, worker_id: int, wanted: int, now: int) -> list[Claimed]:
    """Take up to ``wanted`` due deliveries of a running campaign, longest due first.

    Suppression is looked up here: who must not be written to becomes ``suppressed`` in this transaction. Empty where nothing is
    due, the campaign does not run, or the worker was taken for dead.
    """
    if not _may_work(connection, campaign_id, worker_id):
        return []
    due = (
        select(delivery.c.id)
        .where(delivery.c.campaign_id == campaign_id, text(DUE), delivery.c.next_at <= now)
        .order_by(delivery.c.next_at, delivery.c.id)
        .limit(wanted)
        .with_for_update(skip_locked=True)
    )
    while ids := connection.scalars(due).all():
        _suppress(connection, ids, now)
        take = (
            update(delivery)
            .where(delivery.c.id.in_(ids), text(DUE))
            .values(state="claimed", worker_id=worker_id, updated_at=now)
            .returning(
                delivery.c.id, delivery.c.address, delivery.c.mark, delivery.c.data, delivery.c.attempts, delivery.c.variant
            )
        )
        rows = sorted(connection.execute(take))
        if rows:
            return [
                Claimed(row.id, row.address, row.mark, json.loads(row.data or "{}"), row.attempts, row.variant) for row in rows
            ]
    return []


def _suppress(connection: Connection, ids: Sequence[int], now: int) -> None:
    reason = select(suppression.c.reason).where(suppression.c.mark == delivery.c.mark).scalar_subquery()
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.mark.in_(select(suppression.c.mark)))
        .values(state="suppressed", why=reason, updated_at=now)
    )


def mark_sending(  # noqa: PLR0913 - the fence needs them all
    connection: Connection, campaign_id: int, worker_id: int, ids: Iterable[int], now: int, *, again: bool = False
) -> set[int]:
    """The intent: these messages are about to leave. Gives the ids that may; the others stay where they are (give them back).

    Refused are a delivery that is no longer this worker's (taken over, unsubscribed meanwhile) and a campaign that does not run.
    ``again`` is for a transaction whose COMMIT was not answered: it may have been stored, so the own ``sending`` counts.
    """
    running = exists().where(campaign.c.id == campaign_id, campaign.c.state == "running")
    alive = exists().where(worker.c.id == worker_id, worker.c.state == "alive")
    held = delivery.c.state.in_(["claimed", "sending"]) if again else delivery.c.state == "claimed"
    intent = (
        update(delivery)
        .where(delivery.c.id.in_(list(ids)), delivery.c.campaign_id == campaign_id, delivery.c.worker_id == worker_id)
        .where(held, running, alive)
        .values(state="sending", updated_at=now)
        .returning(delivery.c.id)
    )
    return set(connection.scalars(intent))


def settle(connection: Connection, worker_id: int, results: Sequence[Result], now: int) -> None:
    """Store results of this worker's tries. One that comes twice or too late changes nothing that another one decided."""
    by_state: dict[Settled, list[dict[str, object]]] = {}
    for result in results:
        by_state.setdefault(result.state, []).append(
            {
                "row": result.delivery,
                "new_code": result.code,
                "new_enhanced": result.enhanced,
                "new_reply": result.reply,
                "new_next_at": result.next_at,
                "new_why": result.why,
            }
        )
    for state, rows in by_state.items():
        connection.execute(_settlement(state, worker_id, now), rows)
    if bounced := [result.delivery for result in results if result.hard_bounce]:
        _suppress_bounced(connection, worker_id, bounced, now)


def _settlement(state: Settled, worker_id: int, now: int) -> Update:
    allowed = or_(*(delivery.c.state == before for before in _FROM[state]))  # IN (…) does not go with several rows at once
    return (
        update(delivery)
        .where(delivery.c.id == bindparam("row"), delivery.c.worker_id == worker_id, allowed)
        .values(
            state=state,
            code=bindparam("new_code"),
            enhanced=bindparam("new_enhanced"),
            reply=bindparam("new_reply"),
            next_at=bindparam("new_next_at"),
            why=bindparam("new_why"),
            attempts=delivery.c.attempts + 1,
            updated_at=now,
        )
    )


def _suppress_bounced(connection: Connection, worker_id: int, ids: Sequence[int], now: int) -> None:
    failed = select(delivery.c.id, delivery.c.mark, delivery.c.address, delivery.c.campaign_id).where(
        delivery.c.id.in_(ids), delivery.c.worker_id == worker_id, delivery.c.state == "failed"
    )
    for row in connection.execute(failed).all():
        add_suppression(connection, Suppression(row.mark, row.address, "bounced", row.campaign_id, row.id, now))


def give_back(connection: Connection, worker_id: int, ids: Iterable[int], now: int) -> None:
    """Let go of claimed deliveries of which nothing was sent; they are due as before."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(list(ids)), delivery.c.worker_id == worker_id, delivery.c.state == "claimed")
        .values(state=_BEFORE_THE_CLAIM, updated_at=now)
    )


def recover(connection: Connection, worker_id: int, now: int, *, ended: Literal["dead", "gone"] = "dead") -> None:
    """End a worker and take its deliveries back: what was only claimed is due again, what was being sent is uncertain."""
    ending = update(worker).where(worker.c.id == worker_id, worker.c.state == "alive")
    connection.execute(ending.values(state=ended, ended_at=now))
    uncertain = delivery.c.state == "sending"
    connection.execute(
        update(delivery)
        .where(delivery.c.worker_id == worker_id, text(HELD))
        .values(
            state=case((uncertain, "uncertain"), else_=_BEFORE_THE_CLAIM),
            code=case((uncertain, null()), else_=delivery.c.code),
            enhanced=case((uncertain, null()), else_=delivery.c.enhanced),
            reply=case((uncertain, "the program ended before the server's answer was stored"), else_=delivery.c.reply),
            attempts=delivery.c.attempts + case((uncertain, 1), else_=0),
            updated_at=now,
        )
    )


def recover_others(connection: Connection, worker_id: int, now: int) -> None:
    """Recover every other worker. Only where it is certain that none of them lives: under the send lock."""
    others = select(worker.c.id).where(worker.c.id != worker_id, worker.c.state == "alive")
    for other in connection.scalars(others).all():
        recover(connection, other, now)


def start(connection: Connection, campaign_id: int, now: int) -> bool:
    """Let a new or paused campaign run; False where it is over. What the server refused by policy is tried again at once."""
    state = _state(connection, campaign_id)
    if state not in ("draft", "running", "paused"):
        return False
    connection.execute(
        update(campaign)
        .where(campaign.c.id == campaign_id)
        .values(state="running", started_at=func.coalesce(campaign.c.started_at, now), note=None)
    )
    if state == "paused":
        policy = and_(delivery.c.campaign_id == campaign_id, text(DUE), delivery.c.next_at > now, delivery.c.why == POLICY)
        connection.execute(update(delivery).where(policy).values(next_at=now))
    return True


def pause(connection: Connection, campaign_id: int, note: str) -> None:
    """Stop a running campaign; ``note`` says why. From this commit on nothing more is granted."""
    running = and_(campaign.c.id == campaign_id, campaign.c.state == "running")
    connection.execute(update(campaign).where(running).values(state="paused", note=note))


def finish(connection: Connection, campaign_id: int, now: int) -> bool:
    """End a running campaign as done where no delivery is pending, deferred, claimed or sending."""
    # Two questions, one a partial index: counting a million rows would take a third of a second.
    left = [
        exists(select(literal_column("1")).where(delivery.c.campaign_id == campaign.c.id, text(part))) for part in (DUE, HELD)
    ]
    over = and_(campaign.c.id == campaign_id, campaign.c.state == "running", ~or_(*left))
    return connection.execute(update(campaign).where(over).values(state="done", ended_at=now)).rowcount == 1


def next_due(connection: Connection, campaign_id: int, worker_id: int) -> int | None:
    """When this worker's next delivery is due, or None where none is left, the campaign does not run or the worker is dead."""
    return earliest(connection, campaign_id) if _may_work(connection, campaign_id, worker_id) else None


def earliest(connection: Connection, campaign_id: int) -> int | None:
    """When the next pending or deferred delivery is due, or None where there is none."""
    moment: int | None = connection.scalar(
        select(func.min(delivery.c.next_at)).where(delivery.c.campaign_id == campaign_id, text(DUE))
    )
    return moment


def _may_work(connection: Connection, campaign_id: int, worker_id: int) -> bool:
    # FOR SHARE on the worker: whoever declares it dead waits for this transaction, and the other way round.
    alive = select(worker.c.id).where(worker.c.id == worker_id, worker.c.state == "alive").with_for_update(read=True)
    return connection.execute(alive).one_or_none() is not None and _state(connection, campaign_id) == "running"


def _state(connection: Connection, campaign_id: int) -> str | None:
    return connection.scalar(select(campaign.c.state).where(campaign.c.id == campaign_id))
