"""``newsletter status``: the account of one campaign or of all."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import OK
from newsletter.cli.accounts import AsJson, exit_code, print_account, print_accounts
from newsletter.cli.completion import complete_issue
from newsletter.cli.database import is_new, open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.settings import Workspace
    from newsletter.store import Campaign, Store


def status(
    context: typer.Context,
    issue: Annotated[
        str | None,
        typer.Argument(metavar="ISSUE", help="A slug or a path; without it all issues.", autocompletion=complete_issue),
    ] = None,
    trouble: Annotated[bool, typer.Option("--trouble", help="List who failed, is uncertain or was deferred.")] = False,
    as_json: AsJson = False,
) -> int:
    """Print the account of an issue's last campaign, or of all campaigns."""
    from newsletter.delivery.account import account_of
    from newsletter.delivery.trouble import troubles
    from newsletter.store import list_campaigns, send_at_work
    from newsletter.store.jobs import count_workers

    workspace = chosen_workspace(context)
    if issue is None and trouble:
        raise complaint("whose trouble? newsletter status ISSUE --trouble")
    if is_new(workspace):
        if issue is not None:
            raise never_sent(workspace, issue)
        print_accounts([], as_json=as_json)
        return OK
    with open_database(workspace) as store:
        if issue is None:
            accounts = [account_of(store, campaign.id) for campaign in list_campaigns(store)]
            at_work = send_at_work(workspace.database_url())
            print_accounts(accounts, as_json=as_json, workers=count_workers(store), at_work=at_work)
            return OK
        campaign = last_campaign(workspace, store, issue)
        account = account_of(store, campaign.id)
        listed = troubles(store, campaign.id) if trouble else None
        workers, at_work = count_workers(store), send_at_work(workspace.database_url())
        print_account(account, as_json=as_json, troubles=listed, workers=workers, at_work=at_work)
    return exit_code(account)


def last_campaign(workspace: "Workspace", store: "Store", issue: str) -> "Campaign":
    """The last campaign of an issue. Raises :class:`~newsletter.problem.InputError` where it was never sent."""
    from newsletter.store import find_campaign

    campaign = find_campaign(store, _slug(issue))
    if campaign is None:
        raise never_sent(workspace, issue)
    return campaign


def _slug(issue: str) -> str:
    """The slug of what was named, also where its folder has gone."""
    path = Path(issue).resolve()
    return path.parent.name if path.suffix in (".yaml", ".yml") else path.name


def never_sent(workspace: "Workspace", issue: str) -> Exception:
    """What to raise about an issue that has no campaign."""
    slug = workspace.issue_file(issue).resolve().parent.name  # says so where there is no such issue
    return complaint(f"{slug} was never sent; newsletter send {slug} --to FILE.csv sends it")
