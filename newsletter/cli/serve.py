"""``newsletter serve``: the pages that subscribers open."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.archive import note_publicity
from newsletter.cli.database import open_database
from newsletter.cli.workspace import chosen_workspace
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from newsletter.issue.model import Publication
    from newsletter.links import Links
    from newsletter.settings import Workspace
    from newsletter.store import Store
    from newsletter.web.postman import Postman


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, metavar="N", help="The port to listen on.")] = 8025,
) -> None:
    """Serve the pages that readers open: view in browser, unsubscribe, subscribe, archive, feed, pictures."""
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
        note_publicity(workspace, store)
        with _postman(workspace, publication, store, links) as postman:
            run(create_app(store, links, publication, workspace.catalogues, postman), host, port)


@contextmanager
def _postman(workspace: "Workspace", publication: "Publication", store: "Store", links: "Links") -> "Iterator[Postman | None]":
    """Who sends the mails that confirm a sign-up; None where no mail server is set."""
    from newsletter.audience.confirmation import Confirmations
    from newsletter.audience.signups import Signups
    from newsletter.delivery.server import Server
    from newsletter.message import HeaderError
    from newsletter.web.postman import Postman

    try:
        mails = Confirmations(publication, workspace.catalogues)
    except HeaderError as error:
        raise complaint(f"no mail can be made that confirms a sign-up: {error}", str(workspace.publication_file)) from None
    signups = Signups(store, links, publication.own_list_id, mails)
    if workspace.settings.smtp_host is None:
        typer.echo("nobody can subscribe: NEWSLETTER_SMTP_HOST is not set, so no mail can ask to confirm it", err=True)
        signups.tidy()
        yield None
        return
    with Postman(signups, Server.of(workspace.settings)) as postman:
        yield postman
