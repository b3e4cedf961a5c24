"""The secret key of the settings is held against the marks of earlier mail: it must be the one that they were made with."""

from sqlalchemy import select

from newsletter.links import Links
from newsletter.problem import complaint
from newsletter.store.campaigns import Campaign
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery


def demand_own_key(store: Store, of: Campaign, links: Links) -> None:
    """Raise :class:`~newsletter.problem.InputError` where ``links`` are signed with another key than the campaign's mail.

    One of the two would have dead links (S14), and an address would not be found by its mark.
    """
    if _fits(store, of.id, links) is False:
        raise complaint(
            f"NEWSLETTER_SECRET_KEY is not the one that {of.slug} was begun with; put that one back, on every host the same"
        )


def demand_known_key(store: Store, links: Links) -> None:
    """Raise :class:`~newsletter.problem.InputError` where the last campaign that can tell had another key.

    By their marks alone it is known who has left (L8): with a new key, all of them would get mail again.
    """
    with store.read() as connection:
        there = select(campaign.c.id, campaign.c.slug).where(campaign.c.emptied_at.is_(None), campaign.c.state != "draft")
        earlier = connection.execute(there.order_by(campaign.c.created_at.desc())).all()
    for one in earlier:
        if (fits := _fits(store, one.id, links)) is False:
            raise complaint(
                f"NEWSLETTER_SECRET_KEY is not the one that {one.slug} was sent with: whoever left would not be known, and get "
                "mail again; put that one back. Where it is lost, take those who left off the list yourself, and add --new-key"
            )
        if fits:
            return


def _fits(store: Store, campaign_id: int, links: Links) -> bool | None:
    """Whether a campaign was begun with this key; None where none of its addresses is kept."""
    some = select(delivery.c.address_key, delivery.c.mark).where(
        delivery.c.campaign_id == campaign_id, delivery.c.address_key != ""
    )
    with store.read() as connection:
        row = connection.execute(some.limit(1)).one_or_none()
    return None if row is None else bool(links.mark(row.address_key) == row.mark)
