"""What mail programs do not know of an author's MJML or of a layout is told once, with them, with its line, in both languages."""

from collections.abc import Callable

import pytest

from newsletter.check import all_rules
from newsletter.check.clients.features import FEATURES
from newsletter.check.report import Finding
from newsletter.problem import InputError
from tests.check.broken import ISSUE, Bench

BLOCK = """\
  - type: mjml
    source: |
      <mj-section padding="8px 0px">
        <mj-column>
          <mj-text>
            {}
          </mj-text>
        </mj-column>
      </mj-section>
    text: Eigenes
"""
WARNING, NOTE = "H4-client-support", "H4-client-decoration"
#: The line and column where the place of ``{}`` begins.
LINE, COLUMN = 22, 13


def h4(bench: Bench) -> list[Finding]:
    """What the rules of this file found; other families have their own tests."""
    return [finding for finding in bench.check().findings if finding.rule.id.startswith("H4-")]


def told(bench: Bench) -> list[tuple[str, str, str]]:
    return [(one.rule.id, one.values["feature"], str(one.at).rpartition("/")[2]) for one in h4(bench)]


def write(bench: Bench, html: str) -> None:
    """An ``mjml`` block of the author's at the end of the issue."""
    bench.write(issue=ISSUE + BLOCK.format(html))


def words(says: str) -> str:
    """Words that declare something; on a paragraph, whose rules are inlined, premailer writes it anew."""
    return f'<span style="{says}">Worte</span>'


