"""One connection beside the campaigns, to whichever of the office's servers takes it: for a test, for a mail that confirms."""

from collections.abc import Sequence

from newsletter.delivery.connect import CannotConnect
from newsletter.delivery.mail import Mail
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Wire


async def reach(servers: Sequence[Server]) -> tuple[Server, Wire[Mail]]:
    """Connect and log in to one of them, the heaviest first, the next one where that fails.

    Raises :class:`~newsletter.delivery.connect.CannotConnect` with what each of them said; no mail was sent then.
    """
    why = []
    for server in sorted(servers, key=lambda one: -one.weight):
        try:
            return server, await Wire.open(server)
        except CannotConnect as error:
            why.append(error)
    raise CannotConnect("; ".join(map(str, why)), hopeless=all(error.hopeless for error in why))
