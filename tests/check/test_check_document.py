"""Editions whose document is broken, each in one way; and what is in order though it looks odd (document.py, forbidden.py)."""

import pytest

from tests.check.broken import Bench
from tests.check.table import H4, H4_RULES, INNER, Broken, assert_found, body, html, put, words

STYLE = '<style type="text/css">#outlook a'
TABLE = [
    Broken("H1-frame-lacks", html("<!DOCTYPE html>", "")),
    Broken("H1-frame-lacks", html("text/html; charset=UTF-8", "text/html; charset=iso-8859-1")),
    Broken("H1-frame-lacks", html("width=device-width, initial-scale=1", "width=600")),
    Broken("H1-not-one-document", html("</body>", "</body><body></body>")),
    Broken("H1-zoom-blocked", html("initial-scale=1", "initial-scale=1, user-scalable=no")),
    Broken("H1-zoom-blocked", html("initial-scale=1", "initial-scale=1, maximum-scale=1.0")),
    Broken("H2-forbidden-element", words('<form action="https://www.example.org/"><p>Ja</p></form>', "Ja"), INNER),
    Broken("H2-forbidden-element", html("</head>", '<base href="https://www.example.org/"></head>')),
    Broken("H2-forbidden-element", html("</head>", '<meta http-equiv="Refresh" content="9"></head>')),
    Broken("H2-forbidden-element", put("<!--[if mso]><iframe></iframe><![endif]-->")),
    Broken("H2-runs-script", put('<p onclick="x()"></p>')),
    Broken("H2-runs-script", put('<p><a href="javascript:x()" style="color:#085a6a">Bild vergrößern</a></p>')),
    Broken(
        "H2-content-in-address", put('<img alt="" src="data:image/png;base64,AA==" width="10" style="height:auto;display:block">')
    ),
    Broken("H2-content-in-address", put("<p style=\"background-image:url('file:///C:/bild.png')\"></p>"), also=(H4,)),
    Broken("H2-loads-style", html(STYLE, '<style type="text/css">@import "https://fonts.example.org/a.css";#outlook a')),
    Broken("H2-loads-style", html("</head>", '<link rel="stylesheet" href="https://www.example.org/a.css"></head>')),
    Broken("H3-styles-too-large", html(STYLE, f'<style type="text/css">.a{{color:#{"0" * 16_384}}}#outlook a')),
    Broken("H3-style-outside-head", put("<style>p{color:#000000}</style>")),
    Broken("H3-style-broken", html(STYLE, '<style type="text/css">@media print{@media screen{p{margin:0}}}#outlook a')),
    Broken("H3-style-broken", html(STYLE, '<style type="text/css">p{margin:0;#outlook a'), also=(H4,)),
    Broken("H3-style-broken", html(STYLE, '<style type="text/css">p{color:rgb(0 0 0 / 50%)}#outlook a'), also=(H4,)),
    Broken("H12-not-closed", put("<div>")),
    Broken("H12-not-closed", put("<!--[if mso]></div><![endif]-->")),
    Broken("H12-id-twice", put('<p id="a"></p><p id="a"></p>')),
    Broken("H16-other-title", html("<title>Digitale Region, Ausgabe 4", "<title>Newsletter")),
    Broken("A3-no-title", html("<title>Digitale Region, Ausgabe 4", "<title> ")),
    Broken("A1-no-language", html('<html lang="de"', "<html")),
    Broken("A1-no-language", html('lang="de" dir="ltr" style', 'lang="de" style')),
    Broken("A1-no-language", html("</body>", "<p></p></body>")),
    Broken("A1-other-language", html('<html lang="de"', '<html lang="en"')),
]
FINE = {
    "a word that begins with on, and an address with data in it": body(
        "Onlinedaten: onset=1, [Daten](https://www.example.org/data:1)."
    ),
    "a tag in the title and a > in an attribute": put('<p title="a > b"></p>'),
    "braces in a comment and in a text of a style sheet": html(STYLE, '<style>/* } */ p::before{content:"{"}#outlook a'),
    "a colour with commas": html(STYLE, "<style>p{color:rgba(0,0,0,0.5)}#outlook a"),
    "zoom to four times": html("initial-scale=1", "initial-scale=1, maximum-scale=4"),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() <= H4_RULES
