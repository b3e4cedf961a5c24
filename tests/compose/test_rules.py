"""The rules of standards.md that hold by construction, on both samples and on each block alone, for every client and for Outlook.

H: HTML (§2.2), A: accessibility (§2.4), L: law (§3). The page is read as a DOM; no rule is looked up in the layout.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from lxml.html import HtmlElement
from playwright.sync_api import Page

from newsletter.issue import Issue
from newsletter.issue.blocks import Article, Columns, Event, Gallery, Interview, News, Quote
from newsletter.issue.parts import Picture
from newsletter.language import language

HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
#: A word: letters and digits, with what may stand between two of them. Quotation marks and dashes are no part of it.
WORD = re.compile(r"\w+")


def elements(page: HtmlElement) -> Iterator[HtmlElement]:
    return (element for element in page.iter() if isinstance(element.tag, str))


def style(element: HtmlElement) -> dict[str, str]:
    found = (declaration.partition(":") for declaration in (element.get("style") or "").split(";") if declaration.strip())
    return {name.strip().lower(): value.strip() for name, _, value in found}


def up(element: HtmlElement) -> Iterator[HtmlElement]:
    yield element
    yield from element.iterancestors()


def shown_texts(page: HtmlElement) -> Iterator[tuple[str, HtmlElement]]:
    """Every text that readers see, with the element it stands in."""
    for element in page.body.iter():
        if isinstance(element.tag, str) and element.tag not in ("style", "noscript", "xml") and (element.text or "").strip():
            yield str(element.text), element
        parent = element.getparent()
        if element is not page.body and parent is not None and (element.tail or "").strip():
            yield str(element.tail), parent


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(text))


def body_text(page: HtmlElement) -> str:
    return " ".join(text for text, _ in shown_texts(page))


def links(page: HtmlElement) -> list[HtmlElement]:
    return [element for element in page.body.iter("a") if element.get("href") is not None]


def link_words(link: HtmlElement) -> str:
    return " ".join([*link.itertext(), *(image.get("alt", "") for image in link.iter("img"))]).strip()


def test_h1_one_document_with_its_charset_and_viewport(html: str, page: HtmlElement) -> None:
    assert html.startswith("<!DOCTYPE html>")
    assert [len(page.xpath(f"//{tag}")) for tag in ("html", "head", "body", "title")] == [1, 1, 1, 1]
    charset = page.xpath("//meta[@charset or translate(@http-equiv, 'CT', 'ct')='content-type']")
    assert len(charset) == 1
    assert "utf-8" in (charset[0].get("charset") or charset[0].get("content")).lower()
    (viewport,) = page.xpath("//meta[@name='viewport']/@content")
    assert viewport == "width=device-width, initial-scale=1"


def test_h2_nothing_that_runs_loads_or_asks(page: HtmlElement) -> None:
    forbidden = "script iframe form input button select textarea object embed video audio svg base link canvas frame applet"
    assert {element.tag for element in elements(page)}.isdisjoint(forbidden.split())
    assert [name for element in elements(page) for name in element.attrib if name.lower().startswith("on")] == []
    assert page.xpath("//meta[translate(@http-equiv, 'REFSH', 'refsh')='refresh']") == []
    assert [sheet for sheet in page.xpath("//style/text()") if "@import" in sheet or "url(" in sheet] == []


def test_h3_style_elements_are_few_and_simple(page: HtmlElement) -> None:
    sheets = page.xpath("//style")
    assert sum(len((sheet.text or "").encode()) for sheet in sheets) <= 16_384
    for sheet in sheets:
        assert sheet.getparent().tag == "head"
        depth = 0
        for token in re.findall(r"@media|[{}]", sheet.text or ""):
            depth += {"{": 1, "}": -1}.get(token, 0)
            assert token != "@media" or depth == 0
        assert depth == 0


def test_h3_h8_every_link_has_its_colour_inline(page: HtmlElement) -> None:
    assert links(page)
    for link in links(page):
        assert HEX.fullmatch(style(link).get("color", "")) or not list(link.itertext()), link_words(link)


def test_h5_at_most_600_pixels_wide_with_a_table_for_outlook(page: HtmlElement, view: str, mail_width: int) -> None:
    assert mail_width <= 600
    for element in elements(page):
        for width in (element.get("width", ""), style(element).get("width", ""), style(element).get("max-width", "")):
            if match := re.fullmatch(r"(\d+)(?:px)?", width):
                assert int(match[1]) <= mail_width
    (mail,) = page.body
    for part in mail.iterchildren("*"):
        if view == "outlook":
            assert (part.tag, part.get("width")) == ("table", str(mail_width))
        else:
            assert (part.tag, style(part).get("max-width")) == ("div", f"{mail_width}px")
            assert [style(table).get("width") for table in part.findall("table")] == ["100%"]


def sides(cell: HtmlElement) -> int:
    """Left and right padding of a cell together, in pixels."""
    values = [int(value.removesuffix("px")) for value in style(cell).get("padding", "0").split()]
    return values[1 % len(values)] + values[3 % len(values) if len(values) != 3 else 1]


def test_h5_columns_fit_beside_each_other(page: HtmlElement, view: str, mail_width: int) -> None:
    """Outlook widens the mail where they do not; everywhere else the last one falls below the others."""
    seen = 0
    column = "div[contains(@class, 'mj-outlook-group-fix')]"
    for section in page.xpath(f"//td[{column}]" if view == "modern" else f"//td[table/tr/td/{column}]"):
        room = mail_width - sides(section)
        if view == "modern":
            columns = [
                int(width) for cell in section.xpath("./div") for width in re.findall(r"column-px-(\d+)", cell.get("class"))
            ]
        else:
            cells = section.xpath("./table/tr/td | ./table/tbody/tr/td")
            columns = [int(style(cell)["width"].removesuffix("px")) for cell in cells if "width" in style(cell)]
        seen += len(columns)
        assert sum(columns) <= room
    assert seen > 2


def test_h6_tables_of_the_layout_have_a_role_and_tables_of_data_have_headings(page: HtmlElement) -> None:
    for table in page.iter("table"):
        if table.get("class") == "data":
            assert table.get("role") is None
            assert {cell.get("scope") for cell in table.iter("th")} == {"col"}
            assert table.xpath("./tbody/tr/td")
        else:
            assert table.get("role") in ("presentation", "none")
            assert [table.get(name) for name in ("border", "cellpadding", "cellspacing")] == ["0", "0", "0"]
            assert table.find(".//th") is None or table.xpath(".//table[@class='data']")


def test_h7_pictures_have_address_alt_and_width(page: HtmlElement) -> None:
    for image in page.iter("img"):
        assert re.fullmatch(r"https://news\.example\.org/pictures/[0-9a-f]{32}\.(jpg|png|gif)", image.get("src", ""))
        assert image.get("alt") is not None  # A5
        assert 0 < int(image.get("width", "")) <= 600
        assert style(image)["display"] == "block"
        assert style(image)["height"] == "auto"


def test_h9_no_text_is_smaller_than_14_pixels(page: HtmlElement) -> None:
    for text, element in shown_texts(page):
        size = next(style(above)["font-size"] for above in up(element) if "font-size" in style(above))
        assert int(size.removesuffix("px")) >= (14 if text.strip() != "\u200a" else 0), text


def test_h10_colours_have_six_digits(page: HtmlElement) -> None:
    for element in elements(page):
        for name in ("bgcolor", "color", "background"):
            assert HEX.fullmatch(element.get(name, "#000000"))
        for name, value in style(element).items():
            if name in ("color", "background", "background-color", "border-color"):
                assert HEX.fullmatch(value) or value in ("transparent", "none"), (name, value)
            assert not re.search(r"#(?![0-9a-fA-F]{6}\b)|\b(?:rgb|hsl)a?\(", value)


def test_h12_no_id_twice(page: HtmlElement) -> None:
    ids = Counter(page.xpath("//@id"))
    assert [found for found, times in ids.items() if times > 1] == []


def test_h13_links_lead_somewhere(page: HtmlElement, view: str) -> None:
    ids = set(page.xpath("//a/@name" if view == "outlook" else "//@id"))  # H15: Outlook knows names only
    for link in links(page):
        address = urlsplit(link.get("href", ""))
        if address.scheme or address.netloc:
            assert address.scheme in ("https", "mailto", "tel")
            assert address.netloc or address.scheme != "https"
        else:
            assert address.fragment in ids


def test_h14_l7_view_link_at_the_top_and_way_out_at_the_end(modern: HtmlElement, text: str, values: dict[str, str]) -> None:
    targets = [link.get("href") for link in links(modern)]
    assert targets[0] == values["view_url"]
    assert targets[-1] == values["unsubscribe_url"]
    lines = text.splitlines()
    assert lines.index(values["view_url"]) < 6
    assert lines[-1] == values["unsubscribe_url"]


def test_h16_a3_title(modern: HtmlElement, issue: Issue) -> None:
    assert modern.xpath("string(//title)") == issue.content.title


def test_a1_language_and_direction(page: HtmlElement, issue: Issue) -> None:
    children = [child for child in page.body if isinstance(child.tag, str)]
    assert children
    for element in (page, *children):
        assert element.get("lang") == issue.language
        assert element.get("dir") == language(issue.language).direction


def test_a4_headings(page: HtmlElement, issue: Issue) -> None:
    headings = page.xpath("//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]")
    levels = [int(heading.tag[1]) for heading in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert headings[0].text_content() == issue.content.title
    assert [(upper, lower) for upper, lower in pairwise(levels) if lower > upper + 1] == []
    assert all(heading.text_content().strip() for heading in headings)
    assert "Imprint" in headings[-1].text_content() or "Impressum" in headings[-1].text_content()


def test_a5_pictures_that_say_nothing_are_empty_and_not_linked(modern: HtmlElement, issue: Issue, values: dict[str, str]) -> None:
    decorative = [value for _, value in issue.content.walk() if isinstance(value, Picture) and value.decorative]
    silent = [image for image in modern.iter("img") if not image.get("alt")]
    assert len(silent) == len(decorative)
    assert all(above.tag != "a" for image in silent for above in image.iterancestors())


def test_a6_every_link_says_where_it_leads(page: HtmlElement) -> None:
    generic = (
        r"(hier|mehr|more|here|link|details|download|website|weiter|(mehr|more|weitere) \w+|read more|click here|zum artikel)"
    )
    targets: dict[str, set[str]] = {}
    for link in links(page):
        said = " ".join(link_words(link).split())
        assert said
        assert not re.fullmatch(generic, said, re.IGNORECASE)
        targets.setdefault(said, set()).add(link.get("href", ""))
    assert {said: found for said, found in targets.items() if len(found) > 1} == {}


def test_a6_a_generic_label_gets_its_object_in_both_parts(modern: HtmlElement, text: str, issue: Issue) -> None:
    labels = {link_words(link) for link in links(modern)}
    titled = [
        part
        for block in issue.content.blocks
        if isinstance(block, Article | Columns | Event | News)
        for part in (block.items if isinstance(block, Columns | News) else [block])
        if part.link and part.link.label.sample() == "Mehr Information"
    ]
    for part in titled:
        assert f"Mehr Information: {part.title.sample()}" in labels
        assert f"Mehr Information: {part.title.sample()}:" in " ".join(text.split())


def linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a8_contrast(page: HtmlElement) -> None:
    seen = 0
    for text, element in shown_texts(page):
        if not text.strip("\u200a\u00a0 \n"):
            continue
        colour = next(style(above)["color"] for above in up(element) if "color" in style(above))
        ground = next(
            found
            for above in up(element)
            for found in (style(above).get("background-color"), style(above).get("background"), above.get("bgcolor"))
            if found and HEX.fullmatch(found)
        )
        assert contrast(colour, ground) >= 4.5, (text, colour, ground)
        seen += 1
    assert seen > 5


def test_a9_links_are_underlined_but_for_buttons(page: HtmlElement) -> None:
    for link in links(page):
        button = any(style(above).get("border-radius") for above in up(link)) and link.getparent().get("bgcolor")
        assert style(link).get("text-decoration") == ("none" if button else "underline") or not link_words(link), link_words(link)


def test_a11_buttons_are_44_pixels_high(page: HtmlElement) -> None:
    for link in page.xpath("//td[@bgcolor]/a"):
        inner = style(link)
        paddings = re.findall(r"(\d+)px", inner["padding"])
        assert int(inner["line-height"].removesuffix("px")) + 2 * int(paddings[0]) >= 44


def test_a13_questions_are_headings_and_quotes_are_quotes(modern: HtmlElement, issue: Issue) -> None:
    headings = [heading.text_content() for level in "23" for heading in modern.iter(f"h{level}")]
    quotes = [quote.text_content() for quote in modern.iter("blockquote")]
    for block in issue.content.blocks:
        if isinstance(block, Interview):
            assert block.person.name.sample() in headings
            assert {item.question.sample() for item in block.questions} <= set(headings)
        if isinstance(block, Quote):
            said = " ".join(child.content for child in block.text.tokens[1].children or () if child.type == "text")
            assert any(words(said) <= words(quote) for quote in quotes)
        if isinstance(block, Columns | News):
            assert {item.title.sample() for item in block.items} <= set(headings)


def test_a13_titles_are_headings_and_stand_in_the_contents(modern: HtmlElement, issue: Issue) -> None:
    titles = [title.sample() for block in issue.content.blocks if (title := getattr(block, "title", None)) is not None]
    assert set(titles) <= {heading.text_content() for heading in modern.iter("h2")}
    if any(block.type == "contents" for block in issue.content.blocks):
        inside = [link for link in links(modern) if link.get("href", "").startswith("#")]
        for link in inside:
            assert link.getparent().tag == "li"
            (target,) = modern.xpath("//*[@id=$id]", id=link.get("href", "")[1:])
            assert target.text_content() == link.text_content()
        named = [title for block in issue.content.blocks if block.type != "contents" and (title := getattr(block, "title", None))]
        columns = [block for block in issue.content.blocks if isinstance(block, Columns) and block.title is None]
        assert len(inside) >= len(named) + 2 * len(columns)


def test_a13_captions_follow_their_picture(modern: HtmlElement, issue: Issue) -> None:
    captions = [
        image.caption.sample()
        for block in issue.content.blocks
        if isinstance(block, Gallery)
        for image in block.images
        if image.caption
    ]
    following = [image.xpath("string(following::p[1])") for image in modern.iter("img")]
    for caption in captions:
        assert any(words(caption.replace("alle", "Änne & <Co>")) <= words(found) for found in following)


def test_a17_text_part_has_every_word_of_the_html(modern: HtmlElement, text: str) -> None:
    """What is only in the HTML: nothing."""
    assert words(body_text(modern)) - words(text) == Counter()


def test_text_part_has_little_that_html_has_not(modern: HtmlElement, text: str, issue: Issue, values: dict[str, str]) -> None:
    """What is only in the text: words of pictures (alt), addresses behind words, numbers of lists and footnotes, "Links"."""
    spoken = language(issue.language)
    alts = [image.get("alt", "") for image in modern.iter("img")]
    marks = [spoken.say("Picture: {description}", description="") for alt in alts if alt]
    addresses = [link.get("href", "") for link in links(modern)]
    notes = re.findall(r"\[\d+\]", text)
    numbers = [str(number) for listing in modern.iter("ol") for number, _ in enumerate(listing, int(listing.get("start", "1")))]
    known = " ".join([body_text(modern), *alts, *marks, *addresses * 2, *notes, *numbers, spoken.say("Links")])
    assert words(text) - words(known) == Counter()


def test_every_picture_is_told_in_the_text_part(modern: HtmlElement, text: str) -> None:
    flat = " ".join(text.split())
    for image in modern.iter("img"):
        assert image.get("alt", "") in flat


def test_text_part_has_72_columns(text: str) -> None:
    for line in text.splitlines():
        assert len(line) <= 72 or any(len(word) > 60 or "://" in word for word in line.split()), line
        assert line == line.rstrip()
    assert "\f" not in text
    assert "\n\n\n\n" not in text


def test_every_address_is_in_the_text_part_whole(modern: HtmlElement, text: str) -> None:
    said = set(text.split())
    for link in links(modern):
        address = link.get("href", "")
        if not address.startswith("#") and not address.startswith("mailto:"):
            assert address in said
        if address.startswith("mailto:"):
            assert address in said or address.removeprefix("mailto:") in {word.strip(".,") for word in said}


def test_l13_l15_imprint_in_both_parts(modern: HtmlElement, text: str, issue: Issue) -> None:
    publication = issue.publication
    fields = [value for name, value in publication.imprint.model_dump().items() if value and name != "website"]
    shown, flat = " ".join(modern.body.text_content().split()), " ".join(text.split())
    for field in [*fields, publication.name]:
        assert str(field) in flat
        assert all(line in shown for line in str(field).split("\n"))
    heading = language(issue.language).say("Imprint")
    assert heading in [found.text_content() for found in modern.iter("h2")]
    targets = {link.get("href") for link in links(modern)}
    wanted = [publication.imprint.website, publication.privacy_url, publication.accessibility_url, publication.homepage]
    assert {target for target in wanted if target} <= targets
    assert f"mailto:{publication.imprint.email}" in targets


MEASURE = """() => {
  const rgb = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = rgb(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || ['STYLE', 'SCRIPT'].includes(element.tagName)) continue;
    const pair = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) bad.push([text, ratio]);
  }
  return {bad, wide: document.documentElement.scrollWidth};
}"""


@pytest.mark.real
@pytest.mark.parametrize("style_elements", [True, False])
def test_a8_a10_in_a_browser(style_elements: bool, sheet: Page, all_html: Callable[[], dict[tuple[str, str], str]]) -> None:
    """Contrast in light and dark mode and no sideways scrolling at 320 pixels, also where ``<style>`` is thrown away (GMX)."""
    sheet.set_viewport_size({"width": 320, "height": 800})
    found = {}
    for name, html in all_html().items():
        sheet.set_content(html if style_elements else re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL))
        for scheme in ("light", "dark"):
            sheet.emulate_media(color_scheme=scheme)
            found[name, scheme] = sheet.evaluate(MEASURE)
    assert {name: result for name, result in found.items() if result["bad"] or result["wide"] > 320} == {}
