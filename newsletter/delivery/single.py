"""One mail that is not part of a campaign goes to an SMTP server; what became of it is an outcome."""

from collections.abc import Callable, Sequence

from newsletter.delivery.mail import Mail
from newsletter.delivery.reach import reach
from newsletter.delivery.replies import Outcome
from newsletter.delivery.server import Server


class _One:
    """A source with one mail, see :class:`~newsletter.delivery.mail.Source`."""

    def __init__(self, mail: Mail) -> None:
        self._mail: Mail | None = mail
        self.outcome: Outcome | None = None

    def pull(self) -> Mail | None:
        mail, self._mail = self._mail, None
        return mail

    def more(self, call: Callable[[], None]) -> None:
        """There will never be more."""

    def answer(self, _mail: Mail, outcome: Outcome) -> None:
        self.outcome = outcome


async def post(servers: Sequence[Server], mail: Mail) -> Outcome:
    """Send one mail over a connection of its own, to the first that can be reached (:func:`~newsletter.delivery.reach.reach`).

    Raises :class:`~newsletter.delivery.connect.CannotConnect`.
    """
    _, wire = await reach(servers)
    source = _One(mail)
    try:
        words = await wire.carry(source)
    finally:
        await wire.close()
    return source.outcome or Outcome("own", "lost", reply=words)
