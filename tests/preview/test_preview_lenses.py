"""What other mail programs leave of a mail."""

import re

from lxml.html import HtmlElement, tostring

from newsletter.compose.contrast import inverted
from newsletter.preview.lenses import seen
from newsletter.preview.look import Look

MAIL = """\
<!DOCTYPE html><html lang="de"><head><style>.a{color:#112233}@media (min-width:480px){.a{width:50% !important}}</style>
<!--[if mso]><style>.only-word{mso-x:1}</style><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]--></head>
<body style="background-color:#ffffff"><div role="article" aria-label="x" lang="de" style="max-width:600px;border-radius:4px">
<!--[if mso]><table class="ghost" width="600"><tr><td><![endif]-->
<!--[if !mso]><!--><p class="not-word">modern</p><!--<![endif]-->
<p id="t" style="color:#1f2a2e;background:#e8f1f2;border:1px solid #d0d0d0">Text</p>
<td bgcolor="#0b4a57" style="color:#ffffff">band</td>
<img src="a.png" alt="Ein See" width="200" height="100" style="display:block;font-size:14px"> tail
<!--[if mso]></td></tr></table><![endif]--></div></body></html>"""


def _html(document: HtmlElement) -> str:
    return re.sub(r"<!--.*?-->", "", str(tostring(document, encoding="unicode")), flags=re.DOTALL)


def test_as_written_nothing_is_lost() -> None:
    html = _html(seen(MAIL, Look()))
    assert 'style="color:#1f2a2e;background:#e8f1f2;border:1px solid #d0d0d0"' in html
    assert "@media" in html
    assert "not-word" in html
    assert "ghost" not in html


def test_forced_dark_turns_light_grounds_and_dark_texts_and_nothing_else() -> None:
    html = _html(seen(MAIL, Look(dark="1")))
    ink, tint = inverted("#1f2a2e", ground=False), inverted("#e8f1f2", ground=True)
    line = inverted("#d0d0d0", ground=True)
    assert f"color:{ink};background:{tint};border:1px solid {line}" in html
    assert f'background-color:{inverted("#ffffff", ground=True)}"' in html
    assert f".a{{color:{inverted('#112233', ground=False)}}}" in html
    assert 'bgcolor="#0b4a57" style="color:#ffffff"' in html or "color:#ffffff" in html  # dark ground, light text: left alone
    assert '<img src="a.png"' in html
    assert "filter" not in html


def test_gmx_drops_styles_names_and_round_corners() -> None:
    html = _html(seen(MAIL, Look(client="gmx")))
    assert "@media" not in html
    assert ".a{" not in html
    assert not re.search(r"\b(lang|role|aria-label)=", html)
    assert "border-radius" not in html
    assert "max-width:600px" in html
    assert "color:#1f2a2e" in html


def test_outlook_reads_its_own_comments() -> None:
    html = _html(seen(MAIL, Look(client="outlook")))
    assert 'class="ghost"' in html
    assert "not-word" not in html
    assert "@media" not in html
    assert "96" not in html
    assert not re.search(r"<div[^>]*max-width", html)
    assert "border-radius" not in html


def test_without_pictures_the_alternative_text_stands_in_a_box_of_their_size() -> None:
    document = seen(MAIL, Look(pictures="off"))
    (box,) = document.find_class("picture-off")
    assert not list(document.iter("img"))
    assert (box.text, box.tail.strip(), box.get("aria-label")) == ("Ein See", "tail", "Ein See")
    assert "width:200px;height:100px" in box.get("style")
    assert "font-size:14px" in box.get("style")


def test_lenses_lie_on_each_other() -> None:
    html = _html(seen(MAIL, Look(client="gmx", dark="1", pictures="off")))
    assert "picture-off" in html
    assert inverted("#1f2a2e", ground=False) in html
    assert "@media" not in html
