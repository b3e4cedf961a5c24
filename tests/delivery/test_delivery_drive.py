"""A campaign goes out: everyone once, through refusals, breaks, pauses and wishes to stop."""

import asyncio
import email
import email.policy
import itertools
import sys
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Message
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from newsletter.audience.recipient import Recipient
from newsletter.compose.edition import Edition, Headers, Part, Slot
from newsletter.delivery import Account, LedgerError, SendError, account_of, drive, ledger, replies
from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.replies import Outcome, Pauses, read_reply
from newsletter.delivery.sending import Strikes
from newsletter.links import Delivered
from newsletter.message.message_id import message_id
from newsletter.message.template import MessageTemplate
from newsletter.problem import InputError
from newsletter.settings import Settings
from newsletter.store import find_campaign, is_suppressed, suppress
from newsletter.store.tables import campaign

if TYPE_CHECKING:
    from tests.delivery.conftest import Office, People, Sink

    Make = Callable[..., People]
    Crowd = Callable[[int], People]


def numbers(account: Account) -> dict[str, int]:
    """The numbers that are not 0."""
    names = ("sent", "failed", "suppressed", "uncertain", "deferred", "pending")
    return {name: count for name in names if (count := getattr(account, name))}


def test_everyone_gets_one_mail_of_their_own(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(40))
    account = office.run(made, sink)
    assert (account.state, numbers(account), account.audience) == ("done", {"sent": 40}, 40)
    assert sorted(sink.recipients) == sorted(f"p{n}@example.org" for n in range(40))
    assert sink.connections == sink.most_open == 4
    rows = office.rows(made)
    for recipient, body in sink.accepted:
        message = email.message_from_bytes(body.replace(b"\r\n..", b"\r\n."), policy=email.policy.default)
        row = rows[recipient]
        text = message.get_body(("plain",))
        assert text is not None
        greeting, dot, link = text.get_content().splitlines()[:3]
        assert (greeting, dot) == (f"Liebe Ada {row.line},", ".ein Punkt")
        leaving = office.links.read_unsubscribe(link.rsplit("/", 1)[1])
        assert leaving is not None
        assert (leaving.campaign, leaving.delivery, leaving.mark) == (made.id, row.id, office.links.mark(recipient))
        page = message.get_body(("html",))
        assert page is not None
        token = page.get_content().split("/view/")[1].split('"')[0]
        assert office.links.read_view(token) == Delivered(made.id, row.id)
        assert (message["To"], message["Message-ID"]) == (recipient, message_id(made.key, row.id, "example.org"))
        assert parsedate_to_datetime(message["Date"]).tzinfo is not None
        assert not message["Date"].endswith("-0000")
        assert (row.state, row.code, row.enhanced, row.reply, row.attempts) == ("sent", 250, "2.0.0", "2.0.0 queued as 4711", 1)


def test_a_campaign_that_is_done_is_left_alone(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(3))
    office.run(made, sink)
    again = office.run(made, sink)
    assert (again.state, again.sent, len(sink.accepted)) == ("done", 3, 3)


