"""``newsletter new``, ``schema`` and ``render``: what staff do before anything is sent."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.completion import complete_issue
from newsletter.cli.database import people_of
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def new(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The issue's short name, e.g. 2026-12.")],
) -> None:
    """Make an issue with a commented sample of each block."""
    from newsletter.issue import load_publication, new_issue, new_pictures

    workspace = chosen_workspace(context)
    if not _SLUG.fullmatch(slug):
        raise complaint(f"{slug!r} cannot be an issue's name; use letters from a to z, digits and dashes, e.g. 2026-12")
    folder = workspace.issues / slug
    if folder.exists():
        raise complaint("is there already; edit it, or choose another name", str(folder))
    publication = load_publication(workspace)
    text = new_issue(publication.language, publication.name, _date_of(slug))
    folder.mkdir(parents=True)
    (folder / "issue.yaml").write_text(text, encoding="utf-8")
    for name, data in new_pictures().items():
        (folder / name).write_bytes(data)
    typer.echo(f"made {folder / 'issue.yaml'}\nnext: newsletter preview {slug}", err=True)


def _date_of(slug: str) -> dt.date:
    """The first day of the month that a slug like ``2026-12`` names, else today: an issue is often begun before its month."""
    try:
        return dt.date.fromisoformat(f"{slug[:7]}-01")
    except ValueError:
        return dt.date.today()  # noqa: DTZ011  # the office's own day


def schema(
    publication: Annotated[bool, typer.Option("--publication", help="The schema of publication.yaml instead.")] = False,
) -> None:
    """Print the JSON Schema of an issue file, for editors."""
    from newsletter.issue import json_schema, publication_schema

    typer.echo(json.dumps(publication_schema() if publication else json_schema(), ensure_ascii=False, indent=1))


def render(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the files.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="The recipient list to take a person from.")] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="Whose mail; else the list's first.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="LANG", help="As for someone of this language, where blocks say only.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="As for someone with this tag; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as one JSON object.")] = False,
) -> None:
    """Write message.html, message.txt and message.eml as one recipient gets them."""
    from newsletter.check.draft import Draft
    from newsletter.cli.mail_files import write_mail
    from newsletter.compose.attachments import size_warning
    from newsletter.compose.compile import picture_address

    said = ({} if language is None else {"language": language}) | ({} if tag is None else {"tags": ", ".join(tag)})
    workspace = chosen_workspace(context)
    with people_of(to, workspace) as people:
        draft = Draft(workspace, issue, people, email, said)
    picture_url = picture_address(draft.issue.publication, draft.links.picture_url)
    recipient, written = draft.recipient, write_mail(out, draft.mail(), draft.whole, picture_url)
    if warning := size_warning(draft.edition):
        typer.echo(f"warning: {warning}", err=True)
    if as_json:
        files = [str(file) for file in written]
        typer.echo(json.dumps({"issue": draft.issue.slug, "recipient": recipient.address, "files": files}, ensure_ascii=False))
        return
    typer.echo(f"{draft.issue.content.title}, as {recipient.address} gets {draft.what}:", err=True)
    for file in written:
        typer.echo(f"  {file}  {file.stat().st_size / 1000:.1f} kB", err=True)
