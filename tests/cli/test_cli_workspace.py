"""``newsletter init``, ``new``, ``schema`` and ``render``: from nothing to what a recipient gets."""

import datetime as dt
import json
import stat
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter.issue import load_issue
from newsletter.settings import SHORTEST_KEY, Workspace

if TYPE_CHECKING:
    from tests.cli.conftest import Office


def test_init_makes_a_workspace_that_works(office: "Office", post: "object") -> None:
    ran = office.newsletter("init", "my office")
    assert (ran.code, ran.out) == (0, "")
    assert "cd 'my office'\n" in ran.err
    workspace = Workspace(Path("my office"))
    for slug in ("2026-11", "2026-11-en"):
        assert load_issue(workspace, slug).content.blocks
    for name in ("issue", "publication"):
        assert json.loads((workspace.issues / f"{name}.schema.json").read_text(encoding="utf-8"))["type"] == "object"
    assert not (workspace.root / "newsletter.db").exists()
    ran = office.newsletter(
        "--workspace", "my office", "render", workspace.issue_slugs()[0], "--out", "out", "--to", "my office/list.csv"
    )
    assert ran.code == 0


def test_the_settings_of_a_new_workspace(office: "Office") -> None:
    for name in ("one", "two"):
        assert office.newsletter("init", name).code == 0
    file = office.root / "one" / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = [Workspace(Path(name)).settings.secret_key for name in ("one", "two")]
    values = [key.get_secret_value() for key in keys if key is not None]
    assert len(set(values)) == 2
    assert all(len(value) >= SHORTEST_KEY for value in values)
    assert (office.root / "one" / ".gitignore").read_text(encoding="utf-8").splitlines()[0] == ".env"
    text = file.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if "NEWSLETTER_SECRET_KEY=" in line]) == 1
    assert "Copy this file" not in text
    file.write_text(text.replace("#NEWSLETTER_SMTP_HOST=smtp", "NEWSLETTER_SMTP_HOST=mail"), encoding="utf-8")
    assert Workspace(Path("one")).settings.smtp_host == "mail.example.org"


def test_init_overwrites_nothing(office: "Office") -> None:
    before = sorted(office.root.rglob("*"))
    assert office.newsletter("init", ".").err == ".: is not empty; name a folder that does not exist yet\n"
    ran = office.newsletter("init", "list.csv")
    assert (ran.code, ran.err) == (2, "list.csv: is a file; name a folder that does not exist yet\n")
    ran = office.newsletter("init", "list.csv/x")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert sorted(office.root.rglob("*")) == before
    (office.root / "empty").mkdir()
    assert office.newsletter("init", "empty").code == 0


def test_new_makes_an_issue_that_can_be_rendered(office: "Office") -> None:
    ran = office.newsletter("new", "2027-01")
    assert (ran.code, ran.out) == (0, "")
    assert "next: newsletter preview 2027-01" in ran.err
    content = load_issue(Workspace(Path()), "2027-01").content
    assert len({block.type for block in content.blocks}) >= 10
    assert content.date == dt.date(2027, 1, 1)
    assert office.newsletter("render", "2027-01", "--out", "rendered").code == 0
    text = (office.root / "issues" / "2027-01" / "issue.yaml").read_text(encoding="utf-8")
    assert "# Eine Ausgabe mit einem Beispiel" in text


@pytest.mark.parametrize("slug", ["spring", "2027-13", "a-01"])
def test_new_under_a_name_without_a_month_is_of_today(office: "Office", slug: str) -> None:
    assert office.newsletter("new", slug).code == 0
    assert load_issue(Workspace(Path()), slug).content.date == dt.date.today()  # noqa: DTZ011


@pytest.mark.parametrize("slug", ["", ".", "..", "../x", "a/b", ".hidden", "a b", "Grüße", "a\nb", "-x"])
def test_new_refuses_bad_names(office: "Office", slug: str) -> None:
    before = sorted(office.root.rglob("*"))
    ran = office.newsletter("new", "--", slug)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "cannot be an issue's name" in ran.err
    assert sorted(office.root.rglob("*")) == before


def test_new_refuses_what_is_there(office: "Office") -> None:
    before = office.issue_file.read_bytes()
    ran = office.newsletter("new", "2026-12")
    assert (ran.code, ran.err) == (2, "issues/2026-12: is there already; edit it, or choose another name\n")
    assert office.issue_file.read_bytes() == before


