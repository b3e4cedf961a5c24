"""Shorter HTML that every parser reads as before, in the view of all clients and in Outlook's.

Two readers: lxml with a small model of the cascade, for every issue, and Chromium with its computed styles.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import cast

import cssutils
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import HtmlElement, document_fromstring
from playwright.sync_api import Page

from newsletter.compose import inline
from newsletter.compose.compile import compile_issue
from newsletter.compose.tighten import tighten
from newsletter.issue import Issue

CONDITION = re.compile(r"<!--\[if [^\]]*\]>(?:<!-->)?|<!--<!\[endif\]-->|<!\[endif\]-->")
INHERITED = ("word-break", "direction", "text-align")
Declarations = dict[str, tuple[str, str]]


def unfolded(document: str) -> str:
    """The content of all comments for Outlook as elements."""
    return CONDITION.sub("", document)


def views(document: str) -> list[HtmlElement]:
    """Comments as comments, and all of their content unfolded; a ``tbody`` that the parser would add is not told apart."""
    pages = [document_fromstring(document), document_fromstring(unfolded(document))]
    for page in pages:
        for body in list(page.iter("tbody")):
            if body.getprevious() is None and not body.attrib:
                cast("HtmlElement", body).drop_tag()
    return pages


@cache
def declarations(style: str) -> Declarations:
    """Each property and its value and priority, the four sides of a padding or margin one by one, zeros without unit."""
    found: Declarations = {}
    for item in cssutils.parseStyle(style, validate=False):
        value = re.sub(r"(?<![\w.#-])-?0px", "0", item.value)
        if item.name in ("padding", "margin"):
            top, right, bottom, left = (value.split() * 4)[:4] if len(value.split()) != 3 else [*value.split(), value.split()[1]]
            sides = zip(("top", "right", "bottom", "left"), (top, right, bottom, left), strict=True)
            found |= {f"{item.name}-{side}": (length, item.priority) for side, length in sides}
        else:
            found[item.name] = (value, item.priority)
    if found.get("background") == found.get("background-color"):
        found.pop("background", None)
    return found


def effective(element: HtmlElement, above: Declarations) -> Declarations:
    """What an element has and inherits, of what the tightener may leave to inheritance."""
    said = {"direction": (element.get("dir"), ""), "text-align": (element.get("align") if element.tag == "td" else None, "")}
    hints = {name: (value, priority) for name, (value, priority) in said.items() if value is not None}
    return {name: above[name] for name in INHERITED if name in above} | hints | declarations(element.get("style", ""))


def same(left: HtmlElement, right: HtmlElement, above: Declarations, other: Declarations) -> None:
    """Element for element: names, attributes, text; styles as declarations, style sheets as rules."""
    assert left.tag == right.tag
    assert {**left.attrib, "style": ""} == {**right.attrib, "style": ""}
    mine, theirs = effective(left, above), effective(right, other)
    assert mine == theirs
    assert left.tail == right.tail
    if left.tag == "style":
        sheets = [cssutils.parseString(element.text or "", validate=False).cssText for element in (left, right)]
        assert sheets[0] == sheets[1]
    elif isinstance(left.tag, str):  # the text of comments has been read in the view where they are unfolded
        assert left.text == right.text
    assert len(left) == len(right)
    for child, its_like in zip(left, right, strict=True):
        if isinstance(child.tag, str):
            same(child, its_like, mine, theirs)
        else:
            assert child.tail == its_like.tail


@pytest.fixture
def untightened(
    all_issues: Callable[[str], Issue], in_layout: Callable[[Issue, str], Issue], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], str]:
    """The HTML of an issue in a layout as premailer leaves it."""

    def compiled(layout: str, name: str) -> str:
        issue = in_layout(all_issues(name), layout)
        with monkeypatch.context() as patched:
            patched.setattr(inline, "tighten", lambda document: document)
            edition = compile_issue(issue, issue.workspace, "https://n.example.org/{}".format)
        return edition.html.fill({"view_url": "v", "unsubscribe_url": "u", "first_name": "A"})

    return compiled


@pytest.fixture
def loose(layout_name: str, name: str, untightened: Callable[[str, str], str]) -> str:
    """The HTML of the issue ``name`` as premailer leaves it."""
    return untightened(layout_name, name)


def test_every_issue_is_read_as_before(loose: str) -> None:
    tight = tighten(loose)
    assert len(tight) < 0.92 * len(loose)
    for one, other in zip(views(loose), views(tight), strict=True):
        same(one, other, {}, {})


def test_a_second_time_changes_nothing(loose: str) -> None:
    assert tighten(tighten(loose)) == tighten(loose)


def test_samples_stay_under_60_kilobytes(html_of: Callable[[str, str], str], layout_name: str, sample: str) -> None:
    """Gmail cuts off at about 102 kB; what is well below leaves room for issues longer than the samples."""
    assert 20_000 < len(html_of(layout_name, sample).encode()) < 60_000


#: Tag, place and what a browser makes of the styles of every element. A cell's align="left" has a name of its own, "start" in a
#: table inside of it; both are the left in what is written from left to right.
COMPUTED = """() => [...document.querySelectorAll('*')].map(element => {
  const style = getComputedStyle(element), {x, y, width, height} = element.getBoundingClientRect();
  const values = ['word-break', 'direction', 'text-align', 'padding', 'margin', 'font', 'color', 'background', 'display',
    'vertical-align', 'border', 'width', 'max-width', 'text-decoration', 'white-space'].map(name => style.getPropertyValue(name));
  return [element.tagName, x, y, width, height, ...values].join('|').replace(/\\|(-webkit-left|start)\\|/, '|left|');
})"""


@pytest.mark.real
@pytest.mark.parametrize("slug", ["2026-11", "2026-11-en", "every-block", "every-block-bare"])
def test_chromium_sees_no_difference(layout_name: str, slug: str, sheet: Page, untightened: Callable[[str, str], str]) -> None:
    loose = untightened(layout_name, slug)
    tight = tighten(loose)
    sheet.set_viewport_size({"width": 700, "height": 900})

    def computed(document: str) -> list[str]:
        sheet.set_content(document)
        return list(sheet.evaluate(COMPUTED))

    for view in (str, unfolded):
        before, after = computed(view(loose)), computed(view(tight))
        assert len(before) > 100
        assert before == after


LENGTH = st.sampled_from(["0", "0px", "-0px", "8px", "-8px", "12px", "auto", "1em", "5%", "0.5px", "10px"])
BLANK = st.sampled_from(["", " ", "\n "])
VALUES = st.one_of(
    st.tuples(
        st.sampled_from(["padding", "margin", "mso-padding-alt", "border-width"]),
        st.lists(LENGTH, min_size=1, max_size=4).map(" ".join),
    ),
    st.tuples(st.sampled_from(["font-size", "line-height", "padding-left", "margin-top"]), LENGTH),
    st.tuples(st.just("background"), st.sampled_from(["#ffffff", "url(x;padding:0px 0px;y)", "#000000"])),
    st.tuples(st.just("background-color"), st.sampled_from(["#ffffff", "#000000"])),
    st.tuples(st.just("font-family"), st.sampled_from(["'a;padding:0px 0px;b', c", "x, y"])),
    st.tuples(st.sampled_from(INHERITED), st.sampled_from(["break-word", "ltr", "rtl", "left", "right", "normal"])),
)


@st.composite
def styles(draw: st.DrawFn) -> str:
    """A style attribute's value, with blanks where CSS allows them."""
    pieces = [
        draw(BLANK) + name + draw(BLANK) + ":" + draw(BLANK) + value + draw(st.sampled_from(["", " !important"])) + draw(BLANK)
        for name, value in draw(st.lists(VALUES, max_size=5, unique_by=lambda item: item[0]))
    ]
    return ";".join(pieces) + draw(st.sampled_from(["", ";", " ; "]))


