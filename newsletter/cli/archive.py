"""What issue files say of the public becomes what the database knows, and the archive files for a web server."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli.database import open_database
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.issue import Publication
    from newsletter.links import Links
    from newsletter.settings import Workspace
    from newsletter.store import Store
    from newsletter.web.archive import Archive
    from newsletter.web.folder import WebFile, Written
    from newsletter.web.static import Ahead


def note_publicity(workspace: "Workspace", store: "Store") -> None:
    """Bring the database up to date with ``public:`` of the issues that were sent; where a file is gone or broken, what it said
    last holds."""
    from newsletter.issue import load_public
    from newsletter.store import list_campaigns, note_public

    for slug, known in {campaign.slug: campaign.public for campaign in list_campaigns(store)}.items():
        with suppress(InputError, OSError):
            said = load_public(workspace, slug)
            if said != known:
                note_public(store, slug, said)


def publish_archive(workspace: "Workspace", out: Path, ahead: list[str], *, as_json: bool) -> None:
    """Write everything that is public to a folder, and say what became of it."""
    import secrets

    from newsletter.issue import load_publication
    from newsletter.links import Links
    from newsletter.web.archive import Archive
    from newsletter.web.folder import write_folder
    from newsletter.web.page import Pages
    from newsletter.web.static import public_files

    publication = load_publication(workspace)
    url = workspace.settings.public_url
    if url is None:
        words = "is not set; the pages need the address of the folder that they will be reached at"
        raise InputError(Problem(str(workspace.root / ".env"), 0, 0, "NEWSLETTER_PUBLIC_URL", words))
    links = Links(url, secrets.token_bytes(32), publication.own_list_id)  # no token of anybody is made here
    with open_database(workspace) as store:
        note_publicity(workspace, store)
        archive = Archive(store, links, publication, Pages(publication, workspace.catalogues))
        drafts = [one for issue in ahead if (one := _ahead(workspace, links, archive, issue)) is not None]
        files = public_files(archive, store, links, drafts)
    if not files:
        raise complaint("nothing is public: archive: false in publication.yaml, and no issue with public: true was sent")
    written = write_folder(out, files)
    _tell(publication, links, out, files, written, as_json=as_json)


def _ahead(workspace: "Workspace", links: "Links", archive: "Archive", named: str) -> "Ahead | None":
    """The page of an issue as it would be sent now; None where it was sent, and has its page."""
    from newsletter.compose.compile import compile_issue
    from newsletter.issue import load_issue
    from newsletter.issue.variant import Choice, says_something
    from newsletter.web.static import Ahead

    issue = load_issue(workspace, named)
    if not issue.is_public:
        raise complaint("is not public (public: in the issue, archive: in publication.yaml), so it has no page", str(issue.file))
    if archive.find(issue.slug) is not None:
        return None
    choice = Choice(issue.conditions, issue.language)
    languages = {language for condition in issue.conditions for language in condition.languages}
    names = {choice({"language": language}) for language in languages}
    variants = {name for name in names if name is not None and says_something(issue.content.blocks, name)}
    return Ahead(issue.slug, compile_issue(issue, workspace, links.picture_url, variants=sorted(variants)))


def _tell(
    publication: "Publication", links: "Links", out: Path, files: "list[WebFile]", written: "Written", *, as_json: bool
) -> None:
    if as_json:
        listed = [{"file": str(out / file.name), "url": file.url, "written": file.name in written.written} for file in files]
        gone = {"removed": [str(out / name) for name in written.removed], "left": [str(out / name) for name in written.left]}
        typer.echo(json.dumps({"archive": links.archive_url(), "files": listed} | gone, ensure_ascii=False))
        return
    typer.echo(f"{publication.name}:", err=True)
    for file in files:
        if file.name in written.written:
            typer.echo(f"  {out / file.name}  written\n    {file.url}", err=True)
    for name in written.removed:
        typer.echo(f"  {out / name}  removed: it is not public any more", err=True)
    for name in written.left:
        typer.echo(f"  {out / name}  is not public any more, but was changed since it was written: remove it yourself", err=True)
    same = len(files) - len(written.written)
    typer.echo(f"next: upload {out} to {links.public_url}/ ({len(written.written)} new or changed, {same} as before)", err=True)
