"""An edition with variants has a template for each: another text, other attachments, the same headers."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING

import pytest

from newsletter.compose.edition import AttachedFile, Edition, Part, PictureFile, Slot, Variant, cid_url
from newsletter.issue.only import Condition
from newsletter.message.recheck import recheck
from newsletter.message.template import MessageTemplate

if TYPE_CHECKING:
    from tests.message.conftest import Build, MakeEdition

FILE = AttachedFile("attached-1.ics", "Termin.ics", "text/calendar", b"BEGIN:VCALENDAR")


@pytest.fixture
def edition(make_edition: "MakeEdition") -> Edition:
    picture = PictureFile("p.png", "image/png", 1, 1, b"\x89PNG")
    shown = f'<img src="{cid_url("p.png", "region.example.org")}">'
    press = Variant("1", Part(("Für die Presse: ", Slot("kontakt", None, "plain"), "\n")), Part((f"<p>{shown}</p>\n",)), (FILE,))
    made: Edition = make_edition(text=Part(("Für alle\n",)), html=Part(("<p>Für alle</p>\n",)))
    return replace(made, conditions=(Condition((), ("presse",)),), variants=(press,), pictures=(picture,), inline=True)


def test_each_has_its_own_words_and_files(edition: Edition, build: "Build") -> None:
    template = MessageTemplate(edition)
    found = {}
    for name in ("0", "1"):
        of = template.of(name)
        raw = build(of, {"kontakt": "Ada"})
        recheck(raw, of)
        message = message_from_bytes(raw, policy=default)
        text = message.get_body(("plain",))
        assert text is not None
        found[name] = (text.get_content().splitlines(), [part.get_content_type() for part in message.walk()])
        assert message["Subject"] == "Rückblick auf den Kongress"
    assert found["0"] == (["Für alle"], ["multipart/alternative", "text/plain", "text/html"])
    assert found["1"][0] == ["Für die Presse: Ada"]
    assert found["1"][1][-2:] == ["image/png", "text/calendar"]


def test_a_field_is_needed_where_it_stands(edition: Edition, build: "Build") -> None:
    template = MessageTemplate(edition)
    assert build(template.of("0"), {})
    with pytest.raises(Exception, match="kontakt"):
        build(template.of("1"), {})


def test_without_variants_it_is_its_own(make_edition: "MakeEdition") -> None:
    template = MessageTemplate(make_edition())
    assert template.of(None) is template


@pytest.mark.parametrize("name", [None, "", "00"])
def test_a_variant_that_is_none_is_no_other_one(edition: Edition, name: str | None) -> None:
    with pytest.raises(KeyError):
        MessageTemplate(edition).of(name)
