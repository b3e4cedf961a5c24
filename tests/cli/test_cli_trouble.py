"""``newsletter send`` where something goes wrong on the way: the exit code, the account, and that the same command goes on."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from newsletter.delivery import life
from newsletter.store import open_store
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

SEND = ("send", "2026-12", "--to", "list.csv", "--yes", "--json")


def wait_for(words: str, stream: IO[str] | None) -> None:
    """Read lines until one has these words."""
    assert stream is not None
    for line in stream:
        if words in line:
            return
    raise AssertionError(f"it never said {words!r}")


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_not_there(office: "Office", post: "Post") -> None:
    office.settings(smtp_port="1")
    ran = office.send()
    assert ran.code == 2
    assert ran.err == "nothing was sent: cannot reach 127.0.0.1:1: connection refused; is NEWSLETTER_SMTP_HOST right?\n"
    office.settings()
    assert office.send().code == 0
    assert set(post.addresses().values()) == {1}


@pytest.mark.usefixtures("quick")
def test_a_server_that_hangs_up_on_everyone(office: "Office", post: "Post") -> None:
    office.crowd(4)
    post.refuses = lambda _address: "421 4.3.2 closing"
    ran = office.send("--json")
    assert (ran.code, ran.out) == (2, "")
    assert "nothing was sent: " in ran.err
    assert (office.account()["state"], office.account()["pending"]) == ("running", 4)
    post.refuses = lambda _address: None
    assert office.send().code == 0
    assert len(post) == 4
    assert set(post.addresses().values()) == {1}


@both
def test_one_refused_recipient(office: "Office", post: "Post") -> None:
    post.refuses = lambda address: "550 5.1.1 no such user" if address == "bob@example.org" else None
    ran = office.send("--json")
    assert ran.code == 1
    assert (ran.json["sent"], ran.json["failed"], ran.json["state"]) == (2, 1, "done")
    assert office.newsletter("status", "2026-12").code == 1
    assert office.send().code == 0  # nothing is left to do
    assert len(post) == 2
    assert office.send("--again", "--json").json["suppressed"] == 1  # a hard bounce


@both
def test_only_deferrals_are_left(office: "Office", post: "Post") -> None:
    post.refuses = lambda address: "450 4.2.0 greylisted, try again in 2 hours" if address == "bob@example.org" else None
    ran = office.send()
    assert ran.code == 1
    assert "2026-12: waiting for the mail server; newsletter send 2026-12 goes on after 20" in ran.err
    account = office.account()
    assert (account["sent"], account["deferred"], account["state"]) == (2, 1, "running")
    assert account["next_due"].endswith("+00:00")


@both
def test_a_server_that_refuses_us_pauses_the_campaign(office: "Office", post: "Post") -> None:
    office.crowd(8)
    post.refuses = lambda _address: "554 5.7.1 blocked, see https://example.net/why"
    ran = office.send()
    assert ran.code == 1
    assert (
        "paused: the server refuses the mail: 554 5.7.1 blocked, see https://example.net/why; newsletter send 2026-12 goes on"
        in ran.err
    )
    post.refuses = lambda _address: None
    assert office.send().code == 0
    assert len(post) == 8
    assert set(post.addresses().values()) == {1}


def test_why_a_campaign_is_paused_outlives_no_erasure(office: "Office", post: "Post") -> None:
    office.crowd(8)
    post.refuses = lambda address: f"554 5.7.1 <{address.upper()}>: Relay access denied for newsletter@example.org"
    assert office.send().code == 1
    said = "the server refuses the mail: 554 5.7.1 <P…@EXAMPLE.ORG>: Relay access denied for newsletter@example.org"
    assert office.account()["note"] == said
    (delivery, *_) = office.newsletter("status", "2026-12", "--trouble", "--json").json["trouble"]
    assert delivery["address"].upper() in delivery["reply"]  # where the address stands anyway, and goes with it


@pytest.mark.usefixtures("quick")
def test_a_server_that_goes_away_in_the_middle(office: "Office", post: "Post") -> None:
    office.crowd(6)
    post.refuses = lambda _address: "421 4.3.2 closing" if len(post) == 3 else None
    ran = office.send("--json")
    assert ran.code == 3
    assert "stopped: " in ran.err
    assert (ran.json["sent"], ran.json["pending"], ran.json["audience"]) == (3, 3, 6)
    post.refuses = lambda _address: None
    assert office.send().code == 0
    assert len(post) == 6
    assert set(post.addresses().values()) == {1}


@both
def test_ctrl_c_drains_and_the_same_command_finishes(office: "Office", post: "Post") -> None:
    office.crowd(12)
    post.hold_at = 4
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    if office.url.startswith("sqlite"):  # on a server, it would join
        second = office.newsletter(*SEND)
        assert second.code == 2
        assert f"at work with this database (process {sending.pid})" in second.err
    sending.send_signal(signal.SIGINT)
    wait_for("stopping when the mail server has answered", sending.stderr)
    post.go_on.set()
    out, err = sending.communicate(timeout=60)
    assert sending.returncode == 3
    assert "Traceback" not in err
    account = office.account()
    assert f'"sent": {len(post)}' in out
    assert (account["sent"], account["uncertain"], account["audience"]) == (len(post), 0, 12)
    assert account["pending"] == 12 - len(post) > 0
    assert office.newsletter(*SEND).code == 0
    assert len(post) == 12
    assert set(post.addresses().values()) == {1}


def test_status_says_whether_a_send_is_at_work(office: "Office", post: "Post") -> None:
    office.crowd(6)
    post.hold_at = 3
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    at_work = f"2026-12: not finished; newsletter send is at work now (process {sending.pid})\n"
    assert (office.newsletter("status", "2026-12").err + office.newsletter("status").err).count(at_work) == 2
    store = open_store(office.url)
    (campaign,) = office.campaigns()
    with store.write() as connection:
        life.remark(connection, campaign.id, "slowed down, as the mail server asks")
    store.close()
    assert f"(process {sending.pid}); slowed down, as the mail server asks\n" in office.newsletter("status").err
    sending.kill()
    sending.communicate()
    stopped = "2026-12: not finished; newsletter send 2026-12 goes on where it stopped\n"
    assert office.newsletter("status", "2026-12").err.startswith(stopped)


def test_ctrl_c_twice_does_not_wait_for_the_server(office: "Office", post: "Post") -> None:
    office.crowd(3)
    post.hold_at = 2
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    sending.send_signal(signal.SIGTERM)
    wait_for("stopping when the mail server has answered", sending.stderr)
    sending.send_signal(signal.SIGINT)
    wait_for("stopping at once", sending.stderr)
    post.go_on.set()
    _, err = sending.communicate(timeout=60)
    assert (sending.returncode, "Traceback" in err) == (3, False)
    account = office.account()
    assert (account["sent"], account["uncertain"], account["pending"]) == (1, 1, 1)


@both
def test_kill_in_the_middle_and_the_same_command_resumes(office: "Office", post: "Post") -> None:
    office.crowd(8)
    office.settings(lease="4")  # on a server it has to run out
    post.hold_at = 3
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    sending.kill()
    sending.communicate()
    post.go_on.set()
    assert office.account()["audience"] == 8
    ran = office.newsletter(*SEND)
    assert ran.code == 1
    sent, uncertain = ran.json["sent"], ran.json["uncertain"]
    assert (sent + uncertain, ran.json["audience"], ran.json["state"]) == (8, 8, "done")
    assert 1 <= uncertain <= 2 * 1 + 2 * 2  # twice the connection, and twice its group of two
    assert sent < len(post) <= sent + uncertain
    assert set(post.addresses().values()) == {1}


def test_a_real_terminal_is_asked(office: "Office", post: "Post") -> None:
    master, slave = pty.openpty()
    os.write(master, b"y\n")
    sending = office.process("send", "2026-12", "--to", "list.csv", "--json", stdin=slave)
    os.close(slave)
    out, err = sending.communicate(timeout=60)
    os.close(master)
    assert (sending.returncode, len(post)) == (0, 3)
    assert out.startswith('{"issue": "2026-12"')
    assert "Send it to 3 recipients now? [y/N]:" in err


@both
def test_a_draft_that_a_crash_left_is_begun_anew(office: "Office", post: "Post") -> None:
    master, slave = pty.openpty()
    asking = office.process("send", "2026-12", "--to", "list.csv", stdin=slave)
    wait_for("links to", asking.stderr)
    asking.kill()
    asking.communicate()
    os.close(slave)
    os.close(master)
    assert [campaign.state for campaign in office.campaigns()] == ["draft"]
    assert "2026-12: not begun: newsletter send still asks, or was stopped there\n" in office.newsletter("status").err
    office.recipients("eve@example.org;Eve")
    assert office.send().code == 0
    assert set(post.addresses()) == {"eve@example.org"}
    assert [(campaign.number, campaign.state) for campaign in office.campaigns()] == [(1, "done")]


def test_bad_input_as_a_process(office: "Office") -> None:
    office.issue("title: a\n")
    sending = office.process(*SEND)
    out, err = sending.communicate(timeout=60)
    assert (sending.returncode, out) == (2, "")
    assert err.startswith("issues/2026-12/issue.yaml:1:1: ")
    assert "Traceback" not in err


def test_a_database_that_breaks_while_the_list_is_read(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    database = office.root / "newsletter.db"
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(bytes(content))
    ran = office.send()
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert "example.org" not in ran.err
    assert len(post) == 1


def test_the_process_has_one_name() -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="newsletter")
    assert script.value == "newsletter.cli:main"
    installed = Path(sys.executable).with_name("newsletter")
    assert subprocess.run([installed, "--version"], capture_output=True, check=False).returncode == 0
