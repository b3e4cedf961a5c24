"""An Arabic issue reads from right to left: text, lists, quotes, buttons and columns, in both layouts (A1, A12)."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from lxml.html import HtmlElement, document_fromstring
from PIL import Image

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition

HEAD = """\
title: أخبار البحيرة
subject: "عدد جديد"
date: 2026-12-01
language: ar
layout: {layout}
"""
BLOCKS = """\
{type: letter, salutation: "مرحبا،", body: "افتتحت العبارة الجديدة.\\n\\n- رحلة كل ساعة\\n- مقاعد للجميع",
 signature: "فريق التحرير"},
{type: article, title: "العبارة تعمل", body: "نص قصير.\\n\\n> اقتباس داخل النص", image: {src: ../pictures/foto.jpg, alt: "عبارة"},
 link: {label: "اقرأ التقرير", url: "https://www.example.org/report"}},
{type: quote, text: "الجدول وعد.", source: "رئيسة البلدية"},
{type: interview, kicker: "ثلاثة أسئلة", person: {name: "ليلى", role: "مديرة", image: {src: ../pictures/foto.jpg, alt: "ليلى"}},
 questions: [{question: "ماذا تقيسون؟", answer: "الماء والريح."}]},
{type: gallery, images: [{src: ../pictures/foto.jpg, alt: "الأولى"}, {src: ../pictures/foto.jpg, alt: "الثانية"}]},
{type: columns, items: [{title: "الميناء", image: {src: ../pictures/foto.jpg, alt: "ميناء"}},
 {title: "الجسر", image: {src: ../pictures/foto.jpg, alt: "جسر"}}]},
{type: video, title: "فيلم", image: {src: ../pictures/foto.jpg, alt: "مشهد"}, url: "https://www.example.org/film", duration: 3},
{type: figures, items: [{value: "312", label: "ضيوف"}, {value: "27", label: "مواضيع"}]},
{type: button, label: "كل الأعداد", url: "https://www.example.org/archive"}
"""
PLACES = """() => [...document.querySelectorAll('img, td.person h2')].map(
  element => (({left, top}) => [element.tagName, Math.round(left), Math.round(top)])(element.getBoundingClientRect()))"""


@pytest.fixture
def arabic(layout_name: str, compose: Callable[..., Edition]) -> str:
    edition = compose(BLOCKS.replace("\n", " "), HEAD.format(layout=layout_name))
    return edition.html.fill({VIEW: "https://news.example.org/view/x", UNSUBSCRIBE: "https://news.example.org/unsubscribe/x"})


def styles(root: HtmlElement, name: str) -> set[str]:
    """Every value of a property that stands in a style attribute; MJML's columns, whose texts say their own, are left out."""
    texts = (element for element in root.iter() if "mj-outlook-group-fix" not in str(element.get("class") or ""))
    said = (part.partition(":") for element in texts for part in str(element.get("style") or "").split(";"))
    return {value.strip() for key, _, value in said if key.strip() == name}


def test_every_text_starts_on_the_right(arabic: str) -> None:
    root = document_fromstring(arabic)
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    assert styles(root, "text-align") <= {"right", "center"}
    assert styles(root, "direction") == {"rtl"}
    assert not styles(root, "border-left")
    for name in ("ul", "ol", "blockquote"):
        for element in root.iter(name):
            padding = next(part for part in str(element.get("style")).split(";") if part.startswith("padding:"))
            sides = padding.removeprefix("padding:").split()
            assert len(sides) == 1 or sides[3] in ("0", "0px")
    assert any("border-right:3px" in str(element.get("style")) for element in root.iter("blockquote"))


@pytest.mark.real
def test_columns_begin_on_the_right(arabic: str, chromium: Any) -> None:
    square = io.BytesIO()
    Image.new("RGB", (8, 8)).save(square, "PNG")
    page = chromium.new_page(viewport={"width": 800, "height": 900})
    page.route("**/*", lambda route: route.fulfill(body=square.getvalue(), content_type="image/png"))
    page.set_content(arabic)
    found = page.evaluate(PLACES)
    page.close()
    _article, portrait, name, *pairs, _video = found
    assert name[0] == "H2"
    assert portrait[1] > name[1]
    for first, second in (pairs[:2], pairs[2:]):
        assert first[1] > second[1]
        assert first[2] == second[2]
