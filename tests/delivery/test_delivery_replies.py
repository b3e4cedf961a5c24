"""What a server said becomes a result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger import Claimed, Result
from newsletter.delivery.replies import LONGEST_REPLY, Outcome, Pauses, Stage, judge, printable, read_reply
from newsletter.store.clock import HOUR, MINUTE, SECOND

NOW = 10 * HOUR
#: No chance in it: a pause is exactly as long as it says.
EVEN = Pauses(jitter=lambda: 0.5)


def judged(outcome: Outcome, attempts: int = 0) -> Result | None:
    return judge(outcome, Claimed(7, "ada@example.org", b"m", {}, attempts), NOW, EVEN)


@pytest.mark.parametrize(
    ("stage", "code", "text", "state", "why", "hard"),
    [
        ("end", 250, "2.0.0 ok", "sent", None, False),
        ("MAIL", 451, "4.3.0 later", "deferred", None, False),
        ("RCPT", 450, "4.2.1 busy", "deferred", None, False),
        ("RCPT", 452, "4.2.2 full", "deferred", None, False),
        ("end", 421, "4.3.2 closing", "deferred", None, False),
        ("end", 450, "4.7.1 slow down", "deferred", None, False),
        ("RCPT", 550, "5.1.1 no such user", "failed", None, True),
        ("RCPT", 550, "5.2.1 The email account that you tried to reach is disabled.", "failed", None, True),
        ("RCPT", 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that", "failed", None, False),
        ("RCPT", 550, "no such user", "failed", None, False),
        ("RCPT", 552, "5.2.2 full", "failed", None, False),
        ("RCPT", 553, "5.1.10 null mx", "failed", None, True),
        ("RCPT", 501, "5.1.3 bad address", "failed", None, True),
        ("DATA", 550, "5.1.1 no such user", "failed", None, False),
        ("end", 550, "5.2.1 disabled", "failed", None, False),
        ("RCPT", 554, "5.7.1 relay access denied", "deferred", "policy", False),
        ("RCPT", 530, "log in first", "deferred", "policy", False),
        ("RCPT", 503, "bad sequence", "deferred", "policy", False),
        ("RCPT", 552, "5.3.4 too big", "deferred", "policy", False),
        ("RCPT", 550, "5.1.0 <n@example.org>: Sender address rejected: User unknown", "deferred", "policy", False),
        ("RCPT", 504, "5.5.2 <laptop>: Helo command rejected: need fully-qualified hostname", "deferred", "policy", False),
        ("RCPT", 550, "5.1.0 Address rejected", "failed", None, False),
        ("RCPT", 550, "5.1.1 <x@example.net>: Recipient address rejected: User unknown", "failed", None, True),
        ("RCPT", 550, "relay not permitted", "deferred", "policy", False),
        ("RCPT", 550, "host.example [192.0.2.1] is not permitted to relay through this server", "deferred", "policy", False),
        ("RCPT", 550, "relay access denied - please authenticate", "deferred", "policy", False),
        ("RCPT", 550, "Sender verify failed", "deferred", "policy", False),
        ("RCPT", 550, "we do not relay", "deferred", "policy", False),
        ("RCPT", 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "deferred", "policy", False),
        ("RCPT", 550, "5.4.5 <x>: Recipient address rejected: Domain Sending Quota Exceeded", "deferred", "policy", False),
        ("end", 550, "5.1.90 you have reached your daily limit for message recipients", "deferred", "policy", False),
        ("end", 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "deferred", "policy", False),
        ("end", 554, "5.2.252 SendAsDenied; a not allowed to send as b; STOREDRV.Submission.Exc", "deferred", "policy", False),
        ("MAIL", 550, "5.1.8 bad sender domain", "deferred", "policy", False),
        ("MAIL", 550, "5.1.0 sender rejected", "deferred", "policy", False),
        ("DATA", 554, "no", "deferred", "policy", False),
        ("end", 554, "5.7.1 spam", "deferred", "policy", False),
        ("end", 552, "too big", "deferred", "policy", False),
    ],
)
def test_whom_a_refusal_is_about(  # noqa: PLR0917 - the columns of the table
    stage: Stage, code: int, text: str, state: str, why: str | None, hard: bool
) -> None:
    outcome = read_reply(stage, code, text)
    result = judged(outcome)
    assert result is not None
    assert (result.state, result.why, result.hard_bounce) == (state, why, hard)
    assert (result.delivery, result.code, result.reply) == (7, code, text)
    assert (result.next_at > NOW) == (state == "deferred")
    assert outcome.is_policy == (why == "policy")


def test_a_broken_connection_is_uncertain_only_after_the_message() -> None:
    assert judged(Outcome("MAIL", "lost", reply="x")) is None
    assert judged(Outcome("RCPT", "lost", reply="x")) == Result(7, "pending", reply="x", next_at=NOW + MINUTE)
    assert judged(Outcome("DATA", "lost", reply="x")) == Result(7, "pending", reply="x", next_at=NOW + MINUTE)
    assert judged(Outcome("body", "lost", reply="x")) == Result(7, "pending", reply="x", next_at=NOW + MINUTE)
    assert judged(Outcome("end", "lost", reply="x")) == Result(7, "uncertain", reply="x")


def test_a_server_that_closes_says_nothing_about_the_delivery() -> None:
    assert judged(read_reply("MAIL", 421, "bye")) is None
    assert judged(read_reply("RCPT", 421, "bye")) == Result(7, "pending", reply="bye", next_at=NOW + MINUTE)


def test_a_message_that_cannot_be_made_has_failed() -> None:
    assert judged(Outcome("own", "reply", reply="no value")) == Result(7, "failed", reply="no value")


def test_pauses_grow_up_to_the_longest_and_vary() -> None:
    assert [EVEN.retry(attempts) // MINUTE for attempts in range(8)] == [1, 3, 9, 27, 81, 240, 240, 240]
    assert EVEN.retry(10**6) == 4 * HOUR
    assert [Pauses(jitter=lambda: part).retry(0) // SECOND for part in (0.0, 1.0)] == [54, 66]  # noqa: B023


@pytest.mark.parametrize(
    ("stage", "code", "text"), [("RCPT", 450, "4.2.2 full"), ("end", 554, "5.7.1 spam"), ("RCPT", 421, "bye")]
)
def test_after_two_days_of_pauses_it_has_failed(stage: Stage, code: int, text: str) -> None:
    tries = [judged(read_reply(stage, code, text), attempts) for attempts in range(17)]
    states = [result.state for result in tries if result is not None]
    assert states == ["pending" if code == 421 else "deferred"] * 16 + ["failed"]
    last = tries[-1]
    assert last is not None
    assert (last.code, last.hard_bounce) == (code, False)
    assert last.reply == f"given up after 17 tries; the last answer was: {text}"
    assert sum(EVEN.retry(attempts) for attempts in range(16)) <= 48 * HOUR < sum(EVEN.retry(attempts) for attempts in range(17))


def test_our_own_pause_is_kept_where_less_is_asked_for() -> None:
    result = judged(read_reply("RCPT", 450, "try again in 90 seconds"), attempts=3)
    assert result is not None
    assert result.next_at == NOW + 27 * MINUTE


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("4.7.1 Greylisted, please try again in 300 seconds", 300 * SECOND),
        ("4.2.0 Try again in 5 minutes", 5 * MINUTE),
        ("retry after 90s", 90 * SECOND),
        ("4.7.0 wait 2 hours", 2 * HOUR),
        ("Greylisted for 7 min", 7 * MINUTE),
        ("try again in 99999 hours", 24 * HOUR),
        ("try again in 1h 30m", 90 * MINUTE),
        ("try again in 1h30m", 90 * MINUTE),
        ("4.7.1 please retry in 1 hour, 10 minutes and 30 seconds", 70 * MINUTE + 30 * SECOND),
        ("4.7.1 wait 2 hrs", 2 * HOUR),
        ("Greylisted for 300 sec.", 300 * SECOND),
        ("4.7.1 Greylisting in action, please come back in 00:05:30", 330 * SECOND),
        ("4.7.1 Greylisting aktiv, bitte warten Sie 5 Minuten", 5 * MINUTE),
        ("4.7.1 Bitte in 2 Stunden erneut versuchen", 2 * HOUR),
        ("4.7.1 Erneut versuchen in 90 Sekunden", 90 * SECOND),
        ("4.7.1 try again at 14:30:00", None),
        ("4.7.1 try again, 300 messages in 60 minutes are too many", None),
        ("4.7.1 too many messages in 60 minutes", None),
        ("4.3.0 try again later", None),
        ("4.2.2 mailbox full, 300 messages", None),
    ],
)
def test_the_pause_that_is_asked_for_is_kept(text: str, pause: int | None) -> None:
    assert Pauses(jitter=lambda: 0.0).asked(text) == pause
    result = judged(read_reply("RCPT", 450, text))
    assert result is not None
    assert result.next_at == NOW + (MINUTE if pause is None else int(pause * 1.05))


def test_a_reply_of_several_lines_is_one_line() -> None:
    outcome = read_reply("RCPT", 550, "5.1.1 no such user\n5.1.1 \x1b[31mhere\udcff\n")
    assert (outcome.reply, outcome.enhanced) == ("5.1.1 no such user 5.1.1 \\x1b[31mhere\\udcff", "5.1.1")


def test_a_mailbox_that_gets_too_much_mail_is_there() -> None:
    """Gmail's reply (ReceivingRatePerm) has the code of a mailbox that is switched off."""
    said = [
        "The user you are trying to contact is receiving mail at a rate that",
        "prevents additional messages from being delivered. For more",
        "information, please visit",
        "https://support.google.com/mail/?p=ReceivingRatePerm 4711 - gsmtp",
    ]
    outcome = read_reply("RCPT", 550, "\n".join(f"5.2.1 {line}" for line in said))
    assert (outcome.enhanced, outcome.is_hard_bounce, outcome.is_policy) == ("5.2.1", False, False)


@pytest.mark.parametrize(
    ("code", "text"), [(550, "4.1.1 other class"), (450, "5.1.1 x"), (550, "5.1.1.1 x"), (550, "x 5.1.1"), (550, "5.1.1x")]
)
def test_only_an_enhanced_code_of_the_same_class_counts(code: int, text: str) -> None:
    assert read_reply("RCPT", code, text).enhanced is None


@given(st.text(st.characters(exclude_categories=())))
def test_words_of_others_are_fit_to_print(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST_REPLY
    assert shown.encode().decode() == shown
