"""Headings of people's spreadsheets."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.columns import HeaderError, field_names


@pytest.mark.parametrize(
    "heading",
    [
        "E-Mail",
        "Email",
        "EMAIL",
        "email",
        "E-Mail-Adresse",
        "Mail",
        "Mailadresse",
        "e-mail adresse",
        "email address",
        "Email Address",
        "EMAIL_ADDRESS",
        "E\u2011Mail",
        "E\u2013Mail",
        " \ufeffE-Mail\u00a0",
        "E-\nMail",
        "E-mail 1 - Value",
    ],
)
def test_the_address_column_has_many_names(heading: str) -> None:
    assert field_names([heading]) == ("email",)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Vorname", "first_name"),
        ("VORNAME", "first_name"),
        ("First name", "first_name"),
        ("FirstName", "first_name"),
        ("Given-Name", "first_name"),
        ("Nachname", "last_name"),
        ("Familienname", "last_name"),
        ("Last_Name", "last_name"),
        ("surname", "last_name"),
        ("Name", "name"),
        ("Vollständiger Name", "name"),
        ("Vollsta\u0308ndiger Name", "name"),
        ("Anrede", "salutation"),
        ("Briefanrede", "salutation"),
        ("Sprache", "language"),
        ("Language", "language"),
        ("Lang", "language"),
        ("Tags", "tags"),
        ("Tag", "tags"),
        ("Schlagworte", "tags"),
        ("Stichworte", "tags"),
        ("Themen", "tags"),
        ("Straße Nr.", "strasse_nr"),
        ("GRÖSSE", "groesse"),
        ("Prénom", "prenom"),
        ("Hausnr. / Zusatz", "hausnr_zusatz"),
        ("2024", "_2024"),
        ("Имя", "column_2"),
        ("Adresse", "adresse"),
        ("Email (privat)", "email_privat"),
    ],
)
def test_headings_become_fields(heading: str, field: str) -> None:
    assert field_names(["E-Mail", heading]) == ("email", field)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Vorname;Name;Mail", "first_name last_name email"),
        ("Name;Vorname;Nachname;Mail", "name first_name last_name email"),
        ("Nachname;Name;Mail", "last_name name email"),
        ("Anrede;Briefanrede;Mail", "anrede salutation email"),
        ("Salutation;Mail;Anrede", "salutation email anrede"),
    ],
)
def test_headings_that_hang_on_each_other(header: str, names: str) -> None:
    assert field_names(header.split(";")) == tuple(names.split())


def test_columns_without_heading_have_no_field_and_are_cut_off_at_the_end() -> None:
    assert field_names(["", "Email", "", "Ort", " ", ""]) == (None, "email", None, "ort")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("E-Mail;Vorname;Mailadresse", "columns 1 ('E-Mail') and 3 ('Mailadresse') both hold the address; keep one of them"),
        ("Mail;Vorname;First Name", "columns 2 ('Vorname') and 3 ('First Name') both mean first_name; rename one"),
        ("Mail;Anrede;Anrede", "columns 2 ('Anrede') and 3 ('Anrede') both mean salutation; rename one"),
        ("Mail;Straße;strasse", "columns 2 ('Straße') and 3 ('strasse') both mean strasse; rename one"),
        (
            "Vorname;Nachname",
            "no column is named email or E-Mail, so the addresses are not known; the columns are: 'Vorname', 'N",
        ),
        ("anna@example.org;Anna;Meier", "the first line must name the columns, e.g. email;vorname;nachname"),
        ("anna@example.org", "the first line must name the columns, e.g. email;vorname;nachname"),
        ("Mail;View URL", "the column 'View URL' has a name that the program fills in itself; rename it"),
        ("Mail;unsubscribe_url", "the column 'unsubscribe_url' has a name that the program fills in itself; rename it"),
        ("Mail" + ";x" * 500, "has 501 columns; at most 500 are read"),
    ],
)
def test_a_header_that_cannot_be_used_says_how_to_mend_it(header: str, message: str) -> None:
    with pytest.raises(HeaderError, match="^" + re.escape(message)):
        field_names(header.split(";"))


@given(st.lists(st.text(max_size=12), max_size=6))
@settings(deadline=None)
def test_every_field_can_be_written_as_a_merge_field(header: list[str]) -> None:
    try:
        names = field_names(["Email", *header])
    except HeaderError:
        return
    given_names = [name for name in names if name is not None]
    assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in given_names)
    assert len(set(given_names)) == len(given_names)
