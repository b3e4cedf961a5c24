"""``newsletter publish``: the files of an issue for a web server of one's own, under the names that its mails use."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from newsletter.cli.completion import complete_issue
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition
    from newsletter.issue import Publication


class Published(NamedTuple):
    """A file for the web: its path inside the folder, the address that leads to it, and what is in it."""

    name: str
    url: str
    data: bytes


def publish(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="A slug (2026-12) or a path.", autocompletion=complete_issue)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as one JSON object.")] = False,
) -> None:
    """Write the pictures of an issue to a folder, to be uploaded to the base_url of publication.yaml."""
    from newsletter.check.draft import Draft
    from newsletter.compose.compile import picture_address

    draft = Draft(chosen_workspace(context), issue)
    publication = draft.issue.publication
    files = pictures_of(draft.whole, picture_address(publication, draft.links.picture_url))
    written = write_files(out, files)
    if as_json:
        listed = [{"file": str(out / file.name), "url": file.url, "written": file in written} for file in files]
        typer.echo(json.dumps({"issue": draft.issue.slug, "files": listed}, ensure_ascii=False))
        return
    typer.echo(f"{draft.issue.content.title}:", err=True)
    for file in files:
        here = "written" if file in written else "there already"
        typer.echo(f"  {out / file.name}  {here}\n    {file.url}", err=True)
    typer.echo(_next(publication, out, files), err=True)


def pictures_of(edition: "Edition", picture_url: Callable[[str], str]) -> list[Published]:
    """The pictures of an edition, with the addresses by which its mails show them."""
    return [Published(picture.name, picture_url(picture.name), picture.data) for picture in edition.pictures]


def write_files(folder: Path, files: Iterable[Published]) -> list[Published]:
    """Write what is not there yet and give that; whatever else is in the folder stays.

    Raises :class:`InputError` where another file has one of the names; then nothing is written.
    """
    from newsletter.whole_file import write_whole

    if folder.exists() and not folder.is_dir():
        raise complaint("is a file; name a folder, which need not exist yet", str(folder))
    missing, problems = [], []
    for file in files:
        path = folder / file.name
        if not path.exists():
            missing.append(file)
        elif not path.is_file() or path.read_bytes() != file.data:
            advice = "name another folder, or remove it if it was broken off while it was copied"
            problems.append(Problem(str(path), 0, 0, "", f"is something else than what this issue needs there; {advice}"))
    if problems:
        raise InputError(problems)
    folder.mkdir(parents=True, exist_ok=True)
    for file in missing:
        write_whole(folder / file.name, file.data)
    return missing


def _next(publication: "Publication", folder: Path, files: list[Published]) -> str:
    """What is to be done with the files."""
    from newsletter.issue.model import PicturesElsewhere

    if not files:
        return "this issue has no pictures: nothing needs to be uploaded"
    match publication.pictures:
        case PicturesElsewhere(base_url=base):
            return f"next: upload what is in {folder} to {base}, then send"
        case "inline":
            return "these files are not needed: the pictures travel inside each mail (pictures: inline in publication.yaml)"
        case _:
            return "these files are not needed: newsletter serve gives the pictures out (pictures: hosted in publication.yaml)"
