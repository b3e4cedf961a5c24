"""Addresses that must not be written to, and why: known by their mark alone, so they hold for every later list (L8, L9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, select, text, update

from newsletter.store.consents import add_consents, linked_marks
from newsletter.store.engine import Store, insert_new
from newsletter.store.tables import OPEN, campaign, delivery, subscriber, suppression

Reason = Literal["unsubscribed", "bounced", "complained", "erased"]


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address that must not be written to. ``mark`` is ``Links.mark`` of the address, ``created_at`` microseconds UTC."""

    mark: bytes
    address: str | None
    reason: Reason
    campaign_id: int | None
    delivery_id: int | None
    created_at: int


def suppress(  # noqa: PLR0913 - each says its own, by name
    store: Store,
    mark: bytes,
    *,
    reason: Reason,
    address: str | None = None,
    campaign_id: int | None = None,
    delivery_id: int | None = None,
) -> bool:
    """Never write to this address again. Gives True where it is new; the first reason stays.

    When this returns it is on disk and holds: whatever no server was handed yet, in any campaign, is suppressed too (B28).
    """
    row = Suppression(mark, address, reason, campaign_id, delivery_id, store.clock())
    return store.change(lambda connection: add_suppression(connection, row))


def add_suppression(connection: Connection, row: Suppression) -> bool:
    """What :func:`suppress` does, as part of a transaction. A subscriber is gone with it.

    Who leaves by the link of an old mail leaves under the address, too, that he has now.
    """
    new = _add(connection, row)
    if row.reason in ("unsubscribed", "complained"):
        for mark in linked_marks(connection, row.mark)[1:]:
            _add(connection, Suppression(mark, None, row.reason, row.campaign_id, row.delivery_id, row.created_at))
    return new


def _add(connection: Connection, row: Suppression) -> bool:
    values = {name: getattr(row, name) for name in Suppression.__slots__}
    stored = insert_new(connection, suppression).values(values).returning(suppression.c.mark)
    new = connection.scalar(stored) is not None
    unfinished = select(campaign.c.id).where(campaign.c.state.in_(["draft", "scheduled", "running", "paused"]))
    connection.execute(
        update(delivery)
        .where(delivery.c.mark == row.mark, text(OPEN), delivery.c.campaign_id.in_(unfinished))
        .values(state="suppressed", why=row.reason, updated_at=row.created_at)
    )
    gone = update(subscriber).where(subscriber.c.mark == row.mark, subscriber.c.state == "confirmed")
    if connection.execute(gone.values(state="gone", gone_at=row.created_at)).rowcount and row.reason != "erased":
        add_consents(connection, [{"mark": row.mark, "kind": row.reason, "at": row.created_at}])
    return new


def unsuppress(store: Store, mark: bytes) -> bool:
    """Take an address off, by its owner's wish alone. Gives True where it was there; deliveries stay suppressed."""
    with store.write() as connection:
        return connection.execute(delete(suppression).where(suppression.c.mark == mark)).rowcount == 1


def suppression_of(store: Store, mark: bytes) -> Suppression | None:
    """Why an address must not be written to, or None where it may be."""
    with store.read() as connection:
        row = connection.execute(select(suppression).where(suppression.c.mark == mark)).one_or_none()
    return None if row is None else Suppression(**row._mapping)


def suppression_in(connection: Connection, mark: bytes) -> Reason | None:
    """Why an address must not be written to, as part of a transaction."""
    return connection.scalar(select(suppression.c.reason).where(suppression.c.mark == mark))


def is_suppressed(store: Store, mark: bytes) -> bool:
    """Whether an address must not be written to."""
    return suppression_of(store, mark) is not None


def list_suppressions(store: Store) -> Iterator[Suppression]:
    """Every suppression, oldest first, read as it is asked for."""
    with store.read() as connection:
        rows = connection.execute(select(suppression).order_by(suppression.c.created_at, suppression.c.mark))
        for row in rows.yield_per(1000):
            yield Suppression(**row._mapping)
