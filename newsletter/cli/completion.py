"""What the Tab key offers for an argument: the workspace's issues and layouts."""

from pathlib import Path

import typer


def complete_issue(context: typer.Context, incomplete: str) -> list[str]:
    """The slugs that begin like what was typed; those of no other folder than the workspace's."""
    return [slug for slug in _slugs(_root(context)) if slug.startswith(incomplete)]


def complete_layout(context: typer.Context, incomplete: str) -> list[str]:
    """The layouts that begin so: the workspace's own and those of the program."""
    from newsletter.settings import Workspace

    return [name for name in Workspace(_root(context)).layout_names() if name.startswith(incomplete)]


def _root(context: typer.Context) -> Path:
    """The folder of ``--workspace``: while something is completed, no command has run that would have kept it."""
    return Path(context.find_root().params.get("workspace") or Path())


def _slugs(root: Path) -> list[str]:
    # Not Workspace.issue_slugs(): the settings take longer to load than a Tab key should.
    return sorted((file.parent.name for file in root.glob("issues/*/issue.yaml")), reverse=True)
