"""``newsletter test``: a draft goes as real mail to a few of the staff."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import BAD_INPUT, OK, PARTLY
from newsletter.cli.completion import complete_issue
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.audience.address import Address
    from newsletter.check.draft import Draft
    from newsletter.delivery.test_mail import Answer
    from newsletter.links import Links
    from newsletter.settings import Workspace


def send_test(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)],
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Who gets the test; 20 at most.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="The recipient list to take a person from.")] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Whose mail is shown; else the list's first.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="LANG", help="As for someone of this language, where blocks say only.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="As for someone with this tag; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what the mail server said as one JSON object.")] = False,
) -> int:
    """Send a draft as real mail to a few of the staff, marked as a test. Nobody on a list gets it, nothing is recorded."""
    import asyncio

    from newsletter.check.draft import Draft
    from newsletter.delivery.server import Server
    from newsletter.delivery.test_mail import MOST, send_tests, write_test

    workspace = chosen_workspace(context)
    servers = Server.all_of(workspace.settings)
    staff = _read(addresses)
    if len(staff) > MOST:
        raise complaint(f"{len(staff)} addresses are more than a test ({MOST} at most); newsletter send is for lists")
    said = ({} if language is None else {"language": language}) | ({} if tag is None else {"tags": ", ".join(tag)})
    draft = Draft(workspace, issue, to, email, said, carries_pictures=True)
    _demand_willing(workspace, draft.links, staff)
    _tell(draft, workspace)
    mails = [write_test(draft.whole, draft.variant, draft.values(), one.spelling) for one in staff]
    answers = asyncio.run(send_tests(servers, mails))
    _report(draft, answers, as_json=as_json)
    if all(answer.taken for answer in answers):
        return OK
    return PARTLY if any(answer.taken for answer in answers) else BAD_INPUT


def _read(addresses: "Sequence[str]") -> "list[Address]":
    """Each address once. Raises :class:`InputError` naming each that is none: a test with a slip of the pen is typed again."""
    from newsletter.audience.address import normalise

    found: dict[str, Address] = {}
    problems = []
    for text in addresses:
        try:
            address = normalise(text)
        except ValueError as error:
            problems.append(Problem("", 0, 0, "", f"the address {text!r} {error}"))
        else:
            found.setdefault(address.key, address)
    if problems:
        raise InputError(problems)
    return list(found.values())


def _demand_willing(workspace: "Workspace", links: "Links", staff: "list[Address]") -> None:
    """Raise :class:`InputError` for each address that is suppressed: no mail goes to it, a test neither."""
    from newsletter.cli.database import is_new, open_database
    from newsletter.store import is_suppressed

    if is_new(workspace):
        return
    with open_database(workspace) as store:
        problems = [
            Problem("", 0, 0, "", f"{one.spelling} has left the list or is blocked, and gets no mail; name another address")
            for one in staff
            if is_suppressed(store, links.mark(one.key))
        ]
    if problems:
        raise InputError(problems)


def _tell(draft: "Draft", workspace: "Workspace") -> None:
    """Say what goes out, and in one line what ``check`` says of it; a draft may have faults."""
    from newsletter.check.run import examine_issue
    from newsletter.cli.findings import summary
    from newsletter.issue import load_issue

    issue = load_issue(workspace, str(draft.issue.file))  # as it will be sent; the draft carries its pictures
    report = examine_issue(issue, workspace)
    found = f"{summary(report, 'en')}; newsletter check {issue.slug} shows them" if report.findings else "nothing found"
    typer.echo(f"{issue.content.title}, as {draft.recipient.address} gets {draft.what}", err=True)
    typer.echo(f"  checks  {found}", err=True)


def _report(draft: "Draft", answers: "Sequence[Answer]", *, as_json: bool) -> None:
    if as_json:
        told = [{"address": answer.address, "taken": answer.taken, "answer": answer.words} for answer in answers]
        words = {"issue": draft.issue.slug, "recipient": draft.recipient.address, "tests": told}
        typer.echo(json.dumps(words, ensure_ascii=False))
        return
    for answer in answers:
        typer.echo(f"  {answer.address}  {answer.words}", err=True)
