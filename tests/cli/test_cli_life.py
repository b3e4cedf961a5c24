"""A campaign's life from the command line: pause, resume, cancel, resolve, why, and the list of those in trouble."""

import signal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from newsletter.delivery import life
from newsletter.store import find_campaign, open_store
from newsletter.store.tables import delivery, worker
from tests.real.postgresql import both

if TYPE_CHECKING:
    from tests.cli.conftest import Office, Post

SEND = ("send", "2026-12", "--to", "list.csv", "--yes", "--json")


@both
def test_pause_stops_a_send_that_another_process_does(office: "Office", post: "Post") -> None:
    office.crowd(30)
    post.hold_at = 4
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    paused = office.newsletter("pause", "2026-12")
    assert (paused.code, paused.out) == (0, "")
    assert "2026-12: paused: by newsletter pause; newsletter send 2026-12 goes on\n" in paused.err
    post.go_on.set()
    out, _ = sending.communicate(timeout=60)
    assert (sending.returncode, '"state": "paused"' in out) == (3, True)
    assert 4 <= len(post) < 30
    assert "was paused already" in office.newsletter("pause", "2026-12").err
    resumed = office.newsletter("resume", "2026-12", "--json")
    assert (resumed.code, resumed.json["state"], len(post)) == (0, "done", 30)
    assert set(post.addresses().values()) == {1}
    assert office.newsletter("pause", "2026-12").err == "there is nothing to pause: the campaign of 2026-12 is done\n"
    assert office.newsletter("resume", "2026-12").code == 0
    assert len(post) == 30


@pytest.mark.parametrize("command", ["pause", "resume", "cancel", "resolve", "why"])
def test_of_an_issue_that_was_never_sent(office: "Office", command: str) -> None:
    more = {"resolve": ["--uncertain", "sent"], "why": ["ada@example.org"]}.get(command, [])
    ran = office.newsletter(command, "2026-12", *more)
    assert (ran.code, ran.err) == (2, "2026-12 was never sent; newsletter send 2026-12 --to FILE.csv sends it\n")
    assert not (office.root / "newsletter.db").exists()


