"""Compiled issues to look at: the two samples, and each block type with all its keys and with none it can do without.

In the layout ``region`` each block stands alone; in the others all of them stand in two issues, which says the same in less time.
"""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.html import HtmlElement, document_fromstring
from PIL import Image

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.compose.theme import load_theme
from newsletter.issue import Issue, load_issue
from newsletter.settings import Workspace
from tests.thorough import only_thorough

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ("2026-11", "2026-11-en")

PUBLICATION = """\
name: Digitale Region
tagline: Neues aus dem Land & darüber hinaus
language: de
sender: {name: Staatskanzlei, email: newsletter@example.org, reply_to: redaktion@example.org}
list_id: region.example.org
homepage: https://www.example.org/
imprint:
  organisation: Ministerium für Wege, Netze, Häfen, Fähren, Seen und digitale Verwaltung des Landes Beispiel
  department: Referat 4
  street: Hauptstraße 1
  postal_code: "01067"
  city: Beispielstadt
  country: Deutschland
  email: info@example.org
  phone: 030 23125 417
  website: https://www.example.org/ministerium
  responsible: Dr. Ada Beispiel, Anschrift wie oben
privacy_url: https://www.example.org/datenschutz
accessibility_url: https://www.example.org/barrierefreiheit
"""
#: Only what is required.
BARE_PUBLICATION = """\
name: Region
language: en
sender: {email: newsletter@example.org}
imprint: {organisation: County Council, street: 1 High Street, postal_code: "01067", city: Sampleton, email: info@example.org}
"""
HEAD = "title: Ausgabe 4 – „Häfen“\nsubject: \"Neues für {{ first_name | default('alle') }}\"\ndate: 2026-12-01\n"
FULL_HEAD = HEAD + "preheader: \"Für {{ first_name | default('alle') }}: Rückblick & Ausblick\"\n"

PHOTO = (
    "{src: ../pictures/foto.jpg, alt: Eine Fähre legt ab, caption: 'Für {{ first_name | default(''alle'') }}', credit: A. Foto}"
)
LINK = "{label: Mehr Information, url: 'https://www.example.org/?a=1&b=2'}"
RICH = (
    "Ein *Satz* für {{ first_name | default('alle') }} mit [Verweis](https://www.example.org/a?b=1&c=2).\\n\\n"
    "# Oben\\n\\n### Tief\\n\\n- eins\\n- zwei\\n\\n> Zitat\\n\\n"
    "| Ort | Zahl |\\n|---|--:|\\n| Uhlenwiek | 12 |\\n\\n    lange Zeile "
    + "Donaudampfschifffahrt" * 8
    + "\\n\\n---\\n\\n`Code` und\\\\\\nUmbruch"
)
BODY = f'"{RICH}"'