#: HTML in a block, the rule, what is told, the column it is found in.
BLOCKS: dict[str, tuple[str, str, str, int]] = {
    "grid": (words("display : grid"), WARNING, "display: grid", 13),
    "flex, and what belongs to it": (words("gap:4px;display:inline-flex;align-items:center"), WARNING, "display: flex", 21),
    "a variable": (words("color:var(--ink, #000000)"), WARNING, "var()", 13),
    "a computed size": (words("font-size:CALC( 10px + 2px )"), WARNING, "calc()", 13),
    "rem": (words("font-size:1.5REM"), WARNING, "rem", 13),
    "half a colour": (words("color:rgba(0,0,0,.5)"), WARNING, "rgba()", 13),
    "a colour with blanks": (words("color:rgb(0 0 0 / 50%)"), WARNING, "rgb(0 0 0)", 13),
    "important": (words("color:#000000! IMPORTANT"), WARNING, "!important", 13),
    "a negative margin": (words("margin:0px 0px -8px 0px"), WARNING, "margin below 0", 13),
    "a position": (words("position:relative;top:4px;z-index:2"), WARNING, "position", 13),
    "a gradient": (words("background:linear-gradient(#000000,#ffffff)"), WARNING, "linear-gradient()", 13),
    "a picture behind": (words("background:#ffffff url('https://a.example.org/a;b.png')"), WARNING, "background-image", 13),
    "an accordion": ("<details><summary>Mehr</summary>Worte</details>", WARNING, "<details>", 0),
    "hidden": ('<p hidden="hidden">Worte</p>', WARNING, "hidden", 3),
    "a shadow": (words("text-shadow:1px 1px #000000"), NOTE, "text-shadow", 13),
    "a paragraph with padding": ('<p style="padding : 8px">Worte</p>', NOTE, "padding", 10),
    "a section": ("<section>Worte</section>", NOTE, "<main>, <section>, <figure> …", 0),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_what_an_author_writes_is_told_at_its_line(bench: Bench, name: str) -> None:
    html, rule, feature, column = BLOCKS[name]
    write(bench, html)
    assert told(bench) == [(rule, feature, f"issue.yaml:{LINE}:{COLUMN + column}")]


def style(text: str) -> Callable[[Bench], None]:
    """A ``<mj-style>`` of a layout of one's own."""
    return lambda bench: bench.layout("layout.mjml.j2", "</mj-head>", f"<mj-style>\n{text}\n</mj-style>\n</mj-head>")


def article(mjml: str) -> Callable[[Bench], None]:
    """A template of a block."""
    return lambda bench: bench.layout("blocks/article.mjml.j2", "{{ prose(block.body) }}", f"{{{{ prose(block.body) }}}}\n{mjml}")


#: What is changed in the layout, the rule, what is told, the file, and the words in it that it is found at (none: the whole).
LAYOUTS: dict[str, tuple[Callable[[Bench], None], str, str, str, str]] = {
    "a rule that GMX drops": (style("td { letter-spacing: 1px }"), WARNING, "<style>", "layout.mjml.j2", "td { letter"),
    "rules inside rules": (style("a:link { b:link { color: #000 } }"), WARNING, "CSS nesting", "layout.mjml.j2", "b:link {"),
    "words from a rule": (style('a::before { content: "→" }'), WARNING, "::before", "layout.mjml.j2", "before {"),
    "a trick with a box": (style(".box:checked { color: #000 }"), WARNING, ":checked", "layout.mjml.j2", "checked {"),
    "a colour of today": (style("a:link { color: oklch(40% 0.2 30) }"), WARNING, "oklch()", "layout.mjml.j2", "color: oklch"),
    "dark colours": (
        style("@media (prefers-color-scheme: dark) { td { display: grid } }"),
        NOTE,
        "@media (prefers-color-scheme)",
        "layout.mjml.j2",
        "prefers-color-scheme",
    ),
    "a font": (style("@font-face { font-family: Amt; src: local(Amt) }"), NOTE, "@font-face", "layout.mjml.j2", "@font-face"),
    "a pointer": (style("a:hover { color: #000 }"), NOTE, ":hover", "layout.mjml.j2", "hover {"),
    "a condition": (style("@supports (gap: 1px) { td { gap: 1px } }"), NOTE, "@supports", "layout.mjml.j2", "@supports"),
    "a rule into the elements": (
        lambda bench: bench.layout("styles.mjml.j2", "li { ", "p { max-height: 20em; }\nli { "),
        NOTE,
        "max-height",
        "styles.mjml.j2",
        "max-height",
    ),
    "a value that Jinja makes": (
        article('<mj-text><span style="float: {{ start }}">a</span></mj-text>'),
        WARNING,
        "float",
        "layout.mjml.j2",
        "",
    ),
    "words that run": (article("<mj-text>\n<marquee>a</marquee></mj-text>"), WARNING, "<marquee>", "article.mjml.j2", "<marquee"),
    "a shadow": (
        article('<mj-text><span style="box-shadow:1px 1px #000000">{# <hr\n #}a</span></mj-text>'),
        NOTE,
        "box-shadow",
        "article.mjml.j2",
        "box-shadow",
    ),
    "a picture for big screens": (
        lambda bench: bench.layout("parts.mjml.j2", "<mj-image ", '<mj-image srcset="https://a.example.org/a.jpg 2x" '),
        NOTE,
        "srcset",
        "parts.mjml.j2",
        "srcset",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_layout_writes_is_told_at_its_line(bench: Bench, name: str) -> None:
    change, rule, feature, file, word = LAYOUTS[name]
    change(bench)
    assert told(bench) == [(rule, feature, where(bench, file, word))]


def where(bench: Bench, name: str, word: str) -> str:
    """The place of a word in a file of the layout's copy."""
    (file,) = (found for found in bench.workspace.root.glob(f"layouts/*/**/{name}") if word in found.read_text(encoding="utf-8"))
    if not word:
        return name
    before, _, _ = file.read_text(encoding="utf-8").partition(word)
    return f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    "html",
    [
        words("color:rgb(0,0,0)"),
        words("font-family:'display: grid', rem, serif"),
        words("font-family:local('1rem calc(1vw)')"),
        words("display:block;font-weight:700"),
        words("position:static;float:none;transform:none;box-shadow:none"),
        words("margin:-0px;/* display: grid */letter-spacing:-1px"),
        words("padding:0 0px;max-width:none"),
        "<p>display: grid; 1rem; calc(1px); &lt;details&gt;</p>",
        '<p title="display: grid" lang="en" id="grid">Worte</p>',
        '<table role="presentation"><tr><td style="padding:8px;border-radius:4px">Worte</td></tr></table>',
        '<!-- <details style="display:grid">Worte</details> -->Worte',
    ],
)
def test_what_only_looks_unknown_is_not_told(bench: Bench, html: str) -> None:
    write(bench, html)
    assert h4(bench) == []


@pytest.mark.parametrize(
    "text",
    [
        "@media (max-width: 479px) { td { display: flex !important } }",
        "h1 { font-size: 16px }",  # the element says so too
        "[data-ogsc] td, u + .body td, #MessageViewBody td { color: #000000 }",  # for one program, where it matches
        ".nowhere { color: #000000 }",
        "td:: { color: ",
        "td { color",
    ],
)
def test_rules_that_nobody_misses_are_not_told(bench: Bench, text: str) -> None:
    style(text)(bench)
    assert h4(bench) == []


def test_the_same_feature_is_told_once_with_all_clients(bench: Bench) -> None:
    write(bench, words("display:grid") + words("display: grid"))
    style("a:link { display: grid }")(bench)
    (finding,) = h4(bench)
    assert finding.message() == (
        "display: grid does not work in GMX, WEB.DE and Outlook for Windows: the parts stand one below the other"
    )
    assert finding.mend("de") == "verzichten Sie darauf: setzen Sie Teile mit mj-section und mj-column nebeneinander"
    assert finding.message("de").startswith("display: grid wirkt nicht in GMX, WEB.DE und Outlook für Windows: die Teile")
    assert finding.message("fr") == finding.message("en")


def test_a_publication_chooses_its_clients(bench: Bench) -> None:
    write(bench, words("display:grid"))
    bench.replace("language: de\n", "language: de\nclients: [Thunderbird, apple-mail]\n")
    assert h4(bench) == []
    bench.replace("Thunderbird", "outlook")
    assert h4(bench)[0].values["clients"] == "Outlook for Windows"


def test_a_client_must_be_known(bench: Bench) -> None:
    bench.replace("language: de\n", "language: de\nclients: [gmx, web.de]\n")
    with pytest.raises(InputError, match=r"publication\.yaml:3:16: clients\[1\]: 'web\.de' is no .*; did you mean web-de\?"):
        bench.check()


def test_outlook_shows_the_picture_that_mjml_draws_for_it(bench: Bench) -> None:
    write(bench, "Worte")
    bench.replace('<mj-section padding="8px 0px">', '<mj-section background-url="https://a.example.org/a.png">')
    bench.replace("Ein voller Saal", "Ein Saal")
    (finding,) = [one for one in h4(bench) if one.rule.id == WARNING]
    assert (finding.values["feature"], finding.values["clients"]) == ("background-image", "T-Online")
    assert str(finding.at).endswith("issue.yaml:19:19")


def test_the_rules_say_how_old_the_data_is() -> None:
    assert {all_rules()[rule].source for rule in (WARNING, NOTE)} == {"Can I email, 2026-05-13"}
    assert len(FEATURES) > 100
