"""The mails of those who leave, read from a real Dovecot: by UID, marked, never deleted, over TLS that is verified (N10, S13)."""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from newsletter.audience.unsubscribes import read_unsubscribes
from newsletter.doctor.mailbox import look_at_mailbox
from newsletter.issue.model import Publication
from newsletter.links import Links
from newsletter.postbox import Mail, PostboxError
from newsletter.postbox.box import LARGEST
from newsletter.postbox.imap import ImapBox
from newsletter.settings import Settings
from newsletter.store import Store, is_suppressed, open_store
from newsletter.tls import strict_context
from tests.real.dovecot import PASSWORD, PROGRAM, USER, Dovecot, running_dovecot

LINKS = Links("https://news.example.org", b"k" * 32, "region.example.org")

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("dovecot")]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    if not Path(PROGRAM).exists():
        pytest.skip(f"Dovecot is not installed at {PROGRAM}")
    if os.geteuid() != 0:
        pytest.skip("Dovecot is started by root only")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with running_dovecot(folder / "dovecot") as running:
            yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'n.db'}")
    yield store
    store.close()


def settings(dovecot: Dovecot, **changes: object) -> Settings:
    chosen = {
        "imap_host": "127.0.0.1",
        "imap_port": dovecot.tls_port,
        "imap_username": USER,
        "imap_password": SecretStr(PASSWORD),
    }
    return Settings.model_validate(chosen | changes)


def trusting(dovecot: Dovecot) -> ssl.SSLContext:
    context = strict_context()
    context.load_verify_locations(dovecot.authority)
    return context


def leaving(number: int, address: str) -> bytes:
    subject = LINKS.unsubscribe_subject(1, number, LINKS.mark(address))
    return f"From: {address}\nTo: {USER}\nSubject: AW: {subject}\n\n".encode()


