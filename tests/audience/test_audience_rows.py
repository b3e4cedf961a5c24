"""Quotes, line numbers and limits of CSV rows; tables and bytes that nobody thought of."""

import csv
import io
import itertools
import re
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience import rows as module
from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import Recipient, Refused
from newsletter.audience.rows import LONGEST_LINE, MOST_LINES, Broken, Row, read_rows
from newsletter.problem import InputError
from tests.thorough import examples


def rows(text: str, columns: int = 0) -> list[Row | Broken]:
    return list(read_rows(io.StringIO(text), ";", (lambda cells: len(cells) == columns) if columns else None))


def broken_lines(found: list[Row | Broken]) -> list[int]:
    return [row.line for row in found if isinstance(row, Broken)]


def test_lines_count_as_an_editor_shows_them() -> None:
    assert rows('a;b\n\n"c\n\nc";d\ne;"f\n"\ng') == [
        Row(1, ["a", "b"]),
        Row(2, []),
        Row(3, ["c\n\nc", "d"]),
        Row(6, ["e", "f\n"]),
        Row(8, ["g"]),
    ]


def test_separators_that_are_no_line_ends_stay_in_their_value() -> None:
    assert rows("a\x0b\x0c\x1c\x85\u2028b;c\nd") == [Row(1, ["a\x0b\x0c\x1c\x85\u2028b", "c"]), Row(2, ["d"])]


def test_an_open_quote_costs_one_line_not_the_rest_of_the_file() -> None:
    found = rows('1;a\n2;"b\n3;c\n4;d\n')
    assert found == [Row(1, ["1", "a"]), found[1], Row(3, ["3", "c"]), Row(4, ["4", "d"])]
    assert isinstance(found[1], Broken)
    assert found[1] == (2, found[1].reason)
    assert "a quote" in found[1].reason


def test_an_open_quote_is_noticed_at_the_next_quote() -> None:
    found = rows('1;"a\n2;"b"\n3;"c\nc"\n')
    assert broken_lines(found) == [1]
    assert found[1:] == [Row(2, ["2", "b"]), Row(3, ["3", "c\nc"])]


def test_an_open_quote_that_seems_to_close_is_noticed_by_the_rows_within() -> None:
    text = '1;"a;x\n2;b;y\n3;c";z\n'
    assert rows(text) == [Row(1, ["1", "a;x\n2;b;y\n3;c", "z"])]
    found = rows(text, columns=3)
    assert broken_lines(found) == [1]
    assert found[1:] == [Row(2, ["2", "b", "y"]), Row(3, ["3", 'c"', "z"])]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1;"a" ;b', ["1", "a ", "b"]),
        ('1; "a;b";c', ["1", "a;b", "c"]),
        ('"Müller, Jörg" <joerg@example.org>', ["Müller, Jörg <joerg@example.org>"]),
        ('1;5" Rohr', ["1", '5" Rohr']),
        ('1;Otto "Otti" Meier', ["1", 'Otto "Otti" Meier']),
    ],
)
def test_quotes_that_only_look_wrong_are_read_as_excel_does(line: str, cells: list[str]) -> None:
    assert rows(f"{line}\n2") == [Row(1, cells), Row(2, ["2"])]


@pytest.mark.parametrize("line", ['1;"Otto "Otti" Meier"', '1;"a"b"', '1;"a"x;"b'])
def test_quotes_that_cannot_be_told_apart_are_refused(line: str) -> None:
    found = rows(f"{line}\n2\n")
    assert broken_lines(found) == [1]
    assert found[1] == Row(2, ["2"])


def test_a_row_has_at_most_so_many_lines() -> None:
    full = 'a;"' + "x\n" * (MOST_LINES - 1) + '"\nb'
    assert [row.line for row in rows(full)] == [1, MOST_LINES + 1]
    assert broken_lines(rows(full)) == []
    assert broken_lines(rows('a;"' + "x\n" * MOST_LINES + '"\nb\n'))[0] == 1


def test_a_line_that_is_too_long_is_refused_and_its_end_forgotten() -> None:
    found = rows("a\n" + "x" * (3 * LONGEST_LINE) + '"\nb\n' + ";" * (LONGEST_LINE + 1) + "\nc")
    assert broken_lines(found) == [2, 4]
    assert [row.cells for row in found if isinstance(row, Row)] == [["a"], ["b"], ["c"]]
    assert broken_lines(rows(";" * (LONGEST_LINE - 1) + "\n")) == []


def test_rows_across_the_borders_of_what_is_read_at_once_are_whole() -> None:
    text = "".join(f'{number};"x\ny{number}"\n' for number in range(20_000))
    found = rows(text)
    assert found == [Row(2 * number + 1, [str(number), f"x\ny{number}"]) for number in range(20_000)]


def test_a_file_of_open_quotes_loses_each_of_its_lines_once() -> None:
    found = rows('1;"a\n' * 3000)
    assert [row.line for row in found] == list(range(1, 3001))


