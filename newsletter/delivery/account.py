"""A campaign's deliveries become its account: everyone in the audience in exactly one of six numbers."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from newsletter.delivery.ledger import earliest
from newsletter.problem import complaint
from newsletter.store.campaigns import Campaign, CampaignState
from newsletter.store.clock import as_datetime
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery


@dataclass(frozen=True, slots=True)
class Account:
    """What became of everyone in a campaign's audience. ``pending`` holds what is claimed or on the wire, too.

    ``refused`` and ``duplicates`` are rows of the list that are not in the audience. ``next_due`` is when the next delivery is
    due, in microseconds UTC; ``note`` says why the campaign is paused.
    """

    slug: str
    state: CampaignState
    sent: int
    failed: int
    suppressed: int
    uncertain: int
    deferred: int
    pending: int
    refused: int
    duplicates: int
    next_due: int | None
    note: str | None

    @property
    def audience(self) -> int:
        """Everyone: the sum of the six."""
        return self.sent + self.failed + self.suppressed + self.uncertain + self.deferred + self.pending

    @property
    def next_due_at(self) -> dt.datetime | None:
        """``next_due`` as a datetime in UTC."""
        return None if self.next_due is None else as_datetime(self.next_due)

    def as_json(self) -> dict[str, str | int | None]:
        """The account as ``send --json`` and ``status --json`` print it."""
        due = self.next_due_at
        return {
            "issue": self.slug,
            "state": self.state,
            "audience": self.audience,
            "sent": self.sent,
            "failed": self.failed,
            "suppressed": self.suppressed,
            "uncertain": self.uncertain,
            "deferred": self.deferred,
            "pending": self.pending,
            "refused": self.refused,
            "duplicates": self.duplicates,
            "next_due": None if due is None else due.isoformat(timespec="seconds"),
            "note": self.note,
        }


def account_of(store: Store, campaign_id: int) -> Account:
    """The account of a campaign, of one moment.

    Raises :class:`~newsletter.problem.InputError` where the campaign does not exist, or where its deliveries are not as many as
    its audience was: then the database was changed by another hand.
    """
    with store.read() as connection:
        return read_account(connection, campaign_id)


def read_account(connection: Connection, campaign_id: int) -> Account:
    """What :func:`account_of` does, as part of a transaction."""
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise complaint(f"there is no campaign {campaign_id} in the database")
    of = Campaign(**row._mapping)
    by_state = select(delivery.c.state, func.count()).where(delivery.c.campaign_id == campaign_id).group_by(delivery.c.state)
    counts: dict[str, int] = {state: count for state, count in connection.execute(by_state)}  # noqa: C416 - dict() of rows has no types
    open_still = counts.get("deferred", 0) + counts.get("pending", 0)
    account = Account(
        slug=of.slug,
        state=of.state,
        sent=counts.get("sent", 0),
        failed=counts.get("failed", 0),
        suppressed=counts.get("suppressed", 0),
        uncertain=counts.get("uncertain", 0),
        deferred=counts.get("deferred", 0),
        pending=counts.get("pending", 0) + counts.get("claimed", 0) + counts.get("sending", 0),
        refused=of.refused,
        duplicates=of.duplicates,
        next_due=earliest(connection, campaign_id) if open_still else None,
        note=of.note,
    )
    if account.audience != of.audience:
        raise complaint(
            f"the campaign of {of.slug} has {account.audience} deliveries, but its audience was {of.audience}; "
            "the database was changed by another program, restore it from a copy before anything is sent"
        )
    return account
