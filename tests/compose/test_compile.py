"""Issues become editions: the same every time, with every slot in its place, from every layout that keeps the rules."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.compose.inline import inline_css
from newsletter.compose.mjml import compile_mjml
from newsletter.compose.templates import LayoutError
from newsletter.issue import Issue, load_issue
from newsletter.issue.blocks import Block, OwnBlock
from newsletter.problem import InputError
from newsletter.settings import Workspace

ROOT = Path(__file__).resolve().parents[2]
Compose = Callable[..., Edition]
LINKS = {VIEW: "https://n.example.org/view/x", UNSUBSCRIBE: "https://n.example.org/unsubscribe/x"}
HEAD = "title: T\nsubject: S\ndate: 2026-12-01\n"

PRINT_HASH = """
import sys
from pathlib import Path
from newsletter.compose.compile import compile_issue
from newsletter.issue import load_issue
from newsletter.settings import Workspace
workspace = Workspace(Path(sys.argv[1]))
for slug in sys.argv[2:]:
    print(compile_issue(load_issue(workspace, slug), workspace, "https://n.example.org/{}".format).hash)
"""


def page_of(edition: Edition, **values: str) -> HtmlElement:
    return document_fromstring(edition.html.fill(LINKS | {"first_name": "Ada"} | values))


def test_two_processes_make_the_same_edition() -> None:
    samples = ["2026-11", "2026-11-en"]
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PRINT_HASH, str(ROOT), *samples]
    there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    workspace = Workspace(ROOT)
    here = [compile_issue(load_issue(workspace, slug), workspace, "https://n.example.org/{}".format).hash for slug in samples]
    assert there == here
    assert len(set(here)) == 2


def test_another_word_is_another_edition(compose: Compose) -> None:
    first = compose("{type: text, body: Ein Wort}").hash
    assert compose("{type: text, body: Ein Wort}").hash == first
    assert compose("{type: text, body: Zwei Wort}").hash != first


def test_pictures_are_named_by_their_content(name: str, edition: Edition) -> None:
    used = {image.get("src") for image in page_of(edition).iter("img")}
    assert used == {f"https://news.example.org/pictures/{picture.name}" for picture in edition.pictures}
    for picture in edition.pictures:
        assert picture.name.partition(".")[0] == hashlib.sha256(picture.data).hexdigest()[:32]
    assert len({picture.name for picture in edition.pictures}) == len(edition.pictures)


def test_every_block_type_is_tried_with_and_without_its_optional_keys(
    all_issues: Callable[[str], Issue], block_names: list[str]
) -> None:
    tried: dict[str, set[str]] = {}
    for name in block_names:
        for block in all_issues(name).content.blocks:
            tried.setdefault(block.type, set()).update(block.model_fields_set)
    kinds = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(Block)[0])}
    assert set(tried) == set(kinds)
    for name, kind in kinds.items():
        assert tried[name] >= set(kind.model_fields) - set(OwnBlock.model_fields)


def test_a_picture_used_twice_is_one_file(compose: Compose) -> None:
    picture = "{src: ../pictures/foto.jpg, alt: x}"
    edition = compose(f"{{type: gallery, images: [{picture}, {picture}]}}")
    assert len(edition.pictures) == 1
    assert len(page_of(edition).xpath("//img")) == 2


def test_every_slot_has_its_place(name: str, edition: Edition) -> None:
    for slot in edition.html.slots():
        assert (slot.place == "url") == (slot.name in (VIEW, UNSUBSCRIBE))
        assert slot.place != "plain"
    for part in (edition.text, edition.subject):
        assert {slot.place for slot in part.slots()} <= {"plain"}
    for part in (edition.html, edition.text):
        assert {VIEW, UNSUBSCRIBE} <= {slot.name for slot in part.slots()}


def test_fields_are_known_with_their_defaults(compose: Compose) -> None:
    edition = compose(
        "{type: letter, salutation: 'Hallo {{ first_name }}', body: 'x {{ town | default(\"am See\") }}'},"
        "{type: article, title: 'Für {{ town | default(\"alle\") }}', body: x,"
        " image: {src: ../pictures/foto.jpg, alt: 'Bild von {{ town }}'}}",
        HEAD,
    )
    assert {(slot.name, slot.default) for slot in edition.fields} == {("first_name", None), ("town", None)}
    assert ("town", "am See", "text") in {(slot.name, slot.default, slot.place) for slot in edition.html.slots()}
    assert ("town", None, "attribute") in {(slot.name, slot.default, slot.place) for slot in edition.html.slots()}


def test_nothing_of_the_sentinels_is_left(name: str, edition: Edition) -> None:
    stored = edition.to_json()
    assert "data-premailer" not in stored
    again = Edition.from_json(stored, {file.name: file.data for file in edition.files})
    assert again == edition
    for part in (edition.html, edition.text, edition.subject):
        literal = "".join(piece for piece in part.pieces if isinstance(piece, str))
        assert not [word for word in literal.split() if word.startswith("S") and word.endswith("x0E")]


def test_compiling_asks_nothing_of_the_network(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    workspace = Workspace(ROOT)
    assert compile_issue(load_issue(workspace, sample), workspace, "https://n.example.org/{}".format).pictures


def test_title_and_headers_come_from_the_publication(compose: Compose) -> None:
    edition = compose("{type: divider}")
    assert edition.title == "Ausgabe 4 – „Häfen“"
    headers = edition.headers
    assert (headers.from_name, headers.from_email, headers.reply_to) == (
        "Staatskanzlei",
        "newsletter@example.org",
        "redaktion@example.org",
    )
    assert (headers.list_id, headers.list_name, headers.language) == ("region.example.org", "Digitale Region", "de")


# What staff and recipients write is data.


def test_braces_in_an_issue_are_refused_or_printed(write: Callable[..., Issue], compose: Compose) -> None:
    with pytest.raises(InputError, match="this is no merge field"):
        write("{type: text, title: 'x {{ 7*7 }}'}", HEAD)
    edition = compose(
        r"{type: text, title: 'T \{{ 7*7 }}', body: 'B \{{ 7*7 }} {% if 1 %} {# c #}'}, {type: contents}",
        HEAD + AS_TYPED,
    )
    said = page_of(edition).body.text_content()
    assert "T {{ 7*7 }}" in said
    assert "B {{ 7*7 }} {% if 1 %} {# c #}" in said
    plain = edition.text.fill(LINKS)
    assert "T {{ 7*7 }}" in plain
    assert "B {{ 7*7 }} {% if 1 %} {# c #}" in plain
    assert "49" not in said.replace("Hauptstraße 1", "")
    assert "49" not in plain


@pytest.mark.parametrize(
    "value",
    [
        "{{ 7*7 }}",
        "{{ view_url }}",
        "S0123456789abx0E",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='x",
        "a&amp;b &lt; c",
        "%s {0} {name} \\1 \\g<0>",
        "{% raw %}",
    ],
)
def test_a_value_of_a_recipient_stays_as_it_is(compose: Compose, value: str) -> None:
    edition = compose(
        "{type: letter, salutation: 'Hallo [{{ first_name }}]', body: '*[{{ first_name }}]*'},"
        "{type: image, src: ../pictures/foto.jpg, alt: '[{{ first_name }}]', caption: '[{{ first_name }}]'}",
        HEAD.replace("subject: S", "subject: 'An [{{ first_name }}]'"),
    )
    page = page_of(edition, first_name=value)
    plain_page = page_of(edition)
    assert [element.tag for element in page.iter()] == [element.tag for element in plain_page.iter()]
    assert [sorted(element.attrib) for element in page.iter("*")] == [sorted(element.attrib) for element in plain_page.iter("*")]
    assert page.xpath("string(//em)") == f"[{value}]"
    assert page.xpath("string(//img/@alt)") == f"[{value}]"
    assert page.body.text_content().count(f"[{value}]") == 3
    assert edition.text.fill(LINKS | {"first_name": value}).count(f"[{value}]") == 4
    assert edition.subject.fill({"first_name": value}) == f"An [{value}]"


def test_a_sentinel_of_another_compile_is_only_text(compose: Compose, workspace: Workspace) -> None:
    from newsletter.compose.sentinel import Sentinels

    token = Sentinels().mark(VIEW)
    edition = compose(f"{{type: text, title: {token}, body: {token}}}")
    assert page_of(edition).body.text_content().count(token) == 2


AS_TYPED = "typography: false\n"
SCRIPT = "<script>alert(1)</script> & \"a\" 'b' &amp; <b>"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_markup_of_the_author_stays_text(compose: Compose) -> None:
    bad = quoted(SCRIPT)
    picture = f"{{src: ../pictures/foto.jpg, alt: {bad}, caption: {bad}, credit: {bad}}}"
    edition = compose(
        f"{{type: article, kicker: {bad}, title: {bad}, image: {picture}, body: x, link: {{label: {bad}, url: 'https://a.example/'}}}},"
        f"{{type: letter, title: {bad}, salutation: {bad}, body: x, signature: {bad}}},"
        f"{{type: interview, person: {{name: {bad}, role: {bad}, image: {picture}}},"
        f" questions: [{{question: {bad}, answer: x}}]}},"
        f"{{type: quote, text: x, source: {bad}}}, {{type: contents, title: {bad}}},"
        f"{{type: figures, items: [{{value: {bad}, label: {bad}}}]}}, {{type: button, label: {bad}, url: 'https://a.example/b'}},"
        f"{{type: event, title: {bad}, starts: 2026-12-05, place: {bad}}}, {{type: gallery, title: {bad}, images: [{picture}]}},"
        f"{{type: video, title: {bad}, image: {picture}, url: 'https://a.example/c'}},"
        f"{{type: columns, title: {bad}, items: [{{kicker: {bad}, title: {bad}, image: {picture}}}, {{title: {bad}}}]}},"
        f"{{type: news, title: {bad}, items: [{{title: {bad}}}]}}",
        f"title: {bad}\nsubject: {bad}\npreheader: {bad}\ndate: 2026-12-01\n{AS_TYPED}",
    )
    page = page_of(edition)
    assert page.xpath("//script | //b") == []
    assert page.xpath("string(//title)") == SCRIPT
    assert page.xpath("string(//@aria-label)") == SCRIPT
    assert page.xpath("string(//h1)") == SCRIPT
    assert set(page.xpath("//img/@alt")) == {SCRIPT}
    assert {heading.text_content() for heading in page.xpath("//h2 | //h3")} == {SCRIPT, "Impressum"}
    assert page.body.text_content().count(SCRIPT) >= 25
    assert " ".join(edition.text.fill(LINKS).split()).count(SCRIPT) >= 25
    assert edition.subject.fill({}) == SCRIPT


def test_markdown_with_html_stays_text(compose: Compose) -> None:
    edition = compose(f"{{type: text, body: {quoted(SCRIPT)}}}", HEAD + AS_TYPED)
    page = page_of(edition)
    assert page.xpath("//script | //b") == []
    assert SCRIPT.replace("&amp;", "&") in page.body.text_content()


def test_words_that_look_like_attributes_stay_words(compose: Compose) -> None:
    said = """a style='p; q: "r" ' width:33.5px width="33.5" b"""
    blocks = f"{{type: text, title: {quoted(said)}}}, {{type: image, src: ../pictures/foto.jpg, alt: {quoted(said)}}}"
    edition = compose(blocks, HEAD + AS_TYPED)
    page = page_of(edition)
    assert page.xpath("string(//h2)") == said
    assert page.xpath("string(//img/@alt)") == said


def test_control_characters_behind_references_are_blanks(compose: Compose) -> None:
    edition = compose('{type: text, body: "a&#12;b&#13;c&#x2028;d `e&#12;f`"}')
    assert "a b c d" in page_of(edition).body.text_content()
    assert "a b c d e&#12;f" in edition.text.fill(LINKS)


# Layouts.


@pytest.fixture
def layout(workspace: Workspace) -> Path:
    """The program's layout as the workspace's own, with the files of the base in it, to be changed."""
    for source in ("base", "region"):
        shutil.copytree(ROOT / "layouts" / source, workspace.root / "layouts" / "region", dirs_exist_ok=True)
    return workspace.root / "layouts" / "region"


def change(file: Path, old: str, new: str) -> None:
    """Replace a piece of a template everywhere."""
    source = file.read_text(encoding="utf-8")
    assert old in source
    file.write_text(source.replace(old, new), encoding="utf-8")


def test_the_layout_of_the_workspace_wins(layout: Path, compose: Compose) -> None:
    change(layout / "layout.mjml.j2", "<mj-body", '<mj-body css-class="our-own"')
    assert page_of(compose("{type: divider}")).xpath("//body/div/@class") == ["our-own"]


def test_a_changed_theme_is_seen_and_a_wrong_one_named(layout: Path, compose: Compose) -> None:
    compose("{type: divider}")
    (layout / "theme.yaml").write_text("band: '#112233'\n", encoding="utf-8")
    os.utime(layout / "theme.yaml", (1, 1))
    assert "background-color:#112233" in compose("{type: divider}").html.fill(LINKS)
    (layout / "theme.yaml").write_text("band: '#123'\ncolour: x\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        compose("{type: divider}")
    assert [(Path(problem.path).name, problem.where) for problem in caught.value.problems] == [
        ("theme.yaml", "band"),
        ("theme.yaml", "colour"),
    ]


@pytest.mark.parametrize("slot", ["view_url", "unsubscribe_url"])
@pytest.mark.parametrize(("file", "part"), [("layout.mjml.j2", "html"), ("text.j2", "text")])
def test_a_layout_cannot_forget_a_link(layout: Path, compose: Compose, slot: str, file: str, part: str) -> None:
    for template in [layout / "text.j2"] if part == "text" else [layout / "layout.mjml.j2", layout / "imprint-words.mjml.j2"]:
        source = template.read_text(encoding="utf-8")
        template.write_text(source.replace(f"{{{{ {slot} }}}}", "https://example.org/"), encoding="utf-8")
    with pytest.raises(LayoutError) as caught:
        compose("{type: divider}")
    (problem,) = caught.value.problems
    assert problem.path == str(layout / file)
    assert f"{{{{ {slot} }}}}" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<mj-style inline", "<mj-style>a { color: {{ view_url }} }</mj-style><mj-style inline", "cannot stand inside <style>"),
        ("<mj-body", '<mj-body css-class="{{ view_url }}"', "cannot stand in the attribute class of <div>"),
        ('"{{ view_url }}"', '"{{ view_url }}?x=1"', "must be the whole of an address"),
        ('<a href="{{ view_url }}">', '<a href="{{ view_url }}">{{ view_url }}', "only as a whole address"),
        ("<mj-body", "<mj-boddy", "<mj-boddy> is no element of MJML; did you mean mj-body?"),
        ("</mj-body>", "", "not well-formed at line"),
        ("<h1>{{ issue.title }}</h1>", "<h1>{{ issue.title }}<br></h1>", "not well-formed at line"),
        ("<mj-attributes>", "<mj-include path='x.mjml' /><mj-attributes>", "mj-include is not read"),
        ("<mj-attributes>", "<mj-attributes>text", "mrml cannot read the MJML"),
        (
            "<mj-style inline",
            "<mj-style>@import url(https://a.example/x.css);</mj-style><mj-style inline",
            "@import would be fetched",
        ),
    ],
)
def test_what_cannot_be_compiled_names_the_layout(layout: Path, compose: Compose, old: str, new: str, message: str) -> None:
    change(layout / "layout.mjml.j2", old, new)
    with pytest.raises(LayoutError) as caught:
        compose("{type: divider}")
    (problem,) = caught.value.problems
    assert problem.path == str(layout / "layout.mjml.j2")
    assert message in problem.message


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            ("layout.mjml.j2", "{% for block in blocks %}", "{% for block blocks %}"),
            "is not a Jinja template: expected token 'in'",
        ),
        (("layout.mjml.j2", "{% endfor %}", ""), "is not a Jinja template: Unexpected end of template"),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ issue.titel }}"), "has no attribute 'titel'"),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ tilte }}"), "'tilte' is undefined"),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ issue.title | shout }}"), "No filter named 'shout'"),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ ''.__class__.__mro__ }}"), "access to attribute '__class__'"),
        (
            ("layout.mjml.j2", "{{ issue.title }}", "{{ issue.blocks.append(1) }}"),
            "attribute 'append' of 'list' object is unsafe",
        ),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ compiling.sentinels._by_token }}"), "access to attribute '_by_token'"),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ 1 // 0 }}"), "fails: "),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ '%d' | format('x') }}"), "fails: "),
        (("layout.mjml.j2", "{{ issue.title }}", "{{ language.month('x') }}"), "fails: "),
        (("layout.mjml.j2", "{{ issue.title }}", "{% include 'gone.j2' %}"), "there is no template gone.j2"),
        (("layout.mjml.j2", "{{ issue.title }}", "{% include '../../../issues/publication.yaml' %}"), "there is no template"),
        (("blocks/text.mjml.j2", "{{ prose(block.body, 3 if block.title else 2) }}", "{{ block.body }}"), "needs the filter"),
        (("text.j2", "{{ url }}", "{{ ulr }}"), "'ulr' is undefined"),
        (("text.j2", "{{ block.body | markdown }}", "{{ block.body | wrap }}"), "fails: "),
        (("text.j2", "{{ block.body | markdown }}", "{{ block.body }}"), "needs the filter"),
    ],
)
def test_a_faulty_template_names_file_and_line(layout: Path, compose: Compose, fault: tuple[str, str, str], message: str) -> None:
    file, old, new = fault
    change(layout / file, old, new)
    with pytest.raises(LayoutError) as caught:
        compose("{type: text, title: T, body: 'x'}, {type: button, label: Los, url: 'https://a.example/'}")
    (problem,) = caught.value.problems
    assert problem.path == str(layout / file)
    assert new in (layout / file).read_text(encoding="utf-8").split("\n")[problem.line - 1]
    assert message in problem.message


def test_endless_includes_are_an_error_of_the_layout(layout: Path, compose: Compose) -> None:
    # Where in the circle the recursion ends depends on how deep Python was: only the layout is certain.
    change(layout / "layout.mjml.j2", "{{ issue.title }}", "{% include 'layout.mjml.j2' %}")
    with pytest.raises(LayoutError, match=r"layouts/region/[a-z]+\.mjml\.j2:\d+:1: fails: .*recursion"):
        compose("{type: text, title: T}")


def test_macros_without_context_are_told_from_it(layout: Path, compose: Compose) -> None:
    change(layout / "layout.mjml.j2", "titled with context", "titled")
    with pytest.raises(LayoutError, match=r"parts\.mjml\.j2:\d+:1: fails: import macros 'with context'"):
        compose("{type: text, title: T}")


def test_what_a_layout_lacks_comes_from_the_base(layout: Path, compose: Compose) -> None:
    """The layout's own file, else that of the workspace's base, else that of the program's."""
    whole = compose("{type: divider}")
    file = layout / "blocks" / "divider.mjml.j2"
    own = file.read_text(encoding="utf-8")
    file.unlink()
    assert compose("{type: divider}") == whole
    base = layout.parent / "base" / "blocks" / "divider.mjml.j2"
    base.parent.mkdir(parents=True)
    base.write_text(own.replace("1px", "7px"), encoding="utf-8")
    assert "7px" in compose("{type: divider}").html.fill(LINKS)
    file.write_text(own, encoding="utf-8")
    assert compose("{type: divider}") == whole