@given(styles())
def test_any_style_says_the_same(style: str) -> None:
    (paragraph,) = document_fromstring(tighten(f'<p style="{style}">x</p>')).iter("p")
    tight = paragraph.get("style", "")
    assert declarations(tight) == declarations(style)
    assert len(tight) <= len(style)


@st.composite
def mails(draw: st.DrawFn) -> str:
    """A mail in the manner of MJML: cells in cells, each with a style, a direction and an alignment, or without."""
    attributes = st.tuples(
        st.sampled_from(["", "", ' align="left"', ' align="right"']),
        st.sampled_from(["", "", "", ' dir="ltr"', ' dir="rtl"']),
        styles().map(lambda style: f' style="{style}"'),
    ).map("".join)
    inside = "text"
    for _ in range(draw(st.integers(1, 3))):
        body = draw(st.sampled_from(["<tbody>", ""]))
        block = f"<div{draw(attributes)}>{inside}</div>"
        inside = f"<table{draw(attributes)}>{body}<tr><td{draw(attributes)}>{block}</td></tr>{body.replace('<', '</')}</table>"
    start = draw(st.sampled_from(['dir="ltr"', 'dir="rtl"', 'dir="auto"', ""]))
    around = draw(st.sampled_from(["word-break:break-word", "word-break:break-word;color:red", "color:red"]))
    return f'<html><body><div role="article" {start} style="{around}">{inside}</div></body></html>'


