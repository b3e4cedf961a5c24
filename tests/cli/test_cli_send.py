"""``newsletter send``: what is told, asked, sent and accounted for."""

import re
from typing import TYPE_CHECKING

import pytest

from newsletter.store import send_lock
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

STATES = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending")


@both
def test_everyone_gets_one_mail_and_the_account_adds_up(office: "Office", post: "Post") -> None:
    office.recipients("ada@example.org;Ada", "bob@example.org;Bob", "keine;K", "ADA@Example.org;Ada", "cyd@example.org;")
    ran = office.send()
    assert (ran.code, ran.out) == (0, "")
    assert set(post.addresses().items()) == {("ada@example.org", 1), ("bob@example.org", 1), ("cyd@example.org", 1)}
    assert "list.csv:4: the address 'keine' has no @\n" in ran.err
    assert "list.csv:5: ADA@Example.org is the recipient of line 2 again\n" in ran.err
    assert ran.err.index("list.csv:4") < ran.err.index("list.csv:5")
    assert "3 recipients of list.csv (5 rows, less 1 duplicate, 1 refused)" in ran.err
    account = office.account()
    assert account["audience"] == sum(account[name] for name in STATES) == account["sent"] == 3
    assert (account["issue"], account["state"], account["refused"], account["duplicates"]) == ("2026-12", "done", 1, 1)
    assert "Guten Tag, Ada," in post.texts()["ada@example.org"]
    assert "Guten Tag, liebe Leute," in post.texts()["cyd@example.org"]


def test_a_link_to_the_database_is_as_good_as_itself(office: "Office", post: "Post") -> None:
    (office.root / "data").mkdir()
    (office.root / "current.db").symlink_to("data/letters.db")
    office.settings(database_url=f"sqlite:///{office.root / 'current.db'}")
    assert office.send().code == 0
    assert len(post.addresses()) == office.account()["sent"] == 3
    itself = office.newsletter("db", "copy", "data/letters.db")
    assert itself.code == 2
    assert "is the database of the settings itself" in itself.err


def test_the_plan_says_what_is_about_to_happen(office: "Office", post: "Post") -> None:
    ran = office.send()
    plan = {line.split()[0]: line.split(maxsplit=1)[1] for line in ran.err.splitlines() if line.startswith("  ")}
    assert plan["issue"] == "Ausgabe Dezember (2026-12)"
    assert plan["subject"] == "Neues aus der Region"
    assert plan["from"] == "Digitale Region <newsletter@example.org>"
    assert plan["to"] == "3 recipients of list.csv"
    assert plan["through"] == f"127.0.0.1:{post.port}, not encrypted, on this machine"
    assert "http://127.0.0.1:8025, which opens on this machine only" in plan["links"]


def test_json_is_one_object_on_stdout_and_nothing_else(office: "Office") -> None:
    ran = office.newsletter("send", "2026-12", "--to", "list.csv", "--json", types="y\n")
    assert ran.code == 0
    assert ran.out.startswith("{")
    assert ran.json == office.account()
    assert "Send it to 3 recipients now? [y/N]:" in ran.err


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("\n", 2), ("", 3)])
@both
def test_without_a_yes_nothing_is_sent_and_nothing_stays(office: "Office", post: "Post", answer: str, code: int) -> None:
    ran = office.newsletter("send", "2026-12", "--to", "list.csv", types=answer)
    assert ran.code == code
    assert "nothing was sent" in ran.err
    assert len(post) == 0
    assert office.campaigns() == []
    office.edit("Fähre", "Barkasse")
    assert office.send().code == 0
    assert "Barkasse" in post.texts()["ada@example.org"]


def test_where_nobody_can_be_asked_it_wants_yes(office: "Office", post: "Post") -> None:
    ran = office.newsletter("send", "2026-12", "--to", "list.csv")
    assert (ran.code, ran.err) == (2, "nothing was sent: nobody can be asked here; --yes sends without asking\n")
    assert office.campaigns() == []
    assert len(post) == 0


def test_a_list_must_be_named(office: "Office") -> None:
    ran = office.newsletter("send", "2026-12", "--yes")
    assert (ran.code, ran.err) == (2, "to whom? newsletter send 2026-12 --to FILE.csv, or --to subscribers\n")


