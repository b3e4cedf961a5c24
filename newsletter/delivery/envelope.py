"""What a server offers decides how a mail's envelope is put into words, and whether it can go there at all."""

from typing import Any, Literal

from newsletter.delivery.mail import Mail
from newsletter.delivery.replies import Outcome
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.headers import HeaderError

#: The steps of a transaction, in their order; ``end`` is the body with its final dot.
Step = Literal["MAIL", "RCPT", "DATA", "end"]


class Envelopes:
    """The envelopes for one server, by what it said to EHLO. ``client`` is aiosmtplib's, connected."""

    def __init__(self, client: Any) -> None:
        self._smtputf8 = client.supports_extension("smtputf8")
        self._sized = client.supports_extension("size")
        limit = client.esmtp_extensions.get("size", "")
        self._limit = int(limit) if limit.isdecimal() else 0

    def envelope(self, mail: Mail) -> tuple[Outcome | None, tuple[tuple[Step, bytes], ...]]:
        """The commands for a mail, or why this server cannot take it."""
        try:
            recipient = wire_address(mail.recipient)  # S4
        except HeaderError as error:
            return Outcome("own", "reply", reply=f"the address {error.reason}"), ()
        beyond_ascii = needs_smtputf8(recipient)
        if beyond_ascii and not self._smtputf8:
            words = "the address has characters before the @ that this SMTP server cannot take (no SMTPUTF8)"
            return Outcome("own", "reply", reply=words), ()
        size = mail.message.size
        if 0 < self._limit < size:  # RFC 1870 §4; N4: an error of the campaign, as if the server had said it
            words = f"the message has {size} octets, this SMTP server takes {self._limit}"
            return Outcome("MAIL", "reply", 552, words, "5.3.4"), ()
        options = f" SIZE={size}" if self._sized else ""
        options += " BODY=8BITMIME SMTPUTF8" if beyond_ascii else ""  # RFC 6531 §3.1: who offers SMTPUTF8 offers 8BITMIME
        return None, (
            ("MAIL", f"MAIL FROM:<{mail.sender}>{options}\r\n".encode("ascii")),
            ("RCPT", f"RCPT TO:<{recipient}>\r\n".encode()),
            ("DATA", b"DATA\r\n"),
        )