#: One issue a key: the YAML of its blocks. What ends in "-bare" has only the keys that it must have.
BLOCKS = {
    "letter": f'{{type: letter, title: Grüße, salutation: "Liebe {{{{ first_name }}}},", body: {BODY}, signature: Ihr Team}}',
    "letter-bare": f"{{type: letter, body: {BODY}}}",
    "text": f"{{type: text, title: Ein Text, body: {BODY}}}",
    "text-bare": f"{{type: text, body: {BODY}}}",
    "text-title-bare": "{type: text, title: Nur eine Überschrift}",
    "article": f"{{type: article, kicker: Kongress, title: Ein Bericht, image: {PHOTO}, body: {BODY}, link: {LINK}}}",
    "article-bare": "{type: article, title: Ein Bericht, body: Ein Satz.}",
    "image": "{type: image, src: ../pictures/foto.jpg, alt: Zum Hafen, caption: Der Hafen, credit: A. Foto, url: 'https://www.example.org/'}",
    "image-bare": "{type: image, src: ../pictures/klein.png, decorative: true}",
    "video": f"{{type: video, title: Ein Film, image: {PHOTO}, url: 'https://www.example.org/film?a=1&b=2', "
    f"duration: 1:03:20, body: {BODY}}}",
    "video-untitled": "{type: video, image: {src: ../pictures/hoch.jpg, alt: Ein Film vom Hafen}, "
    "url: 'https://www.example.org/hafenfilm', duration: 3}",
    "video-bare": "{type: video, image: {src: ../pictures/foto.jpg, alt: Ein Film}, url: 'https://www.example.org/film'}",
    "columns": f"{{type: columns, title: Aus den Häfen, items: [{{kicker: Nord, title: Der Kran, image: {PHOTO}, body: {BODY}, "
    f"link: {LINK}}}, {{title: Die Mole, image: {{src: ../pictures/klein.png, decorative: true}}, link: {LINK}}}]}}",
    "columns-untitled": f"{{type: columns, items: [{{title: Der Steg, image: {PHOTO}, body: {BODY}}}, "
    f"{{kicker: Süd, title: Die Brücke, image: {PHOTO}, body: {BODY}}}]}}",
    "columns-bare": "{type: columns, items: [{title: Der Kran}, {title: Die Mole}]}",
    "quote": f"{{type: quote, text: {BODY}, source: Ada}}",
    "quote-bare": "{type: quote, text: Ein Versprechen.}",
    "interview": f"{{type: interview, kicker: Fragen an, title: Ein Gespräch, intro: {BODY}, "
    f"person: {{name: Ada, role: Leiterin, image: {PHOTO}}}, "
    f"questions: [{{question: Warum?, answer: {BODY}}}, {{question: Und nun?, answer: Weiter.}}]}}",
    "interview-untitled": f"{{type: interview, intro: {BODY}, person: {{name: Ada}}, "
    f"questions: [{{question: Warum?, answer: {BODY}}}]}}",
    "interview-bare": "{type: interview, person: {name: Ada}, questions: [{question: Warum?, answer: Darum.}]}",
    "gallery": f"{{type: gallery, title: Bilder, intro: {BODY}, images: [{PHOTO[:-1]}, date: 2026-11-18}}, "
    "{src: ../pictures/hoch.jpg, decorative: true}, {src: ../pictures/klein.png, alt: Ein Logo, date: 2026-11-19}]}",
    "gallery-untitled": f"{{type: gallery, intro: {BODY}, images: [{PHOTO}, {PHOTO}]}}",
    "gallery-bare": "{type: gallery, images: [{src: ../pictures/foto.jpg, decorative: true}]}",
    "event": f"{{type: event, kicker: Termin, title: Ein Treffen, calendar: true, starts: 2026-12-05 10:00, "
    f"ends: 2026-12-05 12:00, place: Rathaus, image: {PHOTO}, body: {BODY}, link: {LINK}}}",
    "event-bare": "{type: event, title: Ein Treffen, starts: 2026-12-05}",
    "news": f"{{type: news, title: Aktuelles, items: [{{title: Eins, date: 2026-11-18, body: {BODY}, "
    f"link: {LINK}}}, {{title: Zwei}}]}}",
    "news-bare": "{type: news, title: Aktuelles, items: [{title: Eins}]}",
    "button": "{type: button, label: Alle Ausgaben, url: 'https://www.example.org/archiv'}",
    "figures": "{type: figures, title: Zahlen, items: [{value: 312, label: Gäste}, {value: 27 %, label: Themen}, "
    "{value: '1', label: a}, {value: '2', label: b}]}",
    "figures-bare": "{type: figures, items: [{value: 312, label: Gäste}]}",
    "contents": "{type: contents, title: Inhalt}, {type: text, title: Noch ein Text}, "
    "{type: columns, items: [{title: Links}, {title: Rechts}]}, {type: interview, person: {name: Berta}, "
    "questions: [{question: Warum?, answer: Darum.}]}",
    "contents-bare": "{type: contents}",
    "divider": "{type: divider}",
    "mjml": '{type: mjml, source: \'<mj-section><mj-column><mj-text color="#1f2a2e"><p>Eigenes&nbsp;'
    '<a href="https://www.example.org/" style="color:#0a6273;text-decoration:underline">'
    "Element</a></p></mj-text></mj-column></mj-section>', "
    "text: 'Eigenes [Element](https://www.example.org/)'}",
}


