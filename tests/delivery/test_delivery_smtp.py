"""One connection: how far each transaction came, what the server said, and what leaves in which write."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.mail import Mail
from newsletter.delivery.replies import Outcome
from newsletter.delivery.server import Server, Timeouts
from newsletter.delivery.smtp import Wire
from newsletter.message.stuffed import stuffed
from newsletter.problem import InputError
from newsletter.settings import Settings
from newsletter.tls import strict_context
from tests.thorough import only_thorough

if TYPE_CHECKING:
    from tests.delivery.conftest import Sink

MAIL = Mail("newsletter@example.org", "ada@example.org", stuffed(b"Subject: x\r\n\r\n.dot\r\n"))
SHORT = Timeouts(connect=5, command=0.5, data=0.5, final=0.5, quit=0.5)


def server(sink: "Sink", security: str = "none", **more: Any) -> Server:
    return Server("127.0.0.1", sink.port, security, timeouts=more.pop("timeouts", SHORT), **more)


def to(address: str) -> Mail:
    return Mail(MAIL.sender, address, MAIL.message)


class Tray:
    """Mails to be carried; ``outcomes`` in the order in which they were answered."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        self.mails = deque(mails)
        self.calls: list[Callable[[], None]] = []
        self.answered: list[tuple[Mail, Outcome]] = []

    def pull(self) -> Mail | None:
        return self.mails.popleft() if self.mails else None

    def more(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def answer(self, mail: Mail, outcome: Outcome) -> None:
        self.answered.append((mail, outcome))


def deliver(sink: "Sink", *mails: Mail, **how: Any) -> list[Outcome]:
    """Carry the mails over one connection, over a new one where it broke; what came of each, in order."""
    tray = Tray(mails or (MAIL,))

    async def run() -> None:
        async with sink.serve():
            wire: Wire[Mail] = await Wire.open(server(sink, **how))
            while tray.mails:
                if not wire.is_open:
                    wire = await Wire.open(server(sink, **how))
                await wire.carry(tray)
            await wire.close()

    asyncio.run(run())
    assert [mail for mail, _ in tray.answered] == list(mails or (MAIL,))
    return [outcome for _, outcome in tray.answered]


def at(step: str, reply: str) -> Callable[[str, str], str | None]:
    return lambda now, _: reply if now == step else None


def test_a_message_arrives_whole(sink: "Sink") -> None:
    assert deliver(sink) == [Outcome("end", "reply", 250, "2.0.0 queued as 4711", "2.0.0")]
    assert sink.heard[1:] == ["MAIL FROM:<newsletter@example.org> SIZE=20", "RCPT TO:<ada@example.org>", "DATA", "QUIT"]
    assert sink.accepted == [("ada@example.org", b"Subject: x\r\n\r\n..dot\r\n.\r\n")]


TABLE = [
    # step, what the server does there -> stage, kind, code, taken
    ("MAIL", "450 4.1.8 later", "MAIL", "reply", 450, 0),
    ("MAIL", "550 5.7.1 not you", "MAIL", "reply", 550, 0),
    ("MAIL", "421 4.3.2 closing", "MAIL", "reply", 421, 0),
    ("MAIL", "drop", "MAIL", "lost", None, 0),
    ("MAIL", "garbage", "MAIL", "lost", None, 0),
    ("MAIL", "354 what", "MAIL", "lost", None, 0),
    ("RCPT", "451 4.7.1 greylisted", "RCPT", "reply", 451, 0),
    ("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 here", "RCPT", "reply", 550, 0),
    ("RCPT", "421 too many", "RCPT", "reply", 421, 0),
    ("RCPT", "drop", "RCPT", "lost", None, 0),
    ("RCPT", "garbage", "RCPT", "lost", None, 0),
    ("RCPT", "99 what", "RCPT", "lost", None, 0),
    ("DATA", "451 4.3.0 disk", "DATA", "reply", 451, 0),
    ("DATA", "554 5.5.1 no valid recipients", "DATA", "reply", 554, 0),
    ("DATA", "421 closing", "DATA", "reply", 421, 0),
    ("DATA", "250 what", "DATA", "lost", None, 0),
    ("DATA", "drop", "DATA", "lost", None, 0),
    ("DATA", "garbage", "DATA", "lost", None, 0),
    ("end", "452 4.2.2 full", "end", "reply", 452, 0),
    ("end", "554 5.7.1 spam", "end", "reply", 554, 0),
    ("end", "421 4.3.2 closing", "end", "reply", 421, 0),
    ("end", "drop", "end", "lost", None, 0),
    ("end", "taken, then dropped", "end", "lost", None, 1),
    ("end", "garbage", "end", "lost", None, 0),
    ("end", "354 what", "end", "lost", None, 0),
    ("end", "251 taken", "end", "reply", 251, 1),
]


@pytest.mark.parametrize(("step", "does", "stage", "kind", "code", "taken"), TABLE)
def test_each_step_is_told_from_the_others(  # noqa: PLR0917 - the columns of the table
    sink: "Sink", step: str, does: str, stage: str, kind: str, code: int | None, taken: int
) -> None:
    sink.answers = at(step, does)
    [outcome] = deliver(sink)
    if kind == "lost" and stage == "MAIL" and "PIPELINING" in sink.extensions:
        stage = "RCPT"  # the recipient was named in the same breath
    assert (outcome.stage, outcome.kind, outcome.code) == (stage, kind, code)
    assert len(sink.accepted) == taken
    assert outcome.reply.isprintable()
    assert outcome.reply


def test_with_pipelining_a_body_and_the_next_envelope_leave_in_one_write() -> None:
    assert [chunk.split(b" ")[0].split(b"\r\n")[0] for chunk in recorded("PIPELINING")] == [
        b"MAIL",
        b"Subject:",
        b"Subject:",
        b"QUIT",
    ]
    first, overlapped, *_ = recorded("PIPELINING")
    envelope = b"MAIL FROM:<newsletter@example.org>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n"
    assert first == envelope % b"ada"
    assert overlapped == MAIL.message.data + envelope % b"bob"


def test_without_pipelining_each_command_waits_for_the_reply_to_the_last() -> None:
    verbs = [b"MAIL", b"RCPT", b"DATA", b"Subject:"]
    assert [chunk.split(b" ")[0].split(b"\r\n")[0] for chunk in recorded("HELP")] == [*verbs, *verbs, b"QUIT"]


def recorded(extension: str) -> list[bytes]:
    """What the server gets in one read each after EHLO, where it answers each read at once."""
    chunks: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"250-x\r\n250 " + extension.encode() + b"\r\n")
        while data := await reader.read(1 << 16):
            chunks.append(data)
            answers = [b"250 ok\r\n"] if b"\r\n.\r\n" in data else []
            answers += [b"354 go\r\n" if b"DATA" in line else b"250 ok\r\n" for line in data.split(b"\r\n") if line[:4] in VERBS]
            writer.write(b"".join(answers))

    async def run() -> None:
        listening = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        wire: Wire[Mail] = await Wire.open(Server("127.0.0.1", port, "none", timeouts=SHORT))
        await wire.carry(Tray([MAIL, to("bob@example.org")]))
        await wire.close()
        listening.close()

    asyncio.run(run())
    return chunks


