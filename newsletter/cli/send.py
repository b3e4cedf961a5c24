"""``newsletter send`` and ``resume``: what was begun goes on, the wait for its time, the progress, the account."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import BAD_INPUT, INTERRUPTED, OK, PARTLY
from newsletter.cli.accounts import AsJson, exit_code, print_account
from newsletter.cli.begin import Beginning, Wish
from newsletter.cli.completion import complete_issue
from newsletter.cli.database import is_new, open_database
from newsletter.cli.driving import Driving
from newsletter.cli.planned import Plan, take_place, wait_for
from newsletter.cli.status import never_sent
from newsletter.cli.tidy import tidy_after
from newsletter.cli.workspace import chosen_workspace, demand_links
from newsletter.problem import InputError, complaint

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition
    from newsletter.links import Links
    from newsletter.settings import Settings, Workspace
    from newsletter.store import Campaign, Store


Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Stop after N mails, paused.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until everything is settled, for days if need be.")]

Background = Annotated[bool, typer.Option("--background", help="Leave the sending to newsletter worker (PostgreSQL).")]


def send(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="The recipient list, or: subscribers.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help='Wait until "2026-12-01 08:00", or now.')] = None,
    limit: Limit = None,
    again: Annotated[bool, typer.Option("--again", help="Send an issue that was sent already another time.")] = False,
    wait: Wait = False,
    background: Background = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="Send although the secret key is not the earlier one.")] = False,
    as_json: AsJson = False,
) -> int:
    """Send an issue to everyone on a list, once. The same command again goes on where it stopped."""
    return _run(context, issue, Wish(to, limit, again, yes, at, wait, background, new_key=new_key), as_json=as_json)


def resume(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)],
    limit: Limit = None,
    wait: Wait = False,
    background: Background = False,
    as_json: AsJson = False,
) -> int:
    """Go on with a campaign that was paused, interrupted or held, as send does; never begin one."""
    return _run(context, issue, Wish(limit=limit, wait=wait, background=background, resuming=True), as_json=as_json)


def _run(context: typer.Context, issue: str, wish: Wish, *, as_json: bool) -> int:
    workspace = chosen_workspace(context)
    links = demand_links(workspace)
    if wish.resuming and is_new(workspace):
        raise never_sent(workspace, issue)
    with open_database(workspace) as store:
        code = _Sending(workspace, store, issue, links, wish).run(as_json=as_json)
        if code in (OK, PARTLY):
            tidy_after(workspace, store)
        return code


class _Sending:
    """One run of ``send``: begin or resume the campaign, drive it, tell."""

    def __init__(self, workspace: "Workspace", store: "Store", named: str, links: "Callable[[str], Links]", wish: Wish) -> None:
        self._workspace = workspace
        self._settings: Settings = workspace.settings
        self._store = store
        self._named = named
        self._slug = workspace.slug(named)
        self._links = links
        self._wish = wish
        self._plan = Plan(workspace, store, self._slug, wish.at, resuming=wish.resuming)

    def run(self, *, as_json: bool) -> int:
        """Give the exit code."""
        url = self._workspace.database_url()
        if self._wish.background and not self._is_shared:
            raise complaint("--background is for newsletter worker, which needs PostgreSQL; without it, send does it all")
        with contextlib.ExitStack() as place:
            if not self._enter(place, url):
                return INTERRUPTED
            campaign = self._prepare(as_json=as_json)
            if isinstance(campaign, int):
                return campaign
            if self._wish.background:
                return self._hand_over(campaign, as_json=as_json)
            if not self._plan.is_ahead(campaign):
                return self._drive(campaign, place, as_json=as_json)
        return self._wait(campaign, url, as_json=as_json)

    def _enter(self, place: contextlib.ExitStack, url: str) -> bool:
        """Take the place of the one ``send``; where several share a database, of the one that prepares. False: by Ctrl-C."""
        from newsletter.store import send_lock

        try:
            place.enter_context(send_lock(url))
        except InputError:
            if not self._is_shared:
                raise
            typer.echo(f"{self._slug}: another newsletter send is preparing a campaign; waiting until it has begun", err=True)
            return take_place(place, url)
        return True

    @property
    def _is_shared(self) -> bool:
        return self._store.dialect != "sqlite"

    def _prepare(self, *, as_json: bool) -> "Campaign | int":
        """The campaign to send, or the exit code where there is nothing to do."""
        self._plan.read()  # a time that cannot be read is said first
        campaign = self._earlier()
        if campaign is not None and campaign.state in ("done", "cancelled") and not self._wish.again:
            return self._leave(campaign, as_json=as_json)
        if campaign is None or campaign.state in ("done", "cancelled"):
            if self._wish.resuming:
                raise never_sent(self._workspace, self._named)
            begun = Beginning(self._workspace, self._store, self._named, self._links, self._wish, self._plan).begin()
            if begun is None:
                typer.echo("nothing was sent", err=True)
                return BAD_INPUT
            return begun
        self._resume(campaign)
        campaign = self._plan.renew(campaign)
        if self._plan.is_missed(campaign):
            typer.echo(f"{self._slug}: nothing was sent: {self._plan.hold(campaign)}", err=True)
            return BAD_INPUT
        return campaign

    def _hand_over(self, campaign: "Campaign", *, as_json: bool) -> int:
        """Begin it, or leave it planned, for the workers."""
        from newsletter.delivery import life
        from newsletter.delivery.account import account_of
        from newsletter.store.jobs import count_workers

        with self._store.write() as connection:
            life.start(connection, campaign.id, self._store.now(connection), limit=self._wish.limit)
        account = account_of(self._store, campaign.id)
        when = "now" if account.state == "running" else self._plan.show(campaign.start_at or 0)
        typer.echo(f"{self._slug}: newsletter worker sends it, {when}; one must run on at least one host", err=True)
        print_account(account, as_json=as_json, workers=count_workers(self._store))
        return OK

    def _drive(self, campaign: "Campaign", place: contextlib.ExitStack, *, as_json: bool) -> int:
        from newsletter.delivery import life

        if self._is_shared:  # begun, it is open to others, who may send it too
            with self._store.write() as connection:
                life.start(connection, campaign.id, self._store.now(connection), limit=self._wish.limit)
            place.close()
        links = self._links(self._stored(campaign).headers.list_id)
        driving = Driving(
            self._store,
            campaign,
            self._settings,
            self._plan.timetable,
            links,
            None if self._is_shared else self._wish.limit,
            wait=self._wish.wait,
            join=self._is_shared,
        )
        account, early = driving.run()
        print_account(account, as_json=as_json)
        if account.state != "done" and (early or account.note == life.BY_HAND):
            return INTERRUPTED
        return PARTLY if account.state in ("running", "cancelled") else exit_code(account)

    def _wait(self, campaign: "Campaign", url: str, *, as_json: bool) -> int:
        """Wait without the place of the one ``send``, which other issues may take meanwhile; then drive."""
        from newsletter.delivery.account import account_of
        from newsletter.store.campaigns import campaign_of

        when = self._plan.show(campaign.start_at or 0)
        typer.echo(f"{self._slug}: waiting until {when}; Ctrl-C leaves it planned, and the same command waits on", err=True)
        ended = wait_for(self._store, campaign)
        with contextlib.ExitStack() as place:
            if ended == "interrupted" or (ended == "due" and not take_place(place, url)):
                typer.echo(f"\n{self._slug} stays planned for {when}, but nobody waits for it; the same command does", err=True)
                if as_json:
                    print_account(account_of(self._store, campaign.id), as_json=True)
                return INTERRUPTED
            campaign = campaign_of(self._store, campaign.id) or campaign
            if campaign.state == "scheduled" and self._plan.is_missed(campaign):
                typer.echo(f"{self._slug}: nothing was sent: {self._plan.hold(campaign)}", err=True)
                return BAD_INPUT
            if campaign.state in ("scheduled", "running"):
                return self._drive(campaign, place, as_json=as_json)
        account = account_of(self._store, campaign.id)
        print_account(account, as_json=as_json)
        return INTERRUPTED if account.state == "paused" else PARTLY if account.state == "cancelled" else exit_code(account)

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

    def _resume(self, campaign: "Campaign") -> None:
        """Say what goes on, and point out what was changed meanwhile and does not count; another key cannot go on."""
        from newsletter.delivery.own_key import demand_own_key

        if self._wish.again:
            raise complaint(f"the sending of {self._slug} is not finished; the same command without --again goes on with it")
        demand_own_key(self._store, campaign, self._links(self._stored(campaign).headers.list_id))
        typer.echo(f"{self._slug}: going on with the campaign that was begun with {campaign.list_name}", err=True)
        if self._wish.to is not None:  # of the same name, too: somebody may have been added
            typer.echo(f"  {self._wish.to} is not read: the audience was fixed when the campaign began", err=True)
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
