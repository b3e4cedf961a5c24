"""The secret key of the settings is held against the marks of a campaign: it must be the one that the campaign was begun with."""

from sqlalchemy import select

from newsletter.links import Links
from newsletter.problem import complaint
from newsletter.store.campaigns import Campaign
from newsletter.store.engine import Store
from newsletter.store.tables import delivery


def demand_own_key(store: Store, campaign: Campaign, links: Links) -> None:
    """Raise :class:`~newsletter.problem.InputError` where ``links`` are signed with another key than the campaign's mail.

    One of the two would have dead links (S14), and an address would not be found by its mark.
    """
    some = select(delivery.c.address_key, delivery.c.mark).where(
        delivery.c.campaign_id == campaign.id, delivery.c.address_key != ""
    )
    with store.read() as connection:
        row = connection.execute(some.limit(1)).one_or_none()
    if row is not None and links.mark(row.address_key) != row.mark:
        raise complaint(
            f"NEWSLETTER_SECRET_KEY is not the one that {campaign.slug} was begun with; put that one back, on every host the same"
        )
