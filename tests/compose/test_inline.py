"""premailer's traps (rendering.md §2.1): each test shows the damage that bare premailer does, and that the wrapper does none."""

import http.server
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from premailer import Premailer

from newsletter.compose.inline import inline_css
from newsletter.compose.mjml import MjmlError, compile_mjml
from newsletter.compose.sentinel import Sentinels
from newsletter.compose.tighten import tighten

HEAD = '<!doctype html><html lang="de" dir="ltr"><head><meta charset="utf-8"><title>x</title>'


def bare(document: str, css: str = "") -> str:
    return str(Premailer(document, css_text=[css] if css else None, cssutils_logging_level=logging.CRITICAL).transform())


def page(body: str, style: str = "") -> str:
    return f"{HEAD}{f'<style>{style}</style>' if style else ''}</head><body>{body}</body></html>"


def test_doctype_stays() -> None:
    assert "<!doctype" not in bare(page("<p>x</p>")).lower()
    assert inline_css(page("<p>x</p>"), "").startswith("<!DOCTYPE html>")


def test_important_stays_in_media_queries() -> None:
    style = "@media (max-width:480px){.a{color:#ff0000 !important}}"
    assert "!important" not in bare(page('<p class="a">x</p>', style))
    assert style in inline_css(page('<p class="a">x</p>', style), "")


def test_pixel_width_of_a_picture_stays_for_outlook() -> None:
    picture = '<img alt="x" height="auto" src="https://a.example/x.png" width="264" style="width:100%;height:auto">'
    rule = "img{line-height:100%}"
    assert 'width="100%"' in bare(page(picture), rule)
    assert 'width="264"' in inline_css(page(picture), rule)


def test_no_attributes_are_made_of_styles() -> None:
    cell = '<table><tr><td style="text-align:center;vertical-align:top;background-color:#ffffff">x</td></tr></table>'
    rule = "td{color:#ff0000}"
    assert 'align="center"' in bare(page(cell), rule)
    assert not re.search(r" (?:align|valign|bgcolor)=", inline_css(page(cell), rule))


def test_rules_that_match_nothing_stay_for_the_clients_they_are_for() -> None:
    style = "[data-ogsc] a{color:#7fd0df !important}#outlook a{padding:0}"
    assert "data-ogsc" not in bare(page("<p>x</p>", style))
    assert style in inline_css(page("<p>x</p>", style), "")


def test_resets_of_mjml_are_not_inlined() -> None:
    style = "table,td{border-collapse:collapse;mso-table-lspace:0pt}"
    cell = "<table><tr><td>x</td></tr></table>"
    assert 'td style="border-collapse' in bare(page(cell, style)).replace(" ", " ")
    html = inline_css(page(cell, style), "")
    assert "<td>x</td>" in html
    assert style in html


@pytest.fixture
def web_server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/css")
            self.end_headers()
            self.wfile.write(b"p{color:#00ff00}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_fetched(web_server: tuple[str, list[str]]) -> None:
    url, asked = web_server
    style = f'@import url("{url}/style-sheet.css");'
    with pytest.raises(MjmlError, match="@import would be fetched"):
        inline_css(page("<p>x</p>"), style)
    linked = f'{HEAD}<link rel="stylesheet" href="{url}/linked.css"></head><body><p>x</p></body></html>'
    inline_css(linked, "p{margin:0}")
    inline_css(
        page("<p>x</p>", style), "p{margin:0}"
    )  # in a <style> of the layout: cssutils would fetch it, marked it is not read
    assert asked == []


def test_cssutils_itself_fetches_nothing_any_more(web_server: tuple[str, list[str]]) -> None:
    url, asked = web_server
    inline_css(page("<p>x</p>"), "p{margin:0}")
    import cssutils

    cssutils.parseString(f'@import url("{url}/direct.css");')
    assert asked == []


def test_colours_keep_six_digits() -> None:
    assert "#fff" in bare(page("<p>x</p>"), "p{color:#ffffff}")
    assert "color:#ffffff" in inline_css(page("<p>x</p>"), "p{color:#ffffff}")


def test_font_names_do_not_change_the_quotes_of_the_attribute() -> None:
    css = "p{font-family:'Segoe UI',Arial}"
    assert "style='" in bare(page("<p>x</p>"), css)
    html = inline_css(page("<p>x</p>"), css)
    assert "style='" not in html
    assert re.search(r"""<p style="font-family:'Segoe UI', ?Arial">""", html)


def test_sentinels_in_addresses_survive_where_braces_do_not() -> None:
    sentinels = Sentinels()
    token = sentinels.mark("view_url")
    assert "{{%20url%20}}" in bare(page('<a href="{{ url }}">x</a>'))
    assert f'href="{token}"' in inline_css(page(f'<a href="{token}">x</a>'), "a{color:#ff0000}")


def test_text_is_not_broken_by_new_lines() -> None:
    assert "<td>a<b>b</b></td>" in inline_css(page("<table><tr><td>a<b>b</b></td></tr></table>"), "")


def test_no_noise_about_outlooks_properties(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    inline_css(page("<p>x</p>", "p{mso-line-height-rule:exactly}"), "p{mso-line-height-rule:exactly;-webkit-foo:bar}")
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


def test_conditional_comments_stay_letter_by_letter() -> None:
    comments = '<!--[if mso | IE]><table width="600"><tr><td><![endif]--><p>x</p><!--[if mso | IE]></td></tr></table><![endif]-->'
    revealed = "<!--[if !mso]><!--><b>y</b><!--<![endif]-->"
    html = inline_css(page(comments + revealed), "p{color:#ff0000}")
    assert comments.replace("<p>", '<p style="color:#ff0000">') in html
    assert revealed in html


def test_style_inside_a_comment_for_outlook_is_left_alone() -> None:
    comment = '<!--[if lte mso 11]><style type="text/css">.mj-outlook-group-fix{width:100% !important}</style><![endif]-->'
    html = inline_css(page("<p>x</p>").replace("</head>", comment + "</head>"), "")
    assert comment in html
    assert "data-premailer" not in html


def test_classes_stay_for_the_media_queries() -> None:
    assert 'class="mj-column-per-50 a"' in inline_css(page('<p class="mj-column-per-50 a">x</p>'), ".a{color:#ff0000}")


def test_only_styles_change_against_mrml() -> None:
    body = (
        "<mj-section><mj-column><mj-text><p>x &#8211; ä</p></mj-text>"
        '<mj-button href="https://a.example/?a=1&amp;b=2">y</mj-button></mj-column></mj-section>'
    )
    html, _ = compile_mjml(f'<mjml lang="de" dir="ltr"><mj-head></mj-head><mj-body>{body}</mj-body></mjml>')
    from lxml.html import document_fromstring, tostring

    before = document_fromstring(tighten(html))  # test_tighten.py shows that nothing is lost there
    after = document_fromstring(inline_css(html, "p{color:#ff0000}"))
    for paragraph in after.iter("p"):
        assert paragraph.attrib.pop("style") == "color:#ff0000"

    def normal(root: Any) -> str:
        for element in root.iter():
            if element.get("style"):
                element.set("style", element.get("style").replace(", ", ","))
        return str(tostring(root, encoding="unicode"))

    assert normal(after) == normal(before)