@given(mails())
def test_any_mail_says_the_same(mail: str) -> None:
    tight = tighten(mail)
    for one, other in zip(views(mail), views(tight), strict=True):
        same(one, other, {}, {})


def mail_of(inside: str, attributes: str = 'dir="ltr" style="word-break:break-word"') -> str:
    return f'<html><body><div role="article" {attributes}>{inside}</div></body></html>'


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<table><tbody><tr><td style="word-break:break-word">x</td></tr></tbody></table>', "<table><tr><td>x</td></tr></table>"),
        ('<td style="direction:ltr;margin:0;word-break:break-word">x</td>', '<td style="margin:0">x</td>'),
        (
            '<td align="left" style="y:2"><div style="text-align:left;x:1">x</div></td>',
            '<td align="left" style="y:2"><div style="x:1">x</div></td>',
        ),
    ],
)
def test_repetitions_go(inside: str, expected: str) -> None:
    assert tighten(mail_of(inside)) == mail_of(expected)


@pytest.mark.parametrize(
    "inside",
    [
        '<td style="word-break:break-word"><p style="word-break:normal">x</p></td>',
        '<td style="direction:ltr"><p dir="rtl">x</p></td>',
        '<td style="direction:ltr"><bdo>x</bdo></td>',
        '<td style="direction:ltr"><p DIR="rtl">x</p></td>',
        '<style>td{direction:rtl}</style><td style="direction:ltr">x</td>',
        '<style>TD{WORD-BREAK:normal}</style><td style="word-break:break-word">x</td>',
        '<td align="right" style="y:2"><div style="text-align:left">x</div></td>',
        '<td align="center" style="y:2"><div style="text-align:center">x</div></td>',
        '<td align="left" style="y:2">x<div style="text-align:left">x</div></td>',
        '<td style="text-align:left">x</td>',
        "<td style=\"font-family:'a;direction:ltr;b'\">x</td>",
        "<td style=\"font-family:'a','b,c;direction:ltr;d'\">x</td>",
        '<td style="a:url(b;direction:ltr;c)">x</td>',
        "<p>direction:ltr;word-break:break-word</p>",
        "<table><tbody></tbody><tr></tr></table>",
        '<table><thead><tr></tr></thead><tbody class="x"><tr></tr></tbody><tfoot></tfoot></table>',
    ],
)
def test_what_is_no_repetition_stays(inside: str) -> None:
    assert tighten(mail_of(inside)) == mail_of(inside)


