"""The campaigns in the database: what was sent or is being sent, under which slug."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from newsletter.store.engine import Store
from newsletter.store.tables import campaign

CampaignState = Literal["draft", "scheduled", "running", "paused", "cancelled", "done"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """The sending of one edition to one audience. ``number`` counts the campaigns of one slug, moments are microseconds UTC.

    ``candidates`` are the rows of the list: ``duplicates``, ``refused`` and the audience. ``key`` makes the Message-IDs, ``note``
    says why a campaign is paused, ``start_at`` is when it may start, where somebody said so. ``public`` is what the issue's file
    says of the archive, None where it says nothing. ``emptied_at`` is when the addresses and values of its recipients had been
    deleted, for it was over so long.
    """

    id: int
    key: str
    slug: str
    number: int
    edition_hash: str
    state: CampaignState
    list_name: str
    candidates: int
    duplicates: int
    refused: int
    created_at: int
    started_at: int | None
    ended_at: int | None
    note: str | None
    start_at: int | None = None
    public: bool | None = None
    emptied_at: int | None = None

    @property
    def audience(self) -> int:
        """How many recipients it has: what is left of the list's rows."""
        return self.candidates - self.duplicates - self.refused


def find_campaign(store: Store, slug: str) -> Campaign | None:
    """The latest campaign of an issue, or None where it was never sent."""
    newest = select(campaign).where(campaign.c.slug == slug).order_by(campaign.c.number.desc()).limit(1)
    with store.read() as connection:
        row = connection.execute(newest).one_or_none()
    return None if row is None else Campaign(**row._mapping)


def campaign_of(store: Store, campaign_id: int) -> Campaign | None:
    """The campaign of an id, or None."""
    with store.read() as connection:
        row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    return None if row is None else Campaign(**row._mapping)


def list_campaigns(store: Store) -> list[Campaign]:
    """Every campaign, oldest first."""
    with store.read() as connection:
        return [
            Campaign(**row._mapping)
            for row in connection.execute(select(campaign).order_by(campaign.c.created_at, campaign.c.id))
        ]
