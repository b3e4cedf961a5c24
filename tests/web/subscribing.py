"""A site where people can subscribe, with the mailbox that all its mail goes to."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml.html import document_fromstring
from sqlalchemy import select
from starlette.applications import Starlette

from newsletter.audience.confirmation import Confirmations
from newsletter.audience.signups import Signups
from newsletter.delivery.server import Server
from newsletter.preview.inbox import Inbox
from newsletter.store import Subscriber, list_subscribers, tables
from newsletter.store.clock import now
from newsletter.web.app import create_app
from newsletter.web.postman import Postman
from tests.web.conftest import Site, make_site

if TYPE_CHECKING:
    import httpx

ANNA = "Anna@Example.org"
KEY = "anna@example.org"
TOPICS = {"topics": {"presse": "Für die Presse", "kommunen": "Für Kommunen"}, "languages": ["de", "en"]}


def parsed(answer: "httpx.Response") -> Any:
    """The page of an answer."""
    return document_fromstring(answer.content)


@dataclass
class Office:
    """A site where people can subscribe, and the mailbox that all mail goes to."""

    site: Site
    app: Starlette
    inbox: Inbox
    postman: Postman
    offset: int = 0

    def ask(self, method: str, url: str, **request: Any) -> "httpx.Response":
        """As :meth:`Site.ask`, of the application with sign-up."""
        return Site.ask(self, method, url, **request)  # type: ignore[arg-type]

    @property
    def links(self) -> Any:
        return self.site.links

    def form(self, address: str = ANNA, **values: Any) -> dict[str, Any]:
        """What a browser sends."""
        page = parsed(self.ask("GET", "/subscribe"))
        (stamp,) = page.xpath("//input[@name='stamp']/@value")
        return {"email": address, "stamp": stamp, "website": "", **values}

    def post(self, url: str, **data: Any) -> "httpx.Response":
        return self.ask("POST", url, data=data or {"x": ""})

    def link(self) -> str:
        """The address in the last mail."""
        part = list(self.inbox)[-1].message.get_body(("plain",))
        assert part is not None
        (url,) = re.findall(r"https?://\S+", str(part.get_content()).partition("\r\n-- \r\n")[0])
        return str(url)

    def join(self, address: str = ANNA, **values: Any) -> str:
        """Subscribe up to the mail; gives its link."""
        assert self.post("/subscribe", **self.form(address, **values)).status_code == 200
        assert self.postman.deliver() == 1
        return self.link()

    def subscribers(self) -> list[Subscriber]:
        return list(list_subscribers(self.site.store))

    def rows(self) -> list[Any]:
        with self.site.store.read() as connection:
            return list(connection.execute(select(tables.signup).order_by(tables.signup.c.id)))

    def later(self, moment: int) -> None:
        """The clock of the store goes on by so many microseconds."""
        self.offset += moment
        self.site.store.clock = lambda: now() + self.offset


def make_office(database_url: str, inbox: Inbox, public_url: str = "https://news.seenland.example", **publication: Any) -> Office:
    """A site with a mail server."""
    site = make_site(database_url, public_url, **(TOPICS | publication))
    mails = Confirmations(site.publication)
    signups = Signups(site.store, site.links, site.publication.own_list_id, mails)
    postman = Postman(signups, Server(inbox.host, inbox.port, "none"))
    return Office(site, create_app(site.store, site.links, site.publication, None, postman), inbox, postman)