@both
def test_cancel_asks_and_leaves_the_rows_as_they_are(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    assert office.newsletter("cancel", "2026-12").err == (
        "nothing was changed: nobody can be asked here; --yes cancels without asking\n"
    )
    no = office.newsletter("cancel", "2026-12", types="n\n")
    assert (no.code, "End it for good? 2 recipients of 3 will not be written to" in no.err) == (2, True)
    assert office.account()["state"] == "paused"
    stopped = office.newsletter("cancel", "2026-12", types="")
    assert (stopped.code, stopped.err.splitlines()[-2:]) == (3, ["nothing was changed", "interrupted"])
    ran = office.newsletter("cancel", "2026-12", "--json", types="y\n")
    assert (ran.code, ran.json["state"], ran.json["sent"], ran.json["pending"]) == (0, "cancelled", 1, 2)
    assert office.newsletter("resume", "2026-12").code == 0
    assert office.send().code == 0
    assert len(post) == 1
    assert office.newsletter("cancel", "2026-12", "--yes").code == 2


def test_of_a_cancelled_one_nothing_is_promised(office: "Office", post: "Post") -> None:
    post.refuses = lambda address: "450 4.2.0 try again in 2 hours" if address == "ada@example.org" else None
    assert office.send("--limit", "2").code == 1
    assert "1 at example.org, due from 20" in office.newsletter("status", "2026-12").err
    cancelled = office.newsletter("cancel", "2026-12", "--yes")
    assert cancelled.err == (
        "2026-12: cancelled\n"
        "          3  audience    everyone, each in one of these lines\n"
        "          1  sent        the mail server took it\n"
        "          1  deferred    the mail server asked to wait; not tried again\n"
        "          1  pending     not sent\n"
    )
    account = office.account()
    assert (account["deferred"], account["next_due"], account["deferrals"]) == (1, None, [])


@both
def test_what_a_crash_left_in_doubt_is_resolved(office: "Office", post: "Post") -> None:
    office.crowd(4)
    post.hold_at = 2
    sending = office.process(*SEND)
    assert post.holding.wait(60)
    sending.kill()
    sending.communicate()
    post.go_on.set()
    _change(office, update(worker).where(worker.c.lease_until.is_not(None)).values(lease_until=1))  # on a server it runs out
    soon = office.newsletter("resolve", "2026-12", "--uncertain", "resend")
    assert soon.code == 2
    assert "the mail server may still be taking the uncertain mails of 2026-12" in soon.err
    uncertain = office.account()["uncertain"]
    assert uncertain >= 1
    _long_ago(office)
    ran = office.newsletter("resolve", "2026-12", "--uncertain", "resend", "--json")
    assert (ran.code, ran.json["uncertain"], ran.json["pending"]) == (0, 0, 4 - ran.json["sent"])
    assert "to be sent again; newsletter resume 2026-12 does it\n" in ran.err
    assert office.newsletter("resume", "2026-12").code == 0
    assert set(post.addresses()) == {f"p{number}@example.org" for number in range(4)}
    nothing = office.newsletter("resolve", "2026-12", "--uncertain", "sent")
    assert (nothing.code, nothing.err.splitlines()[0]) == (0, "no delivery of 2026-12 is uncertain")
    assert office.newsletter("resolve", "2026-12", "--uncertain", "perhaps").code == 2


def _long_ago(office: "Office") -> None:
    _change(office, update(delivery).values(updated_at=1), update(worker).values(ended_at=1))


def _change(office: "Office", *statements: Any) -> None:
    store = open_store(office.url)
    with store.write() as connection:
        for statement in statements:
            connection.execute(statement)
    store.close()


def test_resolve_sent_takes_them_for_sent(office: "Office") -> None:
    assert office.send().code == 0
    _change(office, update(delivery).where(delivery.c.address == "bob@example.org").values(state="uncertain"))
    ran = office.newsletter("resolve", "2026-12", "--uncertain", "sent")
    assert ran.err.startswith("1 uncertain delivery: taken for sent\n")
    assert office.account()["sent"] == 3
    assert "sent: taken for sent, as somebody decided" not in office.newsletter("why", "2026-12", "ada@example.org").err
    assert "taken for sent, as somebody decided" in office.newsletter("why", "2026-12", "bob@example.org").err


@pytest.mark.usefixtures("quick")
@both
def test_why_tells_every_try(office: "Office", post: "Post") -> None:
    replies = iter(["451 4.7.1 Greylisted, please come back", "550 5.1.1 no such user"])
    post.refuses = lambda address: next(replies) if address == "bob@example.org" else None
    assert office.send().code == 1
    ran = office.newsletter("why", "2026-12", " Bob@EXAMPLE.org")
    lines = [line[23:] if line.startswith("  ") else line for line in ran.err.splitlines()]
    assert (ran.code, ran.out) == (0, "")
    assert lines == [
        "Bob@EXAMPLE.org, 2026-12: failed: refused for good",
        "list.csv:3",
        "deferred: 451 4.7.1 Greylisted, please come back",
        "that is: the mail server does not know the sender yet and wants a second try (greylisting)",
        "failed: 550 5.1.1 no such user",
        "that is: there is no such mailbox",
        "not written to any more: its mail server said that there is no such mailbox",
    ]
    told = office.newsletter("why", "2026-12", "bob@example.org", "--json").json
    assert [(one["n"], one["state"], one["enhanced"]) for one in told["attempts"]] == [
        (1, "deferred", "4.7.1"),
        (2, "failed", "5.1.1"),
    ]
    assert (told["state"], told["suppressed"]["reason"]) == ("failed", "bounced")
    sent = office.newsletter("why", "2026-12", "ada@example.org")
    assert sent.err.startswith("ada@example.org, 2026-12: sent: the mail server took it\n")
    assert "sent: 250 " in sent.err


def test_why_of_someone_who_is_not_in_the_audience(office: "Office") -> None:
    office.recipients("ada@example.org;Ada", "eve(at)example.org;Eve", "dan@example.org;Dan;too;many")
    assert office.send().code == 0
    for address, reason in (
        ("eve(at)example.org", "list.csv:3: the address 'eve(at)example.org' has no @; the row was refused"),
        ("Dan@example.org", "list.csv:4: has 4 cells"),
        ("zoe@example.org", "list.csv: it stands in no row"),
    ):
        ran = office.newsletter("why", "2026-12", address)
        assert (ran.code, ran.err.splitlines()[0]) == (1, f"{address} is not in the audience of 2026-12")
        assert ran.err.splitlines()[1].strip().startswith(reason)
    with (office.root / "list.csv").open("a", encoding="utf-8") as stream:
        stream.write("zoe@example.org;Zoe\n")
    late = office.newsletter("why", "2026-12", "zoe@example.org", "--json")
    assert (late.json["state"], late.json["why"]) == (
        None,
        "list.csv:5: it stands there now, but did not when the campaign began",
    )
    (office.root / "list.csv").unlink()
    assert "list.csv is not here any more" in office.newsletter("why", "2026-12", "zoe@example.org").err
    assert office.newsletter("why", "2026-12", "zoe@example.org", "--to", "away.csv").code == 2


def test_why_of_someone_who_was_no_subscriber(office: "Office") -> None:
    assert office.newsletter("subscribers", "import", "list.csv", "--source", "town fair").code == 0
    assert office.newsletter("send", "2026-12", "--to", "subscribers", "--yes").code == 0
    ran = office.newsletter("why", "2026-12", "zoe@example.org")
    assert (ran.code, ran.err.splitlines()[1].strip()) == (
        1,
        "it was no confirmed subscriber when the campaign began; newsletter subscribers show zoe@example.org says more",
    )


def test_another_key_neither_goes_on_nor_tells_lies(office: "Office", post: "Post") -> None:
    assert office.send("--limit", "1").code == 0
    office.settings(secret_key="another-key-" * 4)
    for command in (("send", "2026-12"), ("resume", "2026-12"), ("why", "2026-12", "ada@example.org")):
        ran = office.newsletter(*command)
        assert (ran.code, ran.err) == (
            2,
            "NEWSLETTER_SECRET_KEY is not the one that 2026-12 was begun with; put that one back, on every host the same\n",
        )
    assert len(post) == 1
    office.settings()
    assert (office.send().code, len(post)) == (0, 3)


@both
def test_with_another_key_nobody_who_left_is_written_to_unknown(office: "Office", post: "Post") -> None:
    assert office.send().code == 0
    office.settings(secret_key="another-key-" * 4)
    ran = office.send("--again")
    assert (ran.code, ran.err) == (
        2,
        "NEWSLETTER_SECRET_KEY is not the one that 2026-12 was sent with: whoever left would not be known, and get mail again; "
        "put that one back. Where it is lost, take those who left off the list yourself, and add --new-key\n",
    )
    assert (len(office.campaigns()), len(post)) == (1, 3)
    assert office.send("--again", "--new-key").code == 0
    ran = office.send("--again")
    assert (ran.code, len(post)) == (0, 9), ran.err
    office.settings()
    assert "was sent with" in office.send("--again").err


def test_why_before_it_was_sent(office: "Office") -> None:
    assert office.send("--limit", "1").code == 0
    ran = office.newsletter("why", "2026-12", "cyd@example.org")
    assert "cyd@example.org, 2026-12: not sent yet\n" in ran.err
    assert "the campaign is paused, stopped after 1 delivery, as --limit says" in ran.err


@both
def test_trouble_is_listed_with_its_reason(office: "Office", post: "Post") -> None:
    replies = {"bob@example.org": "550 5.2.2 full", "cyd@example.org": "450 4.2.0 try again in 2 hours"}
    post.refuses = replies.get
    office.send()
    ran = office.newsletter("status", "2026-12", "--trouble")
    assert ran.out.splitlines() == [
        "failed\tbob@example.org\t550 5.2.2 full\tthe mailbox is full",
        "deferred\tcyd@example.org\t450 4.2.0 try again in 2 hours\tfor now, something is wrong with the mailbox",
    ]
    listed = office.newsletter("status", "2026-12", "--trouble", "--json").json
    assert [(one["address"], one["state"], one["code"]) for one in listed["trouble"]] == [
        ("bob@example.org", "failed", 550),
        ("cyd@example.org", "deferred", 450),
    ]
    assert listed["trouble"][1]["next_due"] == listed["next_due"]
    assert listed["deferrals"] == [{"domain": "example.org", "count": 1, "next_due": listed["next_due"]}]
    assert " 1 at example.org, due from 20" in ran.err
    assert office.newsletter("status", "--trouble").code == 2


def test_a_planned_sending_waits_and_ctrl_c_leaves_it_planned(
    office: "Office", post: "Post", monkeypatch: pytest.MonkeyPatch
) -> None:
    when = ("--at", "2999-12-01 08:00")
    waiting = office.process(*SEND, *when)
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "waiting until 2999-12-01 08:00 (Europe/Berlin)" in line:
            break
    assert office.account()["state"] == "scheduled"
    waiting.send_signal(signal.SIGTERM)
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, '"state": "scheduled"' in out) == (3, True)
    assert "stays planned for 2999-12-01 08:00" in err
    monkeypatch.setenv("TZ", "JST-9")
    _, status = office.process("status").communicate(timeout=60)
    assert "2026-12: planned for 2999-12-01 16:00 JST; newsletter send 2026-12 waits for it\n" in status
    now = office.newsletter("send", "2026-12", "--at", "now", "--json")
    assert (now.code, now.json["state"], len(post)) == (0, "done", 3)


