"""``newsletter init`` makes a folder to work in; all other commands work on the one that was chosen."""

import shlex
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from collections.abc import Callable

    from newsletter.links import Links
    from newsletter.settings import Workspace

_KEY = "NEWSLETTER_SECRET_KEY"


def chosen_workspace(context: typer.Context) -> "Workspace":
    """The current folder, or that of ``--workspace``. Raises :class:`~newsletter.problem.InputError` where it is none."""
    from newsletter.settings import Workspace

    workspace = Workspace(context.obj)
    if not workspace.issues.is_dir():
        advice = "go to your workspace, name it with newsletter --workspace DIR, or make one: newsletter init DIR"
        raise complaint(f"is no workspace, for it has no folder issues; {advice}", str(workspace.root.resolve()))
    return workspace


def demand_links(workspace: "Workspace") -> "Callable[[str], Links]":
    """Makes the links of a List-Id. Raises :class:`~newsletter.problem.InputError` naming every setting that sending lacks."""
    from newsletter.links import Links

    settings, file = workspace.settings, str(workspace.root / ".env")
    wanted = {
        "NEWSLETTER_SMTP_HOST": (settings.smtp_host, "name the server that takes your mail"),
        "NEWSLETTER_PUBLIC_URL": (settings.public_url, "give the https address of newsletter serve, or of your published pages"),
        "NEWSLETTER_SECRET_KEY": (settings.secret_key, "newsletter init DIR makes an .env with a fresh one"),
    }
    problems = [Problem(file, 0, 0, name, f"is not set; {advice}") for name, (value, advice) in wanted.items() if value is None]
    if problems or settings.public_url is None or settings.secret_key is None:
        raise InputError(problems)
    return partial(Links, settings.public_url, settings.secret_key.get_secret_value().encode())


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must be new or empty.")]) -> None:
    """Make a workspace: a publication, two sample issues, and the settings with a fresh key."""
    from newsletter.settings import program_folder

    demand_empty(folder)
    sample = program_folder("issues")
    issues = folder / "issues"
    issues.mkdir(parents=True)
    (folder / "layouts").mkdir()
    for name in ("publication.yaml", "logo.png"):
        shutil.copy(sample / name, issues)
    shutil.copy(sample / "sample-list.csv", folder / "list.csv")
    slugs = sorted(file.parent.name for file in sample.glob("*/issue.yaml"))
    for slug in slugs:
        shutil.copytree(sample / slug, issues / slug)
    _write_schemas(issues)
    _write_settings(folder / ".env")
    (folder / ".gitignore").write_text(".env\nnewsletter.db*\nrendered/\n", encoding="utf-8")
    words = (
        f"made {folder}\n"
        f"  issues/publication.yaml  name, sender, imprint: make them yours first\n"
        f"  issues/{slugs[0]}/          a sample issue to look at; there is one in English, too\n"
        f"  list.csv                 a sample list of recipients\n"
        f"  .env                     mail server and public address; holds a fresh secret key\n"
        f"next:\n"
        f"  cd {shlex.quote(str(folder))}\n"
        f"  newsletter preview {slugs[0]}\n"
    )
    typer.echo(words, err=True, nl=False)


def demand_empty(folder: Path) -> None:
    """Raise :class:`~newsletter.problem.InputError` where something is there already."""
    if folder.is_dir() and any(folder.iterdir()):
        raise complaint("is not empty; name a folder that does not exist yet", str(folder))
    if folder.exists() and not folder.is_dir():
        raise complaint("is a file; name a folder that does not exist yet", str(folder))


def _write_schemas(issues: Path) -> None:
    """Put the JSON Schemas beside the issues, where editors look for them."""
    import json

    from newsletter.issue import json_schema, publication_schema

    for name, schema in (("issue", json_schema()), ("publication", publication_schema())):
        text = json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
        (issues / f"{name}.schema.json").write_text(text, encoding="utf-8")


def _write_settings(file: Path) -> None:
    import secrets

    text = _example().read_text(encoding="utf-8").replace("Copy this file to .env beside issues/, take", "Take", 1)
    line = f"{_KEY}={secrets.token_urlsafe(32)}"
    kept = [line if row.startswith(f"#{_KEY}") else row for row in text.splitlines()]
    if line not in kept:
        kept.append(line)
    file.touch(mode=0o600)  # S21: it holds the key, and soon the password
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _example() -> Path:
    from newsletter.settings import program_folder

    installed = program_folder("issues") / "env.example"
    return installed if installed.is_file() else program_folder("issues").parent / ".env.example"
