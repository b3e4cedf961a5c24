"""``newsletter unsubscribes read``: mails of those who leave take them off the list."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from newsletter.cli import INTERRUPTED, OK, PARTLY
from newsletter.cli.database import open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.audience.unsubscribes import Outcome
    from newsletter.links import Links
    from newsletter.settings import Workspace

unsubscribes = typer.Typer(no_args_is_help=True, help="Take those off the list who leave by mail.")

_MEANING = {
    "unsubscribed": "off the list from now on",
    "already": "had left before",
    "test": "by the link of a draft or a test, which nobody can leave",
    "automatic": "absence notes, bounces and receipts; left in the box",
    "left": "without a token of this newsletter; left in the box, please read them",
    "unreadable": "that could not be read; left in the box, please look at them",
}


@unsubscribes.callback()
def _group() -> None:
    """Take those off the list who leave by mail."""


@unsubscribes.command(short_help="Read the mails of those who leave.")
def read(
    context: typer.Context,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="A Maildir, an mbox, .eml files or a folder of them, or: imap.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> int:
    """Read the mails of those who leave, take them off the list at once, and mark these mails as read. No mail is deleted."""
    from newsletter.audience.unsubscribes import Kind, read_unsubscribes
    from newsletter.postbox import PostboxError, open_box

    workspace = chosen_workspace(context)
    links = _links(workspace)
    counts: Counter[str] = Counter()
    broken = False
    with open_database(workspace) as store:
        for source in sources:
            try:
                with open_box(source, workspace.settings) as box:
                    for outcome in read_unsubscribes(store, links, box):
                        counts[outcome.kind] += 1
                        _tell(outcome)
            except PostboxError as error:
                if not counts:
                    raise complaint(f"nothing was read: {error}") from None
                typer.echo(f"broken off: {error}\nwhat was read until then counts; the same command goes on", err=True)
                broken = True
                break
    _account({kind: counts[kind] for kind in get_args(Kind)}, as_json=as_json)
    if broken:
        return INTERRUPTED
    return PARTLY if counts["left"] or counts["unreadable"] else OK


def _links(workspace: "Workspace") -> "Links":
    from newsletter.issue import load_publication
    from newsletter.links import Links

    settings = workspace.settings
    if settings.secret_key is None:
        advice = "take the key with which the mails were sent"
        raise InputError(Problem(str(workspace.root / ".env"), 0, 0, "NEWSLETTER_SECRET_KEY", f"is not set; {advice}"))
    return Links(
        settings.public_url or "", settings.secret_key.get_secret_value().encode(), load_publication(workspace).own_list_id
    )


def _tell(outcome: "Outcome") -> None:
    """One line for each mail that a person has to look at."""
    if outcome.why:
        written = f", from {outcome.sender}" if outcome.sender else ""
        written += f", of {outcome.date}" if outcome.date else ""
        typer.echo(f"{outcome.mail}{written}: {outcome.why}", err=True)


def _account(counts: dict[str, int], *, as_json: bool) -> None:
    total = sum(counts.values())
    if as_json:
        typer.echo(json.dumps({"mails": total} | counts))
        return
    typer.echo(f"  {total:>6,}  {'mails':<12}  unread until now", err=True)
    for kind, count in counts.items():
        if count or kind == "unsubscribed":
            typer.echo(f"  {count:>6,}  {kind:<12}  {_MEANING[kind]}", err=True)
