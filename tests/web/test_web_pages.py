"""The pages themselves: whole, escaped, fenced in, in the publication's language, and usable by everyone."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml.html import HtmlElement, document_fromstring
from playwright.sync_api import Browser

from newsletter.issue.model import Publication
from newsletter.web.page import Name, Pages
from tests.real.axe import RULES, each_look, violations

if TYPE_CHECKING:
    from tests.web.conftest import Site

NewPublication = Callable[..., Publication]
NAMES: list[Name] = ["unsubscribe", "left", "example", "missing", "broken"]


def document(pages: Pages, name: Name) -> HtmlElement:
    return document_fromstring(bytes(pages.answer(name).body))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("tag", "direction"), [("de", "ltr"), ("en", "ltr"), ("ar", "rtl")])
def test_every_page_is_whole(name: Name, tag: str, direction: str, new_publication: NewPublication) -> None:
    root = document(Pages(new_publication(language=tag)), name)
    assert (root.get("lang"), root.get("dir")) == (tag, direction)
    (heading,) = root.findall(".//h1")
    (title,) = root.findall(".//title")
    assert title.text_content() == f"{heading.text_content()} – Digitale Region"
    assert heading.text_content().strip()
    assert [len(root.findall(f"./body/{landmark}")) for landmark in ("header", "main", "footer")] == [1, 1, 1]
    assert all(link.text_content().strip() for link in root.iter("a", "button"))
    text = root.text_content()
    for imprint in ("Landratsamt Seenland", "Marktplatz 1", "12345 Seestadt", "digital@seenland.example"):
        assert imprint in text


@pytest.mark.parametrize("name", NAMES)
def test_a_page_speaks_the_words_of_the_workspace(name: Name, new_publication: NewPublication, french_words: Path) -> None:
    root = document(Pages(new_publication(language="fr"), french_words), name)
    for element in (root.find(".//h1"), root.find(".//footer/h2"), root.find(".//main//p"), root.find(".//button")):
        assert element is None or element.text_content().startswith("FR ")


@pytest.mark.parametrize("name", NAMES)
def test_no_page_loads_or_runs_anything(name: Name, new_publication: NewPublication) -> None:
    root = document(Pages(new_publication()), name)
    tags = {element.tag for element in root.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "link", "img", "iframe", "object", "input", "svg"}
    assert not [element for element in root.iter() if any(key.startswith("on") or key == "style" for key in element.attrib)]
    (style,) = root.findall(".//style")
    assert "url(" not in (style.text or "")
    assert "@import" not in (style.text or "")


@pytest.mark.parametrize("name", NAMES)
def test_the_headers_fence_the_page_in(name: Name, new_publication: NewPublication) -> None:
    answer = Pages(new_publication()).answer(name)
    style = re.search(rb"<style>(.*?)</style>", bytes(answer.body), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    policy = answer.headers["content-security-policy"]
    for part in (f"style-src 'sha256-{digest}'", "default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy.split("; ")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", NAMES)
def test_what_staff_wrote_is_text(name: Name, new_publication: NewPublication) -> None:
    publication = new_publication(name="<b>R&D</b> {% 7*7 %}", tagline='"><script>', homepage=None)
    root = document(Pages(publication), name)
    assert not root.findall(".//b")
    assert not root.findall(".//script")
    assert "<b>R&D</b> {% 7*7 %}" in (root.findtext(".//title") or "")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_no_more_than_a_publication_must_have(name: Name, new_publication: NewPublication) -> None:
    imprint = {"organisation": "O", "street": "S", "postal_code": "1", "city": "C", "email": "o@o.example"}
    bare = new_publication(tagline=None, homepage=None, privacy_url=None, accessibility_url=None, imprint=imprint)
    root = document(Pages(bare), name)
    assert [link.get("href") for link in root.iter("a")] == ["mailto:o@o.example"]
    assert not root.findall(".//ul")


def test_english_is_spoken_to_english_readers(new_publication: NewPublication) -> None:
    page = bytes(Pages(new_publication(language="en-GB")).answer("unsubscribe").body).decode()
    assert "<h1>Unsubscribe from Digitale Region</h1>" in page


@pytest.mark.real
def test_axe_finds_nothing_and_the_button_works_by_keyboard(served: "Site", chromium: Browser, axe_source: str) -> None:
    reader = chromium.new_context(java_script_enabled=True)
    page = reader.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)

    def check() -> None:
        for look in each_look(page):
            assert violations(page, axe_source, runOnly=RULES) == [], look
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), look

    for url in (f"{served.links.public_url}/nothing", served.links.view_url(0, 0), served.unsubscribe["bert@example.org"]):
        page.goto(url)
        check()
    button = page.get_by_role("button")
    for look in each_look(page):
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, look
    for _ in range(2):  # the masthead's link, the button
        page.keyboard.press("Tab")
    assert button.evaluate("element => element === document.activeElement")
    assert button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", level=1).inner_text() == "Sie sind abgemeldet"
    check()
    assert reader.cookies() == []
    assert complaints == []
    reader.close()


@pytest.mark.real
def test_the_mail_shows_its_picture_in_the_browser(served: "Site", chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(served.view["anna@example.org"])
    assert page.evaluate("document.images[0].naturalWidth") == 1
    page.get_by_role("link", name="abbestellen").click()
    assert page.get_by_role("button").count() == 1
    page.close()
