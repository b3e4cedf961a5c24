"""Shorter HTML that every parser reads as before, in the view of all clients and in Outlook's."""

import re
from pathlib import Path

import cssutils
import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose import inline
from newsletter.compose.compile import compile_issue
from newsletter.compose.tighten import tighten
from newsletter.issue import load_issue
from newsletter.settings import Workspace

CONDITION = re.compile(r"<!--\[if [^\]]*\]>(?:<!-->)?|<!--<!\[endif\]-->|<!\[endif\]-->")


def views(document: str) -> list[HtmlElement]:
    """Comments as comments, and all of their content unfolded."""
    return [document_fromstring(document), document_fromstring(CONDITION.sub("", document))]


def declarations(style: str) -> list[tuple[str, str, str]]:
    found = [(item.name, item.value, item.priority) for item in cssutils.parseStyle(style, validate=False)]
    background = {name: value for name, value, _ in found}.get("background-color")
    return [item for item in found if item[:2] != ("background", background)]


def same(one: HtmlElement, other: HtmlElement) -> None:
    """Element for element: names, attributes, text; styles as declarations, style sheets as rules."""
    mine, theirs = list(one.iter("*")), list(other.iter("*"))
    assert len(mine) == len(theirs) > 1
    for left, right in zip(mine, theirs, strict=True):
        assert left.tag == right.tag
        assert {**left.attrib, "style": ""} == {**right.attrib, "style": ""}
        assert declarations(left.get("style", "")) == declarations(right.get("style", ""))
        assert left.tail == right.tail
        if left.tag == "style":
            sheets = [cssutils.parseString(element.text or "", validate=False).cssText for element in (left, right)]
            assert sheets[0] == sheets[1]
        else:
            assert left.text == right.text


@pytest.fixture
def loose(sample: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The HTML of a sample as premailer leaves it."""
    monkeypatch.setattr(inline, "tighten", lambda document: document)
    workspace = Workspace(Path(__file__).resolve().parents[2])
    edition = compile_issue(load_issue(workspace, sample), workspace, "https://n.example.org/{}".format)
    return edition.html.fill({"view_url": "v", "unsubscribe_url": "u", "first_name": "A"})


def test_samples_are_read_as_before(loose: str) -> None:
    tight = tighten(loose)
    assert len(tight) < len(loose) - 1500
    for one, other in zip(views(loose), views(tight), strict=True):
        same(one, other)


def test_a_second_time_changes_nothing(loose: str) -> None:
    assert tighten(tighten(loose)) == tighten(loose)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("color: #ff0000; margin : 0 auto ;", "color:#ff0000;margin:0 auto"),
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
