"""How a campaign begins: the issue is compiled, its audience frozen, the plan told, and a person says yes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from newsletter.cli.database import open_people
from newsletter.cli.driving import reach_server
from newsletter.cli.plan import agreed, demand_no_error, tell_plan, tell_rows
from newsletter.cli.planned import Plan
from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.links import Links
    from newsletter.settings import Workspace
    from newsletter.store import Campaign, Store


class Wish(NamedTuple):
    """What was asked for. ``at`` is as written; ``resuming``: nothing new is to be begun; ``new_key``: another key is meant."""

    to: Path | None = None
    limit: int | None = None
    again: bool = False
    yes: bool = False
    at: str | None = None
    wait: bool = False
    background: bool = False
    resuming: bool = False
    new_key: bool = False


@dataclass(frozen=True)
class Beginning:
    """One beginning of the issue that was ``named`` so."""

    workspace: "Workspace"
    store: "Store"
    named: str
    links: "Callable[[str], Links]"
    wish: Wish
    plan: Plan

    def begin(self) -> "Campaign | None":
        """Compile, freeze and ask; None where the person says no. Whoever stops it here leaves nothing behind."""
        from newsletter.check.fields import WithFields, check_fields
        from newsletter.check.variants import needed_variants, variants_in_words
        from newsletter.compose.compile import compile_issue
        from newsletter.delivery.freeze import discard, freeze
        from newsletter.delivery.own_key import demand_known_key
        from newsletter.delivery.variants import variant_counts
        from newsletter.issue import load_issue
        from newsletter.store import note_public

        at = self.plan.demand_future()
        issue = load_issue(self.workspace, self.named)
        links = self.links(issue.publication.own_list_id)
        to = self._demand_list()
        if not self.wish.new_key:
            demand_known_key(self.store, links)
        people = open_people(to, self.store)
        variants = needed_variants(issue, people)
        check_fields(issue, people.columns, to, variants)
        edition = compile_issue(issue, self.workspace, links.picture_url, variants=variants)
        checks = demand_no_error(issue, edition, self.workspace.settings, links, people)
        campaign, report = freeze(
            self.store,
            slug=issue.slug,
            edition=edition,
            recipients=WithFields(people, edition),
            mark=links.mark,
            list_name=to.name,
            again=self.wish.again,
            lane=self._lane(),
        )
        note_public(self.store, issue.slug, issue.content.public)
        yes = False
        try:
            tell_rows(report)
            reach_server(self.workspace.settings)
            gets = variants_in_words(issue, variant_counts(self.store, campaign.id))
            tell_plan(issue, self.workspace.settings, links, to, report, gets, checks)
            when = "now" if at is None else self.plan.show(at)
            yes = self.wish.yes or agreed(report, self.wish.limit, when)
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("\nnothing was sent", err=True)
            raise
        finally:
            if not yes:
                discard(self.store, campaign.id)
        if not yes:
            return None
        return campaign if at is None else self.plan.schedule(campaign, at)

    def _lane(self) -> "Callable[[str], str] | None":
        """Which provider a domain belongs to; None where none is treated apart."""
        lanes = self.plan.timetable.sending.lanes()
        return (lambda domain: lanes.get(domain, "*")) if lanes else None

    def _demand_list(self) -> Path:
        if self.wish.to is None:
            raise complaint(f"to whom? newsletter send {self.workspace.slug(self.named)} --to FILE.csv, or --to subscribers")
        if not self.wish.yes and not sys.stdin.isatty():
            raise complaint("nothing was sent: nobody can be asked here; --yes sends without asking")
        return self.wish.to