@both
def test_while_one_issue_waits_another_is_sent_and_pause_ends_the_wait(office: "Office", post: "Post") -> None:
    waiting = office.process(*SEND, "--at", "2999-12-01 08:00")
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "waiting until" in line:
            break
    other = office.issue_file.parent.with_name("2027-01") / "issue.yaml"
    other.parent.mkdir()
    other.write_bytes(office.issue_file.read_bytes())
    assert office.newsletter("send", "2027-01", "--to", "list.csv", "--yes").code == 0
    assert office.newsletter("pause", "2026-12").code == 0
    out, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, '"state": "paused"' in out, len(post)) == (3, True, 3)


def test_now_may_have_blanks_around_it(office: "Office", post: "Post") -> None:
    assert (office.send("--at", " now ").code, len(post)) == (0, 3)


def test_the_question_names_the_time(office: "Office", post: "Post") -> None:
    ran = office.newsletter("send", "2026-12", "--to", "list.csv", "--at", "2999-06-01 8:00", types="n\n")
    assert "Send it to 3 recipients 2999-06-01 08:00 (Europe/Berlin)? [y/N]:" in ran.err
    assert (ran.code, office.campaigns()) == (2, [])


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("tomorrow", "--at 'tomorrow' is no time"),
        ("2026-13-01 08:00", "is no time"),
        ("0001-01-01 00:00", "is no time"),
        ("0001-01-01 00:00+01:00", "is no time"),
        ("9999-12-31 23:59Z", "is no time"),
        ("2020-01-01 08:00", "2020-01-01 08:00 (Europe/Berlin) is over"),
        ("2999-03-31 02:30", "the clocks of Europe/Berlin leave this hour out"),
    ],
)
def test_a_time_that_cannot_be(office: "Office", at: str, says: str) -> None:
    ran = office.send("--at", at)
    assert (ran.code, says in ran.err, ran.err.count("\n")) == (2, True, 1)
    assert office.campaigns() == []


@pytest.mark.parametrize(("hours", "sent"), [(1, 3), (7, 0)])
def test_a_time_that_was_missed(office: "Office", post: "Post", hours: int, sent: int) -> None:
    _planned(office, hours)
    ran = office.newsletter("send", "2026-12")
    assert (ran.code, len(post)) == ((0, 3) if sent else (2, 0))
    if not sent:
        assert "was missed by more than 6 hours; newsletter resume 2026-12 sends it now\n" in ran.err
        assert office.account()["state"] == "paused"
        assert (office.newsletter("resume", "2026-12").code, len(post)) == (0, 3)


def _planned(office: "Office", hours: int) -> None:
    """A campaign whose time came so many hours ago, when nobody was there."""
    waiting = office.process(*SEND, "--at", "2999-12-01 08:00")
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "waiting until" in line:
            break
    waiting.kill()
    waiting.communicate()
    store = open_store(office.url)
    of = find_campaign(store, "2026-12")
    assert of is not None
    with store.write() as connection:
        assert life.schedule(connection, of.id, store.clock() - hours * 3_600_000_000)
    store.close()
