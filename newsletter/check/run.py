"""Rules and what they look at become a report."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from newsletter.audience.recipient import People
from newsletter.check.draft import draft_links
from newsletter.check.people import read_people
from newsletter.check.report import Finding, Report
from newsletter.check.rule import SEVERITIES, Found, Rule, Severity, all_rules
from newsletter.check.sampling import Writer, invented_variants, messages
from newsletter.check.subject import Message, Online, Page, Subject
from newsletter.check.variants import needed_variants
from newsletter.check.visit import visit
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import Edition
from newsletter.issue import Issue
from newsletter.issue.model import Lowered
from newsletter.links import Links
from newsletter.message import HeaderError
from newsletter.problem import InputError, complaint
from newsletter.settings import Settings, Workspace


def examine_issue(issue: Issue, workspace: Workspace, rows: People | None = None, *, online: bool = False) -> Report:
    """Compile an issue as it is now and :func:`examine` it. Raises :class:`~newsletter.problem.InputError`."""
    links = draft_links(workspace, issue)
    variants = needed_variants(issue, rows) if rows is not None else invented_variants(issue)
    edition = compile_issue(issue, workspace, links.picture_url, variants=variants)
    return examine(issue, edition, workspace.settings, links, rows, online=online)


def examine(  # noqa: PLR0913 - what is looked at, each by its name
    issue: Issue,
    edition: Edition,
    settings: Settings,
    links: Links,
    rows: People | None = None,
    *,
    online: bool = False,
) -> Report:
    """Hold an edition against every rule, with the messages of some of the list's recipients, or of invented ones.

    With a list, the message of every recipient is made once. ``online`` asks the web for links and pictures. Raises
    :class:`~newsletter.problem.InputError` where no message can be made at all, or no row of the list can be used.
    """
    try:
        writer = Writer(edition, links, issue.slug)
        people = read_people(rows, edition, writer) if rows is not None else None
        subject = Subject(issue, edition, settings, people)
        made = messages(subject, writer)
        return check(subject, made, visit(made[0].page, links) if online else None)
    except HeaderError as error:
        raise complaint(f"the message cannot be made: {error}", str(issue.file)) from None


def check(subject: Subject, messages: Sequence[Message], online: Online | None = None) -> Report:
    """Hold an edition, and the messages that were made of it for some recipients, against every rule.

    ``messages`` are real ones, at least one; without ``online`` the rules that need the web are left out. The publication's
    ``checks:`` lower rules; raises :class:`~newsletter.problem.InputError` where they name a rule that there is not.
    """
    rules = all_rules()
    lowered = _lowered(subject, rules.keys())
    seen: dict[tuple[object, ...], Finding] = {}
    for rule in rules.values():
        choice = lowered.get(rule.id)
        if choice is not None and choice.severity == "off":
            continue
        severity = _lower(rule.severity, choice)
        for one in _looked_at(rule, subject, messages, online):
            finding = Finding(rule, one.at, one.values, severity, choice.reason if choice else None)
            seen.setdefault((rule.id, one.at, *sorted(one.values.items())), finding)
    return Report(tuple(sorted(seen.values(), key=lambda finding: (SEVERITIES.index(finding.severity), finding.at))))


def _looked_at(rule: Rule[Any], subject: Subject, messages: Sequence[Message], online: Online | None) -> Iterator[Found]:
    if rule.on is Page:
        yield from _on_pages(rule, messages)
        return
    seen: dict[type, Sequence[object]] = {
        Subject: [subject],
        Message: messages,
        Online: [online] if online is not None else [],
    }
    for one in seen[rule.on]:
        yield from rule.look(one)


def _on_pages(rule: Rule[Any], messages: Sequence[Message]) -> Iterator[Found]:
    """The same place in the mail of another person, whose name fills the words that are quoted, is no other finding.

    A message without an HTML part has no page; that is B16-structure's.
    """
    known: set[object] = set()
    for message in (message for message in messages if message.page.html):
        fresh = [one for one in rule.look(message.page) if one.at not in known]
        known |= {one.at for one in fresh}
        yield from fresh


def _lowered(subject: Subject, known: Iterable[str]) -> dict[str, Lowered]:
    """The publication's ``checks:``, each the name of a rule."""
    chosen = subject.issue.publication.checks
    ids = set(known)
    problems = [
        subject.issue.publication_source.problem(
            ("checks", name), f"there is no rule {name!r}; newsletter check --rules lists them", at_key=True
        )
        for name in chosen
        if name not in ids
    ]
    if problems:
        raise InputError(problems)
    return dict(chosen)


def _lower(severity: Severity, choice: Lowered | None) -> Severity:
    """A rule can be made milder, never stricter: what blocks is decided here."""
    if choice is None or choice.severity == "off":
        return severity
    return max(severity, choice.severity, key=SEVERITIES.index)
