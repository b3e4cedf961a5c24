"""``newsletter new-layout``: a look of one's own, begun from one that is there."""

import re
from typing import Annotated

import typer

from newsletter.cli.completion import complete_layout
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import complaint

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


def new_layout(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The layout's short name, e.g. our-county.")],
    source: Annotated[
        str, typer.Option("--from", metavar="LAYOUT", help="The layout to start from.", autocompletion=complete_layout)
    ] = "region",
) -> None:
    """Copy a layout into the workspace, to be changed there."""
    from newsletter.compose.new_layout import copy_layout
    from newsletter.compose.templates import BASE

    workspace = chosen_workspace(context)
    if not _NAME.fullmatch(name) or name == BASE:
        raise complaint(f"{name!r} cannot be a layout's name; use letters from a to z, digits and dashes, e.g. our-county")
    if name in workspace.layout_names():
        raise complaint(f"there is a layout {name!r} already; choose another name")
    target = workspace.root / "layouts" / name
    if target.exists():
        raise complaint("is there already; choose another name", str(target))
    start = workspace.layout_folder(source)
    if start is None:
        raise complaint(f"--from: there is no layout {source!r}; there are: {', '.join(workspace.layout_names())}")
    files = copy_layout(start, target)
    words = (
        f"made {target} with {len(files)} files, from {source}\n"
        f"  theme.yaml       colours, fonts, widths: begin here\n"
        f"  layout.mjml.j2   the frame of the mail; blocks/ has one file a block type\n"
        f"next: write 'layout: {name}' into issues/publication.yaml or an issue\n"
    )
    typer.echo(words, err=True, nl=False)
