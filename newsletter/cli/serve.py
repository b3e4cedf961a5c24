"""``newsletter serve``: the pages that subscribers open."""

from contextlib import ExitStack, contextmanager
from functools import partial
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
    from newsletter.settings import Settings, Workspace
    from newsletter.store import Store
    from newsletter.web.postman import Postman


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, metavar="N", help="The port to listen on.")] = 8025,
) -> None:
    """Serve the pages that readers open: view in browser, unsubscribe, subscribe, archive, feed, pictures."""
    from newsletter.issue import load_publication, load_retention
    from newsletter.links import Links
    from newsletter.web.app import create_app
    from newsletter.web.caretaker import Caretaker
    from newsletter.web.log import write_log
    from newsletter.web.server import serve as run

    workspace = chosen_workspace(context)
    settings = workspace.settings
    if settings.secret_key is None:
        advice = "newsletter init DIR makes an .env with a fresh one"
        raise InputError(Problem(str(workspace.root / ".env"), 0, 0, "NEWSLETTER_SECRET_KEY", f"is not set; {advice}"))
    publication = load_publication(workspace)
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    links = Links(settings.public_url or here, settings.secret_key.get_secret_value().encode(), publication.own_list_id)
    write_log()
    with open_database(workspace) as store, ExitStack() as stack:
        words = f"{publication.name}: listening on {here}, links lead to {links.public_url}; Ctrl-C stops"
        typer.echo(words, err=True)
        note_publicity(workspace, store)
        stack.enter_context(_measured(settings, store))
        stack.enter_context(Caretaker(store, partial(load_retention, workspace)))
        postman = stack.enter_context(_postman(workspace, publication, store, links))
        app = create_app(store, links, publication, workspace.catalogues, postman)
        run(app, host, port, settings.trusted_proxies)


@contextmanager
def _measured(settings: "Settings", store: "Store") -> "Iterator[None]":
    """Serve the metrics on a port of their own, where one is set."""
    from newsletter.web.metrics import create_metrics
    from newsletter.web.server import BackgroundServer

    if settings.metrics_listen is None:
        yield
        return
    with BackgroundServer(*settings.metrics_listen, "NEWSLETTER_METRICS_LISTEN") as server:
        server.start(create_metrics(store))
        typer.echo(f"metrics for Prometheus: {server.url}/metrics", err=True)
        yield


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
        yield None
        return
    with Postman(signups, *Server.all_of(workspace.settings)) as postman:
        yield postman
