"""A publication that was sent to three people, and a reader who opens what the mail says."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Headers, Part, PictureFile, Slot
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.store import Store, open_store, save_edition, tables
from newsletter.web.app import create_app
from newsletter.web.server import BackgroundServer

PEOPLE = {"anna@example.org": "Änne & <Co>", "bert@example.org": "Bert", "cora@example.org": ""}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fea735818400"
    "00000049454e44ae426082"
)


@dataclass(frozen=True)
class Site:
    """All that a test of the pages needs: the parts, and each recipient's two links by address."""

    store: Store
    links: Links
    publication: Publication
    edition: Edition
    app: Starlette
    view: dict[str, str]
    unsubscribe: dict[str, str]

    def dump(self) -> list[str]:
        """The whole database, a line for each row."""
        with self.store.read() as connection:
            return [
                f"{table.name} {row!r}"
                for table in tables.metadata.sorted_tables
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]

    def ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        """What the application answers; ``url`` is whole or begins at the root."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.links.public_url) as client:
                return await client.request(method, url, **request)

        return asyncio.run(exchange())


def make_publication(**values: Any) -> Publication:
    """A publication as staff would describe it."""
    return Publication.model_validate(
        {
            "name": "Digitale Region",
            "tagline": "Neues aus dem Seenland",
            "language": "de",
            "sender": {"email": "newsletter@seenland.example"},
            "homepage": "https://seenland.example/digital",
            "privacy_url": "https://seenland.example/datenschutz",
            "accessibility_url": "https://seenland.example/barrierefreiheit",
            "imprint": {
                "organisation": "Landratsamt Seenland",
                "street": "Marktplatz 1",
                "postal_code": "12345",
                "city": "Seestadt",
                "email": "digital@seenland.example",
                "phone": "+49 1234 5678-0",
                "website": "https://seenland.example",
            },
        }
        | values
    )


def make_edition(picture_url: str) -> Edition:
    """A small mail with a slot of each kind and one picture."""
    html = Part(
        (
            '<!doctype html><html lang="de"><head><title>Ausgabe 4</title><style>p{color:#222}</style></head><body><h1>Hallo ',
            Slot("name", "Leserinnen und Leser", "text"),
            f'</h1><p><img src="{picture_url}" alt="Ein See" width="1" height="1"></p><p><a href="',
            Slot(VIEW, None, "url"),
            '">„Ausgabe 4“ im Browser ansehen</a> <a href="',
            Slot(UNSUBSCRIBE, None, "url"),
            '">„Digitale Region“ abbestellen</a></p></body></html>',
        )
    )
    return Edition(
        title="Ausgabe 4",
        headers=Headers(
            "Digitale Region", "newsletter@seenland.example", None, "region.seenland.example", "Digitale Region", "de"
        ),
        subject=Part(("Ausgabe 4",)),
        text=Part(("Hallo ", Slot("name", "Leserinnen und Leser", "plain"))),
        html=html,
        pictures=(PictureFile("3f9a.png", "image/png", 1, 1, PIXEL),),
    )


def make_site(database_url: str, public_url: str = "https://news.seenland.example", **publication: Any) -> Site:
    """A database with one campaign to :data:`PEOPLE`, still running, and the application over it."""
    links = Links(public_url, b"only-for-tests-0123456789abcdef!", "region.seenland.example")
    store = open_store(database_url)
    edition = make_edition(links.picture_url("3f9a.png"))
    view, unsubscribe = {}, {}
    with store.write() as connection:
        save_edition(connection, edition, slug="2024-12", moment=1)
        made = connection.execute(
            tables.campaign.insert().values(
                key="k",
                slug="2024-12",
                number=1,
                edition_hash=edition.hash,
                state="running",
                list_name="list.csv",
                candidates=3,
                duplicates=0,
                refused=0,
                created_at=1,
            )
        )
        (campaign,) = made.inserted_primary_key or (0,)
        for line, (address, name) in enumerate(PEOPLE.items(), 2):
            mark = links.mark(address)
            row = connection.execute(
                tables.delivery.insert().values(
                    campaign_id=campaign,
                    address_key=address,
                    address=address,
                    mark=mark,
                    line=line,
                    data=json.dumps({"name": name}),
                    state="pending" if address.startswith("bert") else "sent",
                    updated_at=1,
                )
            )
            (delivery,) = row.inserted_primary_key or (0,)
            view[address] = links.view_url(campaign, delivery)
            unsubscribe[address] = links.unsubscribe_url(campaign, delivery, mark)
    described = make_publication(**publication)
    return Site(store, links, described, edition, create_app(store, links, described), view, unsubscribe)


@pytest.fixture
def new_publication() -> Callable[..., Publication]:
    """Makes a publication; keywords are fields of it."""
    return make_publication


@pytest.fixture
def served(database_url: str) -> Iterator[Site]:
    """A fresh site behind a real server on a free port of this machine."""
    with BackgroundServer() as server:
        made = make_site(database_url, server.url)
        server.start(made.app)
        yield made
    made.store.close()


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    """A fresh site for one test."""
    made = make_site(database_url)
    yield made
    made.store.close()
