"""What was tried for one delivery before it was sent, and what the server said each time: for ``newsletter why``."""

from dataclasses import dataclass

from sqlalchemy import select

from newsletter.store.deliveries import DeliveryState
from newsletter.store.engine import Store
from newsletter.store.tables import attempt, worker


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that did not end in ``sent``: the ``n``-th of its delivery, on ``host``. Moments are microseconds UTC.

    ``started_at`` is when it was claimed or let out. ``state`` is what the delivery became then.
    """

    n: int
    host: str
    started_at: int
    ended_at: int
    state: DeliveryState
    code: int | None
    enhanced: str | None
    reply: str | None


def attempts_of(store: Store, delivery_id: int) -> list[Attempt]:
    """The tries of a delivery that came to anything but ``sent``, in their order; what was sent, the delivery itself tells."""
    columns = [attempt.c[name] for name in ("started_at", "ended_at", "state", "code", "enhanced", "reply")]
    tries = (
        select(attempt.c.n, worker.c.host, *columns)
        .join(worker, worker.c.id == attempt.c.worker_id)
        .where(attempt.c.delivery_id == delivery_id)
        .order_by(attempt.c.id)
    )
    with store.read() as connection:
        return [Attempt(**row._mapping) for row in connection.execute(tries)]
