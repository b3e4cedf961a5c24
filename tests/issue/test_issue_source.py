"""YAML text: values as written, positions of any character of any value, and nothing but InputError for anything else."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsletter.issue.source import line_and_column, line_starts, parse_source
from newsletter.problem import InputError

#: What a file can hold as it is; all the rest is refused, or must be escaped in double quotes.
WRITABLE = st.characters(
    exclude_categories=("Cc", "Cs", "Co"), exclude_characters="\u2028\u2029\ufffe\uffff\ufeff"
) | st.sampled_from("'\"\\#:{}- ")
WORD = st.text(st.sampled_from("abcäß漢🙂.,'\"#:-*"), min_size=1, max_size=6).map(lambda word: "w" + word.rstrip(":#") + "w")
TEXT = st.lists(WORD, min_size=1, max_size=5).map(" ".join)
LINES = st.lists(TEXT | st.just(""), min_size=1, max_size=6).filter(any)


def value_of(text: str) -> object:
    return parse_source(text, "i.yaml").data()["key"]


def quoted(text: str, style: str) -> str:
    return json.dumps(text, ensure_ascii=False) if style == '"' else "'" + text.replace("'", "''") + "'"


@given(st.text(WRITABLE, min_size=1), st.sampled_from("'\""))
def test_quoted_text_comes_back_as_written(text: str, style: str) -> None:
    assert value_of(f"key: {quoted(text, style)}\nnext: x\n") == text


@given(st.text())
def test_escaped_text_comes_back_as_written(text: str) -> None:
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    assert value_of(f'key: "{escaped}"\n') == text


@given(LINES)
def test_literal_text_comes_back_as_written(lines: list[str]) -> None:
    text = "\n".join(lines).rstrip("\n") + "\n"
    assert value_of("key: |2\n" + "".join(f"  {line}\n" for line in lines)) == text


@pytest.mark.parametrize(
    "written", ["01067", "2024-13-45", "yes", "1e3", "0x1F", "1_000", "12:30:45", "=", "<<", "3.10", "true", "."]
)
def test_scalars_stay_text(written: str) -> None:
    assert value_of(f"key: {written}\n") == written


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL", " # leer"])
def test_no_value_is_none(written: str) -> None:
    assert value_of(f"key: {written}\n") is None
    assert value_of(f"key: '{written}'\n") == written


@given(
    st.binary(max_size=60)
    | st.text(st.sampled_from("ab:- \n\t\"'|>[]{},#&*!%@`?\\x07~<=\r\ufeff\x85U"), max_size=60).map(str.encode)
)
@example(b'a: "\\U99999999"')
@example(b"%YAML 9999999999999.1\n--- a")
@example(b"a: !<")
@example(b"--- >-10\n")
def test_anything_else_is_an_input_error_inside_the_file(content: bytes) -> None:
    text = content.decode("utf-8", errors="replace")
    try:
        parse_source(text, "i.yaml")
    except InputError as error:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert "<block" not in problem.message


@st.composite
def placed(draw: st.DrawFn) -> tuple[str, str, int, int]:
    """A file with a ``{{`` at a random place of a random scalar: text, style, line and column of the braces."""
    style = draw(st.sampled_from(["plain", "'", '"', "escaped", "|", "|-", "|+", "|3", ">", "folded plain", 'folded "']))
    above = "".join(f"k{number}: {quoted(draw(TEXT), chr(39))}\n" for number in range(draw(st.integers(0, 3))))
    indent = " " * draw(st.sampled_from([0, 2, 4]))
    head = above + (f"list:\n{indent}- key: " if indent else "key: ")
    inner = indent + ("  " if indent else "")
    if style in ("plain", "'", '"', "escaped"):
        before, after = draw(TEXT) + " ", " " + draw(TEXT)
        if style == "plain":
            assume(" #" not in before + after and ": " not in before + after)
        if style == "escaped":
            shown = [
                json.dumps(before + draw(st.sampled_from(["\t", "\u00e4\\", '"', "\U0001f642"])))[:-1],
                json.dumps(after)[1:],
            ]
        else:
            shown = [before, after] if style == "plain" else [quoted(before, style)[:-1], quoted(after, style)[1:]]
        text = f"{head}{shown[0]}{{{{{shown[1]}\nlast: x\n"
    elif style.startswith("folded"):
        before_lines, after_lines = draw(LINES), draw(LINES)
        assume(before_lines[0])
        mark = '"' if style.endswith('"') else ""
        lines = [*before_lines, "x {{ y", *after_lines]
        if mark:
            lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in lines]
        assume(mark or not any(" #" in line or ": " in line for line in lines))
        text = head + mark + f"\n{inner} ".join(lines) + mark + "\nlast: x\n"
    else:
        width = 3 if style == "|3" else draw(st.integers(1, 4))
        lines = [*draw(LINES), draw(TEXT) + " {{ " + draw(TEXT), *draw(LINES)]
        if style == "|3":
            lines[0] = "  " + lines[0]
        text = head + style + "\n" + "".join(f"{inner}{' ' * width}{line}\n" if line else "\n" for line in lines) + "last: x\n"
    line, column = line_and_column(line_starts(text), text.index("{{"))
    return text, style, line, column


@given(placed())
def test_any_place_in_any_value_is_found(case: tuple[str, str, int, int]) -> None:
    text, _, line, column = case
    source = parse_source(text, "i.yaml")
    loc: tuple[str | int, ...] = ("key",) if "key" in source.data() else ("list", 0, "key")
    value = source.data()["key"] if loc == ("key",) else source.data()["list"][0]["key"]
    problem = source.problem(loc, "x", value.index("{{"))
    assert (problem.line, problem.column) == (line, column)


@given(st.text(st.sampled_from("ab\n"), max_size=30), st.integers(0, 29))
def test_lines_and_columns_are_counted_as_editors_do(text: str, index: int) -> None:
    assume(index < len(text))
    line, column = line_and_column(line_starts(text), index)
    assert text.split("\n")[line - 1 : line] != []
    assert sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1 == index


def test_places_are_of_values_keys_and_what_is_missing() -> None:
    source = parse_source("a: 1\nblocks:\n  - type: x\n    list: [p, {q: r}]\n    leer:\n", "i.yaml")

    def place(*loc: str | int, at_key: bool = False) -> str:
        return str(source.problem(loc, "!", at_key=at_key))

    assert place("a") == "i.yaml:1:4: a: !"
    assert place("a", at_key=True) == "i.yaml:1:1: a: !"
    assert place("blocks") == "i.yaml:3:3: blocks: !"
    assert place("blocks", 0) == "i.yaml:3:5: blocks[0]: !"
    assert place("blocks", 0, "list", 1, "q") == "i.yaml:4:19: blocks[0].list[1].q: !"
    assert place("blocks", 0, "leer") == "i.yaml:5:5: blocks[0].leer: !"
    assert place("blocks", 0, "fehlt") == "i.yaml:3:5: blocks[0].fehlt: !"
    assert place("blocks", 0, "fehlt", "tiefer") == "i.yaml:3:5: blocks[0].fehlt.tiefer: !"
    assert place("blocks", 7) == "i.yaml:3:3: blocks[7]: !"
    assert place("fehlt") == "i.yaml:1:1: fehlt: !"
    assert place("böse \x1b[31m") == "i.yaml:1:1: 'b\\xf6se \\x1b[31m': !"
