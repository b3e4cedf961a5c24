"""The outbox of sign-ups becomes mail, in a thread beside the pages; nothing is lost while the mail server is down."""

import asyncio
import logging
import threading
from types import TracebackType
from typing import Self

from newsletter.audience.signups import Prepared, Signups
from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.mail import Mail
from newsletter.delivery.replies import Outcome
from newsletter.delivery.server import Server
from newsletter.delivery.single import post
from newsletter.store.faults import cause_of

log = logging.getLogger("newsletter.web.postman")

#: Seconds between two looks at the outbox where nobody rings.
_LOOK = 20.0


class Postman:
    """Sends what is due, through whichever of the servers can be reached.

    As a context manager it works in a thread until the end of the block.

    No address goes into the log (S22): only how many mails, and what the server says of itself.
    """

    def __init__(self, signups: Signups, *servers: Server) -> None:
        self.signups = signups
        self._servers = servers
        self._bell = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._work, name="newsletter-postman", daemon=True)

    def ring(self) -> None:
        """There is something new in the outbox."""
        self._bell.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over = True
        self._bell.set()
        self._thread.join(timeout=10)  # what is on the wire may take longer; its request stays in the outbox

    def _work(self) -> None:
        while not self._over:
            try:
                self.deliver()
            except Exception as error:  # noqa: BLE001 - the pages go on, and so must this; an error's own text would name values
                log.error("the outbox could not be worked off: %s", cause_of(error))  # noqa: TRY400
            self._bell.wait(_LOOK)
            self._bell.clear()

    def deliver(self) -> int:
        """Send what is due now; gives how many mails the server took."""
        count = 0
        while not self._over and (one := self.signups.next_mail()) is not None:
            try:
                outcome = asyncio.run(post(self._servers, Mail(one.sender, one.recipient, one.message)))
            except CannotConnect as error:
                log.warning("a confirmation mail waits: %s", error)
                self.signups.later(one.signup)
                break  # the others would fare no better now
            count += self._settle(one, outcome)
        if count:
            log.info("confirmation mails sent: %d", count)
        return count

    def _settle(self, one: Prepared, outcome: Outcome) -> bool:
        """Note what became of a mail; True where the server took it, or may have."""
        taken = outcome.code is not None and outcome.stage == "end" and outcome.code < 300
        if taken or (outcome.kind == "lost" and outcome.stage == "end"):
            self.signups.sent(one.signup)
            return True
        if outcome.stage == "own" or (outcome.code is not None and outcome.code >= 500 and not outcome.is_policy):
            self.signups.failed(one.signup)
        else:
            log.warning("a confirmation mail waits: the server answered %s", outcome.code or "nothing")
            self.signups.later(one.signup)
        return False
