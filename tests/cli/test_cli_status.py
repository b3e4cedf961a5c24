"""``newsletter status``: what became of everyone."""

from typing import TYPE_CHECKING

from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office


@both
def test_before_anything_was_sent(office: "Office") -> None:
    ran = office.newsletter("status")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing was sent yet\n")
    assert office.newsletter("status", "--json").json == {"campaigns": []}
    ran = office.newsletter("status", "2026-12")
    assert (ran.code, ran.err) == (2, "2026-12 was never sent; newsletter send 2026-12 --to FILE.csv sends it\n")
    assert not (office.root / "newsletter.db").exists()


@both
def test_of_one_issue_and_of_all(office: "Office") -> None:
    office.issue_file.parent.with_name("2027-01").mkdir()
    other = office.issue_file.parent.with_name("2027-01") / "issue.yaml"
    other.write_bytes(office.issue_file.read_bytes())
    assert office.send().code == 0
    assert office.newsletter("send", "2027-01", "--to", "list.csv", "--yes", "--limit", "1").code == 0
    every = office.newsletter("status", "--json").json["campaigns"]
    assert [(one["issue"], one["state"], one["sent"]) for one in every] == [("2026-12", "done", 3), ("2027-01", "paused", 1)]
    ran = office.newsletter("status", "2027-01", "--json")
    assert (ran.code, ran.json) == (0, every[1])
    words = office.newsletter("status")
    assert (words.code, words.out) == (0, "")
    assert "2026-12: done\n" in words.err
    assert "2027-01: paused: stopped after 1 delivery, as --limit says; " in words.err
    assert "          1  sent        the mail server took it\n" in words.err
    assert "          2  pending     not sent yet\n" in words.err


def test_of_an_issue_that_is_gone(office: "Office") -> None:
    assert office.send().code == 0
    office.issue_file.unlink()
    assert office.newsletter("status", "2026-12", "--json").json["sent"] == 3
    ran = office.newsletter("status", "2027-02")
    assert ran.code == 2
    assert ran.err.startswith("there is no issue '2027-02' in issues")


def test_of_a_file_that_is_no_database(office: "Office") -> None:
    (office.root / "newsletter.db").write_text("no database, but long enough to be read as one" * 100, encoding="utf-8")
    ran = office.newsletter("status")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "cannot be used as the database" in ran.err
