"""``newsletter demo``: the whole way with nothing set up, and nothing leaves this machine."""

import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK, PARTLY

if TYPE_CHECKING:
    from newsletter.audience.csv_list import RecipientList
    from newsletter.compose.edition import Edition
    from newsletter.delivery.account import Account
    from newsletter.issue import Issue
    from newsletter.links import Links
    from newsletter.preview.inbox import Inbox
    from newsletter.settings import Workspace
    from newsletter.store import Store

SLUG = "2026-11"
#: How far the words stand from the left, behind their label.
_INDENT = 10


def demo(
    once: Annotated[bool, typer.Option("--once", help="Check what arrived and exit, also on a terminal.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write what arrived; else a new temporary folder.")
    ] = None,
) -> int:
    """Compose the sample issue, send it to a sample list through a mail server of its own, and show what arrived."""
    import tempfile

    from newsletter.cli.workspace import demand_empty

    if out is not None:
        demand_empty(out)
        out.mkdir(parents=True, exist_ok=True)
    folder = out or Path(tempfile.mkdtemp(prefix="newsletter-demo-"))
    stay = sys.stdout.isatty() and not once
    faults = _Demo(folder.resolve(), stay=stay).run()
    for fault in faults:
        typer.echo(f"demo failed: {fault}", err=True)
    return PARTLY if faults else OK


class _Demo:
    """One demonstration in one folder: its own workspace, database, mail server and web server."""

    def __init__(self, folder: Path, *, stay: bool) -> None:
        self._folder = folder
        self._stay = stay

    def run(self) -> list[str]:
        """What went wrong, as sentences; nothing where everything arrived and every link works."""
        import secrets

        from newsletter.audience.csv_list import open_list
        from newsletter.compose.compile import picture_address
        from newsletter.delivery import LedgerError, SendError
        from newsletter.issue import load_issue
        from newsletter.links import Links
        from newsletter.preview.inbox import Inbox
        from newsletter.preview.server import Preview
        from newsletter.store import open_store
        from newsletter.web.app import create_app
        from newsletter.web.server import BackgroundServer

        workspace = self._copy_sample()
        issue = load_issue(workspace, SLUG)
        store = open_store(workspace.database_url())
        try:
            with Inbox() as inbox, BackgroundServer() as server:
                links = Links(server.url, secrets.token_bytes(32), issue.publication.own_list_id)
                server.start(create_app(store, links, issue.publication, workspace.catalogues))
                people = open_list(workspace.issues / "sample-list.csv")
                edition = self._compose(issue, workspace, links, people)
                account = self._send(store, edition, links, inbox, people)
                faults = self._show(inbox, edition, picture_address(issue.publication, links.picture_url), account)
                if self._stay and not faults:
                    with Preview(workspace, SLUG, inbox=inbox, people=people.path) as preview:
                        self._wait(inbox, preview.url)
                return faults
        except (SendError, LedgerError) as error:
            return [str(error)]
        finally:
            store.close()

    def _copy_sample(self) -> "Workspace":
        import shutil

        from newsletter.settings import Workspace, program_folder

        target = self._folder / "workspace"
        shutil.copytree(program_folder("issues"), target / "issues")
        return Workspace(target)

    def _compose(self, issue: "Issue", workspace: "Workspace", links: "Links", people: "RecipientList") -> "Edition":
        from newsletter.check.variants import needed_variants
        from newsletter.compose.compile import compile_issue

        start = time.perf_counter()
        edition = compile_issue(issue, workspace, links.picture_url, variants=needed_variants(issue, people))
        took = (time.perf_counter() - start) * 1000
        kinds = sorted({block.type for block in issue.content.blocks})
        words = f"{issue.content.title}: {len(issue.content.blocks)} blocks in {took:.0f} ms ({', '.join(kinds)})"
        _say("composed", words)
        return edition

    def _send(self, store: "Store", edition: "Edition", links: "Links", inbox: "Inbox", people: "RecipientList") -> "Account":
        import asyncio

        from newsletter.cli.plan import rows_left_out
        from newsletter.delivery import drive, freeze
        from newsletter.message import MessageTemplate
        from newsletter.settings import Settings

        name = people.path.name
        campaign, report = freeze(store, slug=SLUG, edition=edition, recipients=people, mark=links.mark, list_name=name)
        settings = Settings(smtp_host=inbox.host, smtp_port=inbox.port, smtp_security="none", public_url=links.public_url)
        template = MessageTemplate(edition)
        sending = drive(store, campaign.id, settings=settings, links=links, template=template, stop=asyncio.Event())
        account = asyncio.run(sending)
        _say("sent", f"over SMTP, to {account.sent} recipients from the {report.candidates} rows of {name}")
        for number, row in enumerate(rows_left_out(report)):
            _say("" if number else "left out", str(row).replace(row.path, name, 1))
        return account

    def _show(self, inbox: "Inbox", edition: "Edition", picture_url: Callable[[str], str], account: "Account") -> list[str]:
        from newsletter.cli.accounts import print_account
        from newsletter.cli.mail_files import write_mail
        from newsletter.cli.rehearsal import check_arrived, try_links

        faults = check_arrived(inbox, account)
        arrived = self._folder / "arrived"
        for number, received in enumerate(inbox, 1):
            write_mail(arrived / f"{number:02}-{received.recipients[0]}", received.data, edition, picture_url)
            size = len(received.data) / 1000
            _say("arrived" if number == 1 else "", f"{received.recipients[0]:<40} {size:5.1f} kB")
        if not faults:
            for number, tried in enumerate(try_links(list(inbox)[-1])):
                _say("" if number else "links", tried.words)
                faults += [] if tried.works else [tried.words]
        print_account(account, as_json=False)
        typer.echo(f"what arrived, as message.html, message.txt and message.eml:\n  {arrived}", err=True)
        return faults

    def _wait(self, inbox: "Inbox", preview: str) -> None:
        from newsletter.cli.preview import stay
        from newsletter.cli.rehearsal import links_of

        first = next(iter(inbox))
        links = links_of(first)
        words = (
            f"to be looked at, until you press Ctrl-C:\n"
            f"  preview          {preview}issue/{SLUG}\n"
            f"  inbox            {preview}inbox\n"
            f"the pages of {first.recipients[0]}:\n"
            f"  view in browser  {links.view}\n"
            f"  unsubscribe      {links.unsubscribe}"
        )
        stay(words)


def _say(label: str, words: str) -> None:
    """Print words behind their label, within 80 columns."""
    margin = " " * _INDENT
    typer.echo(textwrap.fill(words, 79, initial_indent=f"{label:<{_INDENT}}", subsequent_indent=margin), err=True)