class Endless(io.StringIO):
    """A line of 25 million characters that is nowhere whole, and a row below it."""

    left = 400

    def read(self, size: int | None = -1, /) -> str:
        self.left -= 1
        return "x" * (1 << 16) if self.left > 0 else "\nb" if self.left == 0 else ""


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        found = list(read_rows(Endless(), ";"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert broken_lines(found) == [1]
    assert found[1:] == [Row(2, ["b"])]
    assert peak < 3_000_000


@given(st.lists(st.lists(st.sampled_from(['"', ";", "x", ';"', '";']), max_size=4).map("".join), max_size=12), st.integers(0, 4))
@settings(max_examples=examples(300), deadline=None)
def test_however_quotes_are_broken_each_line_comes_once_and_in_order(ends: list[str], columns: int) -> None:
    found = rows("".join(f"{line};{end}\n" for line, end in enumerate(ends, 1)), columns)
    for row, after in itertools.pairwise([*found, Broken(len(ends) + 1, "")]):
        if isinstance(row, Row):
            assert row.cells[0] == str(row.line)
            assert after.line == row.line + 1 + sum(cell.count("\n") for cell in row.cells)
        else:
            assert after.line == row.line + 1


@given(
    st.lists(st.sampled_from(['"', ";", "x", ';"', '";', "\n", "xx\n", "a;b\n", '"c";"d"\n']), max_size=30).map("".join),
    st.integers(1, 9),
)
@settings(max_examples=examples(300), deadline=None)
def test_rows_are_the_same_however_much_is_read_at_once(text: str, chunk: int) -> None:
    # What is read at once and has no quotes in it goes another way than the rest.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        few = rows(text, 2)
    with_quotes = rows('"";x\n' + text, 2)[1:]
    assert few == [row._replace(line=row.line - 1) for row in with_quotes]


#: All from U+00C0 on, so that no two of them in Windows-1252 are by chance UTF-8.
LATIN = st.text(st.sampled_from("abcXYZ 0129.,;|\t\"'=-äöüÄÖÜßéèñÅ\n"), max_size=12)
WORLD = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="@\ufffd") | st.sampled_from(' \n";,'), max_size=12
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str, str, str, int]:
    """Cells below the headings, encoding, delimiter, line end and quoting."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le", "utf-16-be"]))
    value = WORLD if encoding in ("utf-8", "utf-8-sig", "utf-16") else LATIN
    width = draw(st.integers(1, 4))
    table = draw(st.lists(st.lists(value, min_size=width, max_size=width), min_size=1, max_size=8))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])) if end == "\r\n" else csv.QUOTE_ALL
    return table, encoding, draw(st.sampled_from(";,\t|")), end, quoting


@given(tables())
@settings(max_examples=examples(200), deadline=None)
def test_any_table_that_is_written_is_read_back_with_its_lines(drawn: tuple[list[list[str]], str, str, str, int]) -> None:
    table, encoding, delimiter, end, quoting = drawn
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    names = [f"f{number}" for number in range(len(table[0]))]
    writer.writerow(["Straße", "E-Mail", *names])
    expected = []
    for number, cells in enumerate(table):
        line = len(re.split("\r\n|\r|\n", out.getvalue()))
        inner = [cell.replace("\n", end) for cell in cells]
        writer.writerow(["", f"P{number}@Example.org", *inner])
        values = [re.sub(r"[\n\t]", " ", cell).strip() for cell in cells]
        fields = {name: value for name, value in zip(names, values, strict=True) if value}
        expected.append(
            Recipient(f"P{number}@Example.org", f"p{number}@example.org", {**fields, "email": f"P{number}@Example.org"}, line)
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        file.write_bytes(out.getvalue().encode(encoding))
        assert list(open_list(file)) == expected


PIECES = st.sampled_from(
    [b'"', b"\n", b"\r", b";", b",", b"\0", b"a@example.org", b"\xff", b"\xef\xbb\xbf", b"\xc3\xa4", b"sep=", b"x"]
)
BYTES = st.binary(max_size=200) | st.lists(PIECES, max_size=40).map(b"".join)


@given(st.sampled_from([b"", b"email;vorname\n", b"sep=;\nemail;x\n", b"\xff\xfe", b"\xef\xbb\xbfmail\n", b"mail,\xe4\n"]), BYTES)
@settings(max_examples=examples(300), deadline=None)
def test_any_bytes_are_rows_in_order_or_an_input_error(start: bytes, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        file.write_bytes(start + data)
        lines = []
        try:
            for row in open_list(file):
                assert isinstance(row, Recipient | Refused)
                assert isinstance(row, Recipient) or row.reason.isprintable()
                lines.append(row.line)
        except InputError as error:
            assert error.problems  # noqa: PT017
        assert lines == sorted(set(lines))
