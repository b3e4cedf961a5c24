"""One transaction: how far it came, what the server said, and that nothing leaves before the ledger allows it."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from newsletter.delivery.connect import CannotConnect, strict_context
from newsletter.delivery.replies import Outcome
from newsletter.delivery.smtp import Mail, Server, Timeouts, Wire, dot_stuffed, with_crlf
from newsletter.problem import InputError
from newsletter.settings import Settings

if TYPE_CHECKING:
    from tests.delivery.conftest import Sink

MAIL = Mail("newsletter@example.org", "ada@example.org", b"Subject: x\r\n\r\n.dot\r\n")
SHORT = Timeouts(connect=5, command=0.5, data=0.5, final=0.5, quit=0.5)


def server(sink: "Sink", security: str = "none", **more: Any) -> Server:
    return Server("127.0.0.1", sink.port, security, timeouts=more.pop("timeouts", SHORT), **more)


def deliver(sink: "Sink", *mails: Mail, granted: bool = True, **how: Any) -> tuple[list[Outcome], list[str]]:
    """Send over one connection (a new one where it broke); what came of it, and what the server had heard at each grant."""
    heard: list[str] = []

    async def grant() -> bool:
        heard.append(sink.heard[-1].split(" ")[0])
        return granted

    async def run() -> list[Outcome]:
        outcomes = []
        async with sink.serve():
            wire = await Wire.open(server(sink, **how))
            for mail in mails or (MAIL,):
                if not wire.is_open:
                    wire = await Wire.open(server(sink, **how))
                outcomes.append(await wire.deliver(mail, grant))
            await wire.close()
        return outcomes

    return asyncio.run(run()), heard


def at(step: str, reply: str) -> Callable[[str, str], str | None]:
    return lambda now, _: reply if now == step else None


def test_a_message_arrives_whole_and_is_granted_before_data(sink: "Sink") -> None:
    [outcome], heard = deliver(sink)
    assert outcome == Outcome("end", "reply", 250, "2.0.0 queued as 4711", "2.0.0")
    assert heard == ["RCPT"]
    assert sink.heard[1:] == ["MAIL FROM:<newsletter@example.org> SIZE=20", "RCPT TO:<ada@example.org>", "DATA", "QUIT"]
    assert sink.accepted == [("ada@example.org", b"Subject: x\r\n\r\n..dot\r\n.\r\n")]


def test_what_the_ledger_does_not_grant_does_not_leave(sink: "Sink") -> None:
    outcomes, _ = deliver(sink, MAIL, MAIL, granted=False)
    assert [outcome.kind for outcome in outcomes] == ["held", "held"]
    assert sink.verbs()["DATA"] == 0
    assert sink.verbs()["RSET"] == 1  # the second transaction takes the first one back


TABLE = [
    # step, what the server does there -> stage, kind, code, granted, taken
    ("MAIL", "450 4.1.8 later", "MAIL", "reply", 450, False, 0),
    ("MAIL", "550 5.7.1 not you", "MAIL", "reply", 550, False, 0),
    ("MAIL", "421 4.3.2 closing", "MAIL", "reply", 421, False, 0),
    ("MAIL", "drop", "MAIL", "lost", None, False, 0),
    ("MAIL", "garbage", "MAIL", "lost", None, False, 0),
    ("MAIL", "354 what", "MAIL", "lost", None, False, 0),
    ("RCPT", "451 4.7.1 greylisted", "RCPT", "reply", 451, False, 0),
    ("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 here", "RCPT", "reply", 550, False, 0),
    ("RCPT", "421 too many", "RCPT", "reply", 421, False, 0),
    ("RCPT", "drop", "RCPT", "lost", None, False, 0),
    ("RCPT", "garbage", "RCPT", "lost", None, False, 0),
    ("RCPT", "99 what", "RCPT", "lost", None, False, 0),
    ("DATA", "451 4.3.0 disk", "DATA", "reply", 451, True, 0),
    ("DATA", "554 5.5.1 no valid recipients", "DATA", "reply", 554, True, 0),
    ("DATA", "421 closing", "DATA", "reply", 421, True, 0),
    ("DATA", "250 what", "DATA", "lost", None, True, 0),
    ("DATA", "drop", "DATA", "lost", None, True, 0),
    ("DATA", "garbage", "DATA", "lost", None, True, 0),
    ("end", "452 4.2.2 full", "end", "reply", 452, True, 0),
    ("end", "554 5.7.1 spam", "end", "reply", 554, True, 0),
    ("end", "421 4.3.2 closing", "end", "reply", 421, True, 0),
    ("end", "drop", "end", "lost", None, True, 0),
    ("end", "taken, then dropped", "end", "lost", None, True, 1),
    ("end", "garbage", "end", "lost", None, True, 0),
    ("end", "354 what", "end", "lost", None, True, 0),
    ("end", "251 taken", "end", "reply", 251, True, 1),
]


@pytest.mark.parametrize(("step", "does", "stage", "kind", "code", "granted", "taken"), TABLE)
def test_each_step_is_told_from_the_others(  # noqa: PLR0917 - the columns of the table
    sink: "Sink", step: str, does: str, stage: str, kind: str, code: int | None, granted: bool, taken: int
) -> None:
    sink.answers = at(step, does)
    [outcome], heard = deliver(sink)
    assert (outcome.stage, outcome.kind, outcome.code) == (stage, kind, code)
    assert bool(heard) == granted
    assert len(sink.accepted) == taken
    assert outcome.reply.isprintable()
    assert outcome.reply


def test_after_a_refusal_the_connection_goes_on(sink: "Sink") -> None:
    sink.answers = lambda step, recipient: "550 5.1.1 unknown" if step == "RCPT" and recipient.startswith("no") else None
    others = [Mail(MAIL.sender, f"{name}@example.org", MAIL.message) for name in ("no", "ada", "no2", "bob")]
    outcomes, _ = deliver(sink, *others)
    assert [outcome.code for outcome in outcomes] == [550, 250, 550, 250]
    assert sink.recipients == ["ada@example.org", "bob@example.org"]
    assert sink.connections == 1


def test_a_server_that_falls_silent_is_left(sink: "Sink") -> None:
    sink.pause_at_the_end = lambda: 3.0
    [outcome], _ = deliver(sink)
    assert (outcome.stage, outcome.kind) == ("end", "lost")
    assert "it may have been taken" in outcome.reply
    assert len(sink.accepted) == 1


def test_without_smtputf8_an_address_beyond_ascii_is_refused_in_plain_words(sink: "Sink") -> None:
    sink.extensions = ("8BITMIME",)
    beyond = Mail(MAIL.sender, "jörg@example.org", MAIL.message)
    outcomes, heard = deliver(sink, beyond, MAIL)
    assert (outcomes[0].stage, outcomes[0].code) == ("own", None)
    assert "no SMTPUTF8" in outcomes[0].reply
    assert outcomes[1].code == 250
    assert len(heard) == 1  # B20: nothing is transliterated, nothing is tried
    assert sink.recipients == ["ada@example.org"]


def test_with_smtputf8_it_goes_on_the_wire(sink: "Sink") -> None:
    deliver(sink, Mail(MAIL.sender, "jörg@münster.example", MAIL.message))
    assert sink.heard[1:3] == [
        "MAIL FROM:<newsletter@example.org> SIZE=20 BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<jörg@xn--mnster-3ya.example>",
    ]


def test_an_idn_domain_alone_needs_no_smtputf8(sink: "Sink") -> None:
    sink.extensions = ()
    deliver(sink, Mail(MAIL.sender, "ada@münster.example", MAIL.message))
    assert sink.heard[1:3] == ["MAIL FROM:<newsletter@example.org>", "RCPT TO:<ada@xn--mnster-3ya.example>"]


def test_a_message_that_is_too_big_for_the_server_is_an_error_of_the_campaign(sink: "Sink") -> None:
    sink.extensions = ("SIZE 19",)
    [outcome], heard = deliver(sink)
    assert outcome.reply == "the message has 20 octets, this SMTP server takes 19"
    assert outcome.is_policy  # N4
    assert (heard, sink.verbs()["MAIL"]) == ([], 0)


@pytest.mark.parametrize(
    "address", ["b@x.org>\r\nRCPT TO:<evil@x.org", '"a@evil.org x"@internal.org', "a b@x.org", "<a@x.org>", "a@x.org,b@x.org", ""]
)
def test_nothing_is_smuggled_into_the_envelope(sink: "Sink", address: str) -> None:
    [outcome], heard = deliver(sink, Mail(MAIL.sender, address, MAIL.message))
    assert (outcome.stage, outcome.code) == ("own", None)  # S4
    assert (heard, sink.verbs()["RCPT"], sink.verbs()["MAIL"]) == ([], 0, 0)


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a", b"..", b"\r\n.\r\n", b"\n.\n"])).map(b"".join))
def test_the_final_dot_stands_alone(message: bytes) -> None:
    stuffed = dot_stuffed(with_crlf(message))
    assert stuffed.endswith(b"\r\n.\r\n") or stuffed == b".\r\n"
    body = stuffed[: -len(b".\r\n")]
    assert b"\r\n.\r\n" not in b"\r\n" + body  # S10: no end before the end
    assert body.count(b"\r\n") == body.count(b"\r") == body.count(b"\n")
    lines = [line[1:] if line.startswith(b".") else line for line in body.split(b"\r\n")]
    sent = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    assert lines == (sent if message.endswith((b"\r", b"\n")) else [*sent, b""])


# --- connecting ---------------------------------------------------------------------------------------------------------


def fail_to_open(sink: "Sink", security: str, **how: Any) -> CannotConnect:
    async def run() -> None:
        async with sink.serve():
            await Wire.open(server(sink, security, **how))

    with pytest.raises(CannotConnect) as caught:
        asyncio.run(run())
    return caught.value


LOGIN: dict[str, Any] = {"username": "office", "password": SecretStr("correct horse")}


def test_without_starttls_neither_password_nor_mail_is_sent(sink: "Sink", trusting: ssl.SSLContext) -> None:
    sink.password = "correct horse"  # it offers AUTH, but somebody on the way took STARTTLS out (S12, P5)
    error = fail_to_open(sink, "starttls", context=trusting, **LOGIN)
    assert "does not offer STARTTLS; nothing was sent, no password either" in str(error)
    assert error.hopeless
    assert set(sink.verbs()) <= {"EHLO", "QUIT"}


@pytest.mark.parametrize(("security", "from_the_start"), [("starttls", False), ("tls", True)])
def test_a_certificate_of_an_unknown_authority_is_refused(sink: "Sink", security: str, from_the_start: bool) -> None:
    sink.offer_tls, sink.tls_from_the_start, sink.password = True, from_the_start, "correct horse"
    error = fail_to_open(sink, security, **LOGIN)
    assert "cannot be trusted: unable to get local issuer certificate" in str(error)  # S13
    assert error.hopeless
    assert sink.verbs()["AUTH"] == sink.verbs()["MAIL"] == 0


@pytest.mark.parametrize(("security", "from_the_start"), [("starttls", False), ("tls", True)])
def test_with_a_certificate_that_is_trusted_mail_goes_out(
    sink: "Sink", trusting: ssl.SSLContext, security: str, from_the_start: bool
) -> None:
    sink.offer_tls, sink.tls_from_the_start, sink.password = True, from_the_start, "correct horse"
    [outcome], _ = deliver(sink, security=security, context=trusting, **LOGIN)
    assert outcome.code == 250
    verbs = [line.split(" ")[0] for line in sink.heard]
    start = [] if from_the_start else ["EHLO", "STARTTLS"]
    assert verbs == [*start, "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_host_name_that_is_not_in_the_certificate_is_refused(sink: "Sink", trusting: ssl.SSLContext) -> None:
    sink.offer_tls = True

    async def run() -> None:
        async with sink.serve():
            await Wire.open(Server("127.0.0.2", sink.port, "starttls", context=trusting, timeouts=SHORT))

    sink.host = "127.0.0.2"
    with pytest.raises(CannotConnect, match="IP address mismatch"):
        asyncio.run(run())
    assert sink.verbs()["MAIL"] == 0


def test_a_wrong_password_is_told_without_it(sink: "Sink", trusting: ssl.SSLContext) -> None:
    sink.offer_tls, sink.password = True, "another"
    error = fail_to_open(sink, "starttls", context=trusting, **LOGIN)
    # The server even repeats what it was told (S21).
    assert str(error) == (
        f"127.0.0.1:{sink.port} refused the login: 535 5.7.8 … is wrong; "
        "check NEWSLETTER_SMTP_USERNAME and NEWSLETTER_SMTP_PASSWORD"
    )
    assert error.hopeless
    assert error.__cause__ is None


def test_tls_is_modern() -> None:
    context = strict_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_closed_port_is_told(sink: "Sink") -> None:
    async def run() -> None:
        async with sink.serve():
            pass
        await Wire.open(server(sink))

    with pytest.raises(CannotConnect) as caught:
        asyncio.run(run())
    assert str(caught.value) == f"cannot reach 127.0.0.1:{sink.port}: connection refused; is NEWSLETTER_SMTP_HOST right?"
    assert not caught.value.hopeless


@pytest.mark.parametrize(
    ("step", "does", "words", "hopeless"),
    [
        ("connect", "421 too many connections", "does not take mail now: 421 too many connections", False),
        ("connect", "554 no", "does not take mail now: 554 no", False),
        ("connect", "drop", "closed the connection before it was ready", False),
        ("EHLO", "drop", "closed the connection before it was ready", False),
        ("STARTTLS", "454 4.7.0 not now", "does not take mail now: 454 4.7.0 not now", False),
    ],
)
def test_a_server_that_is_not_ready_is_told(sink: "Sink", step: str, does: str, words: str, hopeless: bool) -> None:
    sink.answers, sink.offer_tls = at(step, does), True
    error = fail_to_open(sink, "starttls")
    assert words in str(error)
    assert error.hopeless is hopeless


def test_a_login_that_the_server_does_not_offer_is_told(sink: "Sink") -> None:
    assert "takes no login" in str(fail_to_open(sink, "none", **LOGIN))


def test_tls_to_a_server_without_it_is_told(sink: "Sink") -> None:
    assert "do NEWSLETTER_SMTP_PORT and NEWSLETTER_SMTP_SECURITY fit together?" in str(fail_to_open(sink, "tls"))


def test_a_server_comes_from_the_settings() -> None:
    made = Server.of(Settings(smtp_host="mail.example.org", smtp_username="office", smtp_password=SecretStr("correct horse")))
    assert (made.host, made.port, made.security, made.username) == ("mail.example.org", 587, "starttls", "office")
    assert "correct" not in repr(made)
    with pytest.raises(InputError, match="NEWSLETTER_SMTP_HOST is not set"):
        Server.of(Settings())
