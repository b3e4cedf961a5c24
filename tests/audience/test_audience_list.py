"""Recipient lists as spreadsheets write them: encodings, delimiters, line ends, headings, values, and rows that are refused."""

import itertools
import os
from pathlib import Path

import pytest

from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import Duplicate, Recipient, Refused, distinct
from newsletter.problem import InputError

HEAD = "E-Mail;Vorname;Nachname\n"


def save(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def read(folder: Path, text: str | bytes, encoding: str = "utf-8") -> list[Recipient | Refused]:
    return list(open_list(save(folder, text, encoding)))


def told(folder: Path, text: str | bytes, encoding: str = "utf-8") -> list[str]:
    """Each row in short: ``2 a@example.org``, or the refusal as people see it."""
    rows = read(folder, text, encoding)
    return [str(row).removeprefix(f"{folder}/") if isinstance(row, Refused) else f"{row.line} {row.address}" for row in rows]


def whole_error(folder: Path, text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "be-bom", "cp1252"]


@pytest.mark.parametrize(("encoding", "delimiter", "end"), list(itertools.product(ENCODINGS, ";,\t|", ["\n", "\r\n", "\r"])))
def test_every_encoding_delimiter_and_line_end(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    rows = [
        "E-Mail;Vorname;Größe",
        "joerg@example.org;Jörg;groß",
        "",
        '"anna@example.org";"Anna^Lena";"a,b;c\t""d""|"',
        "info@müller.example;;",
    ]
    table = end.join(row if '"' in row else row.replace(";", delimiter) for row in rows).replace('";"', f'"{delimiter}"')
    text = table.replace("^", end)
    data = ("\ufeff" + text).encode("utf-16-be") if encoding == "be-bom" else text.encode(encoding)
    recipients = open_list(save(tmp_path, data))
    assert recipients.columns == ("email", "first_name", "groesse")
    assert list(recipients) == [
        Recipient(
            "joerg@example.org",
            "joerg@example.org",
            {"email": "joerg@example.org", "first_name": "Jörg", "groesse": "groß"},
            2,
        ),
        Recipient(
            "anna@example.org",
            "anna@example.org",
            {"email": "anna@example.org", "first_name": "Anna Lena", "groesse": 'a,b;c "d"|'},
            4,
        ),
        Recipient("info@müller.example", "info@xn--mller-kva.example", {"email": "info@müller.example"}, 6),
    ]


def test_a_list_can_be_read_twice(tmp_path: Path) -> None:
    recipients = open_list(save(tmp_path, "mail\na@example.org\n"))
    assert list(recipients) == list(recipients)
    assert len(list(recipients)) == 1


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n", "\ufeffsep=;\n"])
def test_the_first_line_of_excel_decides_the_delimiter(tmp_path: Path, first: str) -> None:
    text = first + "E-Mail;a,b,c,d\na@example.org;x,y\n"
    recipients = open_list(save(tmp_path, text))
    assert [(row.line, dict(row.fields)) for row in recipients if isinstance(row, Recipient)] == [
        (3, {"email": "a@example.org", "a_b_c_d": "x,y"})
    ]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("E-Mail;Name, Vorname", ";"),
        ("Name; Vorname,E-Mail", ","),
        ('"E-Mail";"Ort, Straße, Nr., Etage"', ";"),
        ('"E-Mail","Ort; Straße; Nr."', ","),
        ("E-Mail\tOrt, Straße; Nr.", "\t"),
        ("E-Mail", ";"),
        ("Mail;x,Mail,y", ","),
    ],
)
def test_the_delimiter_is_the_one_by_which_the_heading_makes_sense(tmp_path: Path, header: str, delimiter: str) -> None:
    assert open_list(save(tmp_path, header + "\n"))._delimiter == delimiter


def test_headings_may_stand_below_blank_lines_and_span_lines(tmp_path: Path) -> None:
    assert told(tmp_path, '\n ;;\n"E-\nMail";"Vor\nname"\na@example.org;A\n') == ["6 a@example.org"]


def test_blank_lines_and_rows_of_delimiters_are_passed_over(tmp_path: Path) -> None:
    text = HEAD + "\n;;\n a@example.org;;\n \n;;;;;\n\t; ;\nb@example.org\n\n"
    assert told(tmp_path, text) == ["4 a@example.org", "8 b@example.org"]


def test_values_are_one_clean_line_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    text = (
        'mail;a;b;c;d\nx@example.org;" A\r\nB\u00a0";\ufeffzwei\u200b; \u00a0;"\x1b[1mrot\x07"\ny@example.org;=1+1;{{ a }};<b>\n'
    )
    first, second = read(tmp_path, text)
    assert isinstance(first, Recipient)
    assert isinstance(second, Recipient)
    assert first.fields == {"email": "x@example.org", "a": "A B", "b": "zwei", "d": "[1mrot"}
    assert second.fields == {"email": "y@example.org", "a": "=1+1", "b": "{{ a }}", "c": "<b>"}