def test_another_server_understands_it_too(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    class Box(Message):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        def handle_message(self, message: Any) -> None:
            self.seen.append(message["To"])

    async def run() -> tuple[Account, list[str]]:
        box = Box()
        controller = UnthreadedController(box, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
        server = await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", 0)
        sink.port = server.sockets[0].getsockname()[1]
        account = await office.send(office.freeze(crowd(25)), sink)
        server.close()
        return account, box.seen

    account, seen = asyncio.run(run())
    assert numbers(account) == {"sent": 25}
    assert sorted(seen) == sorted(f"p{n}@example.org" for n in range(25))


def test_one_refused_recipient_is_failed_and_a_hard_bounce_is_remembered(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    sink.answers = lambda step, recipient: "550 5.1.1 no such user" if (step, recipient) == ("RCPT", "p3@example.org") else None
    made = office.freeze(crowd(10))
    account = office.run(made, sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 9, "failed": 1})
    row = office.rows(made)["p3@example.org"]
    assert (row.state, row.code, row.enhanced, row.reply) == ("failed", 550, "5.1.1", "5.1.1 no such user")
    assert is_suppressed(office.store, office.links.mark("p3@example.org"))


def test_a_soft_refusal_is_tried_again_and_touches_nobody_else(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    tries = itertools.count()
    sink.answers = lambda step, recipient: (
        "451 4.7.1 greylisted" if (step, recipient) == ("RCPT", "p3@example.org") and next(tries) < 3 else None
    )
    made = office.freeze(crowd(10))
    account = office.run(made, sink, wait=60.0)
    assert (account.state, numbers(account)) == ("done", {"sent": 10})
    assert office.rows(made)["p3@example.org"].attempts == 4


def test_what_is_due_later_is_left_for_the_next_time(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    sink.answers = lambda step, recipient: (
        "450 4.2.0 try again in 30 minutes" if (step, recipient) == ("RCPT", "p3@example.org") else None
    )
    made = office.freeze(crowd(5))
    before = office.store.clock()
    account = office.run(made, sink, wait=15 * 60.0)
    assert (account.state, numbers(account)) == ("running", {"sent": 4, "deferred": 1})
    assert account.next_due is not None
    assert 30 * 60 <= (account.next_due - before) / 1_000_000 <= 34 * 60
    assert account.as_json()["next_due"] is not None


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("does", ["drop", "421 4.3.2 shutting down"])
def test_a_break_before_the_message_costs_nothing(office: "Office", sink: "Sink", crowd: "Crowd", step: str, does: str) -> None:
    turns = itertools.count(1)
    sink.answers = lambda now, _: does if now == step and next(turns) % 4 == 0 else None
    made = office.freeze(crowd(20))
    account = office.run(made, sink, wait=60.0)
    assert (account.state, numbers(account)) == ("done", {"sent": 20})
    assert len(sink.accepted) == len(set(sink.recipients)) == 20
    assert sink.connections > 4


@pytest.mark.parametrize("does", ["drop", "taken, then dropped", "garbage"])
def test_a_break_after_the_message_is_uncertain_and_never_sent_again(
    office: "Office", sink: "Sink", crowd: "Crowd", does: str
) -> None:
    doubtful = {"p3@example.org", "p7@example.org"}
    sink.answers = lambda step, recipient: does if step == "end" and recipient in doubtful else None
    made = office.freeze(crowd(20))
    for _ in range(2):
        account = office.run(made, sink)
        assert (account.state, numbers(account)) == ("done", {"sent": 18, "uncertain": 2})
    assert {address for address, state in office.states(made).items() if state == "uncertain"} == doubtful
    assert len(sink.accepted) == len(set(sink.recipients)) == (20 if does.startswith("taken") else 18)
    assert 20 <= sink.verbs()["DATA"] <= 22  # an envelope that was behind the doubtful one is said again


def test_five_refusals_by_policy_pause_the_campaign_with_the_servers_words(
    office: "Office", sink: "Sink", crowd: "Crowd"
) -> None:
    sink.answers = lambda step, _: "554 5.7.1 your address is on our list" if step == "end" else None
    made = office.freeze(crowd(50))
    account = office.run(made, sink)
    assert (account.state, account.failed, account.sent) == ("paused", 0, 0)
    assert account.note == "the server refuses the mail: 554 5.7.1 your address is on our list"
    assert 5 <= account.deferred <= 5 + 3 + 4  # what the other connections had under way, and the envelopes behind each body
    assert account.deferred + account.pending == 50
    # Mended: the same command goes on, with those that were refused, too.
    sink.answers = lambda _step, _recipient: None
    account = office.run(made, sink)
    assert (account.state, numbers(account), account.note) == ("done", {"sent": 50}, None)
    assert len(set(sink.recipients)) == len(sink.accepted) == 50


def test_refusals_by_policy_among_many_that_are_taken_do_not_pause(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    turns = itertools.count()
    sink.answers = lambda step, _: "550 5.7.1 no" if step == "MAIL" and next(turns) % 5 == 1 else None
    account = office.run(office.freeze(crowd(40)), sink, settings={"smtp_connections": 1}, pauses=Pauses())
    assert (account.state, account.sent, account.deferred) == ("running", 32, 8)


def test_two_whose_own_server_refuses_the_mail_do_not_pause(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    """When all others are sent, only these are tried, again and again."""
    tries = itertools.count()
    sink.answers = lambda step, recipient: (
        "550 5.7.1 no" if step == "RCPT" and recipient in {"p3@example.org", "p4@example.org"} and next(tries) < 8 else None
    )
    account = office.run(office.freeze(crowd(10)), sink, wait=60.0)
    assert (account.state, numbers(account), account.note) == ("done", {"sent": 10}, None)


@pytest.mark.parametrize(
    ("wants", "settings"),
    [
        ("Authentication required", "NEWSLETTER_SMTP_USERNAME and NEWSLETTER_SMTP_PASSWORD"),
        ("Must issue a STARTTLS command first", "NEWSLETTER_SMTP_SECURITY=starttls"),
    ],
)
def test_a_server_that_wants_more_at_first_pauses_also_a_small_campaign(
    office: "Office", sink: "Sink", crowd: "Crowd", wants: str, settings: str
) -> None:
    sink.answers = lambda step, _: f"530 5.7.0 {wants}" if step == "MAIL" else None
    account = office.run(office.freeze(crowd(3)), sink, settings={"smtp_connections": 1}, pauses=Pauses())
    assert (account.state, account.sent, account.failed) == ("paused", 0, 0)
    assert account.note == f"the server refuses the mail: 530 5.7.0 {wants}; set {settings}"


def test_one_in_a_hundred_of_many_pauses() -> None:
    strikes, taken, refused = Strikes(), read_reply("end", 250, "ok"), read_reply("end", 554, "5.7.1 no")
    trips = [strikes.add(refused if number % 100 == 99 else taken, number) for number in range(500)]
    assert trips == [False] * 499 + [True]


def test_a_value_that_is_missing_fails_that_one_only(office: "Office", sink: "Sink", people: "Make", edition: Edition) -> None:
    headers = Headers("Digitale Region", "newsletter@example.org", None, "region.example.org", "Digitale Region", "de")
    strict = Edition("t", headers, Part(("s",)), Part(("Aus ", Slot("ort", None, "plain"), "\n")), Part(("<p>x</p>\n",)))
    some = people("ada@example.org", "bob@example.org")
    some.rows = [*list(some)[:1], Recipient("bob@example.org", "bob@example.org", {"ort": "Ulm"}, 3)]
    made = office.freeze(some, edition=strict)
    account = office.run(made, sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 1, "failed": 1})
    assert "no value for the merge field 'ort'" in office.rows(made)["ada@example.org"].reply


def test_a_bug_in_the_making_of_a_message_ends_the_sending_and_loses_nothing(
    office: "Office", sink: "Sink", crowd: "Crowd"
) -> None:
    class Broken:
        def of(self, _variant: str | None) -> "Broken":
            return self

        def build_stuffed(self, **_: Any) -> Any:
            raise RuntimeError("a bug")

    made = office.freeze(crowd(5))
    with pytest.raises(RuntimeError, match="a bug"):
        office.run(made, sink, template=Broken())
    assert set(office.states(made).values()) == {"pending"}


def test_a_bug_in_the_reading_of_an_answer_ends_the_sending_and_names_who_is_in_doubt(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(outcome: Outcome, claimed: Claimed, *rest: Any) -> Result | None:
        if claimed.address == "p2@example.org":
            raise RuntimeError("a bug")
        return replies.judge(outcome, claimed, *rest)

    monkeypatch.setattr("newsletter.delivery.sending.judge", judge)
    made = office.freeze(crowd(50))
    with pytest.raises(RuntimeError, match="a bug"):
        office.run(made, sink)
    states = office.states(made)
    assert states.pop("p2@example.org") == "uncertain"
    assert {address for address, state in states.items() if state == "sent"} == set(sink.recipients) - {"p2@example.org"}
    assert set(states.values()) == {"sent", "pending"}


def test_an_address_that_cannot_go_on_the_wire_fails_that_one_only(office: "Office", sink: "Sink", people: "Make") -> None:
    made = office.freeze(people("ada@example.org", "eve@x.org>\r\nRCPT TO:<evil@x.org", "jörg@example.org"))
    sink.extensions = ()
    account = office.run(made, sink)
    assert numbers(account) == {"sent": 1, "failed": 2}
    assert sink.recipients == ["ada@example.org"]
    assert {row.reply.split(":")[0] for row in office.rows(made).values() if row.state == "failed"} == {
        "the message cannot be made",
        "the address has characters before the @ that this SMTP server cannot take (no SMTPUTF8)",
    }


def test_limit_freezes_all_and_stops_after_so_many(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(30))
    account = office.run(made, sink, limit=7)
    assert (account.state, numbers(account), account.audience) == ("paused", {"sent": 7, "pending": 23}, 30)
    assert account.note == "stopped after 7 deliveries, as --limit says"
    account = office.run(made, sink, limit=23)
    assert (account.state, numbers(account)) == ("done", {"sent": 30})
    assert len(set(sink.recipients)) == 30


def test_stop_finishes_what_is_on_the_wire_and_the_next_call_resumes(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(60))
    stop = asyncio.Event()

    def answers(step: str, _: str) -> None:
        if step == "end" and len(sink.accepted) == 20:
            stop.set()

    sink.answers = answers
    sink.pause_at_the_end = lambda: 0.01
    account = office.run(made, sink, stop=stop)
    assert account.state == "running"
    assert numbers(account) == {"sent": len(sink.accepted), "pending": 60 - len(sink.accepted)}
    assert 20 <= len(sink.accepted) <= 20 + 2 * 4
    assert sink.verbs()["QUIT"] == 4
    assert set(office.states(made).values()) == {"sent", "pending"}
    account = office.run(made, sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 60})
    assert len(sink.accepted) == len(set(sink.recipients)) == 60


def test_a_pause_from_outside_takes_hold_at_once(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(60))

    def answers(step: str, _: str) -> None:
        if step == "end" and len(sink.accepted) == 10:
            with office.store.write() as connection:
                ledger.pause(connection, made.id, "by newsletter pause")

    sink.answers = answers
    account = office.run(made, sink)
    assert (account.state, account.note) == ("paused", "by newsletter pause")
    assert 10 <= account.sent <= 10 + 2 * 4 + 8  # on the wire, and granted before
    assert account.sent + account.pending == 60
    assert account.sent == len(sink.accepted)


def test_who_unsubscribes_after_the_freeze_gets_nothing(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(10))
    suppress(office.store, office.links.mark("p4@example.org"), reason="unsubscribed")
    account = office.run(made, sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 9, "suppressed": 1})
    assert "p4@example.org" not in sink.recipients


def test_who_unsubscribes_while_it_runs_gets_nothing(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    # The moment of the first mail: by then the next portion is claimed, p15 among it (B28), the next few are granted.
    made = office.freeze(crowd(20))
    seen: list[str] = []

    def answers(step: str, _: str) -> None:
        if step == "end" and not sink.accepted:
            seen.append(office.states(made)["p15@example.org"])
            suppress(office.store, office.links.mark("p15@example.org"), reason="unsubscribed", campaign_id=made.id)

    sink.answers = answers
    account = office.run(made, sink)
    assert seen == ["claimed"]
    assert (account.state, numbers(account)) == ("done", {"sent": 19, "suppressed": 1})
    assert "p15@example.org" not in sink.recipients


def test_intents_are_few_and_on_disk_before_anything_is_said(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(60))
    seen: set[str] = set()
    intents: list[int] = []

    def answers(step: str, recipient: str) -> None:
        if step in ("RCPT", "DATA", "end"):
            states = office.states(made)
            seen.add(f"{step} {states.get(recipient)}")
            intents.append(list(states.values()).count("sending"))

    sink.answers = answers
    office.run(made, sink)
    assert seen == {"RCPT sending", "DATA sending", "end sending"}
    on_the_wire = 4 * (2 if "PIPELINING" in sink.extensions else 1)
    assert max(intents) <= on_the_wire + 2 * 8  # what is granted, and the results of as many not yet stored


def test_no_intent_is_written_while_there_is_no_connection(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(20))
    seen: list[set[str]] = []

    def answers(step: str, _: str) -> str | None:
        if step != "connect":
            return None
        if sink.connections < 3:
            seen.append(set(office.states(made).values()))
            return "421 4.3.2 restarting"
        return None

    sink.answers = answers
    account = office.run(made, sink)
    assert (seen[0], numbers(account)) == ({"claimed"}, {"sent": 20})


def test_after_a_crash_the_claimed_go_out_and_those_on_the_wire_are_shown(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(10))
    with office.store.write() as connection:  # what a killed process leaves
        dead = ledger.register(connection, host="h", pid=1, version="1", now=1)
        ledger.start(connection, made.id, 1)
        ids = [claimed.id for claimed in ledger.claim(connection, made.id, dead, 5, 1)]
        ledger.mark_sending(connection, made.id, dead, ids[:2], 1)
    account = office.run(made, sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 8, "uncertain": 2})
    assert not {"p0@example.org", "p1@example.org"} & set(sink.recipients)


def test_a_connection_that_was_idle_is_made_anew(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.dial.IDLE", 0.0)
    tries = itertools.count()
    sink.answers = lambda step, _: "450 4.2.0 later" if step == "RCPT" and next(tries) < 2 else None
    account = office.run(office.freeze(crowd(1)), sink, wait=60.0)
    assert (account.state, numbers(account)) == ("done", {"sent": 1})
    assert sink.connections == sink.verbs()["QUIT"] == 3


def test_connections_that_nobody_needed_are_no_setbacks(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    """One delivery wakes all connections; those that got no mail, and grew old meanwhile, say nothing about the server."""
    monkeypatch.setattr("newsletter.delivery.dial.IDLE", 0.0)
    tries = itertools.count()
    sink.answers = lambda step, recipient: (
        "450 4.2.0 later" if (step, recipient) == ("RCPT", "p3@example.org") and next(tries) < 3 else None
    )
    pauses = Pauses(first=0.5, longest=0.5, connecting=(0.01,) * 6)
    account = office.run(office.freeze(crowd(20)), sink, settings={"smtp_connections": 20}, pauses=pauses, wait=60.0)
    assert (account.state, numbers(account)) == ("done", {"sent": 20})
    assert sink.connections <= 20 + 3  # and only the one that takes the delivery is made anew


def test_a_connection_carries_so_many_messages_and_no_more(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    few = {"smtp_connections": 1, "smtp_messages_per_connection": 3}
    account = office.run(office.freeze(crowd(8)), sink, settings=few)
    assert (account.state, numbers(account)) == ("done", {"sent": 8})
    assert sink.connections == sink.verbs()["QUIT"] == 3


@pytest.mark.parametrize("most", [5, 0])
def test_a_server_that_takes_so_many_mails_per_session_gets_another_connection(
    office: "Office", sink: "Sink", crowd: "Crowd", most: int
) -> None:
    """IONOS does not end the session; where it takes none at all, another one would be no better."""
    taken = 0

    def answers(step: str, _: str) -> str | None:
        nonlocal taken
        taken = 0 if step == "connect" else taken + (step == "MAIL")
        return "451-Requested action aborted\r\n451 Mails per session limit exceeded" if step == "MAIL" and taken > most else None

    sink.answers = answers
    account = office.run(office.freeze(crowd(20)), sink, settings={"smtp_connections": 1}, pauses=Pauses())
    assert numbers(account) == ({"sent": 17, "deferred": 3} if most else {"deferred": 20})
    assert sink.connections == (4 if most else 1)


@pytest.mark.parametrize("how", ["stop", "pause"])
def test_waiting_for_what_is_due_later_can_be_ended(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("newsletter.delivery.feed._LOOK", 0.01)
    made = office.freeze(crowd(3))
    stop = asyncio.Event()

    def watch(account: Account) -> None:
        if account.deferred != 3:
            return
        if how == "stop":
            stop.set()
        else:
            with office.store.write() as connection:
                ledger.pause(connection, made.id, "by hand")

    monkeypatch.setattr(sys.modules["newsletter.delivery.drive"], "_REPORT", 0.01)  # its name is the function's, too
    sink.answers = lambda step, _: "450 4.2.0 try again in 5 minutes" if step == "RCPT" else None
    account = office.run(made, sink, wait=15 * 60.0, stop=stop, on_progress=watch)
    assert (account.state, numbers(account)) == ("running" if how == "stop" else "paused", {"deferred": 3})


def test_progress_is_told_and_adds_up(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    told: list[Account] = []
    office.run(office.freeze(crowd(10)), sink, on_progress=told.append)
    assert told[-1].state == "done"
    assert {account.audience for account in told} == {10}


# --- a server that cannot be used ----------------------------------------------------------------------------------------


def fail(office: "Office", sink: "Sink", made: Any, **how: Any) -> str:
    with pytest.raises(SendError) as caught:
        office.run(made, sink, **how)
    account = account_of(office.store, made.id)
    assert account.sent == len(sink.accepted)
    assert (account.failed, account.uncertain, account.deferred) == (0, 0, 0)
    assert set(office.states(made).values()) <= {"pending", "sent"}
    return str(caught.value)


def test_a_server_that_is_not_there_changes_nothing(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(3))

    async def run() -> None:
        async with sink.serve():
            pass
        await office.send(made, sink)

    with pytest.raises(SendError, match=r"cannot reach 127.0.0.1:\d+: connection refused; is NEWSLETTER_SMTP_HOST right\?"):
        asyncio.run(run())
    assert set(office.states(made).values()) == {"pending"}
    assert {row.attempts for row in office.rows(made).values()} == {0}
    assert find_campaign(office.store, "2024-12") is not None
    assert numbers(office.run(made, sink)) == {"sent": 3}  # the same command goes on


def test_a_wrong_password_is_tried_once_and_not_told(office: "Office", sink: "Sink", crowd: "Crowd", trusting: Any) -> None:
    sink.offer_tls, sink.password = True, "another"
    wrong = {"smtp_security": "starttls", "smtp_username": "office", "smtp_password": "correct horse"}
    words = fail(office, sink, office.freeze(crowd(3)), settings=wrong, context=trusting)
    assert "refused the login: 535" in words
    assert "horse" not in words
    assert sink.verbs()["AUTH"] == 1  # no second try: servers lock accounts


@pytest.mark.parametrize("offer_tls", [True, False])
def test_without_a_safe_connection_nothing_leaves(office: "Office", sink: "Sink", crowd: "Crowd", offer_tls: bool) -> None:
    sink.offer_tls = offer_tls
    words = fail(office, sink, office.freeze(crowd(3)), settings={"smtp_security": "starttls"})
    assert ("certificate" if offer_tls else "does not offer STARTTLS") in words
    assert sink.verbs()["MAIL"] == 0


def test_a_server_whose_tls_is_out_of_order_for_a_while_is_waited_for(
    office: "Office", sink: "Sink", crowd: "Crowd", trusting: Any
) -> None:
    """At the first try, the settings are wrong; later, they were right."""
    sink.offer_tls = True
    tries = itertools.count()

    def answers(step: str, _: str) -> str | None:
        return "220 no TLS follows" if step == "STARTTLS" and 1 <= next(tries) < 4 else None

    sink.answers = answers
    few = {"smtp_security": "starttls", "smtp_connections": 1, "smtp_messages_per_connection": 3}
    account = office.run(office.freeze(crowd(8)), sink, settings=few, context=trusting)
    assert (account.state, numbers(account)) == ("done", {"sent": 8})
    assert sink.verbs()["STARTTLS"] == 6


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_takes_connections_but_no_mail_is_given_up(
    office: "Office", sink: "Sink", crowd: "Crowd", step: str
) -> None:
    sink.answers = lambda now, _: "421 4.3.2 out of order" if now == step else None
    words = fail(office, sink, office.freeze(crowd(20)), wait=60.0)
    assert "accepts connections, but no mail: 421 4.3.2 out of order" in words
    assert sink.connections < 20


def test_further_connections_log_in_beside_the_first_mail_and_wait_for_its_answer(
    office: "Office", sink: "Sink", crowd: "Crowd"
) -> None:
    steps: list[str] = []
    tries = iter(range(500))

    def answers(step: str, _: str) -> None:
        steps.append(step)

    sink.answers = answers
    sink.hold_at_the_end = lambda: steps.count("EHLO") < 4 and next(tries, None) is not None
    account = office.run(office.freeze(crowd(40)), sink)
    assert numbers(account) == {"sent": 40}
    said = [number for number, step in enumerate(steps) if step == "end"][1]  # asked when it is read, and when it is answered
    before = steps[:said]
    assert (before.count("EHLO"), before.count("MAIL")) == (4, 1)


def test_no_more_connections_are_made_than_there_are_deliveries(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(12))
    office.run(made, sink, limit=11)
    before = sink.connections
    with office.store.write() as connection:
        connection.execute(update(campaign).values(state="running", note=None))
    assert numbers(office.run(made, sink)) == {"sent": 12}
    assert sink.connections == before + 1


def test_a_server_that_never_answers_the_dot_leaves_few_uncertain(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    sink.answers = lambda step, _: "drop" if step == "end" else None
    made = office.freeze(crowd(100))
    with pytest.raises(SendError):
        office.run(made, sink)
    account = account_of(office.store, made.id)
    assert numbers(account) == {"uncertain": account.uncertain, "pending": 100 - account.uncertain}
    assert 0 < account.uncertain <= 7  # one connection, as many tries as there are pauses


def test_a_server_that_wants_fewer_connections_gets_fewer(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    sink.answers = lambda step, _: "421 too many connections" if step == "connect" and sink.open_now > 2 else None
    account = office.run(office.freeze(crowd(60)), sink, settings={"smtp_connections": 6})
    assert (account.state, numbers(account)) == ("done", {"sent": 60})
    assert sink.connections > 2


def test_connections_that_wait_for_the_first_answer_begin_where_the_first_one_cannot_come_back(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first mail stays without an answer, and then somebody else has its place at the server."""
    monkeypatch.setattr("newsletter.delivery.dial.FURTHER", 0.01)
    steps: list[str] = []

    def answers(step: str, _: str) -> str | None:
        steps.append(step)
        if step == "end" and not sink.accepted:
            return "taken, then dropped"
        full = steps.count("EHLO") >= 4 and steps.count("connect") < 500
        return "421 too many connections" if step == "connect" and full else None

    sink.answers = answers
    sink.hold_at_the_end = lambda: steps.count("EHLO") < 4
    account = office.run(office.freeze(crowd(40)), sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 39, "uncertain": 1})
    assert steps.count("connect") < 500


def test_a_server_that_restarts_is_waited_for(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(60))
    down = itertools.count()

    def answers(step: str, _: str) -> str | None:
        if len(sink.accepted) < 20 or next(down) > 9:
            return None
        return "421 4.3.2 restarting" if step in ("MAIL", "connect") else None

    sink.answers = answers
    account = office.run(made, sink, wait=60.0)
    assert (account.state, numbers(account)) == ("done", {"sent": 60})
    assert len(sink.accepted) == len(set(sink.recipients)) == 60


def test_a_database_that_cannot_be_written_stops_the_sending(
    office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch
) -> None:
    made = office.freeze(crowd(40))
    broken = False

    def settle(*arguments: Any) -> None:
        nonlocal broken
        broken = broken or len(sink.accepted) >= 8
        if broken:
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))
        original(*arguments)

    original = ledger.settle
    monkeypatch.setattr("newsletter.delivery.desk.PAUSES", (0.001, 0.001))
    monkeypatch.setattr(ledger, "settle", settle)
    with pytest.raises(LedgerError, match="the database cannot be written: database or disk is full"):
        office.run(made, sink)
    monkeypatch.undo()
    account = office.run(made, sink)
    assert account.state == "done"
    assert account.sent + account.uncertain == 40
    # Taken by the server and not recorded, or granted and not taken back: shown, not repeated.
    assert 1 <= account.uncertain <= 2 * 4 + 2 * 8
    assert len(sink.accepted) == len(set(sink.recipients))
    assert set(office.states(made)) - set(sink.recipients) <= {
        a for a, state in office.states(made).items() if state == "uncertain"
    }


def test_a_busy_database_is_waited_for(office: "Office", sink: "Sink", crowd: "Crowd", monkeypatch: pytest.MonkeyPatch) -> None:
    turns = itertools.count()

    def flaky(*arguments: Any, **named: Any) -> set[int]:
        granted = original(*arguments, **named)
        if not named["again"] and next(turns) % 3 == 0:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return granted

    original = ledger.mark_sending
    monkeypatch.setattr("newsletter.delivery.desk.PAUSES", (0.001,) * 9)
    monkeypatch.setattr(ledger, "mark_sending", flaky)
    account = office.run(office.freeze(crowd(30)), sink)
    assert (account.state, numbers(account)) == ("done", {"sent": 30})
    assert len(sink.accepted) == 30


def test_what_is_missing_in_the_set_up_is_told_before_anything_is_touched(
    office: "Office", crowd: "Crowd", edition: Edition
) -> None:
    made = office.freeze(crowd(3))

    def run(campaign_id: int) -> None:
        asyncio.run(
            drive(
                office.store,
                campaign_id,
                settings=Settings(),
                links=office.links,
                template=MessageTemplate(edition),
                stop=asyncio.Event(),
            )
        )

    with pytest.raises(InputError, match="NEWSLETTER_SMTP_HOST is not set"):
        run(made.id)
    with pytest.raises(InputError, match="there is no campaign 99"):
        run(99)
    assert account_of(office.store, made.id).state == "draft"


def test_an_audience_that_is_all_suppressed_is_done_without_a_connection(office: "Office", sink: "Sink", people: "Make") -> None:
    suppress(office.store, office.links.mark("ada@example.org"), reason="unsubscribed")
    account = office.run(office.freeze(people("ada@example.org")), sink)
    assert (account.state, numbers(account), sink.connections) == ("done", {"suppressed": 1}, 0)


def test_a_cancelled_campaign_stays_as_it_is(office: "Office", sink: "Sink", crowd: "Crowd") -> None:
    made = office.freeze(crowd(3))
    with office.store.write() as connection:
        connection.execute(update(campaign).values(state="cancelled"))
    account = office.run(made, sink)
    assert (account.state, numbers(account), sink.connections) == ("cancelled", {"pending": 3}, 0)
