"""mrml's traps (rendering.md §1.2, §1.3): each test shows the trap in the bare tool, and that the pre-processor takes it away."""

import re

import mjml
import pytest

from newsletter.compose.mjml import MjmlError, compile_mjml, prepare


def document(body: str, head: str = "") -> str:
    return (
        '<mjml lang="de" dir="ltr"><mj-head><mj-attributes><mj-all font-family="Arial" /></mj-attributes>'
        f"{head}</mj-head><mj-body>{body}</mj-body></mjml>"
    )


def section(content: str, attributes: str = "") -> str:
    return f"<mj-section {attributes}><mj-column>{content}</mj-column></mj-section>"


def bare(source: str) -> str:
    return str(mjml.mjml2html(source))


def cured(source: str) -> str:
    return compile_mjml(source)[0]


IMAGE = '<mj-image padding="0px" src="https://a.example/x.png" alt="x" />'


def test_unitless_zero_in_a_padding_does_not_widen_pictures() -> None:
    source = document(section(IMAGE, 'padding="0 12px"'))
    assert 'width="600"' in re.findall("<img[^>]*>", bare(source))[0]
    assert 'width="576"' in re.findall("<img[^>]*>", cured(source))[0]


def test_unitless_zero_inside_a_number_stays() -> None:
    assert 'padding="10px 0px 20px 0px"' in prepare(document(section(IMAGE, 'padding="10px 0 20px 0"'))).source
    assert 'padding="0.5px 10px"' in prepare(document(section(IMAGE, 'padding="0.5px 10px"'))).source


def test_percent_in_a_padding_is_refused() -> None:
    source = document(section(IMAGE, 'padding="10px 5%"'))
    assert 'width="600"' in bare(source)  # npm's mjml gives 590
    with pytest.raises(MjmlError, match=r'padding="10px 5%" on <mj-section>.*write px'):
        cured(source)


@pytest.mark.parametrize(
    ("value", "garbled"),
    [
        ("a\u00adb", r"\u{ad}"),
        ("212\u00a0km", r"\u{a0}"),
        ("a\u0308", r"\u{308}"),
        ("\u2764\ufe0f", r"\u{fe0f}"),
        ("\U0001f469\u200d\U0001f4bb", r"\u{200d}"),
        ("C:\\temp", r"C:\\temp"),
    ],
)
def test_attribute_values_are_not_garbled(value: str, garbled: str) -> None:
    source = document(section(f'<mj-image src="https://a.example/x.png" alt="{value}" />'))
    assert garbled in bare(source)
    assert alt_of(cured(source)) == value


def test_quotes_in_an_attribute_survive() -> None:
    source = document(section("""<mj-image src="https://a.example/x.png" alt='Der "Plan"' />"""))
    assert '\\"Plan\\"' in bare(source)
    assert alt_of(cured(source)) == 'Der "Plan"'


def test_line_break_in_a_style_attribute_becomes_a_blank() -> None:
    source = document(section('<mj-text><p style="color:#ff0000;\nmargin:0">x</p></mj-text>'))
    assert "\\n" in bare(source)
    assert 'style="color:#ff0000; margin:0"' in cured(source)


def test_title_is_not_garbled_in_its_label() -> None:
    source = document(section("<mj-text>x</mj-text>"), "<mj-title>Gr\u00fc\u00dfe\u00a0an \u2764\ufe0f</mj-title>")
    assert r"\u{a0}" in bare(source)
    assert parse(cured(source)).xpath("string(//@aria-label)") == "Gr\u00fc\u00dfe\u00a0an \u2764\ufe0f"


@pytest.mark.parametrize("title", ['Der "Plan"', "C:\\temp", "'x' & <y>"])
def test_quotes_and_backslashes_of_the_title_are_not_garbled_in_its_label(title: str) -> None:
    written = title.replace("&", "&amp;").replace("<", "&lt;")
    source = document(section("<mj-text>x</mj-text>"), f"<mj-title>{written}</mj-title>")
    if title[0] != "'":
        assert parse(bare(source)).xpath("string(//@aria-label)") != title
    html = parse(cured(source))
    assert html.xpath("string(//@aria-label)") == html.xpath("string(//title)") == title


def test_windows_line_ends_in_the_head_are_read() -> None:
    source = document(section("<mj-text>x</mj-text>")).replace("<mj-attributes>", "<mj-attributes>\r\n")
    with pytest.raises(ValueError, match="unexpected token"):
        bare(source)
    assert "Arial" in cured(source)


def test_comment_among_the_attributes_is_dropped() -> None:
    source = document(section("<mj-text>x</mj-text>")).replace("<mj-attributes>", "<mj-attributes><!-- fonts -->")
    with pytest.raises(ValueError, match="unexpected"):
        bare(source)
    assert "Arial" in cured(source)


@pytest.mark.parametrize("start", ["\ufeff", '<?xml version="1.0" encoding="utf-8"?>\n', "<!DOCTYPE mjml>\n", "\n \n"])
def test_what_stands_before_the_document_is_taken_off(start: str) -> None:
    assert "<h1>ä</h1>".encode("ascii", "xmlcharrefreplace").decode() in cured(
        start + document(section("<mj-text><h1>ä</h1></mj-text>"))
    )