@both
def test_a_second_time_sends_nothing_again_sends_another_time(office: "Office", post: "Post") -> None:
    assert office.send().code == 0
    ran = office.send("--json")
    assert (ran.code, len(post)) == (0, 3)
    assert ran.json["state"] == "done"
    assert "2026-12 was sent already, nothing was sent now; --again sends it another time\n" in ran.err
    assert office.send("--again").code == 0
    assert set(post.addresses().values()) == {2}
    assert [campaign.number for campaign in office.campaigns()] == [1, 2]
    assert len({received.message["Message-ID"] for received in post}) == 6


@both
def test_limit_pauses_and_the_same_command_goes_on(office: "Office", post: "Post") -> None:
    office.crowd(5)
    first = office.newsletter("send", "2026-12", "--to", "list.csv", "--limit", "2", "--json", types="y\n")
    assert (first.code, len(post)) == (0, 2)
    assert "Send it to the first 2 of 5 recipients now?" in first.err
    assert (first.json["state"], first.json["sent"], first.json["pending"], first.json["audience"]) == ("paused", 2, 3, 5)
    again = office.send("--again")
    assert (again.code, len(post)) == (2, 2)
    assert "without --again goes on" in again.err
    assert office.send("--limit", "2").code == 0
    last = office.newsletter("send", "2026-12")
    assert last.code == 0
    assert "2026-12: going on with the campaign that was begun with list.csv\n" in last.err
    assert "changed" not in last.err
    assert len(post) == 5
    assert set(post.addresses().values()) == {1}


