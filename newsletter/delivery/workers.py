"""A worker's life in the ledger: one row a process and run, and what becomes of its deliveries when it ends.

The row's id is the fence: a worker that was taken for dead is granted nothing more under it, and registers anew. In a file the
kernel's lock says who lives (:func:`recover_others`). On a server a worker has a lease, which it renews (:func:`hold`); whoever
sees one run out takes its worker for dead (:func:`reap`). ``hold``, a claim and an intent lock the row FOR SHARE, ``reap`` FOR
UPDATE: so a take-over comes before or after them, never in between. Moments are microseconds UTC.
"""

from collections import Counter
from typing import Literal

from sqlalchemy import BigInteger, Connection, Text, bindparam, case, func, literal, null, or_, select, text, update

from newsletter.delivery.allowance import allow_again
from newsletter.delivery.settling import ended_attempts
from newsletter.store.prepared import Prepared, word
from newsletter.store.tables import HELD, delivery, worker

_LOST = "the program ended before the server's answer was stored"
#: What a delivery was before it was claimed.
BEFORE_THE_CLAIM = case((delivery.c.code.is_not(None), "deferred"), else_="pending")


def register(  # noqa: PLR0913 - each says its own, by name
    connection: Connection, *, host: str, pid: int, version: str, now: int, lease: int | None = None
) -> int:
    """A new worker; its id is the fence, one a process and run. ``lease`` is in microseconds, None in a file."""
    row = {"host": host, "pid": pid, "version": version, "state": "alive", "started_at": now}
    until = None if lease is None else now + lease
    return int(connection.execute(worker.insert().returning(worker.c.id), {**row, "lease_until": until}).scalar_one())


def hold(connection: Connection, worker_id: int, lease: int, now: int) -> bool:
    """Show that a worker lives, to the end of this transaction and for its ``lease`` (microseconds); False where it was taken
    for dead."""
    found = _ROW.run(connection, {"whose": worker_id})
    if not found:
        return False
    if (until := found[0][0]) is not None and until - now < 2 * lease // 3:
        connection.execute(update(worker).where(worker.c.id == worker_id).values(lease_until=now + lease))
    return True


_ROW = Prepared(
    select(worker.c.lease_until)
    .where(worker.c.id == bindparam("whose"), worker.c.state == word("alive"))
    .with_for_update(read=True)
)


def reap(connection: Connection, now: int) -> int:
    """Recover every worker whose lease has run out, and give how many. Another one that does so at this moment has its own."""
    over = or_(worker.c.lease_until < now, worker.c.lease_until.is_(None))  # none: it was left in a file that moved here
    late = select(worker.c.id).where(worker.c.state == "alive", over).order_by(worker.c.id)
    expired = connection.scalars(late.with_for_update(skip_locked=True)).all()
    for one in expired:
        recover(connection, one, now)
    return len(expired)


def recover(connection: Connection, worker_id: int, now: int, *, ended: Literal["dead", "gone"] = "dead") -> None:
    """End a worker and take its deliveries back: what was only claimed is due again, what was being sent is uncertain."""
    ending = update(worker).where(worker.c.id == worker_id, worker.c.state == "alive")
    connection.execute(ending.values(state=ended, ended_at=now))
    uncertain = delivery.c.state == "sending"
    lost = (null(), null(), literal(_LOST, Text))
    held = (delivery.c.worker_id == worker_id, text(HELD))
    connection.execute(
        ended_attempts("uncertain", literal(now, BigInteger), delivery.c.attempts + 1, *lost, where=(*held, uncertain))
    )
    recovered = connection.execute(
        update(delivery)
        .where(*held)
        .values(
            state=case((uncertain, "uncertain"), else_=BEFORE_THE_CLAIM),
            code=case((uncertain, null()), else_=delivery.c.code),
            enhanced=case((uncertain, null()), else_=delivery.c.enhanced),
            reply=case((uncertain, _LOST), else_=delivery.c.reply),
            attempts=delivery.c.attempts + case((uncertain, 1), else_=0),
            first_tried_at=case((uncertain, func.coalesce(delivery.c.first_tried_at, now)), else_=delivery.c.first_tried_at),
            updated_at=now,
        )
        .returning(delivery.c.campaign_id, delivery.c.state)
    )
    untried = Counter(campaign for campaign, state in recovered.all() if state != "uncertain")
    for campaign, count in sorted(untried.items()):
        allow_again(connection, campaign, count)


def recover_others(connection: Connection, worker_id: int, now: int) -> None:
    """Recover every other worker. Only where it is certain that none of them lives: in a file, under the send lock."""
    others = select(worker.c.id).where(worker.c.id != worker_id, worker.c.state == "alive")
    for other in connection.scalars(others).all():
        recover(connection, other, now)
