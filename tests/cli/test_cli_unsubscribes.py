"""Leaving by mail, the whole way: the received mail, the mail that a mail program makes of its link, the next sending."""

import re
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from newsletter.links import Links
from tests.cli.conftest import KEY, PUBLICATION, SLUG

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

MAIL = "unsubscribe_email: leave@example.org\n"
STATIC = f"{MAIL}links: static\n"
LIST_ID = "newsletter.example.org"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    return tmp_path / "box"


def publish(office: "Office", lines: str) -> None:
    (office.root / "issues" / "publication.yaml").write_text(PUBLICATION + lines, encoding="utf-8")


def received(post: "Post", address: str) -> EmailMessage:
    return next(mail.message for mail in post if mail.recipients == (address,))


def link_of(message: EmailMessage) -> str:
    """The mailto address in List-Unsubscribe (RFC 2369), as a mail program finds it."""
    (found,) = re.findall(r"<(mailto:[^>]+)>", str(message["List-Unsubscribe"]))
    return str(found)


def click(link: str, sender: str, **changes: str) -> bytes:
    """The mail that a mail program opens for a mailto link (RFC 6068), and its user sends."""
    url = urlsplit(link)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = sender
    mail["To"] = unquote(url.path)
    mail["Subject"] = parse_qs(url.query, strict_parsing=True)["subject"][0]
    mail["Date"] = "Tue, 01 Dec 2026 09:00:00 +0100"
    for name, value in changes.items():
        del mail[name]
        mail[name] = value
    mail.set_content("\n")
    return mail.as_bytes()


def deliver(box: Path, *mails: bytes) -> None:
    start = sum(1 for _ in box.glob("*/*"))
    for number, data in enumerate(mails, start):
        (box / "new" / f"{1700000000 + number}.M1.host").write_bytes(data)


