"""Words in another language carry ``lang``, and ``dir`` where it differs, in both layouts; the text part has just words (A2)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition

Compose = Callable[..., Edition]
LINKS = {VIEW: "https://news.example.org/view/x", UNSUBSCRIBE: "https://news.example.org/unsubscribe/x"}
HEAD = "title: T\nsubject: Der [Act]{{lang=en}}\npreheader: Zum [Act]{{lang=en}}\ndate: 2026-12-01\nlanguage: {}\nlayout: {}\n"
PASSAGES = (
    '{type: article, title: "Der [Act of {{ name | default(\'Ada\') }}]{lang=en} & mehr", body: "Zum [*Act* يوم]{lang=ar}.", '
    "link: {label: mehr, url: 'https://www.example.org/'}, "
    "image: {src: ../pictures/foto.jpg, alt: '[The ferry]{lang=en}', caption: '[Act]{lang=en}'}}, "
    "{type: image, src: ../pictures/foto.jpg, alt: 'Die [Ferry]{lang=en} legt ab'}, {type: contents}"
)
BLOCK = (
    '{type: gallery, title: Scenes, language: en-GB, intro: "A [mot]{lang=fr}", images: [{src: ../pictures/foto.jpg, '
    "alt: A ferry, credit: Ada, date: 2026-11-18}]}, {type: button, language: en, label: Read, url: 'https://www.example.org/'}, "
    "{type: text, title: Deutsch, body: Text}, {type: contents}"
)


def page_of(edition: Edition) -> HtmlElement:
    return document_fromstring(edition.html.fill(LINKS))


def language_at(element: HtmlElement) -> str:
    return next(str(above.get("lang")) for above in (element, *element.iterancestors()) if above.get("lang"))


def test_passages_in_titles_texts_and_pictures(compose: Compose, layout_name: str) -> None:
    edition = compose(PASSAGES, HEAD.format("de", layout_name))
    page = page_of(edition)
    spans = [
        (span.get("lang"), span.get("dir"), span.text_content()) for span in page.xpath("//h2/span[@lang] | //p//span[@lang]")
    ]
    assert ("en", None, "Act of Ada") in spans
    assert ("ar", "rtl", "Act يوم") in spans
    assert page.xpath("string(//h2)") == "Der Act of Ada & mehr"
    assert [(image.get("alt"), image.get("lang")) for image in page.iter("img")] == [
        ("The ferry", "en"),
        ("Die Ferry legt ab", None),
    ]
    assert edition.subject.fill(LINKS) == "Der Act"
    text = edition.text.fill(LINKS)
    assert "Der Act of Ada & mehr" in text
    for shown in (text, edition.html.fill(LINKS)):
        assert not {"\ufdd3", "\ufdd4", "\ufdd5"} & set(shown)
        assert "{lang" not in shown


def test_a_block_in_its_own_language(compose: Compose, layout_name: str) -> None:
    edition = compose(BLOCK, HEAD.format("de", layout_name))
    page = page_of(edition)
    for words, tag in [
        ("Scenes", "en-GB"),
        ("mot", "fr"),
        ("Photo: Ada", "en-GB"),
        ("18 November 2026", "en-GB"),
        ("Read", "en"),
    ]:
        found = [e for e in page.iter() if isinstance(e.tag, str) and words in (*((e.text or ""),), *((c.tail or "") for c in e))]
        assert found, words
        assert {language_at(element) for element in found} == {tag}, words
    assert {language_at(heading) for heading in page.xpath("//h2[text()='Deutsch']")} == {"de"}
    (image,) = page.iter("img")
    assert (image.get("alt"), image.get("lang")) == ("A ferry", "en-GB")
    assert "spoken" not in edition.html.fill(LINKS)
    text = edition.text.fill(LINKS)
    assert "Photo: Ada" in text
    assert "18 November 2026" in text
    assert "Impressum" in text


def test_a_block_that_is_written_the_other_way(compose: Compose, layout_name: str) -> None:
    page = page_of(
        compose('{type: text, language: ar, title: مرحبا, body: "نص [Act]{lang=en}\\n\\n- ا"}', HEAD.format("de", layout_name))
    )
    for element in (*page.xpath("//h2[@lang='ar']"), *page.iter("ul")):
        assert (element.get("lang"), element.get("dir")) == ("ar", "rtl")
        assert "text-align:right" in str(element.getparent().get("style"))
    assert [
        span.get("dir") for span in page.xpath("//p/span[@lang='en'][text()='Act']") if language_at(span.getparent()) == "ar"
    ] == ["ltr"]
    (bullets,) = page.iter("ul")
    assert "padding:0 24px 0 0" in str(bullets.get("style"))


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_english_words_where_there_are_no_others_say_so(compose: Compose, layout_name: str, tag: str) -> None:
    page = page_of(compose("{type: text, body: x}", HEAD.format(tag, layout_name)))
    (imprint,) = page.xpath("//*[text()='Imprint']")
    assert language_at(imprint) == "en"
    (name,) = page.xpath("//a/span[@lang='en']/span[text()='T']")
    assert name.get("lang") == tag


def test_no_break_blanks_hold_words_together_in_the_text_part(compose: Compose) -> None:
    body = "x " * 33 + "Die 12 km, z. B. nach § 5."
    text = compose(f"{{type: text, body: '{body}'}}").text.fill(LINKS)
    assert "\u00a0" not in text
    assert "\nkm" not in text
    assert max(map(len, text.splitlines())) <= 72
    assert "12 km" in text


def test_a_third_language_says_all_in_its_words(compose: Compose, layout_name: str, french_words: Path) -> None:
    blocks = "{type: contents}, {type: event, title: E, starts: 2026-12-05 10:00, ends: 2026-12-05 12:00, "
    blocks += "image: {src: ../pictures/foto.jpg, alt: B, credit: C}}"
    edition = compose(blocks, HEAD.format("fr", layout_name))
    page = page_of(edition)
    assert {span.text_content() for span in page.xpath("//span[@lang='en']")} == {"Act"}  # the author's own mark
    for text in (page.body.text_content(), edition.text.fill(LINKS)):
        for word in ("View “T” in", "In this issue", "samedi 5 décembre 2026, 10:00", "Photo: C", "Imprint", "Privacy"):
            assert f"FR {word}" in text
    assert "décembre 2026" in edition.text.fill(LINKS)
