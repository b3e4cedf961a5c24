"""Lines: literal pieces and merge fields, with offsets into what was written."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.text import FieldSyntaxError, Line, MergeField, TextError, plain_text

PLAIN = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="{}\\=") | st.just(" "), max_size=12)
NAME = st.text(string.ascii_letters, min_size=1, max_size=8)
DEFAULT = st.none() | st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="'{}="), max_size=8)


def written(name: str, default: str | None) -> str:
    return f"{{{{ {name} }}}}" if default is None else f"{{{{ {name} | default('{default}') }}}}"


@given(st.lists(st.tuples(PLAIN, NAME, DEFAULT), min_size=1, max_size=4), PLAIN)
def test_pieces_and_fields_come_back_in_order(parts: list[tuple[str, str, str | None]], last: str) -> None:
    raw = "".join(text + written(name, default) for text, name, default in parts) + last
    line = Line.parse(raw)
    assert [(field.name, field.default) for field in line.fields] == [(name, default) for _, name, default in parts]
    assert all(raw.startswith(written(field.name, field.default), field.offset) for field in line.fields)
    shown = "".join(part if isinstance(part, str) else written(part.name, part.default) for part in line.unmarked)
    assert shown == raw.strip()


@given(st.text())
def test_any_text_is_read_or_refused_with_a_place_inside_it(raw: str) -> None:
    for read in (Line.parse, plain_text):
        offset = None
        try:
            read(raw)
        except TextError as error:
            offset = error.offset
        assert offset is None or 0 <= offset < len(raw)


def test_a_line_break_counts_as_a_blank_and_offsets_stay() -> None:
    line = Line.parse("  Hallo\n\t{{ a }}\n")
    assert line.parts == ("Hallo  ", MergeField("a", None, 9))


def test_escaped_braces_are_plain() -> None:
    assert Line.parse(r"So: \{{ name }} {{ a | default(\"b\") }}".replace('\\"', '"')).parts == (
        "So: {{ name }} ",
        MergeField("a", "b", 16),
    )


@pytest.mark.parametrize(
    "raw",
    [
        "{{ a.b }}",
        "{{ a | upper }}",
        "{{ a | default(b) }}",
        "{{}}",
        "{{ 7*7 }}",
        "{{ a }",
        "{{{ a }}}",
        "{{ ä }}",
        "{{ view_url }}",
    ],
)
def test_anything_else_in_braces_is_refused(raw: str) -> None:
    with pytest.raises(FieldSyntaxError) as caught:
        Line.parse(f"Text {raw}")
    assert caught.value.offset == 5


@pytest.mark.parametrize("char", ["\0", "\r", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\ufdd0", "\uffff"])
def test_control_characters_are_refused_where_they_stand(char: str) -> None:
    for read in (Line.parse, plain_text):
        for raw, offset in ((f"ab{char}", 2), (f"{char}b", 0), (f"{{{{ a | default('{char}') }}}}", 16)):
            with pytest.raises(TextError, match=f"U\\+{ord(char):04X}") as caught:
                read(raw)
            assert caught.value.offset == offset


def test_encoded_words_are_refused() -> None:
    with pytest.raises(TextError, match="encoded mail header"):
        plain_text("a =?UTF-8?q?=0D=0ABcc:?=")  # S1: it would decode to a header of its own


def test_sample_shows_defaults_and_names() -> None:
    assert Line.parse("Hallo {{ a | default('du') }}, {{ b }}!").sample() == "Hallo du, {b}!"
