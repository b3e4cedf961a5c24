"""Sentinels become slots, each with its place; what cannot be escaped safely is refused (rendering.md §3)."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.edition import Edition, Headers, MissingValue, Part, Slot
from newsletter.compose.sentinel import Sentinels, SlotError


def split(template: str) -> Part:
    sentinels = Sentinels()
    return sentinels.split_html(re.sub(r"«(\w+)»", lambda match: sentinels.mark(match[1]), template))


def test_places() -> None:
    part = split('<p>Hallo «name»</p><img alt="Bild von «name»" src="x"><a href="«view_url»">x</a>')
    assert [(slot.name, slot.place) for slot in part.slots()] == [("name", "text"), ("name", "attribute"), ("view_url", "url")]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("<style>p{color:«c»}</style>", "inside <style>"),
        ("<script>«c»</script>", "inside <script>"),
        ("<!-- «c» -->", "in a comment"),
        ("<!--[if mso]><p>«c»</p><![endif]-->", "in a comment"),
        ("<«c»>x", "text"),
        ('<p «c»="x">', "name of a tag or attribute"),
        ('<p style="color:«c»">', "attribute style"),
        ('<p onclick="«c»">', "attribute onclick"),
        ("<img alt=«c»>", "attribute alt"),
        ("<img alt='«c»'>", "attribute alt"),
        ('<a href="https://a.example/?x=«c»">x</a>', "the whole of an address"),
        ('<a href="«name»">x</a>', "not in an address"),
        ("<p>«view_url»</p>", "only as a whole address"),
        ("<!DOCTYPE «c»>", "comment"),
    ],
)
def test_unsafe_places_are_refused(template: str, why: str) -> None:
    if why == "text":  # "<S…E>" is a tag to every parser
        why = "name of a tag"
    with pytest.raises(SlotError, match=re.escape(why)):
        split(template)


def test_a_text_of_the_author_cannot_be_a_sentinel() -> None:
    first, second = Sentinels(), Sentinels()
    token = first.mark("name")
    assert second.split_plain(f"x {token} y").pieces == (f"x {token} y",)


def test_same_name_and_default_is_one_sentinel() -> None:
    sentinels = Sentinels()
    assert sentinels.mark("a", "x") == sentinels.mark("a", "x") != sentinels.mark("a", "y")


HEADERS = Headers("N", "n@example.org", None, "n.example.org", "N", "de")


def edition(part: Part) -> Edition:
    return Edition("T", HEADERS, Part(("S",)), Part(("t",)), part)


def test_hash_does_not_depend_on_the_nonce() -> None:
    template = '<p>Hallo «name»</p><a href="«view_url»">x</a>'
    assert edition(split(template)).hash == edition(split(template)).hash


def test_stored_form_gives_the_same_edition() -> None:
    made = edition(split('<p>Hallo «name» „ä“</p><a href="«view_url»">x</a>'))
    again = Edition.from_json(made.to_json(), {})
    assert again == made
    assert again.hash == made.hash


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.alt = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.alt += dict(attrs).get("alt") or ""

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_value_escapes_from_its_place(value: str) -> None:
    part = split('<p>[«v»]</p><img alt="[«v»]">')
    reader = _Reader()
    try:
        filled = part.fill({"v": value})
    except MissingValue:
        assert not value.strip() or not "".join(filter(str.isprintable, value)).strip()
        return
    reader.feed(filled)
    assert reader.tags == ["p", "img"]
    shown = Slot("v", None, "plain").fill({"v": value})
    assert reader.text == reader.alt == f"[{shown}]"
    assert "\n" not in shown
    assert "\r" not in shown


def test_default_stands_in_for_an_empty_value_and_is_escaped_too() -> None:
    slot = Slot("name", "Leser & <Freunde>", "text")
    assert slot.fill({}) == slot.fill({"name": " \t"}) == html.escape("Leser & <Freunde>")
    assert slot.fill({"name": "Ada"}) == "Ada"


def test_missing_value_without_default_is_an_error() -> None:
    with pytest.raises(MissingValue, match="'name'"):
        Slot("name", None, "text").fill({"name": ""})
