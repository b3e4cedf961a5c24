"""``newsletter send``: the plan, the question, the progress, the account."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import BAD_INPUT, INTERRUPTED, OK, PARTLY
from newsletter.cli.accounts import AsJson, exit_code, print_account
from newsletter.cli.database import open_database
from newsletter.cli.driving import Driving, reach_server
from newsletter.cli.plan import agreed, tell_plan, tell_rows
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.issue import Issue
    from newsletter.links import Links
    from newsletter.settings import Settings, Workspace
    from newsletter.store import Campaign, Store


def send(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="The recipient list.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Stop after N mails, paused.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Send an issue that was sent already another time.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> int:
    """Send an issue to everyone on a list, once. The same command again goes on where it stopped."""
    from newsletter.issue import load_issue
    from newsletter.links import Links
    from newsletter.store import send_lock

    workspace = chosen_workspace(context)
    public_url, key = _demand_settings(workspace)
    with send_lock(workspace.database_url()), open_database(workspace) as store:
        read = load_issue(workspace, issue)
        links = Links(public_url, key, read.publication.own_list_id)
        return _Sending(workspace, store, read, links, to, again, yes, limit).run(as_json=as_json)


def _demand_settings(workspace: "Workspace") -> tuple[str, bytes]:
    """The public URL and the secret key. Raises :class:`InputError` naming every setting that is missing."""
    settings, file = workspace.settings, str(workspace.root / ".env")
    wanted = {
        "NEWSLETTER_SMTP_HOST": (settings.smtp_host, "name the server that takes your mail"),
        "NEWSLETTER_PUBLIC_URL": (settings.public_url, "give the https address where newsletter serve is reached"),
        "NEWSLETTER_SECRET_KEY": (settings.secret_key, "newsletter init DIR makes an .env with a fresh one"),
    }
    problems = [Problem(file, 0, 0, name, f"is not set; {advice}") for name, (value, advice) in wanted.items() if value is None]
    if problems or settings.public_url is None or settings.secret_key is None:
        raise InputError(problems)
    return settings.public_url, settings.secret_key.get_secret_value().encode()


class _Sending:
    """One run of ``send``: begin or resume the campaign, drive it, tell."""

    def __init__(
        self,
        workspace: "Workspace",
        store: "Store",
        issue: "Issue",
        links: "Links",
        to: Path | None,
        again: bool,
        yes: bool,
        limit: int | None,
    ) -> None:
        self._workspace = workspace
        self._settings: Settings = workspace.settings
        self._store = store
        self._issue = issue
        self._links = links
        self._to = to
        self._again = again
        self._yes = yes
        self._limit = limit

    def run(self, *, as_json: bool) -> int:
        """Give the exit code."""
        campaign = self._earlier()
        if campaign is not None and campaign.state in ("done", "cancelled") and not self._again:
            return self._leave(campaign, as_json=as_json)
        if campaign is None or campaign.state in ("done", "cancelled"):
            campaign = self._begin()
        else:
            self._resume(campaign)
        if campaign is None:
            typer.echo("nothing was sent", err=True)
            return BAD_INPUT
        account, early = Driving(self._store, campaign, self._settings, self._links, self._limit).run()
        print_account(account, as_json=as_json)
        if early and account.state != "done":
            return INTERRUPTED
        return PARTLY if account.state == "running" else exit_code(account)

    def _earlier(self) -> "Campaign | None":
        """The issue's last campaign; one that nobody confirmed is discarded."""
        from newsletter.delivery.freeze import discard
        from newsletter.store import find_campaign

        campaign = find_campaign(self._store, self._issue.slug)
        if campaign is not None and campaign.state == "draft":
            discard(self._store, campaign.id)
            campaign = find_campaign(self._store, self._issue.slug)
        return campaign

    def _leave(self, campaign: "Campaign", *, as_json: bool) -> int:
        from newsletter.delivery.account import account_of

        account = account_of(self._store, campaign.id)
        over = "was sent already" if campaign.state == "done" else "was cancelled"
        typer.echo(f"{self._issue.slug} {over}, nothing was sent now; --again sends it another time", err=True)
        print_account(account, as_json=as_json)
        return OK

    def _begin(self) -> "Campaign | None":
        """Compile, freeze and ask; None where the person says no. Whoever stops it here leaves nothing behind."""
        from newsletter.audience.csv_list import open_list
        from newsletter.check.draft import check_message
        from newsletter.check.fields import WithFields, check_fields
        from newsletter.check.variants import needed_variants, variants_in_words
        from newsletter.compose.attachments import size_warning
        from newsletter.compose.compile import compile_issue
        from newsletter.delivery.freeze import discard, freeze
        from newsletter.delivery.variants import variant_counts

        to = self._demand_list()
        people = open_list(to)
        variants = needed_variants(self._issue, people)
        check_fields(self._issue, people.columns, to, variants)
        edition = compile_issue(self._issue, self._workspace, self._links.picture_url, variants=variants)
        check_message(edition, self._links)
        campaign, report = freeze(
            self._store,
            slug=self._issue.slug,
            edition=edition,
            recipients=WithFields(people, edition),
            mark=self._links.mark,
            list_name=to.name,
            again=self._again,
        )
        yes = False
        try:
            tell_rows(report)
            reach_server(self._settings)
            gets = variants_in_words(self._issue, variant_counts(self._store, campaign.id))
            tell_plan(self._issue, self._settings, to, report, gets)
            if warning := size_warning(edition):
                typer.echo(f"  large     {warning}", err=True)
            yes = self._yes or agreed(report, self._limit)
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("\nnothing was sent", err=True)
            raise
        finally:
            if not yes:
                discard(self._store, campaign.id)
        return campaign if yes else None

    def _demand_list(self) -> Path:
        if self._to is None:
            raise complaint(f"to whom? newsletter send {self._issue.slug} --to FILE.csv")
        if not self._yes and not sys.stdin.isatty():
            raise complaint("nothing was sent: nobody can be asked here; --yes sends without asking")
        return self._to

    def _resume(self, campaign: "Campaign") -> None:
        """Say what goes on, and point out what was changed meanwhile and does not count."""
        issue = self._issue
        if self._again:
            raise complaint(f"the sending of {issue.slug} is not finished; the same command without --again goes on with it")
        typer.echo(f"{issue.slug}: going on with the campaign that was begun with {campaign.list_name}", err=True)
        if self._to is not None and self._to.name != campaign.list_name:
            typer.echo(f"  {self._to} is not read: the audience was fixed when the campaign began", err=True)
        if self._changed(campaign):
            words = "its layout or publication.yaml was changed since:\n  what is sent stays as it was when the campaign began"
            typer.echo(f"  {issue.file}, {words}", err=True)

    def _changed(self, campaign: "Campaign") -> bool:
        """Whether the issue would now become another edition than the one that the campaign sends."""
        from newsletter.compose.compile import compile_issue
        from newsletter.store import load_edition

        stored = load_edition(self._store, campaign.edition_hash, with_files=False)
        if stored is None or stored.conditions != self._issue.conditions:
            return True
        again = compile_issue(self._issue, self._workspace, self._links.picture_url, variants=stored.variant_names)
        return again.hash != campaign.edition_hash
