"""One mail goes to somebody of the staff: to the inbox inside the program, or through the office's own server."""

import asyncio
from dataclasses import dataclass, replace

import aiosmtplib

from newsletter.audience.recipient import Recipient
from newsletter.compose.edition import Edition, Part
from newsletter.delivery.connect import explain, strict_context
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.preview.bench import Proof
from newsletter.preview.inbox import Inbox
from newsletter.problem import complaint
from newsletter.settings import Settings

#: Seconds that the server has for each reply: somebody is waiting.
_PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A test mail that was taken: for whom, by which server, and whether that was only the inbox (a rehearsal)."""

    address: str
    server: str
    rehearsal: bool


def as_test(edition: Edition) -> Edition:
    """The edition with a subject that says it is a test."""
    return replace(edition, subject=Part(("Test: ", *edition.subject.pieces)))


def send_test(proof: Proof, person: Recipient, address: str, inbox: Inbox) -> Sent:
    """Send the mail of ``person`` to ``address``, which has to be normalised, marked as a test.

    It goes through the server of the settings; where none is set, into the inbox. Blocks. Raises
    :class:`~newsletter.problem.InputError` with the server's words where it is not taken.
    """
    edition = as_test(proof.edition)
    mail = proof.mail(person._replace(address=address), edition)
    settings, rehearsal = proof.workspace.settings, False
    if settings.smtp_host is None:
        settings, rehearsal = Settings(smtp_host=inbox.host, smtp_port=inbox.port, smtp_security="none"), True
    return Sent(address, asyncio.run(_hand_over(mail, edition.headers.from_email, address, settings)), rehearsal)


async def _hand_over(mail: bytes, sender: str, address: str, settings: Settings) -> str:
    """Give one message to the server and say its name. TLS as the sending has it (S12, S13): as set, verified, never left out."""
    host, password = str(settings.smtp_host), settings.smtp_password
    client = aiosmtplib.SMTP(
        hostname=host,
        port=settings.port,
        username=settings.smtp_username,
        password=password.get_secret_value() if password is not None else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=None if settings.smtp_security == "none" else strict_context(),
        timeout=_PATIENCE,
    )
    try:
        async with client:
            wide = needs_smtputf8(sender) or needs_smtputf8(address)
            options = ["SMTPUTF8"] if wide else []
            await client.sendmail(wire_address(sender), [wire_address(address)], mail, mail_options=options)
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise complaint(f"{host} does not take mail for {address}: {first.code} {first.message}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise complaint(str(explain(error, host, settings.port, password))) from None
    return host
