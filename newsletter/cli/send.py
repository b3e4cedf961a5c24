"""``newsletter send``: the plan, the question, the progress, the account."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import BAD_INPUT, INTERRUPTED, OK, PARTLY
from newsletter.cli.accounts import AsJson, exit_code, print_account
from newsletter.cli.database import open_database
from newsletter.cli.driving import Driving, reach_server
from newsletter.cli.plan import agreed, demand_no_error, tell_plan, tell_rows
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition
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
    from newsletter.store import send_lock

    workspace = chosen_workspace(context)
    public_url, key = _demand_settings(workspace)
    with send_lock(workspace.database_url()), open_database(workspace) as store:
        return _Sending(workspace, store, issue, partial(_links, public_url, key), to, again, yes, limit).run(as_json=as_json)


def _links(public_url: str, key: bytes, list_id: str) -> "Links":
    from newsletter.links import Links

    return Links(public_url, key, list_id)


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
        named: str,
        links: "Callable[[str], Links]",
        to: Path | None,
        again: bool,
        yes: bool,
        limit: int | None,
    ) -> None:
        self._workspace = workspace
        self._settings: Settings = workspace.settings
        self._store = store
        self._named = named
        self._slug = workspace.slug(named)
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
        links = self._links(self._stored(campaign).headers.list_id)
        account, early = Driving(self._store, campaign, self._settings, links, self._limit).run()
        print_account(account, as_json=as_json)
        if early and account.state != "done":
            return INTERRUPTED
        return PARTLY if account.state == "running" else exit_code(account)

    def _earlier(self) -> "Campaign | None":
        """The issue's last campaign; one that nobody confirmed is discarded."""
        from newsletter.delivery.freeze import discard
        from newsletter.store import find_campaign

        campaign = find_campaign(self._store, self._slug)
        if campaign is not None and campaign.state == "draft":
            discard(self._store, campaign.id)
            campaign = find_campaign(self._store, self._slug)
        return campaign

    def _leave(self, campaign: "Campaign", *, as_json: bool) -> int:
        from newsletter.delivery.account import account_of

        account = account_of(self._store, campaign.id)
        over = "was sent already" if campaign.state == "done" else "was cancelled"
        typer.echo(f"{self._slug} {over}, nothing was sent now; --again sends it another time", err=True)
        print_account(account, as_json=as_json)
        return OK

    def _begin(self) -> "Campaign | None":
        """Compile, freeze and ask; None where the person says no. Whoever stops it here leaves nothing behind."""
        from newsletter.audience.csv_list import open_list
        from newsletter.check.fields import WithFields, check_fields
        from newsletter.check.variants import needed_variants, variants_in_words
        from newsletter.compose.compile import compile_issue
        from newsletter.delivery.freeze import discard, freeze
        from newsletter.delivery.variants import variant_counts
        from newsletter.issue import load_issue

        issue = load_issue(self._workspace, self._named)
        links = self._links(issue.publication.own_list_id)
        to = self._demand_list()
        people = open_list(to)
        variants = needed_variants(issue, people)
        check_fields(issue, people.columns, to, variants)
        edition = compile_issue(issue, self._workspace, links.picture_url, variants=variants)
        checks = demand_no_error(issue, edition, self._settings, links, people)
        campaign, report = freeze(
            self._store,
            slug=issue.slug,
            edition=edition,
            recipients=WithFields(people, edition),
            mark=links.mark,
            list_name=to.name,
            again=self._again,
        )
        yes = False
        try:
            tell_rows(report)
            reach_server(self._settings)
            gets = variants_in_words(issue, variant_counts(self._store, campaign.id))
            tell_plan(issue, self._settings, to, report, gets, checks)
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
            raise complaint(f"to whom? newsletter send {self._slug} --to FILE.csv")
        if not self._yes and not sys.stdin.isatty():
            raise complaint("nothing was sent: nobody can be asked here; --yes sends without asking")
        return self._to

    def _resume(self, campaign: "Campaign") -> None:
        """Say what goes on, and point out what was changed meanwhile and does not count."""
        if self._again:
            raise complaint(f"the sending of {self._slug} is not finished; the same command without --again goes on with it")
        typer.echo(f"{self._slug}: going on with the campaign that was begun with {campaign.list_name}", err=True)
        if self._to is not None and self._to.name != campaign.list_name:
            typer.echo(f"  {self._to} is not read: the audience was fixed when the campaign began", err=True)
        if (changed := self._changed(campaign)) is not None:
            typer.echo(f"  {changed}:\n  what is sent stays as it was when the campaign began", err=True)

    def _changed(self, campaign: "Campaign") -> str | None:
        """How the issue differs now from what the campaign sends: it is another edition, or cannot be read any more."""
        from newsletter.compose.compile import compile_issue
        from newsletter.issue import load_issue

        stored = self._stored(campaign)
        try:
            issue = load_issue(self._workspace, self._named)
            picture_url = self._links(issue.publication.own_list_id).picture_url
            if stored.conditions == issue.conditions:
                again = compile_issue(issue, self._workspace, picture_url, variants=stored.variant_names)
                if again.hash == campaign.edition_hash:
                    return None
        except InputError as error:
            return f"the issue was changed since, and cannot be used as it is now ({error.problems[0]})"
        return f"{issue.file}, its layout or publication.yaml was changed since"

    def _stored(self, campaign: "Campaign") -> "Edition":
        from newsletter.store import load_edition

        stored = load_edition(self._store, campaign.edition_hash, with_files=False)
        if stored is None:  # no foreign key lets it go
            raise complaint(f"the database has lost what the campaign of {campaign.slug} sends; restore it from a backup")
        return stored
