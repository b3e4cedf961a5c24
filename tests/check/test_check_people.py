"""A recipient list: every message is made, rows that lack a value are named, and the people worth a look are looked at."""

from newsletter.audience.csv_list import open_list
from newsletter.audience.recipient import Recipient
from newsletter.check.sampling import choose
from tests.check.broken import Bench

FIELD = "Guten Tag, {{ first_name | default('liebe Leserinnen und Leser') }},"


def findings(bench: Bench) -> list[tuple[str, str, str]]:
    return [(one.rule.id, str(one.at).rpartition("/")[2], one.message()) for one in bench.check().findings]


def test_a_list_in_order_has_no_finding(bench: Bench) -> None:
    bench.list.write_text("email,first_name\na@example.org,Ada\nb@example.org,\n", encoding="utf-8")
    assert findings(bench) == []


def test_a_field_that_is_no_column_is_told_where_it_stands(bench: Bench) -> None:
    bench.replace(FIELD, "Guten Tag, {{ vorname }},")
    bench.list.write_text("E-Mail;Vorname\na@example.org;Ada\n", encoding="utf-8")
    (found,) = findings(bench)
    assert found[:2] == ("M1-unknown-field", "issue.yaml:7:29")
    assert found[2].endswith("is no column of " + str(bench.list) + ", and it has no default")
    assert bench.check().findings[0].mend("de").startswith("schreiben Sie first_name, oder geben Sie dem Feld")


def test_every_row_that_lacks_a_value_is_told(bench: Bench) -> None:
    bench.replace(FIELD, "Guten Tag, {{ first_name }},")
    bench.list.write_text("email,first_name\na@example.org,Ada\nb@example.org,\nkein-at,X\nc@example.org,  \n", encoding="utf-8")
    assert findings(bench) == [
        ("M2-empty-field", "list.csv:3:1", "b@example.org has no first_name, which the issue needs"),
        ("M2-empty-field", "list.csv:5:1", "c@example.org has no first_name, which the issue needs"),
    ]


def test_a_value_that_no_header_may_hold_is_told(bench: Bench) -> None:
    bench.replace("subject: Rückblick", "subject: \"{{ ort | default('Alle') }} Rückblick")
    bench.replace("neue Termine", 'neue Termine"')
    bench.list.write_text("email,ort\na@example.org,Köln\nb@example.org,=?utf-8?q?=0D=0ABcc:_x?=\n", encoding="utf-8")
    assert [found[:2] for found in findings(bench)] == [("M3-no-message", "list.csv:3:1")]


def test_whose_message_is_looked_at(bench: Bench) -> None:
    rows = [
        "first@example.org,Eva",
        "long@example.org,Wilhelmine von Hohenstein",
        "few@example.org,",
        "odd@example.org,Ćwikła",
        "",
    ]
    bench.list.write_text(
        "\n".join(["email,name", *rows]) + "".join(f"u{number}@example.org,Max\n" for number in range(50)), encoding="utf-8"
    )
    people = [row for row in open_list(bench.list) if isinstance(row, Recipient)]
    assert [person.address for person in choose(people, lambda _fields: None)] == [
        f"{name}@example.org" for name in ("first", "long", "few", "odd")
    ]


def test_a_long_value_counts(bench: Bench) -> None:
    """What is too large for one recipient of many is found, as it grows in HTML."""
    bench.replace(FIELD, "Guten Tag, {{ first_name }} {{ first_name }},")
    rows = [f"u{number}@example.org,Max" for number in range(20)]
    rows[13] = "x@example.org," + "&" * 9_900
    bench.list.write_text("\n".join(["email,first_name", *rows]), encoding="utf-8")
    assert bench.rules() == {"B21-html-cut"}


def test_each_variant_is_looked_at(bench: Bench) -> None:
    """What only some recipients get is checked too, with a list and without."""
    bench.replace("  - type: article\n", "  - type: article\n    only: {tag: presse}\n")
    bench.replace("Alle Vorträge als Text", "Vorträge")
    bench.replace("https://www.example.org/vortraege", "https://bit.ly/abc")
    assert bench.rules() == {"L11-redirect"}
    bench.list.write_text("email,tags\na@example.org,\n", encoding="utf-8")
    assert bench.rules() == set()
    bench.list.write_text("email,tags\na@example.org,\nb@example.org,presse\n", encoding="utf-8")
    assert bench.rules() == {"L11-redirect"}