def test_what_was_changed_meanwhile_is_pointed_out_and_not_sent(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    office.edit("Fähre", "Barkasse")
    (office.root / "other.csv").write_text("email\neve@example.org\n", encoding="utf-8")
    ran = office.newsletter("send", "2026-12", "--to", "other.csv", "--yes")
    assert ran.code == 0
    assert "  other.csv is not read: the audience was fixed when the campaign began\n" in ran.err
    assert "  issues/2026-12/issue.yaml, its layout or publication.yaml was changed since:\n" in ran.err
    assert "eve@example.org" not in post.addresses()
    assert set(post.addresses().values()) == {1}
    assert len(post) == 3
    assert all("Die Fähre fährt." in text for text in post.texts().values())


def test_who_was_added_to_the_list_meanwhile_is_not_promised_a_mail(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    with (office.root / "list.csv").open("a", encoding="utf-8") as stream:
        stream.write("eve@example.org;Eve\n")
    assert "  list.csv is not read: the audience was fixed when the campaign began\n" in office.send().err
    assert "eve@example.org" not in post.addresses()


def test_all_missing_settings_are_named_at_once(office: "Office", post: "Post") -> None:
    (office.root / ".env").unlink()
    ran = office.send()
    assert ran.code == 2
    assert [line.split(": ")[:2] for line in ran.err.splitlines()] == [
        [".env", f"NEWSLETTER_{name}"] for name in ("PUBLIC_URL", "SECRET_KEY", "SMTP_HOST")
    ]
    assert not (office.root / "newsletter.db").exists()


def test_a_wrong_setting_does_not_show_its_value(office: "Office") -> None:
    office.settings(secret_key="short-secret", smtp_port="many")
    ran = office.send()
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 2
    assert "short-secret" not in ran.err


def test_what_no_header_can_hold_is_said_once_and_not_to_everyone(office: "Office", post: "Post") -> None:
    office.settings(public_url='http://127.0.0.1:8025/a"b')
    ran = office.send()
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("issues/2026-12/issue.yaml: the message cannot be made: List-Unsubscribe")
    assert (len(post), office.campaigns()) == (0, [])


def test_an_unknown_merge_field_is_named_where_it_stands(office: "Office", post: "Post") -> None:
    office.edit("Die ", "Heute {{ vorname }}, {{ first_nam }} und {{ ort }}, die ")
    ran = office.send()
    assert ran.code == 2
    told = [line.split(": the merge field ") for line in ran.err.splitlines()]
    assert [place for place, _ in told] == [f"issues/2026-12/issue.yaml:7:{column}: blocks[0].body" for column in (17, 32, 52)]
    assert [words for _, words in told] == [
        "vorname is no column of list.csv, and it has no default; did you mean first_name?",
        "first_nam is no column of list.csv, and it has no default; did you mean first_name?",
        "ort is no column of list.csv, and it has no default; its columns are: email, first_name",
    ]
    assert (len(post), office.campaigns()) == (0, [])


def test_an_empty_field_that_is_needed_names_its_rows(office: "Office", post: "Post") -> None:
    office.edit(" | default('liebe Leute')", "")
    office.recipients("ada@example.org;Ada", "cyd@example.org;", "eve@example.org;  ")
    ran = office.send()
    assert ran.code == 2
    assert [re.match(r"list\.csv:(\d+):", line)[1] for line in ran.err.splitlines()] == ["3", "4"]  # type: ignore[index]
    assert "cyd@example.org has no first_name, which the issue needs" in ran.err
    assert (len(post), office.campaigns()) == (0, [])


def test_a_list_without_a_usable_row(office: "Office", post: "Post") -> None:
    office.recipients("keine;A", "auch keine;B")
    ran = office.send()
    assert ran.code == 2
    assert ran.err.startswith("list.csv: no row can be used")
    assert "list.csv:3:" in ran.err
    assert (len(post), office.campaigns()) == (0, [])
    assert office.newsletter("send", "2026-12", "--to", "fehlt.csv", "--yes").err.startswith("fehlt.csv: ")


def test_many_refused_rows_are_cut_short(office: "Office") -> None:
    office.recipients("ada@example.org;Ada", *["keine;K"] * 30)
    ran = office.send()
    assert ran.code == 0
    assert ran.err.count("has no @") == 20
    assert "… and 10 more such rows\n" in ran.err
    assert ran.err.count("refused") == 2


def test_the_slug_is_found_by_path_too(office: "Office", post: "Post") -> None:
    ran = office.newsletter("send", "issues/2026-12/issue.yaml", "--to", "list.csv", "--yes", "--json")
    assert ran.json["issue"] == "2026-12"
    assert office.newsletter("status", "issues/2026-12/issue.yaml", "--json").json["sent"] == 3


def test_only_one_send_at_a_time(office: "Office", post: "Post") -> None:
    with send_lock(office.url):
        ran = office.send()
    assert ran.code == 2
    assert ran.err.startswith("another newsletter send is at work with this database")
    assert len(post) == 0


def test_a_workspace_elsewhere(office: "Office", post: "Post", monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = office.root.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    ran = office.newsletter("send", "2026-12", "--to", str(office.root / "list.csv"), "--yes")
    assert ran.code == 2
    assert f"{elsewhere}: is no workspace" in ran.err
    where = ("--workspace", str(office.root))
    assert office.newsletter(*where, "send", "2026-12", "--to", str(office.root / "list.csv"), "--yes").code == 0
    assert len(post) == 3
    assert list(elsewhere.iterdir()) == []
    assert office.newsletter(*where, "status", "2026-12", "--json").json["sent"] == 3


def test_what_check_calls_an_error_is_not_sent(office: "Office", post: "Post") -> None:
    office.edit("Die Fähre fährt.", "Die [Fähre](https://bit.ly/abc) fährt.")
    ran = office.send()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "issues/2026-12/issue.yaml:7:23: blocks[0].body: the link to bit.ly goes through a service that counts clicks;"
        " write the address where it leads in the end (L11-redirect)\n"
    )
    assert (len(post), office.campaigns()) == (0, [])


@pytest.mark.parametrize("change", ["broken", "deleted", "publication"])
def test_a_broken_file_does_not_hold_a_campaign_up(office: "Office", post: "Post", change: str) -> None:
    assert office.send("--limit", "1").code == 0
    publication = office.root / "issues" / "publication.yaml"
    match change:
        case "broken":
            office.edit("blocks:", "blocks: [")
        case "deleted":
            office.issue_file.unlink()
        case "publication":
            publication.write_text("name: x\n", encoding="utf-8")
    ran = office.newsletter("send", "2026-12")
    assert ran.code == 0
    assert "the issue was changed since, and cannot be used as it is now (" in ran.err
    assert "what is sent stays as it was when the campaign began" in ran.err
    assert len(post) == 3
