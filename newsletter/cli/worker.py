"""``newsletter worker``: one of several senders on several hosts, until it is stopped."""

import signal
from typing import TYPE_CHECKING

import typer

from newsletter.cli import INTERRUPTED, OK
from newsletter.cli.database import open_database
from newsletter.cli.workspace import chosen_workspace, demand_links
from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.delivery.shift import Shift


def worker(context: typer.Context) -> int:
    """Send, with the workers on other hosts, what was begun and what is planned, until Ctrl-C or SIGTERM. Needs PostgreSQL."""
    import asyncio
    import logging

    from newsletter.issue import load_timetable
    from newsletter.store.jobs import demand_jobs
    from newsletter.store.url import is_postgresql, read_url, shown

    workspace = chosen_workspace(context)
    url = workspace.database_url()
    if not is_postgresql(url):
        raise complaint("newsletter worker needs a database on PostgreSQL (docs/several-hosts.md); with a file, send does it all")
    links, timetable = demand_links(workspace), load_timetable(workspace)
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("newsletter").setLevel(logging.INFO)
    with open_database(workspace) as store:
        with store.read() as connection:
            demand_jobs(connection)
        from newsletter.delivery.shift import Shift

        typer.echo(f"at work for {shown(read_url(url))}; Ctrl-C stops when the mail server has answered", err=True)
        return asyncio.run(_run(url, Shift(store, workspace.settings, timetable, links, asyncio.Event())))


async def _run(url: str, shift: "Shift") -> int:
    import asyncio

    from newsletter.cli import systemd
    from newsletter.delivery.engine import Engine

    hurried = False

    def interrupt() -> None:
        nonlocal hurried
        if not shift.stop.is_set():
            systemd.tell("STOPPING=1")
            typer.echo("stopping when the mail server has answered; again stops at once", err=True)
            shift.stop.set()
        else:
            hurried = True
            shift.abort()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    watchdog = asyncio.create_task(systemd.keep_telling())
    systemd.tell("READY=1")
    try:
        await Engine(url, shift).run()
    finally:
        watchdog.cancel()
    return INTERRUPTED if hurried else OK