#: Every block with all its keys, and every block with what it must have, in one issue each.
TOGETHER = {
    "every-block": ", ".join(blocks for name, blocks in BLOCKS.items() if not name.endswith("-bare")),
    "every-block-bare": ", ".join(blocks for name, blocks in BLOCKS.items() if name.endswith("-bare")),
}
LAYOUTS = ("region", "plain")
CASES = [
    *(("region", name) for name in [*SAMPLES, *BLOCKS]),
    *((layout, name) for layout in LAYOUTS[1:] for name in [*SAMPLES, *TOGETHER]),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``name`` runs over all issues, ``sample`` over the two samples, ``view`` over the two ways in which HTML mail is read.

    ``name`` brings ``layout_name`` with it; where a test has that one alone, it runs over the layouts. What a browser or checker
    needs long for is tried with the first layout, with the others only where all is.
    """
    if "name" in metafunc.fixturenames:
        metafunc.parametrize(("layout_name", "name"), CASES)
    elif "layout_name" in metafunc.fixturenames:
        real = metafunc.definition.get_closest_marker("real") is not None
        others = [pytest.param(layout, marks=only_thorough) if real else layout for layout in LAYOUTS[1:]]
        metafunc.parametrize("layout_name", [LAYOUTS[0], *others])
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES)
    if "view" in metafunc.fixturenames:
        metafunc.parametrize("view", ["modern", "outlook"])


def write_workspace(root: Path, publication: str) -> Workspace:
    """A workspace with pictures and no issue yet."""
    pictures = root / "issues" / "pictures"
    pictures.mkdir(parents=True)
    (root / "issues" / "publication.yaml").write_text(publication, encoding="utf-8")
    Image.new("RGB", (1600, 900), "#0a6273").save(pictures / "foto.jpg")
    Image.new("RGB", (400, 800), "#d9822b").save(pictures / "hoch.jpg")
    Image.new("RGBA", (40, 30), (10, 98, 115, 128)).save(pictures / "klein.png")
    return Workspace(root)


def write_issue(workspace: Workspace, slug: str, blocks: str, head: str = HEAD) -> Issue:
    """Write and load an issue; ``blocks`` is the inside of a YAML list in one line."""
    folder = workspace.issues / slug
    folder.mkdir(exist_ok=True)
    (folder / "issue.yaml").write_text(f"{head}blocks: [{blocks}]\n", encoding="utf-8")
    return load_issue(workspace, slug)


def compiled(issue: Issue, workspace: Workspace) -> Edition:
    """The edition, its pictures at an address of the web."""
    return compile_issue(issue, workspace, "https://news.example.org/pictures/{}".format)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace of the test's own."""
    return write_workspace(tmp_path, PUBLICATION)


@pytest.fixture
def write(workspace: Workspace) -> Callable[..., Issue]:
    """Write an issue of the given blocks into the test's own workspace and load it."""

    def write_blocks(blocks: str, head: str = HEAD) -> Issue:
        return write_issue(workspace, "4", blocks, head)

    return write_blocks


@pytest.fixture
def compose(workspace: Workspace, write: Callable[..., Issue]) -> Callable[..., Edition]:
    """Write an issue of the given blocks into the test's own workspace and compile it."""

    def compose_blocks(blocks: str, head: str = HEAD) -> Edition:
        return compiled(write(blocks, head), workspace)

    return compose_blocks


@pytest.fixture(scope="session")
def all_issues(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Issue]:
    """The issue of a name, in the layout that it has by itself."""
    full = write_workspace(tmp_path_factory.mktemp("full"), PUBLICATION)
    bare = write_workspace(tmp_path_factory.mktemp("bare"), BARE_PUBLICATION)
    known: dict[str, Issue] = {}

    def load(name: str) -> Issue:
        if name not in known:
            blocks = BLOCKS | TOGETHER
            if name in SAMPLES:
                known[name] = load_issue(Workspace(ROOT), name)
            elif name.endswith("-bare"):
                known[name] = write_issue(bare, name, blocks[name])
            else:
                known[name] = write_issue(full, name, blocks[name], FULL_HEAD)
        return known[name]

    return load


def in_layout(issue: Issue, layout: str) -> Issue:
    """The same issue in another layout."""
    return dataclasses.replace(issue, content=issue.content.model_copy(update={"layout": layout}))


@pytest.fixture(scope="session", name="in_layout")
def _in_layout() -> Callable[[Issue, str], Issue]:
    """The same issue in another layout."""
    return in_layout


@pytest.fixture(scope="session")
def _editions(all_issues: Callable[[str], Issue]) -> Callable[[str, str], Edition]:
    known: dict[tuple[str, str], Edition] = {}

    def make(layout: str, name: str) -> Edition:
        if (layout, name) not in known:
            issue = in_layout(all_issues(name), layout)
            known[layout, name] = compiled(issue, issue.workspace)
        return known[layout, name]

    return make


@pytest.fixture
def each_sample(all_issues: Callable[[str], Issue]) -> Callable[[str], list[Edition]]:
    """Both samples in a layout, compiled anew."""

    def make(layout: str) -> list[Edition]:
        return [compiled(in_layout(all_issues(name), layout), Workspace(ROOT)) for name in SAMPLES]

    return make


@pytest.fixture(scope="session")
def block_names() -> list[str]:
    """The names of the issues of one block."""
    return list(BLOCKS)


@pytest.fixture
def issue(layout_name: str, name: str, all_issues: Callable[[str], Issue]) -> Issue:
    """The issue ``name`` in the layout ``layout_name``."""
    return in_layout(all_issues(name), layout_name)


@pytest.fixture
def edition(layout_name: str, name: str, _editions: Callable[[str, str], Edition]) -> Edition:
    """The edition of the issue ``name`` in the layout ``layout_name``."""
    return _editions(layout_name, name)


@pytest.fixture(scope="session")
def values() -> dict[str, str]:
    """A recipient whose name has to be escaped everywhere."""
    return {
        VIEW: "https://news.example.org/view/x",
        UNSUBSCRIBE: "https://news.example.org/unsubscribe/x",
        "first_name": "Änne & <Co>",
    }


@pytest.fixture
def html(edition: Edition, values: dict[str, str]) -> str:
    """The HTML part of the issue ``name``."""
    return edition.html.fill(values)


@pytest.fixture(scope="session")
def html_of(_editions: Callable[[str, str], Edition], values: dict[str, str]) -> Callable[[str, str], str]:
    """The HTML part of an issue in a layout."""
    return lambda layout, name: _editions(layout, name).html.fill(values)


@pytest.fixture(scope="session")
def all_html(html_of: Callable[[str, str], str]) -> Callable[[], dict[tuple[str, str], str]]:
    """The HTML part of every issue there is, by layout and name."""
    return lambda: {case: html_of(*case) for case in CASES}


@pytest.fixture
def text(edition: Edition, values: dict[str, str]) -> str:
    """The text part of the issue ``name``."""
    return edition.text.fill(values)


@pytest.fixture(scope="session")
def _pages(html_of: Callable[[str, str], str]) -> Callable[[str, str, str], HtmlElement]:
    known: dict[tuple[str, str, str], HtmlElement] = {}

    def read(layout: str, name: str, view: str) -> HtmlElement:
        key = (layout, name, view)
        if key not in known:
            html = html_of(layout, name)
            known[key] = document_fromstring(outlook_view(html) if view == "outlook" else html)
        return known[key]

    return read


@pytest.fixture
def page(layout_name: str, name: str, view: str, _pages: Callable[[str, str, str], HtmlElement]) -> HtmlElement:
    """The HTML part of the issue ``name`` as all clients read it, or as Outlook on Windows does; shared, not to be changed."""
    return _pages(layout_name, name, view)


@pytest.fixture
def modern(layout_name: str, name: str, _pages: Callable[[str, str, str], HtmlElement]) -> HtmlElement:
    """The HTML part of the issue ``name`` as all clients read it; shared, not to be changed."""
    return _pages(layout_name, name, "modern")


@pytest.fixture
def mail_width(layout_name: str) -> int:
    """The width of a mail in the layout, in pixels."""
    folder = Workspace(ROOT).layout_folder(layout_name)
    assert folder is not None
    return load_theme(folder).width


def outlook_view(html: str) -> str:
    """What Outlook's Word engine reads: its conditional comments unfolded, what is hidden from it left out."""
    html = re.sub(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)
