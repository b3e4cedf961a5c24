"""An edition with a slot in each place, and what it takes to build a message of it."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Headers, Part, Slot
from newsletter.message.message_id import message_id
from newsletter.message.template import MessageTemplate

HEADERS = Headers("Digitale Region", "newsletter@example.org", None, "region.example.org", "Digitale Region", "de")
LINKS = {
    VIEW: "https://newsletter.example.org/view/AAAAAQAAAAAAAAAD.XPsbbz0Z6R4Fiuj9_LTRfw",
    UNSUBSCRIBE: "https://newsletter.example.org/unsubscribe/AAAAAQAAAAAAAAADoyr-vprftjEgRIaaoxpYgA.TQyGgbQUSYW1guagBxmKXw",
}

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_edition() -> MakeEdition:
    """Makes an edition; keywords are fields of the edition or of its headers."""

    def make(**changes: Any) -> Edition:
        own = {field.name for field in fields(Headers)}
        return Edition(
            title="Ausgabe 4",
            headers=replace(HEADERS, **{name: value for name, value in changes.items() if name in own}),
            subject=changes.get("subject", Part(("Rückblick auf den Kongress",))),
            text=changes.get(
                "text", Part(("Liebe ", Slot("first_name", "Leute", "plain"), ",\n", Slot(UNSUBSCRIBE, None, "plain"), "\n"))
            ),
            html=changes.get(
                "html",
                Part(("<p>Liebe ", Slot("first_name", "Leute", "text"), '</p>\n<a href="', Slot(VIEW, None, "url"), '">x</a>\n')),
            ),
        )

    return make


@pytest.fixture(scope="session")
def build() -> Build:
    """Builds one message; ``values`` come on top of the links; keywords replace what :meth:`MessageTemplate.build` takes."""

    def build_message(template: MessageTemplate, values: Mapping[str, str] | None = None, **changes: Any) -> bytes:
        given: dict[str, Any] = {
            "to": "reader@example.net",
            "message_id": message_id("campaign", 7, template.domain),
            "date": datetime(2024, 12, 1, 10, 30, tzinfo=UTC),
        }
        return template.build(values=LINKS | ({"first_name": "Jörg"} if values is None else dict(values)), **(given | changes))

    return build_message
