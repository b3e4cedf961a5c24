"""One mail goes to somebody of the staff: to the inbox inside the program, or through the office's own server."""

import asyncio
from dataclasses import dataclass, replace

from newsletter.audience.recipient import Recipient
from newsletter.compose.edition import Edition, Part
from newsletter.delivery.mail import Mail
from newsletter.delivery.server import Server, Timeouts
from newsletter.delivery.test_mail import send_tests
from newsletter.message.stuffed import stuffed
from newsletter.preview.bench import Proof
from newsletter.preview.inbox import Inbox
from newsletter.problem import complaint
from newsletter.settings import Settings

#: Somebody is waiting for each reply of the server.
_HASTE = Timeouts(connect=20, command=20, data=20, final=20)


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

    It goes through a server of the settings; where none is set, into the inbox. Blocks. Raises
    :class:`~newsletter.problem.InputError` with the server's words where it is not taken.
    """
    edition = as_test(proof.edition)
    mail = proof.mail(person._replace(address=address), edition)
    settings, rehearsal = proof.workspace.settings, False
    if settings.smtp_host is None:
        settings, rehearsal = Settings(smtp_host=inbox.host, smtp_port=inbox.port, smtp_security="none"), True
    servers = [replace(server, timeouts=_HASTE) for server in Server.all_of(settings)]
    (answer,) = asyncio.run(send_tests(servers, [Mail(edition.headers.from_email, address, stuffed(mail))]))
    host = answer.host or str(settings.smtp_host)
    if not answer.taken:
        code, reply = answer.outcome.code, answer.outcome.reply
        raise complaint(f"{host} does not take mail for {address}: {f'{code} {reply}' if code else reply}")
    return Sent(address, host, rehearsal)
