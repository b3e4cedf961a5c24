"""Markdown: merge fields as tokens, checked links, nothing lost, offsets in what was written."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.token import Token

from newsletter.issue.markdown import Markdown
from newsletter.issue.text import FieldSyntaxError, TextError


def leaves(text: Markdown) -> Iterator[Token]:
    for token in text.tokens:
        yield from token.children if token.children is not None else [token]


def words(text: Markdown) -> str:
    return "".join(token.content for token in leaves(text))


def test_fields_are_tokens_everywhere_in_running_text() -> None:
    raw = (
        "# {{ a }}\n\nLiebe *{{ b }}*, **{{ c | default('x|y') }}**s\n{{ d }}\n\n"
        "- eins\n  - {{ e }}\n\n> {{ f }}\n\n| K | {{ g }} |\n|--|--|\n| {{ h | default('|') }} | 2 |\n\n[{{ i }}](https://x.org)"
    )
    text = Markdown.parse(raw)
    tokens = [token for token in leaves(text) if token.type == "merge_field"]
    assert [token.meta["field"].name for token in tokens] == list("abcdefghi")
    assert tuple(token.meta["field"] for token in tokens) == text.fields
    assert [raw[field.offset :].startswith("{{ " + field.name) for field in text.fields] == [True] * 9
    assert [field.default for field in text.fields if field.default] == ["x|y", "|"]
    assert sum(token.type == "strong_open" for token in leaves(text)) == 1
    assert sum(token.type == "td_open" for token in leaves(text)) == 2


def test_words_between_fields_stay_whole() -> None:
    text = Markdown.parse("a{{ b }}c{{ d }}\ne")
    assert [(token.type, token.content) for token in leaves(text) if token.nesting == 0] == [
        ("text", "a"),
        ("merge_field", "{{ b }}"),
        ("text", "c"),
        ("merge_field", "{{ d }}"),
        ("softbreak", ""),
        ("text", "e"),
    ]
    assert text.tokens[1].content == "a{{ b }}c{{ d }}\ne"


def test_escaped_braces_are_plain_also_in_code() -> None:
    text = Markdown.parse("\\{{ a }} `\\{{ b }}` \\\\{{ c }}\n\n    \\{{ d }}")
    assert words(text) == "{{ a }} {{ b }} \\{{ c }}{{ d }}\n"
    assert [field.name for field in text.fields] == ["c"]


@pytest.mark.parametrize(
    "raw",
    [
        "a `§{{ x }}`",
        "a\n\n    §{{ x }}",
        "```\n§{{ x }}\n```",
        "```§{{ x }}\na\n```",
        "[a](https://x.org/§{{ x }})",
        "[a](https://x.org '§{{ x }}')",
        "{{ y }} <https://x.org/§{{ x }}>",
        "[a][b]\n\n[b]: https://x.org/§{{ x }}",
        "a\n\n[b]: https://x.org '§{{ x }}'",
        "a §{{ x\n}}",
        "a §{{ x y }}",
        "a\n\n- `\\{{` §{{ unsubscribe_url }}",
    ],
)
def test_fields_elsewhere_are_refused_where_they_stand(raw: str) -> None:
    before, _, after = raw.partition("§")
    with pytest.raises(FieldSyntaxError) as caught:
        Markdown.parse(before + after)
    assert caught.value.offset == len(before)


@pytest.mark.parametrize(
    "raw",
    [
        "javascript:x [a](§javascript:x)",
        "https://x.org [{{ f | default('z') }}](§http://x.org)",
        "[a](https://x.org) [b](§data:text/html,x)",
        "[a](<§file:///etc>)",
        "[a](  §relativ)",
        "[a](§#anker)",
        "[a](§)",
        "a\n\n- b <§ftp://x.org>",
        "[a][b]\n\n[b]: §vbscript:x",
        "[a](§https://u:p@x.org)",
        "[a](§https://localhost/)",
        "[a](§mailto:a@x.org?bcc=b)",
        "<§a@b>",
        "[](§https://x.org)",
        "[a](https://x.org) [](§https://x.org)",
        "§![Bild](a.png)",
        "{{ x }} §![B *i* ld][r]\n\n[r]: a.png",
        "a §\x07",
    ],
)
def test_what_cannot_stand_is_refused_where_it_stands(raw: str) -> None:
    before, _, after = raw.partition("§")
    with pytest.raises(TextError) as caught:
        Markdown.parse(before + after)
    assert caught.value.offset == len(before)


def test_links_are_given_as_they_go_into_the_mail() -> None:
    text = Markdown.parse("[a](<https://Bücher.example/ä b>) <https://x.org> <a@x.org> [t](tel:+49611) [r]\n\n[r]: https://y.org")
    assert [token.attrs["href"] for token in leaves(text) if token.type == "link_open"] == [
        "https://xn--bcher-kva.example/%C3%A4%20b",
        "https://x.org",
        "mailto:a@x.org",
        "tel:+49611",
        "https://y.org",
    ]


def test_html_is_text_and_quotes_stay() -> None:
    text = Markdown.parse("<b>\"a\"</b> 'b' -- ... <!-- c -->\n\n<script>\nx\n</script>")
    assert words(text) == "<b>\"a\"</b> 'b' -- ... <!-- c --><script>x</script>"


@pytest.mark.parametrize("raw", ["", " \n\t\n", "[a]: https://x.org"])
def test_a_text_without_words_is_refused(raw: str) -> None:
    with pytest.raises(TextError, match="is empty"):
        Markdown.parse(raw)


def test_nothing_is_dropped_silently_where_it_is_nested_too_deep() -> None:
    assert words(Markdown.parse("> " * 8 + "unten")) == "unten"
    for depth in (20, 40, 200):  # markdown-it drops what is beyond its limit
        with pytest.raises(TextError, match="too deep"):
            Markdown.parse("> " * depth + "unten")
        with pytest.raises(TextError, match="too deep"):
            Markdown.parse("- " * depth + "unten")


@given(st.text(st.sampled_from("ab {}|`*_~[]()<>#-\\\n\t!:'\"1.&;é{"), max_size=40))
@example("a\n\n\\\\\\{{")
def test_any_text_is_read_or_refused_with_a_place_inside_it(raw: str) -> None:
    try:
        text = Markdown.parse(raw)
    except TextError as error:
        offset = error.offset or 0
    else:
        offset = 0
        assert all(raw.startswith("{{", field.offset) for field in text.fields)
        assert not any(0xFDD0 <= ord(char) <= 0xFDEF for token in leaves(text) for char in token.content)
    assert 0 <= offset <= len(raw)


@given(
    st.lists(
        st.sampled_from(["Wort", "*fett*", "{{ a }}", "\n\n", "\n- ", "`code`", "\\{{", "\n> ", "[l](https://x.org)"]),
        max_size=12,
    )
)
def test_an_unfinished_field_is_found_after_anything(pieces: list[str]) -> None:
    raw = " ".join(pieces) + " "
    with pytest.raises(FieldSyntaxError) as caught:
        Markdown.parse(raw + "{{ oh no")
    assert caught.value.offset == len(raw)
