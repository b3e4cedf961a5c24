"""``--limit`` of a campaign that several workers send: how many deliveries they may still claim together.

What is claimed is counted at once, and counted back where nothing of it was tried. A campaign without a row has no limit.
"""

from sqlalchemy import Connection, delete, select, update

from newsletter.store.tables import allowance


def allow(connection: Connection, campaign_id: int, limit: int | None) -> None:
    """Let so many deliveries of a campaign be tried from now on, None: all of them."""
    connection.execute(delete(allowance).where(allowance.c.campaign_id == campaign_id))
    if limit is not None:
        connection.execute(allowance.insert().values(campaign_id=campaign_id, allowed=limit, remaining=limit))


def still_allowed(connection: Connection, campaign_id: int) -> int | None:
    """How many may still be claimed, None: any number. Nobody else claims before this transaction ends."""
    of = select(allowance.c.remaining).where(allowance.c.campaign_id == campaign_id)
    remaining: int | None = connection.scalar(of.with_for_update())
    return remaining


def allow_again(connection: Connection, campaign_id: int, count: int) -> None:
    """So many that were claimed were not tried; a negative count takes away."""
    if count:
        this = update(allowance).where(allowance.c.campaign_id == campaign_id)
        connection.execute(this.values(remaining=allowance.c.remaining + count))


def used_up(connection: Connection, campaign_id: int) -> int | None:
    """The limit of a campaign of which nothing is left, None where something is, or where there is none."""
    of = select(allowance.c.allowed).where(allowance.c.campaign_id == campaign_id, allowance.c.remaining <= 0)
    limit: int | None = connection.scalar(of)
    return limit
