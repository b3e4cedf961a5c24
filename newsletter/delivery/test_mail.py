"""A draft becomes real mail to a few of the staff, marked as a test: what they see is what readers get. No ledger knows of it."""

import datetime as dt
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from newsletter.compose.edition import Edition, MissingValue, Part
from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.mail import Mail
from newsletter.delivery.reach import reach
from newsletter.delivery.replies import Outcome
from newsletter.delivery.server import Server
from newsletter.message import HeaderError, MessageTemplate, message_id
from newsletter.message.stuffed import stuffed
from newsletter.problem import complaint

#: How the subject of a test begins.
MARK = "[Test] "
#: So many addresses are a test; more are a sending.
MOST = 20
_HEADER = b"X-Newsletter-Test: yes\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server ``host`` said to the test for one address; None where none was asked."""

    address: str
    outcome: Outcome
    host: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the server took the mail."""
        return self.outcome.kind == "reply" and self.outcome.stage == "end" and (self.outcome.code or 0) < 300

    @property
    def words(self) -> str:
        """The same for people: the server's own words stand in it, fit for a terminal (S22)."""
        code, reply = self.outcome.code, self.outcome.reply
        said = f"{code} {reply}" if code else reply
        if self.taken:
            return f"taken by the mail server: {said}"
        if self.outcome.kind == "lost":
            return f"uncertain: {said}" if self.outcome.stage == "end" else f"not sent: {said}"
        if code is not None and code < 500:
            return f"put off by the mail server, try again later: {said}"
        return f"refused by the mail server: {said}" if code else f"not sent: {said}"


def write_test(edition: Edition, variant: str | None, values: Mapping[str, str], address: str) -> Mail:
    """The test of an edition for one address: as the recipient with these ``values`` gets it (``Draft.values``).

    Only headers differ: the subject begins with :data:`MARK`, there is no one-click unsubscribe (nobody is on a list), and
    ``X-Newsletter-Test`` says what it is. Each test has a Message-ID of its own, for mailboxes drop what they know already.
    ``address`` is the bare one. Raises :class:`~newsletter.problem.InputError` where the message cannot be made.
    """
    marked = replace(edition, subject=Part((MARK, *edition.subject.pieces)))
    try:
        template = MessageTemplate(marked, one_click=False).of(variant)
        number = message_id(secrets.token_hex(16), 0, template.domain)
        message = template.build(to=address, values=values, message_id=number, date=dt.datetime.now().astimezone())
    except (MissingValue, HeaderError) as error:
        raise complaint(f"{address}: {error}") from None
    return Mail(edition.headers.from_email, address, stuffed(_HEADER + message))


async def send_tests(servers: Sequence[Server], mails: Sequence[Mail]) -> list[Answer]:
    """Send tests over one connection (S12, S13 as for every mail), over a new one where it broke; one answer each, in order.

    None is tried twice. Raises :class:`~newsletter.problem.InputError` where there are more than :data:`MOST`, and where no
    connection was made at all: nothing was sent then. The ``servers`` are tried in turn, see :mod:`newsletter.delivery.reach`.
    """
    if len(mails) > MOST:
        raise complaint(f"{len(mails)} addresses are more than a test ({MOST} at most); newsletter send is for lists")
    tray = _Tray(mails)
    while tray.left:
        before = len(tray.left)
        try:
            server, wire = await reach(servers)
        except CannotConnect as error:
            if not tray.answers:
                raise complaint(f"nothing was sent: {error}") from None
            tray.give_up(str(error))
            break
        tray.host = server.host
        words = await wire.carry(tray)
        await wire.close()
        if len(tray.left) == before:
            tray.give_up(words or "the mail server closed the connection")
    return [Answer(mail.recipient, *tray.answers[mail]) for mail in mails]


class _Tray:
    """See :class:`~newsletter.delivery.mail.Source`."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        self.left = deque(mails)
        self.answers: dict[Mail, tuple[Outcome, str | None]] = {}
        self.host: str | None = None

    def pull(self) -> Mail | None:
        return self.left.popleft() if self.left else None

    def more(self, call: Callable[[], None]) -> None:
        """All there is was there from the beginning."""

    def answer(self, mail: Mail, outcome: Outcome) -> None:
        self.answers[mail] = outcome, self.host

    def give_up(self, words: str) -> None:
        self.answers.update((mail, (Outcome("own", "reply", reply=words), None)) for mail in self.left)
        self.left.clear()
