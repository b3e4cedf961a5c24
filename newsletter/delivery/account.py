"""A campaign's deliveries become its account: everyone in the audience in exactly one of six numbers."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from newsletter.delivery.ledger import earliest
from newsletter.problem import complaint
from newsletter.store.campaigns import Campaign, CampaignState
from newsletter.store.clock import as_datetime
from newsletter.store.engine import Store, after_at
from newsletter.store.tables import APART, DEFERRED, DUE, HELD, campaign, delivery

#: How many recipient domains an account names.
_DOMAINS = 5


@dataclass(frozen=True, slots=True)
class Deferrals:
    """How many deliveries to a recipient domain (A-label) wait, and when the first is due, in microseconds UTC."""

    domain: str
    count: int
    next_at: int


@dataclass(frozen=True, slots=True)
class Account:
    """What became of everyone in a campaign's audience. ``pending`` holds what is claimed or on the wire, too.

    ``refused`` and ``duplicates`` are rows of the list that are not in the audience. ``next_due`` is when the next delivery is
    due, ``start_at`` when the campaign may begin, in microseconds UTC; ``note`` says why it is paused, or goes slowly.
    ``deferrals`` are the domains that hold up the most deliveries. ``emptied_at`` is when the recipients' addresses and values
    had been deleted.
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
    start_at: int | None = None
    deferrals: tuple[Deferrals, ...] = ()
    emptied_at: int | None = None

    @property
    def audience(self) -> int:
        """Everyone: the sum of the six."""
        return self.sent + self.failed + self.suppressed + self.uncertain + self.deferred + self.pending

    @property
    def next_due_at(self) -> dt.datetime | None:
        """``next_due`` as a datetime in UTC."""
        return None if self.next_due is None else as_datetime(self.next_due)

    @property
    def starts_at(self) -> dt.datetime | None:
        """``start_at`` as a datetime in UTC."""
        return None if self.start_at is None else as_datetime(self.start_at)

    def as_json(self) -> dict[str, Any]:
        """The account as ``send --json`` and ``status --json`` print it."""
        due, starts = self.next_due_at, self.starts_at
        emptied = None if self.emptied_at is None else as_datetime(self.emptied_at)
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
            "start_at": None if starts is None else starts.isoformat(timespec="seconds"),
            "note": self.note,
            "emptied_at": None if emptied is None else emptied.isoformat(timespec="seconds"),
            "deferrals": [
                {"domain": one.domain, "count": one.count, "next_due": as_datetime(one.next_at).isoformat(timespec="seconds")}
                for one in self.deferrals
            ],
        }


def deferrals(store: Store, campaign_id: int, *, most: int = _DOMAINS) -> dict[str, int]:
    """How many deliveries wait for each recipient domain (A-label), the ``most`` domains that hold up the most of them, in order.

    Reads the deferred deliveries alone.
    """
    with store.read() as connection:
        return {one.domain: one.count for one in read_deferrals(connection, campaign_id, most)}


def read_deferrals(connection: Connection, campaign_id: int, most: int) -> tuple[Deferrals, ...]:
    """What :func:`deferrals` does, as part of a transaction, and when each domain's first is due."""
    domain = after_at(connection, delivery.c.address_key)
    by_domain = (
        select(domain, func.count(), func.min(delivery.c.next_at))
        .where(delivery.c.campaign_id == campaign_id, text(DEFERRED))
        .group_by(domain)
        .order_by(func.count().desc(), domain)
        .limit(most)
    )
    return tuple(Deferrals(*row) for row in connection.execute(by_domain))


def account_of(store: Store, campaign_id: int) -> Account:
    """The account of a campaign, of one moment.

    Raises :class:`~newsletter.problem.InputError` where the campaign does not exist, or where its deliveries are not as many as
    its audience was: then the database was changed by another hand.
    """
    with store.read() as connection:
        return read_account(connection, campaign_id)


def _count(connection: Connection, campaign_id: int) -> dict[str, int]:
    """How many deliveries are in each state: all of them from one index, each state but ``sent`` from a partial one.

    To look at a million rows in the order of an index that is not theirs would take ten seconds.
    """
    of = delivery.c.campaign_id == campaign_id
    counts: dict[str, int] = {}
    for part in (DUE, HELD, APART):
        by_state = select(delivery.c.state, func.count()).where(of, text(part)).group_by(delivery.c.state)
        counts.update({state: count for state, count in connection.execute(by_state)})  # noqa: C416 - dict() of rows has no types
    stored = connection.scalar(select(func.count()).where(of)) or 0
    return {**counts, "sent": stored - sum(counts.values())}


def read_account(connection: Connection, campaign_id: int) -> Account:
    """What :func:`account_of` does, as part of a transaction."""
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise complaint(f"there is no campaign {campaign_id} in the database")
    of = Campaign(**row._mapping)
    counts = _count(connection, campaign_id)
    goes_on = of.state not in ("done", "cancelled")
    deferred = counts.get("deferred", 0)
    account = Account(
        slug=of.slug,
        state=of.state,
        sent=counts.get("sent", 0),
        failed=counts.get("failed", 0),
        suppressed=counts.get("suppressed", 0),
        uncertain=counts.get("uncertain", 0),
        deferred=deferred,
        pending=counts.get("pending", 0) + counts.get("claimed", 0) + counts.get("sending", 0),
        refused=of.refused,
        duplicates=of.duplicates,
        next_due=earliest(connection, campaign_id) if goes_on and (deferred or counts.get("pending")) else None,
        note=of.note,
        start_at=of.start_at,
        deferrals=read_deferrals(connection, campaign_id, _DOMAINS) if goes_on and deferred else (),
        emptied_at=of.emptied_at,
    )
    if account.audience != of.audience:
        raise complaint(
            f"the campaign of {of.slug} has {account.audience} deliveries, but its audience was {of.audience}; "
            "the database was changed by another program, restore it from a copy before anything is sent"
        )
    return account
