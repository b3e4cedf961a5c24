"""Whose mail it is: found in the list by what somebody types, or made up."""

from pathlib import Path

from newsletter.preview.people import MOST, People
from tests.preview.conftest import Office


def test_every_word_must_be_there(office: Office) -> None:
    office.recipients("ada@example.org;Ada;presse", "bob@example.org;Bob;", "bea@other.example;Bea;presse")
    people = People(office.root / "list.csv")
    assert [person.address for person in people.find("PRESSE example.org").people] == ["ada@example.org"]
    assert [person.address for person in people.find("").people] == ["ada@example.org", "bob@example.org", "bea@other.example"]
    assert people.find("nobody").people == ()


def test_the_first_of_a_large_list_are_enough(office: Office) -> None:
    office.recipients(*(f"p{number}@example.org;P{number};" for number in range(2000)))
    people = People(office.root / "list.csv")
    found = people.find("p1")
    assert (len(found.people), found.more) == (MOST, True)
    last = people.person("P1999@example.org")
    assert last is not None
    assert last.fields["first_name"] == "P1999"
    assert people.person("p2000@example.org") is None


def test_a_recipient_who_stands_there_twice_is_shown_once(office: Office) -> None:
    office.recipients("ada@example.org;Ada;", "ADA@Example.org;Ada L.;")
    assert [person.line for person in People(office.root / "list.csv").find("ada").people] == [2]


def test_the_list_is_read_anew_when_it_changed(office: Office) -> None:
    people = People(office.root / "list.csv")
    assert people.find("dora").people == ()
    before = people.version
    office.recipients("dora@example.org;Dora;")
    assert people.version != before
    assert [person.address for person in people.find("dora").people] == ["dora@example.org"]


def test_a_newer_search_ends_an_older_one(office: Office) -> None:
    office.recipients(*(f"p{number}@example.org;P{number};" for number in range(10)))
    people = People(office.root / "list.csv")
    people._newest = 2
    assert people._remembered("find", "p", 1).people == ()
    assert len(people._remembered("find", "p", 2).people) == 10


def test_a_list_that_cannot_be_read_says_why(office: Office, tmp_path: Path) -> None:
    (office.root / "list.csv").write_text("vorname\nAda\n", encoding="utf-8")
    assert "list.csv:1:1" in People(office.root / "list.csv").find("a").problem
    assert not People(tmp_path / "none.csv").there
    assert People(tmp_path / "none.csv").find("a").people == ()
    assert People(None).person("a@example.org") is None