@pytest.mark.parametrize(
    "markup", ["<p>unclosed", "<li>unclosed", "<b class=foo>x</b>", "5 < 6", "<B>x</b>", "{% if x < 3 %}", "<br>"]
)
def test_what_is_not_well_formed_is_named_with_its_line(markup: str) -> None:
    source = document(f"\n<mj-section><mj-column>\n<mj-text>{markup}</mj-text></mj-column></mj-section>")
    with pytest.raises(MjmlError, match=r"not well-formed at line \d+, column \d+"):
        cured(source)


def test_cdata_is_read_as_text() -> None:
    source = document(section("<mj-text><![CDATA[5 < 6]]></mj-text>"))
    with pytest.raises(ValueError, match="unexpected"):
        bare(source)
    assert "5 &lt; 6" in cured(source)


def test_less_than_in_a_style_is_refused_with_its_line() -> None:
    style = "<mj-style>@media (width < 480px) { p { margin: 0 } }</mj-style>"
    with pytest.raises(ValueError, match="unable to parse"):
        bare(document(section("<mj-text>x</mj-text>"), style))
    with pytest.raises(MjmlError, match="not well-formed at line 1"):
        cured(document(section("<mj-text>x</mj-text>"), style))


def test_named_entities_become_characters() -> None:
    html = cured(document(section("<mj-text><p>a&nbsp;b&shy;c&euro;&amp;&lt;</p></mj-text>")))
    assert parse(html).xpath("string(//p)") == "a\u00a0b\u00adc€&<"


def test_bare_ampersand_is_refused_rather_than_misread() -> None:
    assert "?a=1&reg_id=2" in bare(document(section('<mj-text><a href="https://a.example/?a=1&reg_id=2">x</a></mj-text>')))
    with pytest.raises(MjmlError, match="not well-formed"):
        cured(document(section('<mj-text><a href="https://a.example/?a=1&reg_id=2">x</a></mj-text>')))


def test_empty_element_keeps_its_end_tag() -> None:
    html = cured(document(section("<mj-text><table><tr><td></td><td>x</td></tr></table><p></p>z</mj-text>")))
    assert "<td></td>" in html
    assert "<p></p>z" in html


def test_no_font_and_no_icon_is_fetched_from_elsewhere() -> None:
    body = section(
        '<mj-text font-family="Ubuntu, sans-serif">x</mj-text>'
        '<mj-social><mj-social-element name="x" href="https://a.example" alt="x">X</mj-social-element></mj-social>'
    )
    source = f"<mjml><mj-body>{body}</mj-body></mjml>"
    assert "fonts.googleapis.com" in bare(source)
    assert "mailjet" in bare(source)
    assert "fonts.googleapis.com" not in cured(source)
    assert "mailjet" not in cured(source)


@pytest.mark.parametrize("path", ["/etc/passwd", "other.mjml"])
def test_includes_are_refused(path: str) -> None:
    with pytest.raises(MjmlError, match="mj-include is not read"):
        cured(document(section(f'<mj-include path="{path}" />')))


def test_import_in_a_style_is_refused() -> None:
    with pytest.raises(MjmlError, match="@import would be fetched"):
        cured(document(section("<mj-text>x</mj-text>"), '<mj-style>@import url("https://a.example/x.css");</mj-style>'))


def test_inline_styles_are_taken_out_to_be_inlined() -> None:
    style = '<mj-style inline="inline">p { color: #ff0000 }</mj-style>'
    source = document(section("<mj-text><p>x</p></mj-text>"), style)
    assert "p { color" in bare(source)  # as an ordinary <style>: not inlined
    html, css = compile_mjml(source)
    assert "#ff0000" not in html
    assert css == "p { color: #ff0000 }"


def test_widths_are_whole_pixels() -> None:
    columns = "".join(f"<mj-column>{IMAGE}</mj-column>" for _ in range(3))
    source = document(f'<mj-section padding="0px 10px">{columns}</mj-section>')
    assert re.search(r'width="\d+\.\d+"', bare(source))
    assert not re.search(r'width="\d+\.\d+"|width:\d+\.\d+px', cured(source))


def test_sizes_in_words_stay() -> None:
    said = "width:33.5px &#34;"
    source = document(
        f'<mj-section padding="0px 10px">{"".join(f"<mj-column>{IMAGE}</mj-column>" for _ in range(3))}</mj-section>'
    )
    html = cured(
        source.replace('alt="x"', f'alt="{said}"').replace("</mj-body>", section(f"<mj-text>{said}</mj-text>") + "</mj-body>")
    )
    assert alt_of(html) == 'width:33.5px "'
    assert 'width:33.5px "' in parse(html).body.text_content()


def test_conditional_comments_stay() -> None:
    source = document("<mj-raw><!--[if mso]><table><tr><td>x</td></tr></table><![endif]--></mj-raw>")
    assert "<!--[if mso]><table><tr><td>x</td></tr></table><![endif]-->" in cured(source)


def test_errors_of_mrml_are_sentences() -> None:
    with pytest.raises(MjmlError, match="mrml cannot read the MJML"):
        cured("<mjml><mj-head><mj-foo></mj-foo></mj-head><mj-body></mj-body></mjml>")
    with pytest.raises(MjmlError, match="must give an <mjml> document"):
        cured("<html></html>")


def parse(html: str):  # type: ignore[no-untyped-def]
    from lxml.html import document_fromstring

    return document_fromstring(html)


def alt_of(html: str) -> str:
    return str(parse(html).xpath("string(//img/@alt)"))
