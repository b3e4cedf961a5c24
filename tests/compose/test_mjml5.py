"""The HTML that mrml and our cures make of MJML against that of npm's ``mjml`` 5: nothing differs but what DIFFERENCES explains.

Compared is the step from the prepared MJML (:func:`prepare`) to HTML: :func:`compile_mjml` here, ``mjml2html`` there, before any
CSS is inlined and before tightening (test_tighten.py is about that). Blanks between elements, the order of attributes, classes
and declarations, and comments do not count; what stands in comments for Outlook does, in its own view. docs/layouts.md has the
list, too.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose.compile import Gallery
from newsletter.compose.layout import render
from newsletter.compose.mjml import compile_mjml, prepare
from newsletter.compose.picture_cache import PictureCache
from newsletter.compose.sentinel import Sentinels
from newsletter.issue import Issue

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "node_modules" / "mjml" / "package.json"
FOLDED = re.compile(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
HIDDEN_FROM_OUTLOOK = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)
#: Elements around blocks: blanks in them show nothing.
FRAME = {"html", "head", "body", "div", "table", "tbody", "tr", "td", "noscript", "xml", "o:officedocumentsettings"}
CACHE = PictureCache()


@dataclass(frozen=True)
class Change:
    """One thing that differs: of which element, what (``attribute``, ``declaration`` …), its name, our value and npm's."""

    tag: str
    classes: tuple[str, ...]
    what: str
    name: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class Difference:
    """What may differ: ``name`` as docs/layouts.md has it, ``is_this`` knows its changes, ``why`` is the reason."""

    name: str
    is_this: Callable[[Change], bool]
    why: str


def attribute(tag: str, name: str, ours: str | None, theirs: str | None) -> Callable[[Change], bool]:
    return lambda change: (
        (change.tag, change.what, change.name, change.ours, change.theirs) == ((tag, "attribute", name, ours, theirs))
    )


def declared(tag: str, name: str, ours: str | None, theirs: str | None) -> Callable[[Change], bool]:
    return lambda change: (
        (change.tag, change.what, change.name, change.ours, change.theirs) == ((tag, "declaration", name, ours, theirs))
    )


def is_widest(change: Change) -> bool:
    """A column's greatest width, the one that it has by its class."""
    if (change.tag, change.what, change.name, change.theirs) != ("div", "declaration", "max-width", None):
        return False
    by_class = [int(match[1]) for name in change.classes if (match := re.fullmatch(r"mj-column-px-(\d+)", name))]
    widths = by_class or [
        600 for name in change.classes if name == "mj-column-per-100"
    ]  # one without a width has that of the mail
    return "mj-outlook-group-fix" in change.classes and change.ours in [f"{width}px" for width in widths]


def is_order(change: Change) -> bool:
    """The same rules for the widths of columns, one after the other."""
    if change.what != "sheet" or change.ours is None or change.theirs is None:
        return False
    rules = [sorted(re.findall(r"[^{}]*mj-column-[^{}]*\{[^{}]*\}", sheet)) for sheet in (change.ours, change.theirs)]
    return rules[0] == rules[1] != [] and sorted(change.ours) == sorted(change.theirs)


def is_indent(change: Change) -> bool:
    """Blanks around the words of a button, beside a linked picture and in a divider, which is an empty paragraph."""
    if change.what != "text" or change.tag not in ("a", "p"):
        return False
    return change.theirs == (f" {change.ours} " if change.ours else " ")


VML, OFFICE = "urn:schemas-microsoft-com:vml", "urn:schemas-microsoft-com:office:office"
DIFFERENCES = [
    Difference(
        "greatest width of columns",
        is_widest,
        "Ours: where a client drops <style>, columns stand side by side all the same where there is room (H3).",
    ),
    Difference(
        "namespace v on html", attribute("html", "xmlns:v", None, VML), "Ours: no HTML (H12); what uses it names it itself."
    ),
    Difference(
        "namespace o on html", attribute("html", "xmlns:o", None, OFFICE), "Ours: no HTML (H12); it stands where it is used:"
    ),
    Difference(
        "namespace o on Outlook's settings",
        attribute("o:officedocumentsettings", "xmlns:o", OFFICE, None),
        "Ours: in the comment that only Outlook reads, on the element that needs it.",
    ),
    Difference(
        "height of pictures",
        attribute("img", "height", None, "auto"),
        "Ours: the attribute takes a number only (H12); the style has height:auto.",
    ),
    Difference("empty class of Outlook's tables", attribute("table", "class", None, ""), "mrml leaves it out; it says nothing."),
    Difference("empty class of Outlook's cells", attribute("td", "class", None, ""), "mrml leaves it out; it says nothing."),
    Difference(
        "word spacing around all",
        declared("div", "word-spacing", None, "normal"),
        "mrml has it on the body alone, from which it is inherited.",
    ),
    Difference(
        "order of the rules for widths",
        is_order,
        "mrml sorts them; each is for a class of its own, so that the order does not count.",
    ),
    Difference(
        "blanks in buttons, linked pictures and dividers",
        is_indent,
        "npm's mjml indents its HTML; at the ends of a block nothing is seen of them.",
    ),
]


class Npm:
    """npm's mjml in one process of node."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("mjml5.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def compile(self, source: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(source) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "node stopped"
        return str(json.loads(line))

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture(scope="session")
def npm() -> Iterator[Npm]:
    """npm's mjml, as far as it is here."""
    if shutil.which("node") is None:
        pytest.skip("node is not on the PATH")
    if not PACKAGE.is_file() or not json.loads(PACKAGE.read_text())["version"].startswith("5."):
        pytest.skip("npm's mjml 5 is not there: npm install --no-save mjml@5")
    peer = Npm()
    yield peer
    peer.close()


