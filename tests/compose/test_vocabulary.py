"""Tags and attributes that MJML has not, found in the templates as they stand."""

from pathlib import Path

import mjml
import pytest

from newsletter.compose.vocabulary import unknown_words
from newsletter.settings import program_folder

FILE = Path("layouts/ours/blocks/text.mjml.j2")


def found(template: str) -> list[str]:
    return [str(problem) for problem in unknown_words(template, FILE)]


def test_mrml_says_nothing_of_unknown_words() -> None:
    body = '<mj-section><mj-column><mj-txet>x</mj-txet><mj-text colour="#112233">y</mj-text></mj-column></mj-section>'
    html = mjml.mjml2html(f"<mjml><mj-body>{body}</mj-body></mjml>")
    assert "<mj-txet>" in html
    assert "#112233" not in html


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<mj-txet>x</mj-txet>", ":1:2: <mj-txet> is no element of MJML; did you mean mj-text?"),
        ("\n  <mj-foobarbaz />", ":2:4: <mj-foobarbaz> is no element of MJML that can be used here; leave it out"),
        ('<mj-text colour="#112233">', ":1:10: <mj-text> has no attribute colour; did you mean color?"),
        ("{# <mj-nothing> #}\n<mj-text\n  css-clas='x'>", ":3:3: <mj-text> has no attribute css-clas; did you mean css-class?"),
        (
            '<mj-text {% if x["a"] > 1 %}colr="{{ y["<"] }}"{% endif %}>',
            ":1:29: <mj-text> has no attribute colr; did you mean color?",
        ),
        ('<mj-carousel align="left">', ":1:2: <mj-carousel> is no element of MJML that can be used here; leave it out"),
        ('<mj-section gutter="8px">', ":1:13: <mj-section> has no attribute gutter that can be used here; leave it out"),
        ('<mj-body id="x">', ":1:10: <mj-body> has no attribute id"),
    ],
)
def test_an_unknown_word_is_named_with_its_place(template: str, said: str) -> None:
    (problem,) = found(template)
    assert problem.startswith(f"{FILE}{said}")


@pytest.mark.parametrize(
    "template",
    [
        '<mj-text css-class="x" mj-class="y" color="{{ theme.ink }}">{% if a < b %}<p class="z">1</p>{% endif %}</mj-text>',
        "<!-- <mj-nothing> --><mj-{{ kind }}>",
        '<mj-all font-family="x" /><mj-class name="y" inner-padding="1px" />',
        '<mj-text {{ name }}="x">a "quoted" word</mj-text>',
    ],
)
def test_what_is_right_or_cannot_be_known_passes(template: str) -> None:
    assert found(template) == []


@pytest.mark.parametrize("file", sorted(program_folder("layouts").rglob("*.mjml.j2")), ids=lambda file: "/".join(file.parts[-2:]))
def test_the_programs_templates_have_none(file: Path) -> None:
    assert list(unknown_words(file.read_text(encoding="utf-8"), file)) == []