def test_mail_from_right_to_left_keeps_its_direction() -> None:
    """Word needs it at the cell."""
    mail = mail_of('<td align="right" style="direction:rtl"><div style="text-align:right">x</div></td>', 'dir="rtl"')
    assert tighten(mail) == mail


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("color: #ff0000; margin : 0 auto ;", "color:#ff0000;margin:0 auto"),
        ("padding:0px 8px 0px 8px; margin:0px auto 0px auto", "padding:0 8px;margin:0 auto"),
        ("padding:1px 2px 3px 2px;margin:0px 0px 0px 0px;font-size:0px", "padding:1px 2px 3px;margin:0;font-size:0"),
        ("padding:1px 2px 1px 3px;line-height:0px", "padding:1px 2px 1px 3px;line-height:0px"),
        ("mso-padding-alt:0px 0px;padding:0px !important", "mso-padding-alt:0px 0px;padding:0px !important"),
        (
            "background:url(a;padding:0px 0px;b);content:'c;margin:0px;d'",
            "background:url(a;padding:0px 0px;b);content:'c;margin:0px;d'",
        ),
        ("font-family:'Segoe  UI', Arial; x: 1", "font-family:'Segoe  UI',Arial;x:1"),
        (
            "background: url(https://a.example/a; b, c.png) no-repeat; x:1",
            "background:url(https://a.example/a; b, c.png) no-repeat;x:1",
        ),
        ("content:'a; b: c'; x:1", "content:'a; b: c';x:1"),
        ("width: calc(100% - 2px) !important;", "width:calc(100% - 2px) !important"),
        ("a:&quot;x&quot; ; b:1;", "a:&quot;x&quot; ; b:1;"),
        ("background:#ffffff;background-color:#ffffff;margin:0", "background-color:#ffffff;margin:0"),
        ("background:#ffffff;background-color:#000000", "background:#ffffff;background-color:#000000"),
        ("", ""),
    ],
)
def test_style_attributes(style: str, expected: str) -> None:
    assert tighten(f'<p class="a  b: c" style="{style}">x; y</p>') == f'<p class="a  b: c" style="{expected}">x; y</p>'


def test_style_attributes_come_out_in_double_quotes() -> None:
    assert tighten("""<p style='font-family:"Segoe UI", Arial'>x</p>""") == """<p style="font-family:'Segoe UI',Arial">x</p>"""


@pytest.mark.parametrize(
    "text",
    [
        """<p>style='a;  b: "c"' style="x: y; "</p>""",
        """<img alt="a style='p;  q' b" src="x">""",
        """<img alt="1 > 0 style='p;  q'">""",
        """<a href="https://a.example/?a; b=1, c" title='style="x: y;"'>z</a>""",
        """<!-- style="a: b;" -->""",
        """<p data-style="a: b;">x</p>""",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert tighten(text) == text


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("\n#outlook a { padding: 0; }\np { margin: 13px 0; }\n", "#outlook a{padding:0}p{margin:13px 0}"),
        (
            "@media only screen and (min-width: 480px) { .a:hover , b > i { width: 50% !important; } }",
            "@media only screen and (min-width: 480px){.a:hover,b > i{width:50% !important}}",
        ),
        ("a::before { content: 'x;  } y'; }", "a::before{content:'x;  } y'}"),
        ("a { b: c; } /* keep;  this */ i { d: e }", "a{b:c}/* keep;  this */ i{d:e}"),
        (".a .b   .c { x: y }", ".a .b .c{x:y}"),
    ],
)
def test_style_elements(css: str, expected: str) -> None:
    assert tighten(f'<style type="text/css">{css}</style><p>a {"{"} b: c; }}</p>') == (
        f'<style type="text/css">{expected}</style><p>a {{ b: c; }}</p>'
    )
