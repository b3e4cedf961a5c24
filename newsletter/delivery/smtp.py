"""One connection to an SMTP server: a message and its envelope become an :class:`Outcome`.

aiosmtplib connects, negotiates TLS and logs in; the transaction is driven command by command here, so that it is known how far it
came. The connection is in one of these places when it breaks:

- before the reply to DATA: nothing of the message was sent, it can be sent again;
- after that, the whole message with its final dot is given to the transport in one write. Whether the dot arrived cannot be known
  then, so whatever happens but a reply is uncertain (RFC 1047). A write that the transport refuses was not made.
"""

import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiosmtplib
from aiosmtplib.response import SMTPResponse
from pydantic import SecretStr

from newsletter.delivery.connect import explain, strict_context
from newsletter.delivery.replies import Outcome, Stage, printable, read_reply
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.headers import HeaderError
from newsletter.problem import complaint
from newsletter.settings import Settings, is_loopback

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for the server, in seconds (RFC 5321 §4.5.3.2)."""

    connect: float = 60
    command: float = 300
    data: float = 120
    final: float = 600
    quit: float = 5


@dataclass(frozen=True, slots=True)
class Server:
    """The SMTP server to send through. ``context`` is for a certificate authority of one's own; it must verify, too."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: SecretStr | None = None
    context: ssl.SSLContext = field(default_factory=strict_context, repr=False)
    timeouts: Timeouts = Timeouts()

    @classmethod
    def of(cls, settings: Settings, context: ssl.SSLContext | None = None) -> "Server":
        """The server of the settings. Raises :class:`~newsletter.problem.InputError` where none is set."""
        host = settings.smtp_host
        if host is None:
            raise complaint("NEWSLETTER_SMTP_HOST is not set; name the server that takes your mail in .env")
        if settings.smtp_security == "none" and not is_loopback(host):  # S12
            raise complaint("NEWSLETTER_SMTP_SECURITY=none is only for a server on this machine; use starttls or tls")
        return cls(
            host,
            settings.port,
            settings.smtp_security,
            settings.smtp_username,
            settings.smtp_password,
            context or strict_context(),
        )


@dataclass(frozen=True, slots=True)
class Mail:
    """A message with its envelope. ``message`` has CRLF line ends or gets them, and is not dot-stuffed."""

    sender: str
    recipient: str
    message: bytes


class _BrokenError(Exception):
    """The connection ended, or what came was no SMTP."""


