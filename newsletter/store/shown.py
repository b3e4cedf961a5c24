"""The delivery that a view token names becomes what its page is made of, by one statement: most requests to the pages ask it."""

import json
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, select

from newsletter.store.archive import was_begun
from newsletter.store.engine import Store
from newsletter.store.prepared import Prepared
from newsletter.store.tables import campaign, delivery


class Shown(NamedTuple):
    """What a view page is made of. ``fields`` are the recipient's values, None once they were deleted; ``mark`` is the address's.

    ``public`` is what the issue's file says of itself, None where it says nothing; ``latest_hash`` names the edition that the
    issue's latest campaign sends, None where none was begun.
    """

    slug: str
    edition_hash: str
    variant: str | None
    fields: dict[str, str] | None
    mark: bytes
    public: bool | None
    latest_hash: str | None


_latest = campaign.alias()
_SHOWN = Prepared(
    select(
        campaign.c.slug,
        campaign.c.edition_hash,
        delivery.c.variant,
        delivery.c.data,
        delivery.c.mark,
        campaign.c.public,
        select(_latest.c.edition_hash)
        .where(_latest.c.slug == campaign.c.slug, was_begun(_latest))
        .order_by(_latest.c.number.desc())
        .limit(1)
        .scalar_subquery(),
    )
    .join(campaign, campaign.c.id == delivery.c.campaign_id)
    .where(delivery.c.id == bindparam("delivery", type_=BigInteger))
    .where(delivery.c.campaign_id == bindparam("campaign", type_=BigInteger))
)


def shown_at_once(store: Store, campaign_id: int, delivery_id: int) -> Shown | None:
    """What :func:`shown_of` gives, without waiting. Raises :class:`~newsletter.store.glance.Unready` where it would have to."""
    row = store.glance(_SHOWN, {"campaign": campaign_id, "delivery": delivery_id})
    return None if row is None else _shown(row)


def shown_of(store: Store, campaign_id: int, delivery_id: int) -> Shown | None:
    """What the view page of a delivery is made of, or None where it does not exist in this campaign."""
    with store.read() as connection:
        rows = _SHOWN.run(connection, {"campaign": campaign_id, "delivery": delivery_id})
    return _shown(tuple(rows[0])) if rows else None


def _shown(row: tuple[Any, ...]) -> Shown:
    slug, edition_hash, variant, data, mark, public, latest_hash = row
    fields = None if data is None else json.loads(data)
    return Shown(slug, edition_hash, variant, fields, mark, None if public is None else bool(public), latest_hash)
