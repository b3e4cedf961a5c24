"""A campaign's deliveries become the list of those that are in trouble: who, in which state, and what the server said."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select, text, union_all

from newsletter.delivery.meanings import meaning_of
from newsletter.store.clock import as_datetime
from newsletter.store.deliveries import DeliveryState
from newsletter.store.engine import Store
from newsletter.store.tables import APART, DEFERRED, delivery


@dataclass(frozen=True, slots=True)
class Trouble:
    """A delivery that failed, is uncertain, or was deferred until ``next_at`` (microseconds UTC).

    ``address`` is empty, and ``reply`` None, where they were deleted (retention, erasure).
    """

    address: str
    state: DeliveryState
    code: int | None
    enhanced: str | None
    reply: str | None
    next_at: int

    @property
    def answer(self) -> str:
        """The server's words with their code, or the program's own."""
        return " ".join(str(part) for part in (self.code, self.reply) if part)

    @property
    def meaning(self) -> str | None:
        """The same in plain words."""
        return meaning_of(self.code, self.enhanced, self.reply)

    def as_json(self) -> dict[str, str | int | None]:
        """One element of ``trouble`` in ``status --json --trouble``."""
        due = as_datetime(self.next_at).isoformat(timespec="seconds") if self.state == "deferred" else None
        return {
            "address": self.address,
            "state": self.state,
            "code": self.code,
            "enhanced": self.enhanced,
            "reply": self.reply,
            "meaning": self.meaning,
            "next_due": due,
        }


def troubles(store: Store, campaign_id: int) -> Iterator[Trouble]:
    """Everyone who failed, is uncertain or deferred, by state and then in the order of the list; read as it is asked for."""
    columns = [delivery.c[name] for name in ("id", *Trouble.__slots__)]
    of = delivery.c.campaign_id == campaign_id
    # Two partial indexes: sent rows are not looked at.
    apart = select(*columns).where(of, text(APART), delivery.c.state.in_(["failed", "uncertain"]))
    both = union_all(apart, select(*columns).where(of, text(DEFERRED))).subquery()
    listed = select(*(both.c[name] for name in Trouble.__slots__)).order_by(both.c.state.desc(), both.c.id)
    with store.read() as connection:
        for row in connection.execute(listed).yield_per(1000):
            yield Trouble(**row._mapping)