def test_what_an_export_puts_before_a_formula_is_taken_off(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"{HEAD}'+a@example.org;'+49 1234;''t Hooft\n")
    assert isinstance(row, Recipient)
    assert row.fields == {"email": "+a@example.org", "first_name": "+49 1234", "last_name": "''t Hooft"}


def test_columns_without_heading_are_not_read(tmp_path: Path) -> None:
    row = read(tmp_path, ",email,ort,,\n0,a@example.org,Ulm,,\n")[0]
    assert isinstance(row, Recipient)
    assert row.fields == {"email": "a@example.org", "ort": "Ulm"}


def test_each_bad_row_is_told_with_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    text = (
        HEAD + "gut@example.org;G;G\n"  # 2
        "anna.example.org;A;A\n"  # 3
        ";Otto;Ohne\n"  # 4
        'zwei@example.org;"Z\nZ";Z\n'  # 5 and 6
        "a@example.org, b@example.org;;\n"  # 7
        "x@example.org;Müller; Jörg;\n"  # 8
        "y@example.org;Müller; Jörg;zu;viel\n"  # 9
        "n@example.org;N\0;\n"  # 10
        "n\0@example.org;N;\n"  # 11
        "k@example.org;K\ufffdhn;\n"  # 12
        f"l@example.org;{'l' * 10_001};\n"  # 13
        f"{'l' * 80}\x1b[2J;;\n"  # 14
        "Last <last@example.org>\n"  # 15
    )
    assert told(tmp_path, text) == [
        "2 gut@example.org",
        "list.csv:3: the address 'anna.example.org' has no @",
        "list.csv:4: has no address",
        "5 zwei@example.org",
        "list.csv:7: the address 'a@example.org, b@example.org' holds two addresses in one cell; give each its own row",
        "8 x@example.org",
        "list.csv:9: has 5 cells, but the first line names only 3 columns; put a value that contains ';' in quotes",
        "list.csv:10: first_name contains a character that could not be read ('N�'); save the list as CSV UTF-8",
        "list.csv:11: the address 'n�@example.org' contains a character that could not be read; write it anew",
        "list.csv:12: first_name contains a character that could not be read ('K�hn'); save the list as CSV UTF-8",
        "list.csv:13: a value is longer than 10,000 characters",
        f"list.csv:14: the address '{'l' * 59}…' contains an invisible character (U+001B); write it anew",
        "15 last@example.org",
    ]


def test_a_broken_quote_swallows_no_recipient(tmp_path: Path) -> None:
    text = HEAD + 'a@example.org;"Otto;O\nb@example.org;Berta;B\nc@example.org;Cäsar";C\nd@example.org;"Dora\nDoris";D\n'
    assert told(tmp_path, text) == [
        'list.csv:2: a quote (") opens a value here and is not closed where the value ends; '
        'close it, or write "" for a quote inside a value',
        "3 b@example.org",
        "4 c@example.org",
        "5 d@example.org",
    ]


def test_an_address_in_a_note_of_several_lines_is_no_row(tmp_path: Path) -> None:
    assert told(tmp_path, HEAD + 'a@example.org;A;"bis 2020:\nalt@example.org\nTel. 1"\n') == ["2 a@example.org"]


def test_the_first_umlaut_may_come_late(tmp_path: Path) -> None:
    rows = "".join(f"p{number}@example.org;Anna;Meier\n" for number in range(45_000))
    assert len(rows) > 1 << 20
    last = read(tmp_path, HEAD + rows + "last@example.org;Jörg;Groß\n", "cp1252")[-1]
    assert isinstance(last, Recipient)
    assert (last.line, last.fields["first_name"], last.fields["last_name"]) == (45_002, "Jörg", "Groß")


def test_stray_bytes_in_utf_8_spoil_their_own_rows_only(tmp_path: Path) -> None:
    good = "a@example.org;Jörg;Müller\n"
    stray = "b@example.org;Käthe;\n".encode("cp1252")
    rows = read(tmp_path, (HEAD + good).encode() + stray + b"c@example.org;C\x8d;\n" + good.encode())
    assert [row.line for row in rows if isinstance(row, Refused)] == [3, 4]
    assert [row.fields["first_name"] for row in rows if isinstance(row, Recipient)] == ["Jörg", "Jörg"]


def test_bytes_that_windows_1252_does_not_have_are_refused(tmp_path: Path) -> None:
    rows = read(tmp_path, HEAD.encode() + b"a@example.org;J\xf6rg;\nb@example.org;\x81;\n")
    assert [type(row) for row in rows] == [Recipient, Refused]