def read(dovecot: Dovecot, store: Store, **changes: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    with closing(ImapBox(settings(dovecot, **changes), trusting(dovecot))) as box:
        for outcome in read_unsubscribes(store, LINKS, box):
            counts[outcome.kind] = counts.get(outcome.kind, 0) + 1
    return counts


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_who_leaves_is_suppressed_and_the_mail_is_seen(security: str, dovecot: Dovecot, store: Store) -> None:
    dovecot.deliver("1.leaving", leaving(1, "ada@example.org"))
    dovecot.deliver("2.human", b"From: bob@example.org\nSubject: Lob\n\nSehr gut!\n")
    dovecot.deliver("3.absent", b"From: cyd@example.org\nAuto-Submitted: auto-replied\nSubject: weg\n\n")
    dovecot.deliver("4.seen", leaving(4, "dan@example.org"), flags="S")
    dovecot.deliver("5.deleted", b"Subject: another's\n\n", flags="ST")
    port = dovecot.tls_port if security == "tls" else dovecot.port
    found = read(dovecot, store, imap_security=security, imap_port=port)
    assert found == {"unsubscribed": 1, "left": 1, "automatic": 1}
    assert is_suppressed(store, LINKS.mark("ada@example.org"))
    assert not any(is_suppressed(store, LINKS.mark(f"{name}@example.org")) for name in ("bob", "cyd", "dan"))
    # What somebody else marked as deleted is still there: nothing was expunged.
    assert dovecot.flags() == {"1.leaving": "S", "2.human": "", "3.absent": "", "4.seen": "S", "5.deleted": "ST"}
    assert read(dovecot, store, imap_security=security, imap_port=port) == {"left": 1, "automatic": 1}


def killed(_mail: Mail) -> None:
    raise KeyboardInterrupt


def test_a_crash_between_suppressing_and_marking_changes_nothing(
    dovecot: Dovecot, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(("ada", "bob"), 1):
        dovecot.deliver(f"{number}.leaving", leaving(number, f"{name}@example.org"))
    with closing(ImapBox(settings(dovecot), trusting(dovecot))) as box:
        monkeypatch.setattr(box, "done", killed)
        with pytest.raises(KeyboardInterrupt):
            list(read_unsubscribes(store, LINKS, box))
    assert dovecot.flags() == {"1.leaving": "", "2.leaving": ""}
    assert read(dovecot, store) == {"already": 1, "unsubscribed": 1}
    assert dovecot.flags() == {"1.leaving": "S", "2.leaving": "S"}


def test_a_folder_of_its_own_name(dovecot: Dovecot, store: Store) -> None:
    dovecot.deliver("1.leaving", leaving(1, "ada@example.org"), folder=".Abmeldungen f&APw-r immer")
    assert read(dovecot, store, imap_folder="Abmeldungen für immer") == {"unsubscribed": 1}
    with pytest.raises(PostboxError, match=r"does not open the folder 'Nirgends'.*NEWSLETTER_IMAP_FOLDER"):
        read(dovecot, store, imap_folder="Nirgends")


def test_a_huge_mail_is_left_and_loaded_no_further_than_needed(dovecot: Dovecot, store: Store) -> None:
    dovecot.deliver("1.huge", leaving(1, "ada@example.org") + b"x" * (LARGEST + 1_000_000))
    with closing(ImapBox(settings(dovecot), trusting(dovecot))) as box:
        assert [len(mail.data) for mail in box] == [LARGEST + 1]
    assert read(dovecot, store) == {"unreadable": 1}
    assert dovecot.flags() == {"1.huge": ""}


def test_s13_a_certificate_that_nobody_vouches_for_is_refused(dovecot: Dovecot) -> None:
    for security, port in (("tls", dovecot.tls_port), ("starttls", dovecot.port)):
        with pytest.raises(PostboxError, match=r"certificate of .* cannot be trusted"):
            ImapBox(settings(dovecot, imap_security=security, imap_port=port))
        with pytest.raises(PostboxError, match=r"cannot be trusted.*NEWSLETTER_IMAP_HOST"):
            ImapBox(settings(dovecot, imap_host="localhost", imap_security=security, imap_port=port), trusting(dovecot))


def test_s21_a_wrong_password_is_told_and_not_repeated(dovecot: Dovecot) -> None:
    for secret in ("wrong secret", "wröng secret"):
        with pytest.raises(PostboxError, match="refused the login") as caught:
            ImapBox(settings(dovecot, imap_password=SecretStr(secret)), trusting(dovecot))
        assert secret not in str(caught.value)


def test_s12_an_open_line_is_for_this_machine_alone(dovecot: Dovecot, store: Store) -> None:
    dovecot.deliver("1.leaving", leaving(1, "ada@example.org"))
    assert read(dovecot, store, imap_security="none", imap_port=dovecot.port) == {"unsubscribed": 1}
    with pytest.raises(ValidationError, match="only for a server on this machine"):
        settings(dovecot, imap_security="none", imap_host="imap.example.org")
    with pytest.raises(PostboxError, match=r"no TLS with|cannot reach"):
        ImapBox(settings(dovecot, imap_port=dovecot.port), trusting(dovecot))


def test_a_connection_that_breaks_is_told(dovecot: Dovecot, store: Store) -> None:
    for number in range(3):
        dovecot.deliver(f"{number}.leaving", leaving(number + 1, f"p{number}@example.org"))
    with closing(ImapBox(settings(dovecot), trusting(dovecot))) as box:
        outcomes = read_unsubscribes(store, LINKS, box)
        assert next(outcomes).kind == "unsubscribed"
        box._box.client.sock.shutdown(socket.SHUT_RDWR)
        with pytest.raises(PostboxError):
            list(outcomes)
    assert sorted(read(dovecot, store).items()) == [("unsubscribed", 2)]


PUBLICATION = """\
name: N
language: en
sender: {email: n@example.org}
unsubscribe_email: leave@example.org
list_id: region.example.org
imprint: {organisation: O, street: S, postal_code: "1", city: C, email: o@example.org}
"""


def test_the_command_reads_the_mailbox_of_the_settings(dovecot: Dovecot, tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION)
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    lines = {"HOST": "127.0.0.1", "PORT": dovecot.tls_port, "USERNAME": USER, "PASSWORD_FILE": "password"}
    settings = "".join(f"NEWSLETTER_IMAP_{name}={value}\n" for name, value in lines.items())
    (tmp_path / ".env").write_text(f"{settings}NEWSLETTER_SECRET_KEY={'k' * 32}\n")
    dovecot.deliver("1.leaving", leaving(1, "ada@example.org"))
    dovecot.deliver("2.human", b"From: bob@example.org\nSubject: Lob\n\nSehr gut!\n")

    def run(authority: Path) -> subprocess.CompletedProcess[str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        command = [sys.executable, "-m", "newsletter", "unsubscribes", "read", "imap", "--json"]
        trusted = {"SSL_CERT_FILE": str(authority), "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, cwd=tmp_path, env=known | trusted, capture_output=True, text=True, check=False)

    untrusted = run(tmp_path / "nothing.pem")
    assert (untrusted.returncode, untrusted.stdout) == (2, "")
    assert untrusted.stderr.startswith("nothing was read: the certificate of 127.0.0.1")
    ran = run(dovecot.authority)
    assert ran.returncode == 1
    counts = {"mails": 2, "unsubscribed": 1, "already": 0, "test": 0, "automatic": 0, "left": 1, "unreadable": 0}
    assert json.loads(ran.stdout) == counts
    assert ran.stderr == "mail 2 of INBOX at 127.0.0.1, from b…@example.org: has no token of this newsletter in its subject\n"
    assert dovecot.flags() == {"1.leaving": "S", "2.human": ""}


def test_doctor_looks_into_the_mailbox(dovecot: Dovecot) -> None:
    imprint = {"organisation": "O", "street": "S", "postal_code": "1", "city": "C", "email": "o@example.org"}
    values = {"name": "N", "language": "en", "sender": {"email": "n@example.org"}, "imprint": imprint}
    plain, by_mail = (Publication.model_validate(values | more) for more in ({}, {"unsubscribe_email": USER}))
    dovecot.deliver("1.leaving", leaving(1, "ada@example.org"))

    def told(publication: Publication, **changes: object) -> list[tuple[str, str]]:
        looked = look_at_mailbox(settings(dovecot, **changes), publication, trusting(dovecot))
        return [(one.verdict.id, one.message("en")) for one in looked]

    assert told(by_mail) == [("mailbox", "the mailbox INBOX at 127.0.0.1 can be read; unread mails in it: 1")]
    assert [name for name, _ in told(plain)] == ["mailbox-unused", "mailbox"]
    assert [name for name, _ in told(by_mail, imap_password=SecretStr("wrong"))] == ["mailbox-unusable"]
    assert [name for name, _ in told(by_mail, imap_host=None)] == ["mailbox-unset"]
    assert told(plain, imap_host=None) == []
    assert dovecot.flags() == {"1.leaving": ""}