def test_the_base_is_no_layout(workspace: Workspace) -> None:
    assert workspace.layout_names() == ["plain", "region"]
    assert workspace.layout_folder("base") is None


def test_a_layout_in_another_encoding_says_so(layout: Path, compose: Compose) -> None:
    (layout / "imprint.mjml.j2").write_bytes("<!-- Ä -->".encode("latin-1"))
    with pytest.raises(LayoutError, match="utf-8"):
        compose("{type: divider}")


def test_an_unknown_layout_names_those_there_are(workspace: Workspace, write: Callable[..., Issue]) -> None:
    issue = write("{type: divider}")
    object.__setattr__(issue.content, "layout", "regoin")
    with pytest.raises(InputError, match=r"there is no layout 'regoin'; there are: plain, region"):
        compile_issue(issue, workspace, str)


def test_a_picture_that_broke_since_is_named(workspace: Workspace, write: Callable[..., Issue]) -> None:
    issue = write("{type: image, src: ../pictures/foto.jpg, alt: x}")
    (workspace.issues / "pictures" / "foto.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(InputError, match=r"foto\.jpg: cannot be read as a picture"):
        compile_issue(issue, workspace, str)


def test_mjml_of_the_author_is_passed_on(compose: Compose) -> None:
    source = '<mj-section><mj-column><mj-text><p class="own">1 &lt; 2 &amp;&nbsp;ä</p></mj-text></mj-column></mj-section>'
    edition = compose(f"{{type: mjml, source: {quoted(source)}, text: Eins}}")
    assert page_of(edition).xpath("string(//p[@class='own'])") == "1 < 2 &\u00a0ä"
    assert "\nEins\n" in edition.text.fill(LINKS)


def test_compiling_is_mjml_then_css() -> None:
    """The two steps give what the whole gives: the first knows no CSS to inline, the second changes no text."""
    document, css = compile_mjml(
        '<mjml><mj-head><mj-style inline="inline">p { color: #112233 }</mj-style></mj-head><mj-body><mj-section><mj-column>'
        "<mj-text><p>x</p></mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert document_fromstring(inline_css(document, css)).xpath("string(//p/@style)") == "color:#112233"