def test_utf_8_that_is_cut_within_its_last_letter_is_utf_8(tmp_path: Path) -> None:
    rows = read(tmp_path, (HEAD + "a@example.org;Jörg;ÄÖ\nb@example.org;Jö").encode()[:-1])
    assert [type(row) for row in rows] == [Recipient, Refused]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "list.csv: is empty; its first line must name the columns, e.g. email;vorname;nachname"),
        (b"\xef\xbb\xbf", "list.csv: is empty; its first line must name the columns, e.g. email;vorname;nachname"),
        (b"\xff\xfe", "list.csv: is empty; its first line must name the columns, e.g. email;vorname;nachname"),
        (b"\n \r\n;;;\n", "list.csv: is empty; its first line must name the columns, e.g. email;vorname;nachname"),
        (b"sep=;\n", "list.csv: is empty; its first line must name the columns, e.g. email;vorname;nachname"),
        (b"PK\x03\x04rest", "list.csv: is a spreadsheet or an archive (.xlsx, .ods, .zip); save the sheet as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "list.csv: is an old Excel file (.xls); save the sheet as CSV UTF-8"),
        (b"%PDF-1.7", "list.csv: is a PDF; save the list as CSV UTF-8"),
        (b"\x1f\x8b\x08\0", "list.csv: is compressed (.gz); unpack it first"),
        ("email\n".encode("utf-32"), "list.csv: is UTF-32; save it as CSV UTF-8"),
        (b"\x7fELF\2\1\1\0\0\0\n", "list.csv: is no text file; save the list as CSV UTF-8"),
        (b"email;name\n", "list.csv: has no row below the headings"),
        (b"email;name\n;;\n\n", "list.csv: has no row below the headings"),
        (
            b"anna@example.org;Anna\notto@example.org;Otto\n",
            "list.csv:1:1: the first line must name the columns, e.g. email;vorname;nachname; here it already holds an address",
        ),
        (
            b"\n\nanna@example.org\n",
            "list.csv:3:1: the first line must name the columns, e.g. email;vorname;nachname; here it already holds an address",
        ),
        (
            b"Vorname,Ort\nA,B\n",
            "list.csv:1:1: no column is named email or E-Mail, so the addresses are not known; the columns are: 'Vorname', 'Ort'",
        ),
        (
            b"Mail;Vorname;Mail\n",
            "list.csv:1:1: columns 1 ('Mail') and 3 ('Mail') both hold the address; keep one of them, or rename it",
        ),
        (
            b'"Vorname","Ort"\nA,B\n',
            "list.csv:1:1: no column is named email or E-Mail, so the addresses are not known; the columns are: 'Vorname', 'Ort'",
        ),
        (b"mail;view_url\n", "list.csv:1:1: the column 'view_url' has a name that the program fills in itself; rename it"),
        (
            b'mail;"vorname\na@example.org;A\n',
            'list.csv:1:1: a quote (") opens a value here and is not closed where the value ends; '
            'close it, or write "" for a quote inside a value',
        ),
        (
            b"mail\nanna\n;\notto@\n",
            "list.csv: no row can be used\nlist.csv:2:1: the address 'anna' has no @\n"
            "list.csv:4:1: the address 'otto@' has nothing after the @",
        ),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error_with_its_cure(tmp_path: Path, data: bytes, message: str) -> None:
    assert whole_error(tmp_path, data) == message


def test_an_error_about_a_whole_list_shows_only_its_first_rows(tmp_path: Path) -> None:
    lines = whole_error(tmp_path, "mail\n" + "x\n" * 30).splitlines()
    assert lines[0] == "list.csv: no row can be used; the first 20 of 30 refused rows follow"
    assert len(lines) == 21


def test_a_name_that_no_database_can_keep_is_refused(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"empf\xe4nger.csv")
    file.write_bytes(b"email\na@example.org\n")
    with pytest.raises(InputError, match=r"empf\\udce4nger\.csv: has a name that is not UTF-8"):
        open_list(file)


def test_a_missing_list_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: there is no such file$"):
        open_list(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r": is a folder; name the CSV file in it$"):
        open_list(tmp_path)
    recipients = open_list(save(tmp_path, "mail\na@example.org\n"))
    recipients.path.unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(recipients)


def test_duplicates_by_case_blanks_and_idn_are_found_and_the_first_spelling_is_kept(tmp_path: Path) -> None:
    text = "mail\nInfo@Müller.example\n kaputt\ninfo@xn--mller-kva.example \nother@example.org\nINFO@MÜLLER.EXAMPLE,\n"
    rows = list(distinct(read(tmp_path, text), "list.csv"))
    assert [type(row) for row in rows] == [Recipient, Refused, Duplicate, Recipient, Duplicate]
    assert isinstance(rows[0], Recipient)
    assert rows[0].address == "Info@müller.example"
    assert str(rows[2]) == "list.csv:4: info@xn--mller-kva.example is the recipient of line 2 again"
    assert str(rows[4]) == "list.csv:6: INFO@müller.example is the recipient of line 2 again"