VERBS = (b"MAIL", b"RCPT", b"DATA", b"QUIT")


def test_after_a_refusal_the_connection_goes_on(sink: "Sink") -> None:
    sink.answers = lambda step, recipient: "550 5.1.1 unknown" if step == "RCPT" and recipient.startswith("no") else None
    outcomes = deliver(sink, *(to(f"{name}@example.org") for name in ("no", "ada", "no2", "bob")))
    assert [outcome.code for outcome in outcomes] == [550, 250, 550, 250]
    assert sink.recipients == ["ada@example.org", "bob@example.org"]
    assert sink.connections == 1


def test_a_server_that_falls_silent_is_left(sink: "Sink") -> None:
    sink.pause_at_the_end = lambda: 3.0
    [outcome] = deliver(sink)
    assert (outcome.stage, outcome.kind) == ("end", "lost")
    assert "it may have been taken" in outcome.reply
    assert len(sink.accepted) == 1


def test_without_smtputf8_an_address_beyond_ascii_is_refused_in_plain_words(sink: "Sink") -> None:
    sink.extensions = ("8BITMIME",)
    outcomes = deliver(sink, to("jörg@example.org"), MAIL)
    assert (outcomes[0].stage, outcomes[0].code) == ("own", None)
    assert "no SMTPUTF8" in outcomes[0].reply
    assert outcomes[1].code == 250
    assert sink.verbs()["RCPT"] == 1  # B20: nothing is transliterated, nothing is tried
    assert sink.recipients == ["ada@example.org"]


