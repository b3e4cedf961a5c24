"""``newsletter test``: what staff get, that nobody else gets anything, and what is said of each address."""

import os
import shutil
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from newsletter.settings import program_folder
from newsletter.store import open_store, suppress

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Office, Post, Ran

KEY = b"k" * 40


def run_test(office: "Office", *arguments: str) -> "Ran":
    return office.newsletter("test", "2026-12", *arguments)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return str(text.get_content()), str(html.get_content())


def test_staff_get_it_marked_and_nothing_is_recorded(office: "Office", post: "Post") -> None:
    ran = run_test(office, "Kim <kim@example.net>", "lee@example.net", "KIM@example.net")
    assert (ran.code, ran.out) == (0, "")
    assert [received.recipients for received in post] == [("kim@example.net",), ("lee@example.net",)]
    assert "  kim@example.net  taken by the mail server: 250 " in ran.err
    for received in post:
        message = received.message
        assert message["Subject"] == "[Test] Neues aus der Region"
        assert message["To"] == received.recipients[0]
        assert message["X-Newsletter-Test"] == "yes"
        assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None
    assert len({received.message["Message-ID"] for received in post}) == 2
    assert not (office.root / "newsletter.db").exists()


def test_the_same_draft_twice_has_another_message_id(office: "Office", post: "Post") -> None:
    for _ in range(2):
        assert run_test(office, "kim@example.net").code == 0
    assert len({received.message["Message-ID"] for received in post}) == 2


def test_both_parts_are_what_the_recipient_gets(office: "Office", post: "Post") -> None:
    person = ("--to", "list.csv", "--email", "bob@example.org")
    assert run_test(office, "kim@example.net", *person).code == 0
    assert office.newsletter("render", "2026-12", "--out", "rendered", *person).code == 0
    file = office.root / "rendered" / "message.eml"
    shown = message_from_bytes(file.read_bytes(), policy=policy.default)
    (received,) = post
    assert parts(received.message) == parts(shown)
    assert "Guten Tag, Bob," in parts(received.message)[0]


def test_hosted_pictures_travel_inside_a_test(office: "Office", post: "Post") -> None:
    shutil.copytree(program_folder("issues"), office.root / "issues", dirs_exist_ok=True)
    assert office.newsletter("test", "2026-11", "kim@example.net").code == 0
    (received,) = post
    html = parts(received.message)[1]
    shown = {part["Content-ID"].strip("<>") for part in received.message.walk() if part.get_content_maintype() == "image"}
    assert len(shown) > 5
    assert all(f'src="cid:{name}"' in html for name in shown)
    assert "/pictures/" not in html


def test_language_and_tag_choose_blocks(office: "Office", post: "Post") -> None:
    only = "  - type: text\n    only: {tag: presse}\n    title: Für die Presse\n    body: Bildmaterial.\n"
    office.issue(office.issue_file.read_text(encoding="utf-8") + only)
    assert run_test(office, "kim@example.net").code == 0
    assert run_test(office, "kim@example.net", "--tag", "presse").code == 0
    assert ["Bildmaterial" in parts(received.message)[0] for received in post] == [False, True]


def test_a_draft_with_faults_goes_out_and_the_faults_are_counted(office: "Office", post: "Post") -> None:
    office.edit("Die Fähre fährt.", "Mehr steht [hier](https://www.example.org/?utm_source=x).")
    ran = run_test(office, "kim@example.net")
    assert ran.code == 0
    assert len(post) == 1
    (line,) = [line for line in ran.err.splitlines() if line.startswith("  checks")]
    assert " errors" in line
    assert "newsletter check 2026-12 shows them" in line


def test_each_address_hears_what_became_of_it(office: "Office", post: "Post") -> None:
    replies = {"gone@example.net": "550 5.1.1 no such user", "grey@example.net": "451 4.7.1 greylisted"}
    post.refuses = replies.get
    ran = run_test(office, "gone@example.net", "kim@example.net", "grey@example.net")
    assert ran.code == 1
    assert "  gone@example.net  refused by the mail server: 550 5.1.1 no such user\n" in ran.err
    assert "  grey@example.net  put off by the mail server, try again later: 451 4.7.1 greylisted\n" in ran.err
    assert [received.recipients for received in post] == [("kim@example.net",)]
    refused = run_test(office, "gone@example.net", "--json")
    assert refused.code == 2
    assert refused.json["tests"] == [
        {"address": "gone@example.net", "taken": False, "answer": "refused by the mail server: 550 5.1.1 no such user"}
    ]


def test_bad_addresses_send_nothing(office: "Office", post: "Post") -> None:
    ran = run_test(office, "kim@example.net", "lee(at)example.net", "x@")
    assert ran.code == 2
    assert ran.err.splitlines() == ["the address 'lee(at)example.net' has no @", "the address 'x@' has nothing after the @"]
    assert len(post) == 0


def test_a_test_is_not_a_sending(office: "Office", post: "Post") -> None:
    ran = run_test(office, *(f"p{number}@example.net" for number in range(21)))
    assert (ran.code, len(post)) == (2, 0)
    assert "21 addresses are more than a test (20 at most); newsletter send is for lists" in ran.err
    assert run_test(office, *(f"p{number}@example.net" for number in range(20))).code == 0
    assert len(post) == 20


def test_who_has_left_the_list_gets_no_test(office: "Office", post: "Post") -> None:
    from newsletter.links import Links

    store = open_store(office.url)
    suppress(store, Links("http://x", KEY, "x").mark("kim@example.net"), reason="unsubscribed")
    store.close()
    ran = run_test(office, "lee@example.net", "Kim@example.net")
    assert (ran.code, len(post)) == (2, 0)
    assert ran.err == "Kim@example.net has left the list or is blocked, and gets no mail; name another address\n"


def test_no_server_is_said_in_words(office: "Office") -> None:
    office.settings(smtp_port="1")
    ran = run_test(office, "kim@example.net")
    assert ran.code == 2
    assert "nothing was sent: cannot reach 127.0.0.1:1: connection refused" in ran.err
    office.settings(smtp_host="")
    assert "NEWSLETTER_SMTP_HOST is not set" in run_test(office, "kim@example.net").err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("newsletter test 2026", {"2026-12", "2026-11"}),
        ("newsletter status 2026-12", {"2026-12"}),
        ("newsletter -w {root} send 2026-11", {"2026-11"}),
        ("newsletter new-layout ours --from p", {"plain"}),
    ],
)
def test_the_tab_key_knows_issues_and_layouts(office: "Office", words: str, offered: set[str]) -> None:
    shutil.copytree(office.issue_file.parent, office.root / "issues" / "2026-11")
    line = words.format(root=office.root)
    asked = {"_NEWSLETTER_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    command = [sys.executable, "-m", "newsletter"]
    ran = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=False, cwd=office.root)
    assert (set(ran.stdout.split()), ran.stderr) == (offered, "")


def test_completion_installs_itself(office: "Office", tmp_path: "Path") -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = "import sys; from newsletter.cli.app import run; sys.exit(run(sys.argv[1:]))"
    command = ["bash", "-c", f'"{sys.executable}" -c "{program}" --install-completion; exit $?']
    ran = subprocess.run(command, env=os.environ | {"HOME": str(home)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    script = "\n".join(file.read_text(encoding="utf-8") for file in home.rglob("*") if file.is_file())
    assert "_NEWSLETTER_COMPLETE=complete_bash" in script
