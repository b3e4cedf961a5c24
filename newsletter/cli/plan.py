"""What a send is about to do, in words, and the question whether it may."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.audience.recipient import Duplicate, People, Refused
    from newsletter.check import Report
    from newsletter.compose.edition import Edition
    from newsletter.delivery.freeze import FreezeReport
    from newsletter.issue import Issue
    from newsletter.links import Links
    from newsletter.settings import Settings

#: How many refused and duplicate rows are told one by one.
_TOLD = 20
_SECURITY = {"starttls": "encrypted (STARTTLS)", "tls": "encrypted (TLS)", "none": "not encrypted, on this machine"}
_HERE = ", which opens on this machine only: a rehearsal"


def counted(count: int, word: str, many: str | None = None) -> str:
    """``1 recipient``, ``2,000 recipients``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {many or word + 's'}"


def rows_left_out(report: "FreezeReport") -> "list[Refused | Duplicate]":
    """The refused rows and the duplicates, as they follow each other in the list."""
    rows: list[Refused | Duplicate] = [*report.refused_rows, *report.duplicate_rows]
    return sorted(rows, key=lambda row: row.line)


def tell_rows(report: "FreezeReport") -> None:
    """Print the rows of the list that get no mail, as ``list.csv:8: why``."""
    rows = rows_left_out(report)[:_TOLD]
    for row in rows:
        typer.echo(str(row), err=True)
    if (more := report.refused + report.duplicates - len(rows)) > 0:
        typer.echo(f"… and {counted(more, 'more such row')}", err=True)


def demand_no_error(issue: "Issue", edition: "Edition", settings: "Settings", links: "Links", people: "People") -> "Report":
    """Hold what is to be sent against all rules; every recipient's message is made once.

    Raises :class:`~newsletter.problem.InputError` with a problem for each finding that blocks sending.
    """
    from newsletter.check import examine
    from newsletter.problem import InputError, Problem

    report = examine(issue, edition, settings, links, people)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if errors:
        raise InputError(
            Problem(one.at.path, one.at.line, one.at.column, one.at.where, f"{one.message()}; {one.mend()} ({one.rule.id})")
            for one in errors
        )
    return report


def _noted(report: "Report", slug: str) -> str:
    from newsletter.cli.findings import summary

    return f"{summary(report, 'en')}; newsletter check {slug} shows them" if report.findings else ""


def tell_plan(
    issue: "Issue",
    settings: "Settings",
    links: "Links",
    to: Path,
    report: "FreezeReport",
    variants: "Iterable[str]",
    checks: "Report",
) -> None:
    """Print what is sent to whom, and how. ``variants`` are sentences: how many get what of it."""
    from newsletter.issue.model import PicturesElsewhere
    from newsletter.settings import is_loopback

    sender = issue.publication.sender
    places = ", ".join(f"{relay.host}:{relay.port or settings.port}" for relay in settings.relays)
    lines = {
        "issue": f"{issue.content.title} ({issue.slug})",
        "subject": issue.content.subject.sample(),
        "from": f"{sender.name or issue.publication.name} <{sender.email}>",
        "to": f"{counted(report.prepared, 'recipient')} of {to}{_left_out(report)}",
        "variants": "\n            ".join(variants),
        "through": f"{places}, {_SECURITY[settings.smtp_security]}",
        "links to": f"{settings.public_url}{_HERE if is_loopback(_host(settings)) else ''}",
        "leaving": _way_out(issue),
    }
    if issue.publication.links == "static":
        lines["page"] = f"newsletter publish --out DIR --ahead {issue.slug} writes what the view link leads to; upload it first"
    if isinstance(elsewhere := issue.publication.pictures, PicturesElsewhere):
        lines["pictures"] = f"at {elsewhere.base_url}; newsletter publish {issue.slug} --out DIR writes what must be there"
    lines["archive"] = _archived(issue, links)
    lines["checks"] = _noted(checks, issue.slug)
    for name, value in lines.items():
        if value:
            typer.echo(f"  {name:<8}  {value}", err=True)


def _archived(issue: "Issue", links: "Links") -> str:
    """Where everyone will read it. Nobody is to be surprised that an issue is public."""
    if not issue.is_public or issue.publication.links == "static":  # there it is public before
        return ""
    return f"public at {links.issue_url(issue.slug)} once it is sent; public: false in the issue keeps it out"


def _host(settings: "Settings") -> str | None:
    from urllib.parse import urlsplit

    return urlsplit(settings.public_url or "").hostname


def _way_out(issue: "Issue") -> str:
    """How readers leave, where that is not by the pages of ``serve`` alone."""
    box = issue.publication.unsubscribe_email
    if box is None:
        return ""
    if issue.publication.links == "static":
        return f"by mail to {box} alone; newsletter unsubscribes read takes them off the list"
    return f"by one click, or by mail to {box}"


def _left_out(report: "FreezeReport") -> str:
    counts = [counted(report.duplicates, "duplicate")] if report.duplicates else []
    counts += [f"{count:,} {name}" for count, name in ((report.refused, "refused"), (report.suppressed, "suppressed")) if count]
    return f" ({counted(report.candidates, 'row')}, less {', '.join(counts)})" if counts else ""


def agreed(report: "FreezeReport", limit: int | None, when: str) -> bool:
    """Ask on the terminal; ``when`` is "now" or a time. Raises ``typer.Abort`` where Ctrl-C or the end of the input answers."""
    whom = counted(report.prepared, "recipient")
    if limit is not None and limit < report.prepared:
        whom = f"the first {limit:,} of {whom}"
    with contextlib.redirect_stdout(sys.stderr):  # the prompt's last blank would stand before the JSON
        return typer.confirm(f"Send it to {whom} {when}?", err=True)
