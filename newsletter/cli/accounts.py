"""An account in words, and the exit code that goes with it."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.plan import counted

if TYPE_CHECKING:
    from newsletter.delivery.account import Account
    from newsletter.delivery.trouble import Trouble

AsJson = Annotated[bool, typer.Option("--json", help="Print the account as one JSON object.")]

_MEANING = {
    "sent": "the mail server took it",
    "failed": "refused for good",
    "suppressed": "unsubscribed or bounced, not written to",
    "uncertain": "no answer came: the mail server's log knows whether it was sent",
    "deferred": "the mail server asked to wait; tried again when due",
    "pending": "not sent yet",
}
#: The same of a campaign that was cancelled: nothing is tried any more.
_CANCELLED = {"deferred": "the mail server asked to wait; not tried again", "pending": "not sent"}


def print_account(
    account: "Account",
    *,
    as_json: bool,
    troubles: "Iterable[Trouble] | None" = None,
    workers: int | None = None,
    at_work: int | None = None,
) -> None:
    """Print the account: JSON to stdout, or a few lines to stderr that anyone can read.

    ``troubles`` are listed, too: in the JSON, or a line each on stdout, separated by tabs. ``workers`` are as many ``newsletter
    worker`` as are at work, None where there can be none; ``at_work`` is the process id of the ``send`` that is, see
    :func:`newsletter.store.engine.send_at_work`; None where nobody looked.
    """
    if as_json:
        listed = {} if troubles is None else {"trouble": [trouble.as_json() for trouble in troubles]}
        typer.echo(json.dumps({**account.as_json(), **listed}, ensure_ascii=False))
        return
    typer.echo(f"{account.slug}: {_state(account, workers, at_work)}", err=True)
    _line(account.audience, "audience", "everyone, each in one of these lines")
    meanings = _MEANING | _CANCELLED if account.state == "cancelled" else _MEANING
    for name, meaning in meanings.items():
        count = getattr(account, name)
        if count or name == "sent":
            _line(count, name, meaning)
        if name == "deferred" and account.emptied_at is None and account.state != "cancelled":
            _tell_deferrals(account)
    if account.duplicates or account.refused:
        typer.echo("  not in the audience:", err=True)
        _line(account.duplicates, "duplicates", "rows whose address stood in the list before")
        _line(account.refused, "refused", "rows that no mail can go to")
    if account.emptied_at is not None:
        typer.echo(f"  {emptied(account.emptied_at)}", err=True)
    for trouble in troubles or ():
        typer.echo("\t".join((trouble.state, trouble.address, trouble.answer, trouble.meaning or "")))


def print_accounts(
    accounts: Sequence["Account"], *, as_json: bool, workers: int | None = None, at_work: int | None = None
) -> None:
    """Print several accounts; as JSON one object with a list, since ``--json`` gives one object."""
    if as_json:
        typer.echo(json.dumps({"campaigns": [account.as_json() for account in accounts]}, ensure_ascii=False))
    elif not accounts:
        typer.echo("nothing was sent yet", err=True)
    else:
        for account in accounts:
            print_account(account, as_json=False, workers=workers, at_work=at_work)


def emptied(moment: int) -> str:
    """What to say of a campaign whose recipients' values had been deleted at that moment."""
    from newsletter.store.clock import as_datetime

    day = f"{as_datetime(moment).astimezone():%Y-%m-%d}"
    return f"addresses, values and the servers' words were deleted by {day} (retention in publication.yaml); the counts stay"


def exit_code(account: "Account") -> int:
    """0 where nothing is left to worry about, 1 where something failed, is uncertain or was put off by the server."""
    return PARTLY if account.failed or account.uncertain or account.deferred else OK


def _line(count: int, name: str, meaning: str) -> None:
    if count or name in ("audience", "sent"):
        typer.echo(f"  {count:>9,}  {name:<10}  {meaning}", err=True)


def _tell_deferrals(account: "Account") -> None:
    """Which domains hold up the most, and when they are tried again; one domain alone says it, too."""
    from newsletter.store.clock import as_datetime

    for one in account.deferrals:
        due = _here(as_datetime(one.next_at))
        typer.echo(f"{'':>23}  {one.count:,} at {one.domain}, due from {due} on", err=True)
    others = account.deferred - sum(one.count for one in account.deferrals)
    if others:
        typer.echo(f"{'':>23}  {others:,} at other domains", err=True)


def _state(account: "Account", workers: int | None, at_work: int | None) -> str:
    alone = f"newsletter send {account.slug}"
    go_on = f"newsletter resume {account.slug} --background" if workers else alone
    begins = f"{counted(workers, 'newsletter worker')} will begin it" if workers else f"{alone} waits for it"
    match account.state:
        case "paused":
            return f"paused: {account.note}; {go_on} goes on" if account.note else f"paused; {go_on} goes on"
        case "scheduled" if account.starts_at is not None:
            return f"planned for {_here(account.starts_at)}; {_nobody(workers)}{begins}"
        case "running" if at_work:  # it may be about another issue, which cannot be told from here
            return "; ".join(filter(None, ("not finished", f"newsletter send is at work now (process {at_work})", account.note)))
        case "running" if account.note and at_work is None:  # a crash leaves the note
            return f"under way; {account.note}"
        case "running":
            return _going(account, workers, alone)
        case "draft":
            return "not begun: newsletter send still asks, or was stopped there"
        case _:
            return account.state


def _going(account: "Account", workers: int | None, alone: str) -> str:
    due = account.next_due_at
    later = _here(due) if due is not None and due > dt.datetime.now(dt.UTC) else None
    if workers:
        who = counted(workers, "newsletter worker")
        return f"waiting for the mail server; {who} will go on after {later}" if later else f"under way with {who}"
    if later:
        return f"waiting for the mail server; {_nobody(workers)}{alone} goes on after {later}"
    return f"not finished; {_nobody(workers)}{alone} goes on where it stopped"


def _here(moment: dt.datetime) -> str:
    """By the clock of this machine, which may not be the publication's: so its zone stands behind it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def _nobody(workers: int | None) -> str:
    return "" if workers is None else "no newsletter worker is there to send it; "
