"""The sample issue through a real Postfix into Maildirs: what was composed is what lies in the mailbox."""

import asyncio
import email
import email.policy
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.audience import open_list
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition
from newsletter.delivery.account import Account
from newsletter.delivery.drive import drive
from newsletter.delivery.freeze import freeze
from newsletter.issue import load_issue
from newsletter.links import Links
from newsletter.message import MessageTemplate
from newsletter.settings import Settings, Workspace
from newsletter.store import Store, open_store
from tests.real.postfix import PROGRAM, Postfix, running_postfix

ROOT = Path(__file__).resolve().parents[2]
LIST = """\
E-Mail;Vorname
Jürgen@example.org;nobody reads this row
anna.weiss@example.org;Änne "Anna" <&>
bert@example.com;
info@bücherei.example;Ayşe
"""
MAILBOXES = ["anna.weiss@example.org", "bert@example.com", "info@xn--bcherei-n2a.example"]

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("postfix")]


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    if not Path(PROGRAM).exists():
        pytest.skip(f"Postfix is not installed at {PROGRAM}")
    if os.geteuid() != 0:
        pytest.skip("Postfix is started by root only")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with running_postfix(folder / "postfix", MAILBOXES) as running:
            yield running


def send(postfix: Postfix, store: Store, links: Links, edition: Edition, people: Path) -> Account:
    campaign, _ = freeze(
        store, slug="2026-11", edition=edition, recipients=open_list(people), mark=links.mark, list_name=people.name
    )
    settings = Settings(smtp_host="127.0.0.1", smtp_port=postfix.port, smtp_security="none", smtp_connections=3)
    template = MessageTemplate(edition)
    return asyncio.run(drive(store, campaign.id, settings=settings, links=links, template=template, stop=asyncio.Event()))


def test_what_was_composed_lies_in_the_mailbox(postfix: Postfix, tmp_path: Path) -> None:
    workspace = Workspace(ROOT)
    links = Links("https://news.example.org", b"k" * 32, "n.example.org")
    edition = compile_issue(load_issue(workspace, "2026-11"), workspace, links.picture_url)
    people = tmp_path / "list.csv"
    people.write_text(LIST, encoding="utf-8")
    store = open_store(f"sqlite:///{tmp_path / 'ledger.db'}")
    account = send(postfix, store, links, edition, people)
    store.close()
    # Postfix offers SMTPUTF8; the first row has a local part that needs it, and no mailbox: the relay says so at RCPT.
    assert (account.sent, account.failed, account.audience) == (3, 1, 4)
    postfix.wait_for(3)
    for address, name in zip(MAILBOXES, ['Änne "Anna" <&>', None, "Ayşe"], strict=True):
        (raw,) = postfix.delivered(address)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        assert text is not None
        assert html is not None
        unsubscribe = str(message["List-Unsubscribe"]).strip("<>")
        view = next(line for line in text.get_content().splitlines() if line.startswith("https://news.example.org/view/"))
        values = {VIEW: view, UNSUBSCRIBE: unsubscribe} | ({"first_name": name} if name else {})
        assert text.get_content() == edition.text.fill(values)
        assert html.get_content() == edition.html.fill(values)
        assert message["Return-Path"] == "<" + edition.headers.from_email + ">"
        assert links.read_view(view.rsplit("/", 1)[1]) is not None
        assert links.read_unsubscribe(unsubscribe.rsplit("/", 1)[1]) is not None
        assert not message.defects


def test_a_sender_that_postfix_does_not_know_is_nobodys_fault_on_the_list(postfix: Postfix, tmp_path: Path) -> None:
    """Postfix says so at RCPT, where it otherwise speaks of the recipient (smtpd_delay_reject)."""
    workspace = Workspace(ROOT)
    links = Links("https://news.example.org", b"k" * 32, "n.example.org")
    edition = compile_issue(load_issue(workspace, "2026-11"), workspace, links.picture_url)
    people = tmp_path / "list.csv"
    people.write_text("E-Mail\n" + "".join(f"p{number}@example.org\n" for number in range(8)), encoding="utf-8")
    own = edition.headers.from_email.rpartition("@")[2]
    postfix.set(smtpd_reject_unlisted_sender="yes", virtual_mailbox_domains=f"example.org {own}")
    store = open_store(f"sqlite:///{tmp_path / 'ledger.db'}")
    account = send(postfix, store, links, edition, people)
    store.close()
    assert (account.state, account.failed, account.sent) == ("paused", 0, 0)
    assert "Sender address rejected" in (account.note or "")
