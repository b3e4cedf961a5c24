"""The text part: 72 columns, hanging lists, quotes, tables, footnotes; what has to stay whole is not cut (rendering.md §4)."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.edition import Edition
from newsletter.compose.plain import COLUMNS, PlainText, columns
from newsletter.compose.sentinel import Sentinels
from newsletter.issue import Line, Markdown, MergeField


@pytest.fixture
def writer() -> PlainText:
    return PlainText(Sentinels())


def plain(source: str, prefix: str = "") -> str:
    return PlainText(Sentinels()).markdown(Markdown.parse(source), prefix)


def lines(source: str, prefix: str = "") -> list[str]:
    return plain(source, prefix).split("\n")


LONG = "Die Fähre kommt auf Abruf. " * 12


def test_lines_are_filled_up_to_72_columns(writer: PlainText) -> None:
    found = writer.wrap(LONG).split("\n")
    assert len(found) > 3
    for line, following in pairwise(found):
        assert len(line) <= COLUMNS
        assert len(line) + 1 + len(following.split(" ")[0]) > COLUMNS
    assert " ".join(found) == LONG.strip()


def test_exactly_72_columns_stay_on_one_line(writer: PlainText) -> None:
    assert writer.wrap("a " * 35 + "bb") == "a " * 35 + "bb"
    assert writer.wrap("a " * 35 + "bbb") == "a " * 34 + "a\nbbb"


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("äöü", 3), ("漢字", 4), ("ｆｕ", 4), ("a\u0308b", 2), ("e\u20dd", 1), ("\U0001f600", 2), ("", 0), ("ﬁ–…", 3)],
)
def test_columns_of_a_terminal(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize(("word", "width"), [("漢字", 4), ("a\u0308o\u0308", 2), ("\u2764\ufe0f", 1)])
def test_wide_and_combining_characters_count_as_they_show(writer: PlainText, word: str, width: int) -> None:
    first = writer.wrap(f"{word} " * 60).split("\n")[0]
    assert len(first.split(" ")) == (COLUMNS + 1) // (width + 1)


def test_no_break_spaces_keep_words_together_and_come_out_as_blanks(writer: PlainText) -> None:
    found = writer.wrap("x" * 66 + " 18.\u00a0Dezember\u00a02026 y").split("\n")
    assert found == ["x" * 66, "18. Dezember 2026 y"]


def test_soft_hyphens_and_zero_width_blanks_are_dropped(writer: PlainText) -> None:
    assert writer.wrap("Donau\u00addampf\u200bschiff\ufefffahrt\u2060s") == "Donaudampfschifffahrts"


def test_tabs_and_runs_of_blanks_are_one_blank(writer: PlainText) -> None:
    assert writer.wrap(" a \t b  c ") == "a b c"


def test_an_address_is_never_cut(writer: PlainText) -> None:
    url = "https://www.example.org/" + "ein-langer-weg/" * 8
    assert url in writer.wrap(f"Mehr dazu unter {url} im Netz.").split("\n")


@pytest.mark.parametrize(("default", "length"), [("Leserinnen", 10), (None, 10), ("漢字", 4), ("x" * 30, 30)])
def test_a_merge_field_counts_as_its_default(default: str | None, length: int) -> None:
    sentinels = Sentinels()
    token = sentinels.field(MergeField("name", default, 0))
    filler = "x" * (COLUMNS - 1 - length)
    assert PlainText(sentinels).wrap(f"{filler} {token}") == f"{filler} {token}"
    assert PlainText(sentinels).wrap(f"{filler}x {token}") == f"{filler}x\n{token}"


def test_first_and_other_lines_have_their_prefix(writer: PlainText) -> None:
    found = writer.wrap(LONG, "* ", "  ").split("\n")
    assert found[0].startswith("* Die")
    assert all(re.match(r"  \S", line) for line in found[1:])
    assert max(map(len, found)) <= COLUMNS


def test_line_breaks_of_the_text_stay(writer: PlainText) -> None:
    assert writer.wrap("a\nb\n\nc", "- ", "  ") == "- a\n  b\n\n  c"


def test_underline_is_as_long_as_the_widest_line(writer: PlainText) -> None:
    assert writer.underline("漢字 ä", "=") == "漢字 ä\n======"
    heading = writer.underline(LONG, "-").split("\n")
    assert len(heading[-1]) == max(map(len, heading[:-1])) <= COLUMNS


@given(st.text(alphabet=st.sampled_from("ab ä\u00a0\u00ad漢\u0301\n\t-x"), max_size=300), st.sampled_from(["", "- ", "    "]))
def test_no_line_is_too_long_that_could_be_broken(text: str, prefix: str) -> None:
    found = PlainText(Sentinels()).wrap(text, prefix, " " * len(prefix)).split("\n")
    words = re.split("[ \n\t]+", text.replace("\u00ad", ""))
    longest = max(map(columns, words))
    assert all(columns(line) <= max(COLUMNS, longest + len(prefix)) for line in found)
    assert all(line == line.rstrip(" ") for line in found)
    assert "".join("".join(found).split()) == prefix.strip() * (found != [""]) + "".join(text.replace("\u00ad", "").split())


# Markdown.


def test_paragraphs_stand_apart_and_breaks_stay() -> None:
    assert plain("Eins\nzwei\n\nDrei\\\nvier") == "Eins zwei\n\nDrei\nvier"


def test_emphasis_and_code_are_their_words() -> None:
    assert plain("*a* **b** ~~c~~ `d  e` &amp; &lt;") == "a b c d e & <"


def test_lists_hang() -> None:
    assert lines(f"- {LONG}\n- kurz")[0].startswith("- Die")
    assert all(line.startswith(("- ", "  D", "  F", "  k", "  a", "  A")) for line in lines(f"- {LONG}\n- kurz"))
    assert lines("- a\n- b") == ["- a", "- b"]
    assert lines("9. a\n10. b\n    - c") == ["9. a", "10. b", "    - c"]


def test_nested_lists() -> None:
    assert lines("- a\n  - b\n    1. c\n    2. d\n- e") == ["- a", "  - b", "    1. c", "    2. d", "- e"]


def test_loose_lists_have_blank_lines_between_items_and_paragraphs() -> None:
    assert lines("- a\n\n  b\n\n- c") == ["- a", "", "  b", "", "- c"]
    assert lines("> - a\n>\n> - b") == ["> - a", ">", "> - b"]
    assert lines("- a\n\n- b\n  - c\n  - d") == ["- a", "", "- b", "", "  - c", "  - d"]


def test_empty_items_keep_their_mark() -> None:
    assert lines("- a\n-\n- b") == ["- a", "-", "- b"]


def test_quotes() -> None:
    assert lines("> a\n>\n> b\n>\n> > c") == ["> a", ">", "> b", ">", "> > c"]
    assert all(line.startswith("> ") and len(line) <= COLUMNS for line in lines(f"> {LONG}"))
    assert lines("- > a\n  > b") == ["- > a b"]
    assert lines("a\n\n>\n\nb") == ["a", "", ">", "", "b"]


def test_code_is_indented_and_not_wrapped() -> None:
    assert lines("a\n\n```\nb  c\n\n  d\n```") == ["a", "", "    b  c", "    ", "      d"]
    assert lines("    " + "x " * 50)[0].strip() == ("x " * 50).strip()


def test_rule() -> None:
    assert lines("a\n\n---\n\nb") == ["a", "", "* * *", "", "b"]


def test_tables_are_rows_of_cells() -> None:
    assert lines("| Ort | Zahl |\n|---|--:|\n| *Uhlenwiek* | 12 |") == ["Ort | Zahl", "Uhlenwiek | 12"]
    wide = lines(f"| a | b |\n|---|---|\n| x | {LONG} |")
    assert wide[1].startswith("x | Die")
    assert all(line.startswith("  ") and len(line) <= COLUMNS for line in wide[2:])


def test_headings_are_lines_and_empty_ones_are_none() -> None:
    assert plain("# a *b*\n\nc\n\n#\n\nd") == "a b\n\nc\n\nd"


def test_prefix_stands_before_every_line() -> None:
    assert lines("a\n\n- b\n- c", "    ") == ["    a", "", "    - b", "    - c"]


# Links.


def test_links_are_footnotes_numbered_by_address() -> None:
    writer = PlainText(Sentinels())
    text = "[a](https://a.example/x) [b](https://b.example/) [c](https://a.example/x) *[d](tel:+4961112)*"
    assert writer.markdown(Markdown.parse(text)) == "a [1] b [2] c [1] d [3]"
    assert writer.markdown(Markdown.parse("[e](https://b.example/)")) == "e [2]"
    assert writer.notes == ("https://a.example/x", "https://b.example/", "tel:+4961112")


def test_a_footnote_is_on_the_line_of_its_word() -> None:
    found = lines("x" * 65 + " [Wort](https://a.example/)")
    assert found == ["x" * 65, "Wort [1]"]


@pytest.mark.parametrize(
    "source",
    [
        "<a@b.example>",
        "[a@b.example](mailto:a@b.example)",
        "<https://a.example/b>",
        "[https://a.example/b](https://a.example/b)",
        "[a.example/b](https://a.example/b/)",
        "[www.a.example](https://www.a.example/)",
        "[+49 611 12-34](tel:+496111234)",
        "[**https://a.example**](https://a.example/)",
    ],
)
def test_words_that_are_the_address_need_no_footnote(writer: PlainText, source: str) -> None:
    assert "[" not in writer.markdown(Markdown.parse(source))
    assert writer.notes == ()


@pytest.mark.parametrize(
    "source",
    [
        "[Ada](mailto:a@b.example)",
        "[a@b.example](mailto:a@b.example?subject=Anmeldung)",
        "[b@b.example](mailto:a@b.example)",
        "[a.example](https://a.example/b)",
        "[https://a.example](https://b.example)",
        "[a.example](https://b.example/a.example)",
        "[0611 1234](tel:+496111234)",
        "[a@b.example](https://a@b.example.org/)".replace("a@b.example.org", "b.example.org"),
    ],
)
def test_words_that_are_not_quite_the_address_need_one(writer: PlainText, source: str) -> None:
    assert writer.markdown(Markdown.parse(source)).endswith(" [1]")
    assert len(writer.notes) == 1


def test_merge_fields_stand_in_the_words_of_links() -> None:
    sentinels = Sentinels()
    writer = PlainText(sentinels)
    text = writer.markdown(Markdown.parse("[für {{ name }}](https://a.example/)"))
    assert sentinels.split_plain(text).fill({"name": "Ada"}) == "für Ada [1]"


# The whole part.


def filled(edition: Edition) -> str:
    return edition.text.fill({"view_url": "https://n.example/v", "unsubscribe_url": "https://n.example/u", "first_name": "Ada"})


def test_two_blank_lines_between_blocks_and_one_within(compose: Callable[..., Edition]) -> None:
    text = filled(
        compose(
            "{type: text, title: Erster, body: 'a\n\n\n\n  b'}, {type: divider},"
            "{type: letter, salutation: Hallo, body: c, signature: d},"
            "{type: button, label: Los, url: 'https://a.example/'}"
        )
    )
    assert (
        "Erster\n------\n\na\n\nb\n\n\n* * *\n\n\nHallo\n\nc\n\nd\n\n\nLos:\nhttps://a.example/\n\n\nImpressum\n---------\n"
        in text
    )
    assert "\n\n\n\n" not in text
    assert text.endswith("https://n.example/u\n")
    assert not text.startswith("\n")


def test_notes_are_listed_once_before_the_imprint(compose: Callable[..., Edition]) -> None:
    link = "[x](https://a.example/1)"
    text = filled(compose(f"{{type: text, body: '{link} {link}'}}, {{type: quote, text: '[y](https://a.example/2)'}}"))
    assert "\n\n\nLinks\n-----\n\n[1] https://a.example/1\n[2] https://a.example/2\n\n\nImpressum\n" in text
    assert "Links\n-----" not in filled(compose("{type: text, body: x}"))


def test_a_long_label_is_wrapped_with_its_colon(compose: Callable[..., Edition]) -> None:
    label = "Bericht " * 8 + "lesen xx"
    assert len(label) == 72
    text = filled(compose(f"{{type: button, label: {label}, url: 'https://a.example/'}}"))
    assert "\n" + label[:-3] + "\nxx:\nhttps://a.example/\n" in text


def test_quote_is_indented_with_its_source(compose: Callable[..., Edition]) -> None:
    text = filled(compose(f"{{type: quote, text: {LONG}, source: {LONG}}}"))
    block = text.split("\n\n\n")[2].split("\n")
    assert all(re.match(r" {4,6}\S", line) for line in block)
    assert [line for line in block if line.startswith("    – Die")]


def test_line_of_a_title_is_plain(compose: Callable[..., Edition]) -> None:
    text = filled(compose("{type: article, title: '*Sterne* & <b> {{ first_name }}', body: x}"))
    assert "\n*Sterne* & <b> Ada\n" in text
    assert Line.parse("a").sample() == "a"