def test_schema_is_json(office: "Office") -> None:
    issue, publication = office.newsletter("schema"), office.newsletter("schema", "--publication")
    assert (issue.code, issue.err) == (publication.code, publication.err) == (0, "")
    assert "blocks" in json.loads(issue.out)["properties"]
    assert "imprint" in json.loads(publication.out)["properties"]


def test_render_writes_what_one_recipient_gets(office: "Office") -> None:
    ran = office.newsletter("render", "2026-12", "--out", "deep/out", "--to", "list.csv", "--email", " BOB@example.org")
    assert (ran.code, ran.out) == (0, "")
    assert "Ausgabe Dezember, as bob@example.org gets it:\n" in ran.err
    html, text, mail = ((office.root / "deep/out" / f"message.{kind}").read_bytes() for kind in ("html", "txt", "eml"))
    message = message_from_bytes(mail, policy=policy.default)
    assert message["To"] == "bob@example.org"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().encode() == text
    assert rich.get_content().encode() == html
    for part in (html, text):
        assert b"Guten Tag, Bob," in part
        assert "Die Fähre fährt.".encode() in part


def test_render_without_a_list_shows_a_sample_person(office: "Office") -> None:
    assert office.newsletter("render", "2026-12", "--out", "out").code == 0
    assert "Guten Tag, liebe Leute," in (office.root / "out/message.txt").read_text(encoding="utf-8")
    assert office.newsletter("render", "2026-12", "--out", "out", "--to", "list.csv").code == 0
    assert "Guten Tag, Ada," in (office.root / "out/message.txt").read_text(encoding="utf-8")
    office.edit(" | default('liebe Leute')", "")
    assert office.newsletter("render", "2026-12", "--out", "out", "--email", "eve@example.org").code == 0
    assert "Guten Tag, [first_name]," in (office.root / "out/message.txt").read_text(encoding="utf-8")
    ran = office.newsletter("render", "2026-12", "--out", "out", "--to", "list.csv", "--email", "cyd@example.org")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "first_name" in ran.err


def test_render_finds_a_person_by_any_spelling(office: "Office") -> None:
    office.recipients("info@bücherei.example.org;Käthe")
    for spelling in ("info@bücherei.example.org", "INFO@xn--bcherei-n2a.example.org"):
        ran = office.newsletter("render", "2026-12", "--out", "out", "--to", "list.csv", "--email", spelling)
        assert ran.code == 0


def test_render_of_an_unknown_address(office: "Office") -> None:
    ran = office.newsletter("render", "2026-12", "--out", "out", "--to", "list.csv", "--email", "eve@example.org")
    assert ran.code == 2
    assert ran.err == "list.csv: has no recipient eve@example.org; leave --email out for the first of the list\n"
    ran = office.newsletter("render", "2026-12", "--out", "out", "--email", "eve")
    assert (ran.code, ran.err) == (2, "--email: the address 'eve' has no @\n")
    assert not (office.root / "out").exists()


def test_render_json_is_one_object(office: "Office") -> None:
    ran = office.newsletter("render", "2026-12", "--out", "out", "--to", "list.csv", "--json")
    assert (ran.code, ran.err) == (0, "")
    files = [f"out/message.{kind}" for kind in ("html", "txt", "eml")]
    assert ran.json == {"issue": "2026-12", "recipient": "ada@example.org", "files": files}
    assert all((office.root / file).is_file() for file in files)


def test_render_where_nothing_can_be_written(office: "Office") -> None:
    ran = office.newsletter("render", "2026-12", "--out", "list.csv/out")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("list.csv/out")


def test_render_needs_no_settings_and_no_database(office: "Office") -> None:
    (office.root / ".env").unlink()
    assert office.newsletter("render", "2026-12", "--out", "out").code == 0
    assert not (office.root / "newsletter.db").exists()


@pytest.mark.parametrize("command", [["new", "x"], ["render", "x", "--out", "y"], ["send", "x"], ["status"], ["serve"]])
def test_outside_of_a_workspace(office: "Office", command: list[str]) -> None:
    (office.root / "elsewhere").mkdir()
    ran = office.newsletter("-w", "elsewhere", *command)
    assert (ran.code, ran.out) == (2, "")
    advice = "go to your workspace, name it with newsletter --workspace DIR, or make one: newsletter init DIR"
    assert ran.err == f"{office.root / 'elsewhere'}: is no workspace, for it has no folder issues; {advice}\n"
    assert list((office.root / "elsewhere").iterdir()) == []
