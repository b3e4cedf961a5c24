"""``newsletter preview``: the local app that staff work with."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.completion import complete_issue
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint


def preview(
    context: typer.Context,
    issue: Annotated[
        str,
        typer.Argument(metavar="[ISSUE]", help="A slug (2026-12) or a path; else a list of all.", autocompletion=complete_issue),
    ] = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.csv", help="The recipient list to look for people in; else list.csv.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="The port; else any free one.")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Show an issue as every reader will see it, live while you write, with what is wrong, and an inbox for tests."""
    from newsletter.preview.server import Preview

    workspace = chosen_workspace(context)
    if to is not None and not to.is_file():
        raise complaint("there is no such file; --to names a recipient list", str(to))
    with Preview(workspace, issue or None, people=to, port=port) as running:
        address = running.url
        if issue:
            address += f"issue/{workspace.issue_file(issue).resolve().parent.name}"
        words = f"preview: {address}\ninbox:   {running.url}inbox\nonly for you, on this machine; Ctrl-C stops"
        stay(words, lambda: _open(address) if open_ else None)


def stay(words: str, then: Callable[[], None] = lambda: None) -> None:
    """Print what there is to be looked at, do ``then``, and wait until Ctrl-C or SIGTERM: the command's last act."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler)  # also where it was started with Ctrl-C switched off, in the background
    try:
        typer.echo(words, err=True)
        then()
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _open(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        typer.echo("no browser could be opened: open the address above", err=True)
