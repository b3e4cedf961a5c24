"""The deliveries of a campaign become counts: how many recipients get which variant of its edition."""

from sqlalchemy import func, select

from newsletter.store.engine import Store
from newsletter.store.tables import delivery


def variant_counts(store: Store, campaign_id: int) -> list[tuple[str | None, int]]:
    """The variants of those who are to be written to, with their numbers, the largest first; suppressed ones do not count."""
    number = func.count().label("number")
    counts = (
        select(delivery.c.variant, number)
        .where(delivery.c.campaign_id == campaign_id, delivery.c.state != "suppressed")
        .group_by(delivery.c.variant)
        .order_by(number.desc(), delivery.c.variant)
    )
    with store.read() as connection:
        return [(row.variant, row.number) for row in connection.execute(counts)]
