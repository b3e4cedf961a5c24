"""One delivery as it is stored: what the view page and the unsubscribe page need to know."""

import json
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, select

from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery

DeliveryState = Literal["pending", "claimed", "sending", "sent", "deferred", "failed", "suppressed", "uncertain"]


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery with what its message was made of.

    ``variant`` names what the recipient gets of the edition, None where everyone gets the same. ``fields`` are the recipient's
    values by name, None once they were deleted (retention, erasure). ``attempts`` counts the tries, ``line`` is the row's in its
    list. ``next_at`` is when a delivery that is still to be sent is due; it and ``updated_at`` are microseconds UTC.
    """

    id: int
    campaign_id: int
    slug: str
    edition_hash: str
    address: str
    mark: bytes
    variant: str | None
    fields: dict[str, str] | None
    state: DeliveryState
    why: str | None
    code: int | None
    enhanced: str | None
    reply: str | None
    updated_at: int
    attempts: int
    next_at: int
    line: int


def delivery_of(store: Store, campaign_id: int, delivery_id: int) -> StoredDelivery | None:
    """The delivery that a view token names, or None where it does not exist in this campaign."""
    return _delivery(store, delivery.c.id == delivery_id, delivery.c.campaign_id == campaign_id)


def delivery_to(store: Store, campaign_id: int, mark: bytes) -> StoredDelivery | None:
    """The delivery to an address in a campaign, or None where it is not in the audience; ``mark`` is ``Links.mark``."""
    return _delivery(store, delivery.c.campaign_id == campaign_id, delivery.c.mark == mark)


def _delivery(store: Store, *of: ColumnElement[bool]) -> StoredDelivery | None:
    own = [column for column in delivery.c if column.name in StoredDelivery.__slots__]
    row_of = (
        select(*own, campaign.c.slug, campaign.c.edition_hash, delivery.c.data.label("fields"))
        .join(campaign, campaign.c.id == delivery.c.campaign_id)
        .where(*of)
    )
    with store.read() as connection:
        row = connection.execute(row_of).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    values["fields"] = None if values["fields"] is None else json.loads(values["fields"])
    return StoredDelivery(**values)
