"""One connection to an SMTP server: messages with their envelopes become an :class:`Outcome` each.

Where the server offers PIPELINING (RFC 2920), the body of one message and MAIL, RCPT and DATA of the next leave in one write: one
round trip a message. Where it does not, each command waits for the reply to the one before, by the same code. No byte of a body
leaves before the server's 354 to its own DATA.

When the connection breaks,

- a message whose body has not begun was not sent: it can be sent again, also where its envelope was on the way already;
- a message whose final dot the operating system has not taken is incomplete: no server may deliver it (RFC 5321 §4.1.1.4);
- otherwise the dot may have arrived, and whatever happens but a reply is uncertain (RFC 1047).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, Literal

from newsletter.delivery.connect import CannotConnect, connect
from newsletter.delivery.connection import Connection, NotSmtp
from newsletter.delivery.envelope import Envelopes, Step
from newsletter.delivery.mail import M, Source
from newsletter.delivery.replies import Outcome, Stage, printable, read_reply
from newsletter.delivery.reply_parser import Reply
from newsletter.delivery.server import Server

#: The lone dot that ends a DATA which must not have been taken (RFC 2920 §3.1).
_NOTHING = (b".\r\n",)
#: Replies where a message's end and the next envelope were sent together.
_FOUR = 4
#: What is said and answered, in the order of a transaction; ``end`` is the body with its final dot.
_Verb = Literal["RSET", "MAIL", "RCPT", "DATA", "end", "QUIT"]
_SAYS: dict[_Verb, frozenset[int]] = {
    "MAIL": frozenset({250}),
    "RCPT": frozenset({250, 251, 252}),
    "DATA": frozenset({354}),
    "RSET": frozenset({250}),
    "end": frozenset(range(200, 300)),
}


class _Transaction(Generic[M]):
    """A mail under way. ``stage``: which reply tells how it goes on. ``goes``: the server wants the body."""

    __slots__ = ("goes", "mail", "outcome", "stage")

    def __init__(self, mail: M, stage: Stage) -> None:
        self.mail = mail
        self.stage: Stage = stage
        self.goes = False
        self.outcome: Outcome | None = None


class Wire(Generic[M]):
    """An open connection. Made by :meth:`open`; :meth:`carry` does the work."""

    def __init__(self, client: Any, server: Server) -> None:
        self._timeouts = server.timeouts
        self._patience = {"DATA": server.timeouts.data, "end": server.timeouts.final, "QUIT": server.timeouts.quit}
        self._most = server.messages
        self._pipelining = client.supports_extension("pipelining")
        self._envelope = Envelopes(client).envelope
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._source: Source[M] | None = None
        self._begun: _Transaction[M] | None = None  # its envelope was said
        self._sent: _Transaction[M] | None = None  # its body was sent
        self._to_say: deque[tuple[_Verb, bytes, _Transaction[M]]] = deque()
        self._awaited: deque[tuple[_Verb, _Transaction[M] | None]] = deque()
        self._open_envelope = False  # the server holds one that RSET has to take back
        self._over: asyncio.Future[None] | None = None
        self._asked_for_more = False
        self._listened = False
        self._used_at = self._loop.time()
        self._carried = 0
        self._took = False
        self._words = ""
        #: Whether the server has answered a transaction on this connection with more than a good-bye.
        self.proven = False
        self._connection = Connection(client.transport, client.protocol, self, server.timeouts)

    @classmethod
    async def open(cls, server: Server) -> "Wire[M]":
        """Connect, encrypt, log in. Raises :class:`~newsletter.delivery.connect.CannotConnect`; no mail was sent then."""
        client = await connect(server)
        if not client.is_connected:
            raise CannotConnect(f"{server.host}:{server.port} closed the connection after the login", hopeless=False)
        return cls(client, server)

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._connection.is_open

    @property
    def worn(self) -> bool:
        """Whether it has carried as many messages as one connection should."""
        return self._most is not None and self._carried >= self._most

    def retire(self) -> None:
        """Carry no further message: it is worn from now on."""
        self._most = 0

    @property
    def idle(self) -> float:
        """Seconds since the last reply."""
        return self._loop.time() - self._used_at

    async def carry(self, source: Source[M]) -> str:
        """Carry what the source has, until it has no more and all is answered, the connection is worn, or gone.

        Gives the words by which the last transaction ended. Raises nothing of the network: that is in the outcomes.
        """
        self._source = source
        self._over = self._loop.create_future()
        self._go_on()
        await self._over
        return self._words

    async def close(self) -> None:
        """Say QUIT and hang up. What is under way is lost, see above."""
        if self.is_open and self._begun is None and self._sent is None and not self._awaited:
            self._over = self._loop.create_future()
            self._awaited.append(("QUIT", None))
            self._connection.wait(self._timeouts.quit)
            self._connection.write(b"QUIT\r\n")
            await self._over
        self._connection.end("closed", politely=self._begun is None and self._sent is None)
        self._client.close()

    # --- what the connection calls ------------------------------------------------------------------------------------------

    def heard(self, reply: Reply) -> None:
        """A reply; see :class:`~newsletter.delivery.connection.Listener`."""
        self._listened = True
        code = reply.code
        if not self._awaited:
            if code == 421:  # said of its own accord, before it closes (RFC 5321 §3.8)
                self._connection.end(printable(f"421 {reply.text}"))
                return
            raise NotSmtp(f"the server answered what was not asked: {code} {reply.text}")
        verb, transaction = self._awaited.popleft()
        if verb == "QUIT":
            self._connection.end("closed", politely=True)
            return
        good = code in _SAYS[verb]
        if not good and not 400 <= code < 600:
            raise NotSmtp(f"the server's answer has no place here: {code} {reply.text}")
        if transaction is None or verb == "RSET":
            if not good:
                raise NotSmtp(f"RSET was refused: {code} {reply.text}")
        elif good:
            self._take(verb, transaction, reply)
        else:
            self._refuse(verb, transaction, reply)

    @property
    def awaits_four(self) -> bool:
        """See :class:`~newsletter.delivery.connection.Listener`."""
        return len(self._awaited) == _FOUR and self._sent is not None and self._awaited[0][0] == "end"

    def heard_four(self, end: Reply) -> None:
        """See :class:`~newsletter.delivery.connection.Listener`."""
        self._listened = True
        self._awaited.clear()
        sent, begun = self._sent, self._begun
        self._sent, self._open_envelope, self._took = None, True, True
        if begun is not None:
            begun.stage, begun.goes = "DATA", True
        if sent is not None:
            self._answer(sent, read_reply("end", end.code, end.text))

    def caught_up(self) -> None:
        """See :class:`~newsletter.delivery.connection.Listener`."""
        if self._listened:
            self._listened = False
            self._used_at = self._loop.time()
            self._go_on()

    def ended(self, words: str) -> None:
        """See :class:`~newsletter.delivery.connection.Listener`."""
        words = printable(words)
        if self._words == "" or self._sent is not None or self._begun is not None:
            self._words = words
        sent, begun = self._sent, self._begun
        self._sent = self._begun = None
        if sent is not None:
            self._answer(sent, _lost("end" if self._connection.end_left else "body", words))
        if begun is not None:
            self._answer(begun, _lost(begun.stage, words))
        self._client.close()
        self._rest()

    # --- how a transaction goes on ------------------------------------------------------------------------------------------

    def _take(self, verb: Step, transaction: _Transaction[M], reply: Reply) -> None:
        if verb == "MAIL":
            self._open_envelope = True
            transaction.stage = "RCPT"
        elif verb == "RCPT":
            transaction.stage = "DATA"
        elif verb == "DATA":
            transaction.goes = True
        else:
            self._open_envelope, self._sent = False, None
            if not self._connection.end_left:  # it cannot have seen the end: what it took is not what was sent
                self._answer(transaction, _lost("end", f"the server answered before the message's end: {reply.code}"))
                raise NotSmtp("the server answered before the end of a message")
            self._took = True
            self._answer(transaction, read_reply("end", reply.code, reply.text))

    def _refuse(self, verb: Step, transaction: _Transaction[M], reply: Reply) -> None:
        outcome = read_reply(verb, reply.code, reply.text)
        self._answer(transaction, outcome)
        if outcome.wants_another_connection and self._took:  # else another one would end the same
            self.retire()
        if verb == "end":
            self._open_envelope, self._sent = False, None
            if not self._connection.end_left:
                self._connection.end("the server refused a message before its end")
        elif verb == "DATA" or not self._pipelining:
            self._begun = None
            self._to_say.clear()
        if reply.code == 421:  # the server is closing (RFC 5321 §3.8)
            self._connection.end(printable(f"421 {reply.text}"))

    def _answer(self, transaction: _Transaction[M], outcome: Outcome) -> None:
        if transaction.outcome is not None:  # refused before; this is the answer to the lone dot
            return
        transaction.outcome = outcome
        self.proven |= outcome.answered
        self._words = f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply
        if self._source is not None:
            self._source.answer(transaction.mail, outcome)

    # --- what is said next --------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Say what can be said now, in one write; where nothing is under way, the work is done."""
        if not self.is_open:
            self._rest()
            return
        body = self._body()
        if self._begun is None and (self._pipelining or (self._sent is None and not self._awaited)):
            self._begin()
        words = self._sayable()
        if body is not None:
            self._connection.write_message(body, words)
        elif words:
            self._connection.write(words)
        if self._awaited:
            # Bytes that drip do not prolong it, only replies do.
            self._connection.wait(self._patience.get(self._awaited[0][0], self._timeouts.command))
        else:
            self._connection.wait(None)
            if self._begun is None and self._sent is None:
                self._rest()

    def _body(self) -> Sequence[bytes] | None:
        transaction = self._begun
        if transaction is None or not transaction.goes:
            return None
        self._begun, self._sent = None, transaction
        self._awaited.append(("end", transaction))
        return transaction.mail.message.pieces if transaction.outcome is None else _NOTHING

    def _begin(self) -> None:
        """Take the next mail and put its envelope into words; one that cannot go to this server is answered at once."""
        while self._source is not None and not self.worn and (mail := self._source.pull()) is not None:
            outcome, words = self._envelope(mail)
            if outcome is not None:
                self._words = outcome.reply
                self._source.answer(mail, outcome)
                continue
            # Where a server breaks off before any reply to these commands, it may be because of this recipient; but not so
            # likely where they stood behind the body of another message.
            transaction = _Transaction(mail, "RCPT" if self._pipelining and self._sent is None else "MAIL")
            self._begun = transaction
            self._carried += 1
            if self._open_envelope and self._sent is None:
                self._to_say.append(("RSET", b"RSET\r\n", transaction))
            self._to_say.extend((verb, line, transaction) for verb, line in words)
            return
        if self._source is not None and self._sent is not None and not self.worn and not self._asked_for_more:
            self._asked_for_more = True
            self._source.more(self._more)

    def _more(self) -> None:
        self._asked_for_more = False
        if self.is_open and self._begun is None and self._over is not None and not self._over.done():
            self._go_on()

    def _sayable(self) -> bytes:
        lines = []
        while self._to_say and (self._pipelining or not self._awaited):
            verb, line, transaction = self._to_say.popleft()
            self._awaited.append((verb, None if verb == "RSET" else transaction))
            lines.append(line)
        return b"".join(lines)

    def _rest(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)


def _lost(stage: Stage, words: str) -> Outcome:
    if stage == "end":
        words = f"no answer came after the message was sent; it may have been taken ({words})"
    else:
        words = f"the connection broke before the message was sent ({words})"
    return Outcome(stage, "lost", reply=words)
