"""``newsletter db``: make the tables on a server, move to another database, look whether one is whole."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK, PARTLY
from newsletter.cli.database import open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.store import Store

db = typer.Typer(help="Make, move and look at the database.", no_args_is_help=True)


@db.command(short_help="Make the tables, or bring them up to date.")
def upgrade(context: typer.Context) -> int:
    """Make the tables on a server, or bring them up to date; where they are, nothing is changed.

    Stop the newsletter on every host before.
    """
    from newsletter.store import send_lock
    from newsletter.store.engine import upgrade_tables
    from newsletter.store.jobs import upgrade_jobs
    from newsletter.store.tables import REVISIONS
    from newsletter.store.url import read_url, shown

    url = chosen_workspace(context).database_url()
    where = shown(read_url(url))
    with send_lock(url):
        before = upgrade_tables(url)
    form = REVISIONS[-1]
    became = {None: f"made the tables, form {form}", form: f"is of form {form} already"}
    typer.echo(f"{where}: {became.get(before, f'brought from form {before} to {form}')}", err=True)
    with open_database(chosen_workspace(context)) as store:
        if store.dialect == "postgresql" and (jobs := upgrade_jobs(store)) is not None:
            typer.echo(f"{where}: the tables of the engine for several hosts are as of {jobs.removesuffix('.sql')}", err=True)
    return OK


@db.command(short_help="Copy another database into this one.")
def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The old database: a file, or postgresql://user@host/name.")],
) -> int:
    """Copy all of another database into the one of the settings, which must be empty, and compare every value.

    Stop newsletter serve before, and change the settings: what is written into the old database afterwards is not in the new one.
    """
    from newsletter.store import open_store, send_lock
    from newsletter.store.copying import copy_database
    from newsletter.store.url import database_file, read_url, shown

    workspace = chosen_workspace(context)
    old, new = _address(source), workspace.database_url()
    file = database_file(old)
    if read_url(old) == read_url(new) or (file is not None and file == database_file(new)):
        raise complaint(f"{source} is the database of the settings itself; set NEWSLETTER_DATABASE_URL to the new one first")
    with ExitStack() as stack:
        stack.enter_context(send_lock(old))
        stack.enter_context(send_lock(new))
        target = stack.enter_context(open_database(workspace))
        origin = open_store(old)
        stack.callback(origin.close)
        _settle(origin)
        typer.echo(f"copying {shown(read_url(old))}; nobody else can use either database meanwhile", err=True)
        copy_database(origin, target, lambda name, rows: typer.echo(f"{rows:>11,}  {name}", err=True))
    typer.echo(
        f"copied {shown(read_url(old))} to {shown(read_url(new))}, every value is the same on both sides; "
        "put the old one away, so that nobody sends from it",
        err=True,
    )
    return OK


def _address(source: str) -> str:
    """The old database's address. Raises :class:`~newsletter.problem.InputError` where it is none, or holds a password (S21)."""
    from newsletter.store.url import database_file, read_url

    url = source if "://" in source else f"sqlite:///{Path(source).absolute()}"
    if read_url(url).password is not None or "password" in read_url(url).query:
        raise complaint(
            "a password does not belong on a command line, where everyone on this machine can read it; leave it away and put it "
            "into ~/.pgpass or the variable PGPASSWORD"
        )
    file = database_file(url)
    if file is not None and not file.is_file():
        raise complaint("there is no such database", str(file))
    return url


def _settle(store: "Store") -> None:
    """What a ``send`` left that crashed is uncertain, as the next one would find it. On a server others may live."""
    from newsletter.delivery import ledger

    nobody = 0
    with store.write() as connection:
        if store.dialect == "sqlite":
            ledger.recover_others(connection, nobody, store.clock())
        else:
            ledger.reap(connection, store.now(connection))


@db.command(short_help="Count the rows, and look whether all is whole.")
def check(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Count the rows of each table and look for what is missing, for instance after a backup was restored. Reads everything.

    Exits with 1 where something is wrong.
    """
    from newsletter.store.inventory import count_rows, find_faults
    from newsletter.store.tables import REVISIONS
    from newsletter.store.url import read_url, shown

    workspace = chosen_workspace(context)
    where = shown(read_url(workspace.database_url()))
    with open_database(workspace) as store, store.read() as connection:
        counts, faults = count_rows(connection), find_faults(connection)
    if as_json:
        typer.echo(json.dumps({"database": where, "form": REVISIONS[-1], "rows": counts, "faults": faults}))
    else:
        typer.echo(f"{where}, form {REVISIONS[-1]}", err=True)
        for name, rows in counts.items():
            typer.echo(f"{rows:>11,}  {name}")
        for fault in faults:
            typer.echo(fault, err=True)
        typer.echo("not all is well: restore it from a backup" if faults else "all is whole", err=True)
    return PARTLY if faults else OK
