"""Markdown becomes well-formed HTML of the right structure, and the same words in the text part."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml.html import document_fromstring

from newsletter.compose.edition import Edition
from newsletter.compose.inline import inline_css
from newsletter.compose.markup import markdown_html
from newsletter.compose.mjml import compile_mjml
from newsletter.compose.plain import PlainText
from newsletter.compose.sentinel import Sentinels
from newsletter.issue import Markdown, MergeField
from tests.thorough import examples

WORD = re.compile(r"\w+")


def named(field: MergeField) -> str:
    return f"«{field.name}»"


def tree(source: str, heading: int = 3) -> etree._Element:
    """The HTML read by an XML parser: it is well-formed, or this raises."""
    return etree.fromstring(f"<div>{markdown_html(Markdown.parse(source), named, heading)}</div>")


def shape(element: etree._Element) -> str:
    """``ul(li(p) li)``: the elements without their text."""
    inside = " ".join(shape(child) for child in element)
    return f"{element.tag}({inside})" if inside else str(element.tag)


def text_of(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Eins\n\nZwei", "p p"),
        ("*a* **b** ~~c~~ `d`", "p(em strong s code)"),
        ("***a***", "p(em(strong))"),
        ("a\\\nb", "p(br)"),
        ("a  \nb", "p(br)"),
        ("- a\n- b", "ul(li li)"),
        ("- a\n\n- b", "ul(li(p) li(p))"),
        ("- a\n  1. b\n     - c\n- d", "ul(li(ol(li(ul(li)))) li)"),
        ("- a\n\n  b\n\n      c", "ul(li(p p pre(code)))"),
        ("> a\n>\n> > b", "blockquote(p blockquote(p))"),
        ("> - a", "blockquote(ul(li))"),
        ("```python\na < b\n```", "pre(code)"),
        ("    a < b", "pre(code)"),
        ("a\n\n---\n\nb", "p hr p"),
        ("[a *b*](https://a.example/)", "p(a(em))"),
        ("<https://a.example/>", "p(a)"),
        ("[a]\n\n[a]: https://a.example/", "p(a)"),
        ("| a | b |\n|---|---|\n| c | *d* |", "table(thead(tr(th th)) tbody(tr(td td(em))))"),
        ("| a |\n|---|", "table(thead(tr(th)))"),
        ("*{{ a }}* [{{ b }}](https://a.example/)", "p(em a)"),
        ("<b>a</b>", "p"),
        ("<!-- a -->", "p"),
        ("&lt;b&gt; &amp; &nbsp; \\*", "p"),
        ("- ", "ul(li)"),
        (">", "blockquote"),
    ],
)
def test_structure(source: str, expected: str) -> None:
    assert " ".join(shape(child) for child in tree(source)) == expected


@pytest.mark.parametrize(
    ("source", "heading", "levels"),
    [
        ("# a", 3, [3]),
        ("# a\n# b", 2, [2, 2]),
        ("# a\n## b\n### c\n# d", 3, [3, 4, 5, 3]),
        ("### a\n\n## b\n\n# c", 3, [3, 3, 3]),
        ("# a\n### b\n## c\n#### d", 3, [3, 4, 4, 5]),
        ("###### a", 4, [4]),
        ("# a\n## b\n### c\n#### d\n##### e", 4, [4, 5, 6, 6, 6]),
        ("a\n=\n\nb\n-", 3, [3, 4]),
        ("> ## a\n\n- ### b", 2, [2, 3]),
    ],
)
def test_headings_leave_no_level_out(source: str, heading: int, levels: list[int]) -> None:
    found = [int(str(element.tag)[1]) for element in tree(source, heading).iter() if re.fullmatch(r"h\d", str(element.tag))]
    assert found == levels


def test_heading_without_words_is_none() -> None:
    assert shape(tree("#\n\na\n\n##\n\n# &nbsp;\n\n# b\n\n## {{ c }}\n\n## `d`")) == "div(p h3 h4 h4(code))"


def test_ordered_list_begins_where_the_author_says() -> None:
    assert tree("3. a\n4. b")[0].get("start") == "3"
    assert tree("1. a\n2. b")[0].get("start") is None
    assert tree("0. a")[0].get("start") == "0"


def test_text_is_escaped_once() -> None:
    found = tree('1 < 2 & "3" &lt;b&gt; &amp;amp; `a & b < c` ]]>')
    assert text_of(found) == '1 < 2 & "3" <b> &amp; a & b < c ]]>'


def test_code_stays_as_it_is() -> None:
    (pre,) = tree("```\n  a  <b>\n\n\tc & \\{{ d\n```").findall("pre")
    assert text_of(pre) == "  a  <b>\n\n\tc & {{ d\n"


def test_addresses_are_escaped() -> None:
    (link,) = tree("[a](https://a.example/?a=1&b=2&quot=%22 'the \"title\"')").iter("a")
    assert link.items() == [("href", "https://a.example/?a=1&b=2&quot=%22")]


def test_merge_fields_stand_in_text_links_emphasis_and_cells() -> None:
    found = tree("**{{ a }}** [b {{ c | default('x | y') }}](https://a.example/)\n\n| {{ d }} |\n|---|\n| e |\n\n# {{ f }}")
    assert text_of(found) == "«a» b «c»«d»e«f»"
    assert [text_of(element) for element in found.iter("strong", "a", "th", "h3")] == ["«a»", "b «c»", "«d»", "«f»"]


def test_tables_are_data() -> None:
    found = tree("| a | b | c |\n|:--|--:|:-:|\n| 1 | 2 | 3 |")[0]
    assert found.get("class") == "data"
    assert found.get("role") is None
    assert [(cell.get("scope"), cell.get("style")) for cell in found.iter("th")] == [
        ("col", None),
        ("col", "text-align:right"),
        ("col", "text-align:center"),
    ]
    assert [cell.get("style") for cell in found.iter("td")] == [None, "text-align:right", "text-align:center"]


def test_alignment_wins_over_the_rule_of_the_layout(compose: Callable[..., Edition]) -> None:
    edition = compose('{type: text, body: "| a | b |\\n|---|--:|\\n| 1 | 2 |"}')
    page: Any = document_fromstring(edition.html.fill({"view_url": "v", "unsubscribe_url": "u"}))
    cells = page.xpath("//table[@class='data']//td")
    assert ["text-align:left" in cell.get("style", "") for cell in cells] == [True, False]


def test_a_rule_of_markdown_without_html_is_an_error() -> None:
    text = Markdown.parse("a")
    text.tokens[0].type = "footnote_open"
    with pytest.raises(ValueError, match="footnote_open has no HTML"):
        markdown_html(text, named)


#: Pieces that make Markdown of every kind, well-formed or not, merge fields and entities among them.
PIECES = st.sampled_from(
    [
        *"#*_`~>|-+=\\[]()<>!&;:.{}'\"\n\t ",
        *["\n\n", "\n    ", "\n- ", "\n1. ", "\n> ", "\n# ", "\n#### ", "\n---\n", "\n```\n", "```", "**", "~~", "  \n", "\\\n"],
        *["| a | b |\n|---|--:|\n| c | d |\n", "[a](https://a.example/?b&c)", "<https://a.example>", "[b]: https://a.example\n"],
        *["{{ f }}", "{{ f | default('x|y') }}", "\\{{", "<b>", "</b>", "<!--", "&#12;", "&amp;", "&nbsp;", "&NewLine;", "]]>"],
        *["ein", "Wort", "ä", "\u00ad", "\u00a0", "\u0301", "\U0001f469\u200d\U0001f4bb", "漢字", "0", "12"],
    ]
)
MARKDOWN = st.lists(PIECES | st.text(max_size=8), max_size=25).map("".join)


@settings(max_examples=examples(300))
@given(MARKDOWN)
def test_any_markdown_is_refused_or_well_formed_and_both_parts_say_the_same(source: str) -> None:
    try:
        text = Markdown.parse(source)
    except ValueError:
        return
    sentinels = Sentinels()
    html = markdown_html(text, sentinels.field)
    found = etree.fromstring(f"<div>{html}</div>")
    slots = [slot.name for slot in sentinels.split_html(html).slots()]
    assert slots == [field.name for field in text.fields]
    writer = PlainText(sentinels)
    plain = writer.markdown(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", plain)
    assert [slot.name for slot in sentinels.split_plain(plain).slots()] == slots
    shown, said = "".join(WORD.findall(text_of(found))), "".join(WORD.findall(plain))
    following = iter(said)
    assert all(char in following for char in shown), "every word of the HTML is in the text part, in its order"
    assert all(char.isdigit() for char in Counter(said) - Counter(shown)), "only numbers of lists and footnotes come to it"


@settings(max_examples=40)
@given(MARKDOWN)
def test_any_markdown_goes_through_mjml_and_css(source: str) -> None:
    try:
        text = Markdown.parse(source)
    except ValueError:
        return
    sentinels = Sentinels()
    html = markdown_html(text, sentinels.field)
    mjml = f"<mjml><mj-body><mj-section><mj-column><mj-text>{html}</mj-text></mj-column></mj-section></mj-body></mjml>"
    document, _ = compile_mjml(mjml)
    done = inline_css(document, "p { margin: 0px }")
    assert [slot.name for slot in sentinels.split_html(done).slots()] == [field.name for field in text.fields]
    before = "".join(WORD.findall(text_of(etree.fromstring(f"<div>{html}</div>"))))
    page: Any = document_fromstring(done)
    after = "".join(WORD.findall(page.body.text_content()))
    assert after == before
