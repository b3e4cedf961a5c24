"""A campaign's life: each step one function over a transaction, and what a person decides about uncertain deliveries.

::

    draft --start--> running <--pause, start--> paused        running --finish--> done
    draft, paused --schedule--> scheduled --start, when it is time--> running
    scheduled, running, paused --cancel--> cancelled          done --resolve "resend"--> paused
    done --reopen, after a late answer--> running

A campaign that is not ``running`` grants nothing (:func:`newsletter.delivery.ledger.mark_sending`), so each step holds from its
commit on. Moments are microseconds UTC.
"""

from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    TextClause,
    and_,
    case,
    exists,
    func,
    literal_column,
    null,
    select,
    text,
    update,
)

from newsletter.delivery.allowance import allow
from newsletter.problem import complaint
from newsletter.store.campaigns import CampaignState
from newsletter.store.clock import MINUTE
from newsletter.store.tables import APART, DUE, HELD, campaign, delivery, worker

#: ``why`` of a delivery that was deferred because the server refuses the sender or the content, not this recipient.
POLICY = "policy"
#: ``why`` of a delivery whose fate a person settled.
RESOLVED = "resolved"
#: ``note`` of a campaign that a person paused.
BY_HAND = "by newsletter pause"
#: How long a server may take to answer the final dot (RFC 5321 §4.5.3.2.6): until then, a message may still be taken.
LONGEST_ANSWER = 10 * MINUTE


def lock(connection: Connection, campaign_id: int) -> CampaignState | None:
    """The state of a campaign, which nobody else changes before this transaction ends; None where it is not there.

    What reads a campaign's deliveries to decide about the campaign does so behind this: a writer elsewhere has come before, and
    its rows are seen, or comes after. In a file, the transaction itself is alone.
    """
    state: CampaignState | None = connection.scalar(
        select(campaign.c.state).where(campaign.c.id == campaign_id).with_for_update()
    )
    return state


def start(connection: Connection, campaign_id: int, now: int, *, limit: int | None = None, join: bool = False) -> bool:
    """Let a new, paused or scheduled campaign run; False where it is over, or where its time (``start_at``) has not come.

    What the server refused by policy is tried again at once. A paused campaign whose time has not come is scheduled again.
    ``limit`` is for all workers together; without it, one that runs already keeps its own. ``join`` only goes on with what runs
    or is scheduled: False for a draft, and for a paused one.
    """
    state = lock(connection, campaign_id)
    if state not in (("scheduled", "running") if join else ("draft", "scheduled", "running", "paused")):
        return False
    this = update(campaign).where(campaign.c.id == campaign_id)
    start_at = connection.scalar(select(campaign.c.start_at).where(campaign.c.id == campaign_id))
    if start_at is not None and start_at > now:
        connection.execute(this.values(state="scheduled", note=None))
        return False
    if limit is not None or state != "running":
        allow(connection, campaign_id, limit)
    begun = this.values(state="running", started_at=func.coalesce(campaign.c.started_at, now), note=None)
    connection.execute(begun)
    if state == "paused":
        policy = and_(delivery.c.campaign_id == campaign_id, text(DUE), delivery.c.next_at > now, delivery.c.why == POLICY)
        connection.execute(update(delivery).where(policy).values(next_at=now))
    return True


def schedule(connection: Connection, campaign_id: int, start_at: int) -> bool:
    """Let :func:`start` wait for ``start_at``, for a campaign of which nothing was sent yet. False for any other campaign.

    The same again moves the time.
    """
    waiting = and_(
        campaign.c.id == campaign_id, campaign.c.state.in_(["draft", "scheduled", "paused"]), campaign.c.started_at.is_(None)
    )
    later = update(campaign).where(waiting).values(state="scheduled", start_at=start_at, note=None)
    return connection.execute(later).rowcount == 1


def pause(connection: Connection, campaign_id: int, note: str) -> bool:
    """Stop a running or scheduled campaign; ``note`` says why. From this commit on nothing more is granted.

    False where it is neither running nor scheduled.
    """
    going = and_(campaign.c.id == campaign_id, campaign.c.state.in_(["running", "scheduled"]))
    return connection.execute(update(campaign).where(going).values(state="paused", note=note)).rowcount == 1


def remark(connection: Connection, campaign_id: int, words: str | None) -> None:
    """Say something about how a running campaign goes, or nothing any more. What a pause says stays."""
    running = and_(campaign.c.id == campaign_id, campaign.c.state == "running", campaign.c.note.is_distinct_from(words))
    connection.execute(update(campaign).where(running).values(note=words))


def cancel(connection: Connection, campaign_id: int, now: int) -> bool:
    """End a campaign for good; its deliveries stay as they are. From this commit on nothing more is granted.

    What is on the wire is still settled. False where it is over already, or a ``draft``, which is discarded instead.
    """
    going = and_(campaign.c.id == campaign_id, campaign.c.state.in_(["scheduled", "running", "paused"]))
    return connection.execute(update(campaign).where(going).values(state="cancelled", ended_at=now)).rowcount == 1


