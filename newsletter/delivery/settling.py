"""What became of tries goes into the ledger: the delivery's new state, the attempt with its words, the address that bounced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Integer,
    String,
    Text,
    TextClause,
    Update,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from newsletter.store.suppressions import Suppression, add_suppression
from newsletter.store.tables import attempt, delivery

Settled = Literal["sent", "deferred", "failed", "uncertain", "pending"]

#: From where a result may be stored. ``uncertain`` is among them for an answer that comes after the worker was taken for dead.
_FROM: dict[Settled, tuple[str, ...]] = {
    "sent": ("sending", "uncertain"),
    "deferred": ("claimed", "sending", "uncertain"),
    "failed": ("claimed", "sending", "uncertain"),
    "uncertain": ("sending",),
    "pending": ("claimed", "sending"),
}


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


def settle(connection: Connection, worker_id: int, results: Sequence[Result], now: int) -> None:
    """Store results of this worker's tries. One that comes twice or too late changes nothing that another one decided.

    A try that did not end in ``sent`` is also kept as an attempt, with its words, for they are overwritten by the next one.
    """
    by_state: dict[Settled, list[dict[str, object]]] = {}
    for result in results:
        by_state.setdefault(result.state, []).append(
            {
                "row": result.delivery,
                "whose": worker_id,
                "moment": now,
                "new_code": result.code,
                "new_enhanced": result.enhanced,
                "new_reply": result.reply,
                "new_next_at": result.next_at,
                "new_why": result.why,
            }
        )
    for state, rows in by_state.items():
        if state != "sent":
            connection.execute(_record(state), rows)
        connection.execute(_settlement(state), rows)
    if bounced := [result.delivery for result in results if result.hard_bounce]:
        _suppress_bounced(connection, worker_id, bounced, now)


#: A late answer is about the try that was counted when its worker was taken for dead.
_TRIES = delivery.c.attempts + case((delivery.c.state == "uncertain", 0), else_=1)


@cache
def _settlement(state: Settled) -> Update:  # made once: putting a statement together takes longer than SQLite needs for it
    return (
        update(delivery)
        .where(*_settles(state))
        .values(
            state=state,
            code=bindparam("new_code"),
            enhanced=bindparam("new_enhanced"),
            reply=bindparam("new_reply"),
            next_at=bindparam("new_next_at"),
            why=bindparam("new_why"),
            attempts=_TRIES,
            first_tried_at=func.coalesce(delivery.c.first_tried_at, bindparam("moment", type_=BigInteger)),
            updated_at=bindparam("moment"),
        )
    )


def _settles(state: Settled) -> tuple[ColumnElement[bool], ...]:
    allowed = or_(*(delivery.c.state == before for before in _FROM[state]))  # IN (…) does not go with several rows at once
    return (delivery.c.id == bindparam("row"), delivery.c.worker_id == bindparam("whose"), allowed)


@cache
def _record(state: Settled) -> Insert:
    """The attempt that a settlement is about to end, while its beginning still stands in the delivery."""
    words = (bindparam("new_code", type_=Integer), bindparam("new_enhanced", type_=String), bindparam("new_reply", type_=Text))
    return ended_attempts(state, bindparam("moment", type_=BigInteger), _TRIES, *words, where=_settles(state))


def ended_attempts(
    state: Settled,
    now: ColumnElement[int],
    number: ColumnElement[int],
    *words: ColumnElement[Any],
    where: Iterable[ColumnElement[bool] | TextClause],
) -> Insert:
    """Keep the tries that these deliveries are in; ``number`` is the try's, ``words`` are code, enhanced code and reply."""
    ended = select(
        delivery.c.id,
        number,
        delivery.c.worker_id,
        delivery.c.updated_at,
        now,
        literal(state, String),
        *words,
    )
    columns = ["delivery_id", "n", "worker_id", "started_at", "ended_at", "state", "code", "enhanced", "reply"]
    return insert(attempt).from_select(columns, ended.where(*where))


def _suppress_bounced(connection: Connection, worker_id: int, ids: Sequence[int], now: int) -> None:
    failed = select(delivery.c.id, delivery.c.mark, delivery.c.address, delivery.c.campaign_id).where(
        delivery.c.id.in_(ids), delivery.c.worker_id == worker_id, delivery.c.state == "failed"
    )
    for row in connection.execute(failed).all():
        add_suppression(connection, Suppression(row.mark, row.address, "bounced", row.campaign_id, row.id, now))
