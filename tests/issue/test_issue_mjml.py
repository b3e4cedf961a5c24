"""Raw MJML: whole sections pass unchanged, what cannot stand in a mail is named where it stands."""

import pytest

from newsletter.issue.mjml import check_mjml
from newsletter.issue.text import TextError


@pytest.mark.parametrize(
    "source",
    [
        "<mj-section><mj-text>ä &nbsp;&auml;&#160;&amp; <a href='https://x.org/?a=1&amp;b=2'>x</a><br /></mj-text></mj-section>",
        "<!-- zwei -->\n<mj-wrapper>\n  <mj-section />\n</mj-wrapper>\n<mj-hero></mj-hero>\n",
    ],
)
def test_sections_pass_unchanged(source: str) -> None:
    assert check_mjml(source) == source


@pytest.mark.parametrize(
    ("marked", "piece"),
    [
        (" \n ", "is empty"),
        ("§Text\n<mj-section />", "text cannot stand here"),
        ("<mj-section />\n\n §Text", "text cannot stand here"),
        ("<mj-section />\n<mj-section>\n</mj-section>§</mj-section>", "well-formed"),
        ("<mj-section>\n  ä <br>\n</mj-section>§", "well-formed"),
        ("<mj-section>&nbsp;&foo;§</mj-section>", "Entity 'foo' not defined"),
        ("<mj-section />\n  §<mj-button>a</mj-button>", "only mj-section, mj-wrapper, mj-hero"),
        ("§<mj-body></mj-body>", "<mj-body> cannot stand here"),
        ("<mj-section>\n§<mj-include path='x' /></mj-section>", "files cannot be included"),
        ("<mj-section>§<mj-style>a</mj-style></mj-section>", "belongs into the layout"),
        ("<mj-section>§<MJ-HEAD /></mj-section>", "belongs into the layout"),
        ("<mj-section><mj-column>\n<mj-raw>§<script>x</script></mj-raw></mj-column></mj-section>", "runs scripts"),
        ("<mj-section §onclick='x' />", "runs scripts"),
        ("<mj-section>\n§<mj-button\n  color='red'\n  href='javascript:x'>a</mj-button></mj-section>", "javascript: links"),
        ("<mj-section><mj-text>§<a href='http://x.org'>a</a></mj-text></mj-section>", "must be https"),
        ("<mj-section>§{{ name }}</mj-section>", "the same for everyone"),
        ("§<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><mj-section>&a;</mj-section>", "cannot stand in raw MJML"),
        ("<mj-section>§<![CDATA[x]]></mj-section>", "cannot stand in raw MJML"),
        ("<mj-section css='§@import url(x)' />", "cannot stand in raw MJML"),
        ("§<?php x ?><mj-section />", "cannot stand in raw MJML"),
        ("</root><root>§", "well-formed"),
    ],
)
def test_the_rest_is_named(marked: str, piece: str) -> None:
    before, mark, after = marked.partition("§")
    with pytest.raises(TextError) as caught:
        check_mjml(before + after)
    assert piece in str(caught.value)
    if mark and piece != "well-formed" and "onclick" not in marked:
        assert caught.value.offset == len(before)
    elif mark:  # libxml2 says where it noticed, an attribute is dated to its element
        offset = caught.value.offset or 0
        assert (before + after).count("\n", 0, offset) == before.count("\n")