def finish(connection: Connection, campaign_id: int, now: int) -> bool:
    """End a running campaign as done where no delivery is pending, deferred, claimed or sending."""
    # Two questions, one a partial index: counting a million rows would take a third of a second.
    if lock(connection, campaign_id) != "running" or _has(connection, campaign_id, DUE) or _has(connection, campaign_id, HELD):
        return False
    connection.execute(update(campaign).where(campaign.c.id == campaign_id).values(state="done", ended_at=now))
    return True


def reopen(connection: Connection, campaign_id: int) -> bool:
    """Let a campaign run that was done before a late answer made one of its deliveries due again. True where it was so."""
    if lock(connection, campaign_id) != "done" or not _has(connection, campaign_id, DUE):
        return False
    connection.execute(update(campaign).where(campaign.c.id == campaign_id).values(state="running", ended_at=null()))
    return True


def is_held(connection: Connection, campaign_id: int) -> bool:
    """Whether a worker holds deliveries of a campaign."""
    return _has(connection, campaign_id, HELD)


def _has(connection: Connection, campaign_id: int, part: str) -> bool:
    some: Select[Any] = select(literal_column("1")).where(delivery.c.campaign_id == campaign_id, text(part)).limit(1)
    return connection.scalar(some) is not None


def resolve(connection: Connection, campaign_id: int, decision: Literal["sent", "resend"], now: int) -> int:
    """Settle the uncertain deliveries of a campaign as a person says, all of them; gives how many.

    ``sent`` takes them for sent. ``resend`` makes them due again, under the same Message-ID; a campaign that was done is paused
    then, so that the next ``send`` goes on. What lost its address meanwhile stays uncertain.

    Raises :class:`~newsletter.problem.InputError`, with nothing changed, where there is no such campaign, and for ``resend``
    where it was cancelled, no address is left, or a message may still be on its way: its worker must have ended, and the server
    must have had its time to answer (:data:`LONGEST_ANSWER`).
    """
    this = select(campaign.c.slug, campaign.c.state).where(campaign.c.id == campaign_id)
    of = connection.execute(this.with_for_update()).one_or_none()
    if of is None:
        raise complaint(f"there is no campaign {campaign_id} in the database")
    uncertain = update(delivery).where(*_uncertain(campaign_id))
    if decision == "sent":
        return connection.execute(uncertain.values(state="sent", why=RESOLVED, updated_at=now)).rowcount
    if of.state == "cancelled":
        raise complaint(f"the campaign of {of.slug} was cancelled: nothing of it is sent again")
    _demand_quiet(connection, campaign_id, of.slug, now)
    addressed = delivery.c.address != ""
    again = uncertain.where(addressed).values(
        state="pending", why=RESOLVED, code=null(), next_at=now, worker_id=null(), updated_at=now
    )
    count = connection.execute(again).rowcount
    if not count and connection.scalar(select(exists().where(*_uncertain(campaign_id)))):
        raise complaint(
            f"the addresses of the uncertain mails of {of.slug} were deleted, so nothing can be sent again; "
            f"newsletter resolve {of.slug} --uncertain sent closes them"
        )
    if count:
        whose = "1 delivery whose fate was uncertain is" if count == 1 else f"{count} deliveries whose fate was uncertain are"
        note = f"{whose} to be sent again"
        over = and_(campaign.c.id == campaign_id, campaign.c.state == "done")
        connection.execute(update(campaign).where(over).values(state="paused", note=note, ended_at=null()))
    return count


def _uncertain(campaign_id: int) -> tuple[ColumnElement[bool] | TextClause, ...]:
    apart = text(f"delivery.{APART}")  # the same words as the partial index, so that it is used
    return (delivery.c.campaign_id == campaign_id, delivery.c.state == "uncertain", apart)


def _demand_quiet(connection: Connection, campaign_id: int, slug: str, now: int) -> None:
    """Raise where an uncertain message of the campaign may still be on its way."""
    on_their_way = (
        select(
            func.count().label("deliveries"),
            func.sum(case((worker.c.state == "alive", 1), else_=0)).label("alive"),
            func.max(worker.c.ended_at).label("ended_at"),
            func.max(delivery.c.updated_at).label("updated_at"),
        )
        .join(worker, worker.c.id == delivery.c.worker_id)
        .where(*_uncertain(campaign_id))
    )
    found = connection.execute(on_their_way).one()
    if not found.deliveries:
        return
    if found.alive:
        raise complaint(
            f"the program that sent the uncertain mails of {slug} is still at work and may still learn what became of them; "
            "resend them when it has ended"
        )
    quiet_at = max(found.ended_at or 0, found.updated_at) + LONGEST_ANSWER
    if quiet_at > now:
        minutes = -(-(quiet_at - now) // MINUTE)
        raise complaint(
            f"the mail server may still be taking the uncertain mails of {slug}, it has 10 minutes for its answer; "
            f"resend them in {minutes} minute{'s' if minutes > 1 else ''}"
        )
