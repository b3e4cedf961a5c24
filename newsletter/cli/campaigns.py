"""``newsletter pause``, ``cancel`` and ``resolve``: what a person decides about a campaign, also while it is being sent."""

import contextlib
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from newsletter.cli import BAD_INPUT, OK
from newsletter.cli.accounts import AsJson, print_account
from newsletter.cli.completion import complete_issue
from newsletter.cli.database import is_new, open_database
from newsletter.cli.plan import counted
from newsletter.cli.status import last_campaign, never_sent
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, complaint

if TYPE_CHECKING:
    from newsletter.delivery.account import Account
    from newsletter.settings import Workspace
    from newsletter.store import Campaign, Store

IssueName = Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)]


class Decision(StrEnum):
    """What becomes of uncertain deliveries."""

    sent = "sent"
    resend = "resend"


class Found(NamedTuple):
    """An issue's last campaign, and the database that it is in."""

    workspace: "Workspace"
    store: "Store"
    campaign: "Campaign"

    @property
    def slug(self) -> str:
        """The issue's."""
        return self.campaign.slug

    def account(self) -> "Account":
        """As it is now."""
        from newsletter.delivery.account import account_of

        return account_of(self.store, self.campaign.id)

    def at_work(self) -> int | None:
        """See :func:`newsletter.store.engine.send_at_work`."""
        from newsletter.store import send_at_work

        return send_at_work(self.workspace.database_url())

    def workers(self) -> int | None:
        """See :func:`newsletter.store.jobs.count_workers`."""
        from newsletter.store.jobs import count_workers

        return count_workers(self.store)


@contextlib.contextmanager
def last_of(context: typer.Context, issue: str) -> Iterator["Found"]:
    """The last campaign of an issue, begun at least. Raises :class:`~newsletter.problem.InputError` where there is none."""
    workspace = chosen_workspace(context)
    if is_new(workspace):
        raise never_sent(workspace, issue)
    with open_database(workspace) as store:
        campaign = last_campaign(workspace, store, issue)
        if campaign.state == "draft":
            raise complaint(f"the campaign of {campaign.slug} was not begun: newsletter send still asks, or was stopped there")
        yield Found(workspace, store, campaign)


def pause(context: typer.Context, issue: IssueName, as_json: AsJson = False) -> int:
    """Stop a campaign for now, also one that another process is sending; resume goes on with it."""
    from newsletter.delivery import life

    with last_of(context, issue) as found:
        with found.store.write() as connection:
            paused = life.pause(connection, found.campaign.id, life.BY_HAND)
        account = found.account()
        if not paused and account.state != "paused":
            raise complaint(f"there is nothing to pause: the campaign of {found.slug} is {account.state}")
        workers = found.workers()
    if not paused:
        typer.echo(f"{found.slug} was paused already", err=True)
    print_account(account, as_json=as_json, workers=workers)
    return OK


def cancel(
    context: typer.Context,
    issue: IssueName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> int:
    """End a campaign for good: whoever did not get the mail yet does not get it. The account stays."""
    from newsletter.delivery import life

    with last_of(context, issue) as found:
        account = found.account()
        if account.state in ("done", "cancelled"):
            raise complaint(f"there is nothing to cancel: the campaign of {found.slug} is {account.state}")
        if not yes and not _agreed(account):
            typer.echo("nothing was changed", err=True)
            return BAD_INPUT
        with found.store.write() as connection:
            cancelled = life.cancel(connection, found.campaign.id, found.store.clock())
        account = found.account()
        if not cancelled and account.state != "cancelled":
            raise complaint(f"there was nothing left to cancel: the campaign of {found.slug} is {account.state}")
    print_account(account, as_json=as_json)
    return OK


def _agreed(account: "Account") -> bool:
    left = counted(account.pending + account.deferred, "recipient")
    if not sys.stdin.isatty():
        raise complaint("nothing was changed: nobody can be asked here; --yes cancels without asking")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return typer.confirm(f"End it for good? {left} of {account.audience:,} will not be written to", err=True)
    except typer.Abort:
        typer.echo("\nnothing was changed", err=True)
        raise


def resolve(
    context: typer.Context,
    issue: IssueName,
    uncertain: Annotated[
        Decision, typer.Option("--uncertain", help="sent: they have it; resend: send it to them again.", show_default=False)
    ],
    as_json: AsJson = False,
) -> int:
    """Decide what uncertain deliveries are: the mail server's log knows who has the mail."""
    from newsletter.delivery import life

    with last_of(context, issue) as found:
        _bury(found)
        with found.store.write() as connection:
            count = life.resolve(connection, found.campaign.id, uncertain.value, found.store.clock())
        account, workers, at_work = found.account(), found.workers(), found.at_work()
    if not count:
        typer.echo(f"no delivery of {found.slug} is uncertain", err=True)
    elif uncertain is Decision.sent:
        typer.echo(f"{counted(count, 'uncertain delivery', 'uncertain deliveries')}: taken for sent", err=True)
    else:
        typer.echo(
            f"{counted(count, 'uncertain delivery', 'uncertain deliveries')}: to be sent again; newsletter resume {found.slug} "
            "does it",
            err=True,
        )
    print_account(account, as_json=as_json, workers=workers, at_work=at_work)
    return OK


def _bury(found: Found) -> None:
    """What a ``send`` left that crashed is uncertain, also where no other one came after it; one that is at work did this."""
    from newsletter.delivery import ledger
    from newsletter.store import send_lock

    if found.store.dialect != "sqlite":
        with found.store.write() as connection:
            ledger.reap(connection, found.store.now(connection))
        return
    nobody = 0
    with contextlib.suppress(InputError), send_lock(found.workspace.database_url()), found.store.write() as connection:
        ledger.recover_others(connection, nobody, found.store.clock())