@pytest.mark.parametrize("lines", [MAIL, STATIC], ids=["beside one click", "alone"])
def test_who_leaves_by_mail_gets_no_further_issue(lines: str, office: "Office", post: "Post", box: Path) -> None:
    publish(office, lines)
    assert office.send().code == 0
    mail = received(post, "bob@example.org")
    assert (mail["List-Unsubscribe-Post"] is not None) == (lines == MAIL)  # B6
    assert ("<https" in mail["List-Unsubscribe"] or "<http:" in mail["List-Unsubscribe"]) == (lines == MAIL)
    deliver(box, click(link_of(mail), "bob.private@example.net"))  # from another address of his: the token counts
    ran = office.newsletter("unsubscribes", "read", "box", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json == {
        "mails": 1,
        "unsubscribed": 1,
        "already": 0,
        "test": 0,
        "automatic": 0,
        "left": 0,
        "unreadable": 0,
    }
    assert [file.name for file in (box / "cur").iterdir()] == ["1700000000.M1.host:2,S"]
    assert office.newsletter("unsubscribes", "read", "box", "--json").json["mails"] == 0
    before = post.addresses()
    account = office.send("--again", "--json").json
    assert (account["sent"], account["suppressed"]) == (2, 1)
    assert set(post.addresses() - before) == {"ada@example.org", "cyd@example.org"}
    assert "unsubscribed" in office.newsletter("why", SLUG, "bob@example.org").err


def test_the_way_by_hand_from_the_text_part(office: "Office", post: "Post", box: Path) -> None:
    publish(office, STATIC)
    office.send()
    text = post.texts()["cyd@example.org"]
    assert "leave@example.org" in text
    (subject,) = (line for line in text.splitlines() if line.startswith("unsubscribe "))
    mail = f"From: C <cyd@example.org>\nTo: leave@example.org\nSubject: Abmelden\n\n{subject[:40]}\n{subject[40:]}\n\nGruß\n"
    deliver(box, mail.encode())
    assert office.newsletter("unsubscribes", "read", "box", "--json").json["unsubscribed"] == 1
    assert office.send("--again", "--json").json["suppressed"] == 1


def test_it_counts_for_what_is_queued_already(office: "Office", post: "Post", box: Path) -> None:
    """B28: the campaign has begun, and this delivery still waits."""
    publish(office, MAIL)
    assert "2  pending" in office.send("--limit", "1").err
    (campaign,) = office.campaigns()
    links = Links("", KEY.encode(), LIST_ID)
    link = f"mailto:leave@example.org?subject={links.unsubscribe_subject(campaign.id, 2, links.mark('bob@example.org'))}"
    deliver(box, click(link, "bob@example.org"))
    assert office.newsletter("unsubscribes", "read", "box").code == 0
    assert office.newsletter("resume", SLUG).code == 0
    assert "bob@example.org" not in post.addresses()
    assert (office.account()["sent"], office.account()["suppressed"]) == (2, 1)


def test_nobody_leaves_by_a_forged_token_and_a_person_is_told(office: "Office", post: "Post", box: Path) -> None:
    publish(office, MAIL)
    office.send()
    link = link_of(received(post, "ada@example.org"))
    last = link[-1]
    deliver(
        box,
        click(link[:-1] + ("A" if last != "A" else "E"), "eve@example.net"),
        click("mailto:x?subject=Lob", "ada@example.org"),
        b"From: x\n\n" + b"x" * 5_000_001,
    )
    ran = office.newsletter("unsubscribes", "read", "box")
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert lines[0] == (
        "box/new/1700000000.M1.host, from e…@example.net, of 2026-12-01: has no token of this newsletter in its subject"
    )
    assert lines[1].startswith("box/new/1700000001.M1.host, from a…@example.org")
    assert lines[2] == "box/new/1700000002.M1.host: is larger than 5 MB"
    assert re.search(r"^ +2  left ", ran.err, re.MULTILINE)
    assert sum(1 for _ in (box / "new").iterdir()) == 3
    assert office.send("--again", "--json").json["suppressed"] == 0
    assert "eve@" not in ran.err
    assert "ada@" not in ran.err


@pytest.mark.parametrize("mark", ["> ", ""], ids=["quoted", "as Outlook quotes"])
def test_an_answer_that_quotes_an_issue_is_no_wish_to_leave(mark: str, office: "Office", post: "Post", box: Path) -> None:
    publish(office, STATIC)
    office.send()
    quoted = "\n".join(mark + line for line in post.texts()["ada@example.org"].splitlines())
    answer = EmailMessage(policy=policy.SMTP)
    answer["From"] = "ada@example.org"
    answer["Subject"] = "AW: Neues aus der Region"
    answer.set_content(f"Danke, sehr schön!\n\n-----Original Message-----\n{quoted}\n")
    forwarded = EmailMessage(policy=policy.SMTP)
    forwarded["From"] = "ada@example.org"
    forwarded["Subject"] = "WG: Neues aus der Region"
    forwarded.set_content("Zur Kenntnis")
    forwarded.add_attachment(received(post, "ada@example.org"))
    deliver(box, answer.as_bytes(), forwarded.as_bytes())
    assert office.newsletter("unsubscribes", "read", "box", "--json").json["left"] == 2
    assert office.send("--again", "--json").json["suppressed"] == 0


def test_machines_ask_for_nothing_but_a_provider_may_ask_for_a_reader(office: "Office", post: "Post", box: Path) -> None:
    publish(office, MAIL)
    office.send()
    links = {name: link_of(received(post, f"{name}@example.org")) for name in ("ada", "bob")}
    deliver(
        box,
        click(links["ada"], "ada@example.org", **{"Auto-Submitted": "auto-replied"}),
        click(links["bob"], "bob@example.org", **{"Auto-Submitted": "auto-generated"}),
    )
    assert office.newsletter("unsubscribes", "read", "box", "--json").json == {
        "mails": 2,
        "unsubscribed": 1,
        "already": 0,
        "test": 0,
        "automatic": 1,
        "left": 0,
        "unreadable": 0,
    }
    assert office.send("--again", "--json").json["suppressed"] == 1


def test_it_is_done_once_however_often_it_is_read(office: "Office", post: "Post", tmp_path: Path) -> None:
    publish(office, MAIL)
    office.send()
    (tmp_path / "leave.eml").write_bytes(click(link_of(received(post, "ada@example.org")), "ada@example.org"))
    both = office.newsletter("unsubscribes", "read", "leave.eml", "leave.eml", "--json").json
    assert (both["unsubscribed"], both["already"]) == (1, 1)
    assert office.newsletter("unsubscribes", "read", "leave.eml", "--json").json["already"] == 1
    assert office.send("--again", "--json").json["suppressed"] == 1


def test_an_mbox_is_read_and_marked(office: "Office", post: "Post", tmp_path: Path) -> None:
    publish(office, MAIL)
    office.send()
    data = click(link_of(received(post, "ada@example.org")), "ada@example.org").replace(b"\r\n", b"\n")
    (tmp_path / "mbox").write_bytes(b"From ada@example.org Tue Dec  1 09:00:00 2026\n" + data + b"\n")
    assert office.newsletter("unsubscribes", "read", "mbox", "--json").json["unsubscribed"] == 1
    assert office.newsletter("unsubscribes", "read", "mbox", "--json").json["mails"] == 0
    (tmp_path / "mbox.lock").touch()
    ran = office.newsletter("unsubscribes", "read", "mbox")
    assert (ran.code, ran.err) == (2, "nothing was read: mbox is locked by another program; try again later\n")


def test_the_link_of_a_draft_is_nobodys(office: "Office", box: Path) -> None:
    publish(office, STATIC)
    office.newsletter("render", SLUG, "--out", "out")
    message = message_from_string((office.root / "out" / "message.eml").read_text(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    deliver(box, click(link_of(message), "kim@example.org"))
    ran = office.newsletter("unsubscribes", "read", "box", "--json")
    assert (ran.code, ran.json["test"], ran.json["unsubscribed"]) == (0, 1, 0)
    assert [file.name for file in (box / "cur").iterdir()] == ["1700000000.M1.host:2,S"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("gone", "gone: is not there; name a Maildir, an mbox, .eml files, or imap for the mailbox of .env"),
        ("issues", "issues: is no Maildir"),
        ("imap", "imap needs NEWSLETTER_IMAP_HOST, NEWSLETTER_IMAP_USERNAME, NEWSLETTER_IMAP_PASSWORD; set it in .env"),
    ],
)
def test_what_is_no_mailbox_is_bad_input(source: str, words: str, office: "Office") -> None:
    ran = office.newsletter("unsubscribes", "read", source)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(words)
    assert ran.err.count("\n") == 1


def test_a_mail_server_that_does_not_answer_is_bad_set_up(office: "Office") -> None:
    office.settings(imap_host="127.0.0.1", imap_port="1", imap_username="kim", imap_password="secret-word")
    ran = office.newsletter("unsubscribes", "read", "imap")
    assert ran.code == 2
    assert ran.err.startswith("nothing was read: cannot reach 127.0.0.1:1: Connection refused")
    assert "secret-word" not in ran.err


def test_the_plan_says_how_readers_leave(office: "Office") -> None:
    publish(office, MAIL)
    assert "  leaving   by one click, or by mail to leave@example.org\n" in office.send().err
    publish(office, STATIC)
    plan = office.send("--again").err
    assert "  leaving   by mail to leave@example.org alone; newsletter unsubscribes read takes them off the list\n" in plan
    assert (
        f"  page      newsletter publish --out DIR --ahead {SLUG} writes what the view link leads to; upload it first\n" in plan
    )


def test_a_test_mail_has_the_foot_and_no_header(office: "Office", post: "Post") -> None:
    publish(office, STATIC)
    assert office.newsletter("test", SLUG, "kim@example.org").code == 0
    message = received(post, "kim@example.org")
    assert message["List-Unsubscribe"] is None
    assert "mailto:leave@example.org?subject=unsubscribe%209" in post.texts()["kim@example.org"]
