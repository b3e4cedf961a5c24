"""``newsletter serve``: the pages that subscribers open."""

from typing import Annotated

import typer

from newsletter.cli.database import open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, metavar="N", help="The port to listen on.")] = 8025,
) -> None:
    """Serve the pages that subscribers open: view in browser, unsubscribe, pictures."""
    import logging

    from newsletter.issue import load_publication
    from newsletter.links import Links
    from newsletter.web.app import create_app
    from newsletter.web.server import serve as run

    workspace = chosen_workspace(context)
    settings = workspace.settings
    if settings.secret_key is None:
        advice = "newsletter init DIR makes an .env with a fresh one"
        raise InputError(Problem(str(workspace.root / ".env"), 0, 0, "NEWSLETTER_SECRET_KEY", f"is not set; {advice}"))
    publication = load_publication(workspace)
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    links = Links(settings.public_url or here, settings.secret_key.get_secret_value().encode(), publication.own_list_id)
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("newsletter").setLevel(logging.INFO)
    with open_database(workspace) as store:
        words = f"{publication.name}: listening on {here}, links lead to {links.public_url}; Ctrl-C stops"
        typer.echo(words, err=True)
        run(create_app(store, links, publication, workspace.catalogues), host, port)