def test_with_smtputf8_it_goes_on_the_wire(sink: "Sink") -> None:
    deliver(sink, to("jörg@münster.example"))
    assert sink.heard[1:3] == [
        "MAIL FROM:<newsletter@example.org> SIZE=20 BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<jörg@xn--mnster-3ya.example>",
    ]


def test_an_idn_domain_alone_needs_no_smtputf8(sink: "Sink") -> None:
    sink.extensions = ()
    deliver(sink, to("ada@münster.example"))
    assert sink.heard[1:3] == ["MAIL FROM:<newsletter@example.org>", "RCPT TO:<ada@xn--mnster-3ya.example>"]


def test_a_message_that_is_too_big_for_the_server_is_an_error_of_the_campaign(sink: "Sink") -> None:
    sink.extensions = ("SIZE 19",)
    [outcome] = deliver(sink)
    assert outcome.reply == "the message has 20 octets, this SMTP server takes 19"
    assert outcome.is_policy  # N4
    assert sink.verbs()["MAIL"] == 0


@pytest.mark.parametrize(
    "address", ["b@x.org>\r\nRCPT TO:<evil@x.org", '"a@evil.org x"@internal.org', "a b@x.org", "<a@x.org>", "a@x.org,b@x.org", ""]
)
def test_nothing_is_smuggled_into_the_envelope(sink: "Sink", address: str) -> None:
    [outcome] = deliver(sink, to(address))
    assert (outcome.stage, outcome.code) == ("own", None)  # S4
    assert (sink.verbs()["RCPT"], sink.verbs()["MAIL"]) == (0, 0)


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
    [outcome] = deliver(sink, security=security, context=trusting, **LOGIN)
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


@only_thorough
def test_a_message_may_take_longer_than_the_answer_to_it_while_it_leaves() -> None:
    """A large message over a slow line: the server reads it for twice as long as it may take for its answer."""
    message = stuffed(b"Subject: x\r\n\r\n" + b"%070d\r\n" % 0 * 30_000)
    tray = Tray([Mail(MAIL.sender, MAIL.recipient, message)])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow ESMTP\r\n")
        for answer in (b"250 slow", b"250 ok", b"250 ok", b"354 go"):
            await reader.readline()
            writer.write(answer + b"\r\n")
        for _ in range(16):
            await reader.readexactly(100_000)
            await asyncio.sleep(0.25)
        await reader.readexactly(len(message.data) - 1_600_000)
        writer.write(b"250 2.0.0 queued\r\n")
        await reader.read()
        writer.close()

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        async with await asyncio.start_server(talk, sock=listening, limit=1 << 16):
            patience = Timeouts(connect=60, command=60, data=60, final=2, quit=0.5)
            wire: Wire[Mail] = await Wire.open(Server("127.0.0.1", listening.getsockname()[1], "none", timeouts=patience))
            wire._client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
            await wire.carry(tray)
            await wire.close()

    asyncio.run(run())
    assert [(outcome.stage, outcome.code) for _, outcome in tray.answered] == [("end", 250)]


def test_a_login_that_the_server_does_not_offer_is_told(sink: "Sink") -> None:
    assert "takes no login" in str(fail_to_open(sink, "none", **LOGIN))


def test_tls_to_a_server_without_it_is_told(sink: "Sink") -> None:
    assert "do NEWSLETTER_SMTP_PORT and NEWSLETTER_SMTP_SECURITY fit together?" in str(fail_to_open(sink, "tls"))


def test_a_server_comes_from_the_settings() -> None:
    login = {"smtp_username": "office", "smtp_password": SecretStr("correct horse")}
    (made,) = Server.all_of(Settings(smtp_host="mail.example.org", **login))
    assert (made.host, made.port, made.security, made.username) == ("mail.example.org", 587, "starttls", "office")
    assert "correct" not in repr(made)
    with pytest.raises(InputError, match="NEWSLETTER_SMTP_HOST is not set"):
        Server.all_of(Settings())