class Wire:
    """An open connection, ready for transactions one after the other. Made by :meth:`open`."""

    def __init__(self, client: aiosmtplib.SMTP, timeouts: Timeouts) -> None:
        self._client = client
        self._timeouts = timeouts
        self._stage: Stage = "MAIL"
        self._in_transaction = False
        self._used_at = time.monotonic()
        #: Whether the server has answered a transaction on this connection with more than a good-bye.
        self.proven = False

    @classmethod
    async def open(cls, server: Server) -> "Wire":
        """Connect, encrypt with a verified certificate (S13), log in. Raises
        :class:`~newsletter.delivery.connect.CannotConnect`; no mail was sent then."""
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeouts.connect,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",  # True, never None: without STARTTLS no AUTH and no DATA (S12)
            tls_context=None if server.security == "none" else server.context,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise explain(error, server.host, server.port, server.password) from None
        return cls(client, server.timeouts)

    @property
    def is_open(self) -> bool:
        """Whether it can take another transaction."""
        return self._client.is_connected

    @property
    def idle(self) -> float:
        """Seconds since the last transaction."""
        return time.monotonic() - self._used_at

    async def deliver(self, mail: Mail, granted: Callable[[], Awaitable[bool]]) -> Outcome:
        """One transaction: MAIL, RCPT, then ``granted``, then DATA.

        ``granted`` commits the intent to the ledger and says whether the message may leave; it is awaited when the server has
        taken the recipient and before DATA is said (S23). Raises nothing of the network: that is in the outcome.
        """
        try:
            recipient = wire_address(mail.recipient)  # S4
        except HeaderError as error:
            return Outcome("own", "reply", reply=f"the address {error.reason}")
        message = with_crlf(mail.message)
        if (refused := self._cannot_take(mail, len(message))) is not None:
            return refused
        self._stage = "MAIL"
        try:
            outcome = await self._transact(mail, recipient, message, granted)
            self._used_at = time.monotonic()
        except (_BrokenError, aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            said = error.message if isinstance(error, aiosmtplib.SMTPException) else str(error)
            return Outcome(self._stage, "lost", reply=_lost_words(self._stage, printable(str(said))))
        if outcome.code == 421:  # the server is closing (RFC 5321 §3.8)
            self._client.close()
        elif outcome.kind == "reply":
            self.proven = True
        return outcome

    async def _transact(self, mail: Mail, recipient: str, message: bytes, granted: Callable[[], Awaitable[bool]]) -> Outcome:
        if (refused := await self._begin(mail, len(message))) is not None:
            return refused
        self._stage = "RCPT"
        if (refused := await self._say(b"RCPT", b"TO:<" + recipient.encode() + b">")) is not None:
            return refused
        if not await granted():
            return Outcome("RCPT", "held")
        self._stage = "DATA"
        if (refused := await self._say(b"DATA", wanted=(354,), patience=self._timeouts.data)) is not None:
            return refused
        protocol = self._client.protocol
        if protocol is None:
            raise _BrokenError("the server closed the connection")
        protocol.write(dot_stuffed(message))
        self._stage = "end"
        # Nothing is awaited between the write and this call, so no reply can slip by.
        outcome = self._read(await protocol.read_response(timeout=self._timeouts.final))
        self._in_transaction = False
        return outcome

    async def close(self) -> None:
        """Say QUIT and hang up."""
        try:
            if self._client.is_connected:
                await self._client.quit(timeout=self._timeouts.quit)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is gone, which was wanted
        finally:
            self._client.close()

    def _cannot_take(self, mail: Mail, size: int) -> Outcome | None:
        if needs_smtputf8(mail.recipient) and not self._client.supports_extension("smtputf8"):
            return Outcome(
                "own", "reply", reply="the address has characters before the @ that this SMTP server cannot take (no SMTPUTF8)"
            )
        limit = self._client.esmtp_extensions.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:  # RFC 1870 §4; N4: an error of the campaign, as if the server had said it
            return Outcome("MAIL", "reply", 552, f"the message has {size} octets, this SMTP server takes {limit}", "5.3.4")
        return None

    async def _begin(self, mail: Mail, size: int) -> Outcome | None:
        if self._in_transaction and (outcome := await self._say(b"RSET")) is not None:
            raise _BrokenError(f"RSET was refused: {outcome.code} {outcome.reply}")
        self._in_transaction = False
        options = []
        if self._client.supports_extension("size"):
            options.append(b"SIZE=%d" % size)
        if needs_smtputf8(mail.recipient):
            options += [b"BODY=8BITMIME", b"SMTPUTF8"]  # RFC 6531 §3.1: who offers SMTPUTF8 offers 8BITMIME
        outcome = await self._say(b"MAIL", b"FROM:<" + mail.sender.encode("ascii") + b">", *options)
        self._in_transaction = outcome is None
        return outcome

    async def _say(
        self, *words: bytes, wanted: tuple[int, ...] = (250, 251, 252), patience: float | None = None
    ) -> Outcome | None:
        """Say a command; None where the answer is the wanted one, else what it was. Raises :class:`_BrokenError`."""
        response = await self._client.execute_command(*words, timeout=patience or self._timeouts.command)
        return None if response.code in wanted else self._read(response)

    def _read(self, response: SMTPResponse) -> Outcome:
        good = 200 <= response.code < 300 and self._stage == "end"
        if not good and not 400 <= response.code < 600:
            raise _BrokenError(f"the server's answer has no place here: {response.code} {response.message}")
        return read_reply(self._stage, response.code, response.message)


def _lost_words(stage: Stage, words: str) -> str:
    if stage == "end":
        return f"no answer came after the message was sent; it may have been taken ({words})"
    return f"the connection broke before the message was sent ({words})"


def with_crlf(message: bytes) -> bytes:
    """The message with CRLF for each line end and at its end (S10); its length is what SIZE counts (RFC 1870 §5)."""
    if not message.count(b"\r\n") == message.count(b"\r") == message.count(b"\n"):
        message = _LINE_END.sub(b"\r\n", message)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    return message


def dot_stuffed(message: bytes) -> bytes:
    """The message as it follows DATA: leading dots doubled, the final dot behind it (RFC 5321 §4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"
