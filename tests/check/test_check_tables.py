"""Editions whose tables, widths or buttons are broken (tables.py, buttons.py)."""

import pytest

from tests.check.broken import Bench
from tests.check.table import DECORATION, INNER, Broken, add, assert_found, both, html, mjml, put, words

FRAME = 'border="0" cellpadding="0" cellspacing="0" role="presentation"'
FACE = 'href="https://www.example.org/" color="#ffffff" font-size="16px" line-height="20px"'
BUTTON = f"<mj-button {{}} {FACE}>Zum Archiv der Region</mj-button>"
PADDED = "background:#0a768a;color:#ffffff;padding:14px 24px;line-height:20px;text-decoration:underline"
SAYS = "Zum Archiv der Region: <https://www.example.org/>"
TABLE = [
    Broken("H5-too-wide", put(f'<table {FRAME} width="800" style="width:100%"><tr><td></td></tr></table>')),
    Broken(
        "H5-too-wide",
        words('<table FRAME style="width:100%;max-width:700px"><tr><td>Ein Kasten.</td></tr></table>'.replace("FRAME", FRAME)),
        INNER,
    ),
    Broken("H5-fixed-width", put(f'<table {FRAME} width="500"><tr><td></td></tr></table>')),
    Broken("H5-fixed-width", words('<p style="min-width:400px">Ein Kasten.</p>'), INNER, also=(DECORATION,)),
    Broken(
        "H5-outlook-as-wide-as-the-window",
        html("</body>", '<div lang="de" dir="ltr" style="max-width:600px"></div></body>'),
    ),
    Broken(
        "H6-no-role", put('<!--[if mso]><table border="0" cellpadding="0" cellspacing="0"><tr><td></td></tr></table><![endif]-->')
    ),
    Broken(
        "H6-gaps", words('<table role="presentation" border="0" cellpadding="0"><tr><td>Ein Kasten.</td></tr></table>'), INNER
    ),
    Broken("H6-data-without-headings", words(f'<table {FRAME}><tr><th scope="col">Ein Kasten.</th></tr></table>'), INNER),
    Broken("H6-heading-without-scope", words("<table><tr><th>Ein Kasten.</th></tr></table>"), INNER),
    Broken(
        "H8-button-not-in-cell",
        words(
            f'<p><a href="https://www.example.org/" style="{PADDED}">Zum Archiv der Region</a></p>',
            SAYS,
        ),
        INNER,
    ),
    Broken("H8-link-in-drawing", put('<!--[if mso]><v:roundrect href="https://www.example.org/"></v:roundrect><![endif]-->')),
    Broken("A11-button-low", mjml(BUTTON.format('background-color="#0a768a" inner-padding="8px 24px"'), SAYS), INNER),
    Broken(
        "A8-button-unseen",
        mjml(BUTTON.format('background-color="#dcecee" inner-padding="14px 24px"').replace("#ffffff", "#1f2a2e"), SAYS),
        INNER,
    ),
]
FINE = {
    "a table of the author's own data": words(
        '<table><caption>Ein Kasten.</caption><tr><th scope="row">Ein</th><td>Kasten</td></tr></table>'
    ),
    "a table that Markdown made": add(
        "  - type: text\n    body: |\n      | Ort | Zahl |\n      |---|--:|\n      | Uhlenwiek | 12 |\n"
    ),
    "a button with a border in place of a face": mjml(
        BUTTON.format('background-color="#ffffff" border="2px solid #0a768a" inner-padding="12px 24px"').replace(
            'color="#ffffff" f', 'color="#085a6a" f'
        ),
        SAYS,
    ),
    "a wide picture that shrinks": both(
        put('<img alt="" src="https://www.example.org/a.png" width="536" style="width:100%;height:auto;display:block">')
    ),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() == set()
