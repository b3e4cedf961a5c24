"""The browser shows the variant that the mail had, and no other one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Part, Slot, Variant
from newsletter.issue.only import Condition
from newsletter.store import save_edition, tables
from newsletter.web.public_html import unframed

if TYPE_CHECKING:
    from tests.web.conftest import Site


def test_the_view_is_of_the_recipients_variant(site: "Site") -> None:
    press = Part(("<p>Presse: ", Slot("name", "alle", "text"), '</p><a href="', Slot(VIEW, None, "url"), '">x</a>'))
    edition = replace(site.edition, conditions=(Condition((), ("presse",)),), variants=(Variant("1", site.edition.text, press),))
    with site.store.write() as connection:
        save_edition(connection, edition, slug="2024-12", moment=2)
        connection.execute(tables.campaign.update().values(edition_hash=edition.hash))
        connection.execute(tables.delivery.update().values(variant="0"))
        chosen = tables.delivery.c.address == "bert@example.org"
        connection.execute(tables.delivery.update().where(chosen).values(variant="1"))
    shown = site.ask("GET", site.view["bert@example.org"])
    assert press.fill({"name": "Bert", VIEW: site.view["bert@example.org"]}) in shown.text
    links = {VIEW: site.view["cora@example.org"], UNSUBSCRIBE: site.unsubscribe["cora@example.org"]}
    assert unframed(site.ask("GET", site.view["cora@example.org"]).text) == edition.html.fill(links)
