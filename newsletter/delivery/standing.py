"""The campaigns that are not over become a few numbers: what was sent is not read, the rest by its partial indexes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from newsletter.store.campaigns import CampaignState
from newsletter.store.engine import Store
from newsletter.store.tables import APART, DEFERRED, DUE, HELD, campaign, delivery


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: the six numbers of its account by name."""

    slug: str
    state: CampaignState
    counts: Mapping[str, int]


def standings(store: Store) -> list[Standing]:
    """How the scheduled, running and paused campaigns stand, oldest first.

    What was sent is what is left of the audience: it is not counted, so that this costs the less the further a campaign is.
    """
    of = select(campaign).where(campaign.c.state.in_(["scheduled", "running", "paused"])).order_by(campaign.c.created_at)
    with store.read() as connection:
        return [
            Standing(row.slug, row.state, _counts(connection, row.id, row.candidates - row.duplicates - row.refused))
            for row in connection.execute(of).all()
        ]


def _counts(connection: Connection, campaign_id: int, audience: int) -> dict[str, int]:
    of = delivery.c.campaign_id == campaign_id

    def count(condition: str) -> int:
        return connection.scalar(select(func.count()).select_from(delivery).where(of, text(condition))) or 0

    due, held, deferred = count(DUE), count(HELD), count(DEFERRED)
    by_state = select(delivery.c.state, func.count()).where(of, text(APART)).group_by(delivery.c.state)
    apart = {state: number for state, number in connection.execute(by_state)}  # noqa: C416 - dict() of rows has no types
    left = {name: apart.get(name, 0) for name in ("failed", "suppressed", "uncertain")}
    left |= {"deferred": deferred, "pending": due - deferred + held}
    return {"sent": audience - sum(left.values()), **left}