def rendered(issue: Issue) -> str:
    """The MJML that the layout makes of an issue."""

    folder = issue.workspace.layout_folder(issue.layout)
    assert folder is not None
    return render(issue, folder, Sentinels(), Gallery(issue, folder, "https://news.example.org/{}".format, CACHE).show).mjml


def changes(source: str, npm: Npm) -> list[Change]:
    """All that differs between our HTML of an MJML document and npm's, for all clients and for Outlook."""
    ours, theirs = compile_mjml(source)[0], npm.compile(prepare(source).source)
    found = []
    for view in (str, outlook):
        found += list(compare(document_fromstring(view(ours)), document_fromstring(view(theirs))))
    return found


def outlook(html: str) -> str:
    return FOLDED.sub(r"\1", HIDDEN_FROM_OUTLOOK.sub("", html))


def compare(ours: HtmlElement, theirs: HtmlElement) -> Iterator[Change]:
    """What differs between two elements and all in them; below another tag or another number of elements nothing is looked at."""
    classes = tuple(sorted(ours.get("class", "").split()))

    def change(what: str, name: str, one: str | None, other: str | None) -> Iterator[Change]:
        if one != other:
            yield Change(ours.tag, classes, what, name, one, other)

    yield from change("tag", "", ours.tag, theirs.tag)
    for what, read in (("attribute", attributes), ("declaration", declarations)):
        mine, its = read(ours), read(theirs)
        for name in mine | its:
            yield from change(what, name, mine.get(name), its.get(name))
    if ours.tag == theirs.tag == "style":
        yield from change("sheet", "", sheet(ours), sheet(theirs))
        return
    for one, other in zip_longest(texts(ours), texts(theirs)):
        yield from change("text", "", one, other)
    tags = [" ".join(child.tag for child in children(element)) for element in (ours, theirs)]
    yield from change("children", "", *tags)
    if tags[0] == tags[1]:
        for mine_below, its_below in zip(children(ours), children(theirs), strict=True):
            yield from compare(mine_below, its_below)


def children(element: HtmlElement) -> list[HtmlElement]:
    return [child for child in element if isinstance(child.tag, str)]


def attributes(element: HtmlElement) -> dict[str, str]:
    found = {str(name): str(value) for name, value in element.attrib.items() if name != "style"}
    return found | ({"class": " ".join(sorted(found["class"].split()))} if "class" in found else {})


def declarations(element: HtmlElement) -> dict[str, str]:
    """The declarations of a ``style`` attribute; the last one of a name counts."""
    pairs = [part.partition(":") for part in element.get("style", "").split(";") if part.strip()]
    return {name.strip().lower(): re.sub(r"\s*,\s*", ",", " ".join(value.split())) for name, _, value in pairs}


def sheet(style: HtmlElement) -> str:
    css = re.sub(r"\s*([{}:;,])\s*", r"\1", " ".join((style.text or "").split()))
    return css.replace(";}", "}")


def texts(element: HtmlElement) -> list[str]:
    """The text before, between and after the children, comments left out; blanks count as far as readers see them."""
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            pieces.append(child.tail or "")
        else:
            pieces[-1] += child.tail or ""
    if element.xpath("boolean(ancestor-or-self::pre)"):
        return pieces
    if element.tag in FRAME:
        return [" ".join(piece.split()) for piece in pieces]
    return [re.sub(r"\s+", " ", piece) for piece in pieces]


@pytest.mark.real
def test_nothing_else_differs_from_mjml_5(issue: Issue, npm: Npm) -> None:
    found = changes(rendered(issue), npm)
    assert found
    for change in found:
        assert [known.name for known in DIFFERENCES if known.is_this(change)] != [], change


@pytest.mark.real
def test_every_known_difference_is_there(
    layout_name: str, all_issues: Callable[[str], Issue], in_layout: Callable[[Issue, str], Issue], npm: Npm
) -> None:
    found = changes(rendered(in_layout(all_issues("every-block"), layout_name)), npm)
    seen = [[known.name for known in DIFFERENCES if known.is_this(change)] for change in found]
    assert all(len(names) == 1 for names in seen)
    assert {names[0] for names in seen} == {known.name for known in DIFFERENCES}


@pytest.mark.real
def test_any_other_difference_is_seen(npm: Npm) -> None:
    """The comparison itself: each of these is nothing that the list knows."""
    source = (
        '<mjml lang="de" dir="ltr"><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>'
    )
    html = npm.compile(source)
    for old, new in [
        (">x</div>", ">y</div>"),
        ('align="left"', 'align="right"'),
        ("line-height:1", "line-height:2"),
        (">x</div>", "><p>x</p></div>"),
        ("margin:13px 0", "margin:14px 0"),
        ('<tr><td style="line-height:0px', '<tr><td style="line-height:1px'),
    ]:
        assert old in html
        both = [outlook(document) for document in (html, html.replace(old, new, 1))]
        (change, *_) = compare(*map(document_fromstring, both))
        assert [known.name for known in DIFFERENCES if known.is_this(change)] == []


def test_the_docs_have_the_list() -> None:
    section = (ROOT / "docs" / "layouts.md").read_text(encoding="utf-8").partition("## What differs from MJML's own output\n")[2]
    rows = re.findall(r"^\| (.+?) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert rows[1:] == [known.name for known in DIFFERENCES]
