"""``newsletter tidy``: what has no reason to be kept any more goes, and how much it was."""

import contextlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK
from newsletter.cli.database import is_new, open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError

if TYPE_CHECKING:
    from newsletter.issue import Retention
    from newsletter.settings import Workspace
    from newsletter.store import Store
    from newsletter.store.tidying import Tidied


def tidy(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Delete what is older than the publication keeps it. serve does the same every day, and send at its end."""
    from newsletter.audience.tidying import tidy as tidy_up
    from newsletter.issue import load_retention
    from newsletter.store.tidying import Tidied

    workspace = chosen_workspace(context)
    retention = load_retention(workspace)
    done = Tidied()
    if not is_new(workspace):
        with open_database(workspace) as store:
            done = tidy_up(store, retention)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    elif lines := told(done, retention):
        typer.echo("deleted:\n" + "\n".join(lines), err=True)
    else:
        typer.echo("nothing to delete: nothing is older than it may be", err=True)
    return OK


def told(done: "Tidied", retention: "Retention") -> list[str]:
    """What went, a line for each kind; none where nothing did."""
    values, proofs = f"{retention.values} days", f"{retention.proofs} years"
    meanings = {
        "signups": "sign-ups of more than a week ago",
        "left": "subscribers who left more than a week ago: address and values",
        "values": f"deliveries of sendings that ended more than {values} ago: address, values, the server's words",
        "addresses": f"addresses beside the marks of those who left or bounced more than {values} ago",
        "proofs": f"steps in the proof of those who left: their year ended more than {proofs} ago",
    }
    return [f"  {count:>9,}  {meanings[name]}" for name, count in asdict(done).items() if count]


def tidy_after(workspace: "Workspace", store: "Store") -> None:
    """The same at the end of another command, which has done its work whatever becomes of this; Ctrl-C leaves it for later."""
    from newsletter.audience.tidying import tidy as tidy_up
    from newsletter.issue import load_retention

    with contextlib.suppress(KeyboardInterrupt):
        try:
            retention = load_retention(workspace)
        except InputError as error:
            typer.echo(f"nothing old was deleted: {error.problems[0]}", err=True)
            return
        if lines := told(tidy_up(store, retention), retention):
            typer.echo("deleted, for publication.yaml keeps it no longer:\n" + "\n".join(lines), err=True)
