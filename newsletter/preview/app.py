"""A workspace becomes the local app: a page with its issues, a page for each, and the inbox."""

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from newsletter.compose.edition import PictureFile
from newsletter.issue import load_issue, load_publication
from newsletter.language import Language
from newsletter.preview.bench import Bench
from newsletter.preview.guard import Guard
from newsletter.preview.inbox import Inbox
from newsletter.preview.inbox_pages import InboxPages
from newsletter.preview.issue_pages import IssuePages
from newsletter.preview.look import Look
from newsletter.preview.news import News
from newsletter.preview.page import page, spoken, static
from newsletter.preview.people import People
from newsletter.problem import InputError
from newsletter.settings import Workspace


class Studio:
    """What all pages share: the workspace, the issues that are open, the list, the inbox, and who is told of news.

    ``named`` is the issue that the command named: a slug, or a path that may lie elsewhere.
    """

    def __init__(self, root: Path, inbox: Inbox, people: People, named: str | None = None) -> None:
        self.root = root
        self.inbox = inbox
        self.people = people
        self.news = News()
        self._benches: dict[str, Bench] = {}
        if named is not None:
            slug = Workspace(root).issue_file(named).resolve().parent.name
            self._benches[slug] = Bench(root, named, self.news.tell)

    @property
    def slugs(self) -> list[str]:
        """Every issue there is, the newest name first."""
        return sorted({*Workspace(self.root).issue_slugs(), *self._benches}, reverse=True)

    def bench(self, slug: str) -> Bench:
        """The bench of an issue. Raises a 404 for one that there is not."""
        if slug not in self._benches:
            if slug not in Workspace(self.root).issue_slugs():
                raise HTTPException(404)
            self._benches[slug] = Bench(self.root, slug, self.news.tell)
        return self._benches[slug]

    def saved(self) -> None:
        """Some file was saved: compile what is open anew, then tell the pages."""
        for bench in list(self._benches.values()):
            bench.refresh()
        self.news.tell()

    def picture(self, name: str) -> PictureFile | None:
        """A picture of a mail of any issue, by the name that its content has."""
        for bench in list(self._benches.values()):
            if found := bench.pictures.get(name):
                return found
        return None

    @property
    def pictures(self) -> set[str]:
        """The names of all pictures since the start."""
        return {name for bench in list(self._benches.values()) for name in bench.pictures}

    def speaks(self, look: Look) -> Language:
        """The language of a page: the one that was chosen, else the publication's."""
        if look.lang:
            return spoken(look.lang)
        try:
            return spoken(load_publication(Workspace(self.root)).language)
        except InputError:
            return spoken("en")

    def page(self, name: str, look: Look, status: int = 200, **values: Any) -> Response:
        """A page with what stands at the head of each."""
        head = {"look": look, "news": self.news.number, "arrived": len(self.inbox)}
        return page(name, self.speaks(look), status, **head, **values)

    def close(self) -> None:
        """End what runs beside the pages."""
        self.news.close()
        for bench in self._benches.values():
            bench.close()


def create_app(studio: Studio, token: str) -> Starlette:
    """The ASGI application. Every address begins with ``/TOKEN/`` (:mod:`newsletter.preview.guard`)."""
    base = f"/{token}"
    issues, inbox = IssuePages(studio, base), InboxPages(studio, base)

    def start(request: Request) -> Response:
        """The issues of the workspace."""
        look = Look.of(request.query_params)
        known = [_listed(studio.root, slug) for slug in studio.slugs]
        return studio.page("start", look, base=base, issues=known)

    def events(_request: Request) -> Response:
        return StreamingResponse(studio.news.stream(), media_type="text/event-stream")

    def picture(request: Request) -> Response:
        found = studio.picture(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        policy = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=3600, immutable"}
        return Response(found.data, headers=policy, media_type=found.media_type)

    def style(_request: Request) -> Response:
        return static("style.css", "text/css")

    def script(_request: Request) -> Response:
        return static("script.js", "text/javascript")

    def icon(_request: Request) -> Response:
        return static("icon.svg", "image/svg+xml")

    def missing(request: Request, _error: Exception) -> Response:
        look = Look.of(request.query_params)
        return studio.page("missing", look, 404, base=base)

    inside = [
        Route("/", start, name="start"),
        Route("/events", events),
        Route("/style.css", style),
        Route("/script.js", script),
        Route("/icon.svg", icon),
        Route("/pictures/{name}", picture),
        *issues.routes,
        *inbox.routes,
    ]
    app = Starlette(
        routes=[Mount(base, routes=inside)],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={404: missing},
    )
    app.router.redirect_slashes = False
    return app


def _listed(root: Path, slug: str) -> dict[str, object]:
    """What the start page says of an issue."""
    try:
        issue = load_issue(Workspace(root), slug)
    except InputError as error:
        return {"slug": slug, "title": slug, "date": None, "problem": str(error.problems[0])}
    return {"slug": slug, "title": issue.content.title, "date": issue.content.date, "problem": ""}
