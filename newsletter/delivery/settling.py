"""What became of tries goes into the ledger: the delivery's new state, the attempt with its words, the address that bounced."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Integer,
    String,
    Text,
    TextClause,
    bindparam,
    case,
    column,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import values as values_

from newsletter.store.prepared import Prepared, padded, word
from newsletter.store.suppressions import Suppression, add_suppression
from newsletter.store.tables import attempt, delivery

#: Results in one statement.
_AT_ONCE = 64
Settled = Literal["sent", "deferred", "failed", "uncertain", "pending"]

#: From where a result may be stored. ``uncertain`` is among them for an answer that comes after the worker was taken for dead.
_FROM: dict[Settled, tuple[str, ...]] = {
    "sent": ("sending", "uncertain"),
    "deferred": ("claimed", "sending", "uncertain"),
    "failed": ("claimed", "sending", "uncertain"),
    "uncertain": ("sending",),
    "pending": ("claimed", "sending", "uncertain"),
}


class Result(NamedTuple):
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
    by_state: dict[Settled, dict[int, Result]] = {}
    for result in results:
        by_state.setdefault(result.state, {}).setdefault(result.delivery, result)
    for state, first in by_state.items():
        for some in _portions(list(first.values())):
            _settle(connection, worker_id, state, some, now)
    if bounced := [result.delivery for result in results if result.hard_bounce]:
        _suppress_bounced(connection, worker_id, bounced, now)


def _settle(connection: Connection, worker_id: int, state: Settled, results: Sequence[Result], now: int) -> None:
    rows = padded(results)
    values: dict[str, object] = {"whose": worker_id, "moment": now}
    for number, result in enumerate(rows):
        values |= {
            f"delivery_id{number}": result.delivery,
            f"code{number}": result.code,
            f"enhanced{number}": result.enhanced,
            f"reply{number}": result.reply,
            f"next_at{number}": result.next_at,
            f"why{number}": result.why,
        }
    if state != "sent":
        _record(state, len(results)).run(connection, values)  # not of the repeated ones
    _settlement(state, len(rows)).run(connection, values)


def _portions(results: list[Result]) -> Iterator[list[Result]]:
    return (results[start : start + _AT_ONCE] for start in range(0, len(results), _AT_ONCE))


#: A late answer is about the try that was counted when its worker was taken for dead.
_TRIES = delivery.c.attempts + case((delivery.c.state == word("uncertain"), 0), else_=1)


@cache
def _given(count: int) -> CTE:
    """So many results as a table; one a delivery, for of two an UPDATE takes either."""
    columns = (
        column("delivery_id", BigInteger),
        column("code", Integer),
        column("enhanced", String),
        column("reply", Text),
        column("next_at", BigInteger),
        column("why", String),
    )
    rows = [tuple(bindparam(f"{one.name}{number}", type_=one.type) for one in columns) for number in range(count)]
    return values_(*columns, name="given").data(rows).cte("given")


def _words(given: CTE) -> ColumnElement[Any]:
    """What the server said; not of somebody who was erased while the mail was on the wire (L8): it names the address."""
    erased = delivery.c.address == literal_column("''")
    return case((erased, null()), else_=given.c.reply)


@cache
def _settlement(state: Settled, count: int) -> Prepared:
    given = _given(count)
    return Prepared(
        update(delivery)
        .where(*_settles(state, given))
        .values(
            state=word(state),
            code=given.c.code,
            enhanced=given.c.enhanced,
            reply=_words(given),
            next_at=given.c.next_at,
            why=given.c.why,
            attempts=_TRIES,
            first_tried_at=func.coalesce(delivery.c.first_tried_at, bindparam("moment", type_=BigInteger)),
            updated_at=bindparam("moment", type_=BigInteger),
        )
    )


def _settles(state: Settled, given: CTE) -> tuple[ColumnElement[bool], ...]:
    allowed = or_(*(delivery.c.state == word(before) for before in _FROM[state]))
    return (delivery.c.id == given.c.delivery_id, delivery.c.worker_id == bindparam("whose"), allowed)


@cache
def _record(state: Settled, count: int) -> Prepared:
    """The attempt that a settlement is about to end, while its beginning still stands in the delivery."""
    given = _given(count)
    words = (given.c.code, given.c.enhanced, _words(given))
    return Prepared(ended_attempts(state, bindparam("moment", type_=BigInteger), _TRIES, *words, where=_settles(state, given)))


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
