"""Editions whose texts look wrong or are not what they seem: text_look.py and headings.py."""

from collections.abc import Callable

import pytest

from tests.check.broken import Bench
from tests.check.table import ARTICLE, H4_RULES, INNER, Broken, add, assert_found, body, both, html, put, replace, words

LONG = "Der Plan für das neue Jahr nennt Wege und Netze, und er nennt auch die Kosten, die das Land zu tragen hat. " * 3
BARE = "color:#085a6a;text-decoration:none"
TITLE = "Was der Kongress gebracht hat"
QUOTE = "  - type: quote\n    text: Ein Fahrplan ist ein Versprechen.\n"
INTERVIEW = (
    "  - type: interview\n    person: {name: Ada Beispiel}\n    questions:\n      - {question: Was nun?, answer: Weiter.}\n"
)


def layout(name: str, old: str, new: str) -> Callable[[Bench], None]:
    return lambda bench: bench.layout(name, old, new)


TABLE = [
    Broken("H9-too-small", words("<p>Ein Kasten.</p>", look='font-size="12px" line-height="20px" color="#1f2a2e"'), INNER),
    Broken("H9-long-text-small", words(f"<p>{LONG}</p>", LONG, 'font-size="15px" line-height="22px" color="#1f2a2e"'), INNER),
    Broken("H9-tight-lines", words(f"<p>{LONG}</p>", LONG, 'font-size="16px" line-height="20px" color="#1f2a2e"'), INNER),
    Broken("H9-not-at-the-edge", words(f'<p style="text-align:center">{LONG}</p>', LONG), INNER),
    Broken(
        "H9-not-at-the-edge",
        words(f"<p>{LONG}</p>", LONG, 'align="justify" color="#1f2a2e" font-size="16px" line-height="24px"'),
        INNER,
    ),
    Broken("H10-odd-colour", words("<p>Ein Kasten.</p>", look='color="#123" font-size="16px" line-height="24px"'), INNER),
    Broken("H10-odd-colour", words('<p style="color:rgb(10, 20, 30)">Ein Kasten.</p>'), INNER),
    Broken("H11-no-colour-scheme", html('<meta name="color-scheme" content="light dark">', "")),
    Broken("A8-faint", words("<p>Ein Kasten.</p>", look='color="#8a9a9f" font-size="16px" line-height="24px"'), INNER),
    Broken("A8-faint", words('<p>Ein <span style="color:yellow">Kasten</span>.</p>'), INNER),
    Broken(
        "H11-faint-in-the-dark", words("<p>Ein Kasten.</p>", look='color="#0a768a" font-size="16px" line-height="24px"'), INNER
    ),
    Broken(
        "A9-not-underlined",
        words(
            f'<p>Mehr steht im <a href="https://www.example.org/kasten" style="{BARE}">Kasten der Region</a>.</p>',
            "Mehr steht im [Kasten der Region](https://www.example.org/kasten).",
        ),
        INNER,
    ),
    Broken("A4-no-main-heading", layout("layout.mjml.j2", "<h1>{{ issue.title }}</h1>", "<p>{{ issue.title }}</p>")),
    Broken("A4-two-main-headings", words("<h1>Ein Kasten</h1>", "Ein Kasten"), INNER),
    Broken("A4-level-left-out", words("<h4>Ein Kasten</h4>", "Ein Kasten"), INNER),
    Broken("A4-empty-heading", words("<h3> </h3><p>Ein Kasten.</p>"), INNER),
    Broken("A4-bold-instead-of-heading", body(f"**Der Plan**\n\n{ARTICLE}"), 16),
    Broken("A4-bold-instead-of-heading", words('<p style="font-size:20px;font-weight:700">Ein Kasten</p>'), INNER),
    Broken("A13-list-by-hand", body("• ein Weg\n• zwei Netze"), 16),
    Broken("A13-list-by-hand", body("Im Plan steht:\n\n• ein Weg\n\n• zwei Netze"), 20),
    Broken("A13-list-by-hand", words("<p>– ein Weg<br />– zwei Netze</p>", "– ein Weg – zwei Netze"), INNER),
    Broken("A13-title-is-no-heading", html(f">{TITLE}</h2>", f"></h2><p>{TITLE}</p>"), 13, ("A4-empty-heading",)),
    Broken(
        "A13-quote-is-no-quote",
        both(add(QUOTE), layout("blocks/quote.mjml.j2", "blockquote>", "div>")),
        18,
    ),
]
FINE: dict[str, Callable[[Bench], object]] = {
    "a caption in small letters": words(
        "<p>Der Saal am Morgen</p>", "Der Saal am Morgen", 'font-size="14px" line-height="20px" color="#1f2a2e"'
    ),
    "a short line in the middle": words('<p style="text-align:center">Ein Kasten.</p>'),
    "a colour by its name": words('<p style="color:black">Ein Kasten.</p>'),
    "an address with # in a style": words('<p style="background:#ffffff url(https://www.example.org/a#abc)">Ein Kasten.</p>'),
    "large text with less contrast": words('<p style="font-size:26px;line-height:36px;color:#767676">Ein Kasten.</p>'),
    "a link alone that is not underlined": words(
        f'<p><a href="https://www.example.org/kasten" style="{BARE}">Kasten der Region</a></p>',
        "[Kasten der Region](https://www.example.org/kasten)",
    ),
    "a link with a line of its own": words(
        f'<p>Mehr steht im <a href="https://www.example.org/kasten" style="{BARE};border-bottom:1px solid">Kasten</a>.</p>',
        "Mehr steht im [Kasten](https://www.example.org/kasten).",
    ),
    "a bold sentence": body(f"**Der Plan steht.**\n\n{ARTICLE}"),
    "a bold paragraph at the end": body(f"{ARTICLE}\n\n**Ihr Team**"),
    "bold words in a list": body("- **Der Plan**\n- **Das Netz**"),
    "dashes in the midst of a sentence": body("Der Plan kommt\n– wie immer –\nim Januar."),
    "one bullet": body("Der Saal • die Bühne • der Gang"),
    "a list by hyphens": body("- ein Weg\n- zwei Netze"),
    "a title with a number of the layout's before it": html(f">{TITLE}</h2>", f">1. {TITLE}</h2>"),
    "a title that not everyone gets": add("  - {type: text, only: {tag: presse}, title: Für die Presse, body: Ein Satz.}\n"),
    "a quote": add(QUOTE),
    "an interview": add(INTERVIEW),
    "a title with a merge field": replace(f"title: {TITLE}", "title: \"Was {{ first_name | default('alle') }} bewegt\""),
    "an invisible text": put('<p style="display:none;color:#ffffff;font-size:1px">x</p>'),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() <= H4_RULES
