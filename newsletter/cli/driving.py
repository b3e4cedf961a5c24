"""A campaign is driven before a person's eyes: a progress bar, Ctrl-C that drains, and an account however it ended."""

import signal
from typing import TYPE_CHECKING, NamedTuple

import typer

from newsletter.cli import INTERRUPTED
from newsletter.problem import complaint

if TYPE_CHECKING:
    from newsletter.delivery.account import Account
    from newsletter.issue import Timetable
    from newsletter.links import Links
    from newsletter.message import MessageTemplate
    from newsletter.settings import Settings
    from newsletter.store import Campaign, Store

#: Seconds between the tries to reach the mail server; the same patience that a running campaign has at its start.
_PAUSES = (1.0, 2.0)


class Ended(NamedTuple):
    """How a drive ended. ``early``: by a signal, or because the server or the database could not be used any longer."""

    account: "Account"
    early: bool


def reach_server(settings: "Settings") -> None:
    """Connect to the mail server (of several: to one that answers), log in and hang up again.

    Raises :class:`~newsletter.problem.InputError` saying why not.
    """
    import asyncio

    from newsletter.delivery.connect import CannotConnect
    from newsletter.delivery.mail import Mail
    from newsletter.delivery.server import Server
    from newsletter.delivery.smtp import Wire

    async def reach() -> None:
        left, why = list(Server.all_of(settings)), []
        for pause in (*_PAUSES, None):
            for server in tuple(left):
                try:
                    wire: Wire[Mail] = await Wire.open(server)
                except CannotConnect as error:
                    if error.hopeless or pause is None:
                        left.remove(server)
                        why.append(str(error))
                else:
                    await wire.close()
                    return
            if not left:
                raise complaint(f"nothing was sent: {'; '.join(why)}")
            await asyncio.sleep(pause or 0)

    asyncio.run(reach())


class Driving:
    """One run over a campaign. The first Ctrl-C or SIGTERM finishes what is on the wire, the second leaves it uncertain."""

    def __init__(
        self,
        store: "Store",
        campaign: "Campaign",
        settings: "Settings",
        timetable: "Timetable",
        links: "Links",
        limit: int | None,
        *,
        wait: bool = False,
        join: bool = False,
    ) -> None:
        self._store = store
        self._campaign = campaign
        self._settings = settings
        self._links = links
        self._limit = limit
        self._timetable = timetable
        self._wait = wait
        self._join = join

    def run(self) -> Ended:
        """Drive to the end. Raises :class:`~newsletter.problem.InputError` where it ended before anything was tried."""
        import asyncio

        from sqlalchemy.exc import DBAPIError

        from newsletter.delivery.account import account_of
        from newsletter.delivery.desk import LedgerError
        from newsletter.delivery.dial import SendError
        from newsletter.store.faults import fault_of

        template = self._template()
        try:
            return asyncio.run(self._drive(template))
        except asyncio.CancelledError:
            account = account_of(self._store, self._campaign.id)
        except (SendError, LedgerError) as error:
            account = account_of(self._store, self._campaign.id)
            if account.pending + account.suppressed == account.audience:
                raise complaint(f"nothing was sent: {error}") from None
            typer.echo(f"stopped: {error}", err=True)
        except DBAPIError as error:
            typer.echo(f"stopped: the database cannot be used: {fault_of(error)}; the same command goes on", err=True)
            raise typer.Exit(INTERRUPTED) from None
        return Ended(account, early=True)

    def _template(self) -> "MessageTemplate":
        from newsletter.message import MessageTemplate
        from newsletter.store import load_edition

        edition = load_edition(self._store, self._campaign.edition_hash)
        if edition is None:
            raise complaint(f"the database has lost the edition of {self._campaign.slug}; restore it from a copy")
        return MessageTemplate(edition)

    async def _drive(self, template: "MessageTemplate") -> Ended:
        import asyncio

        from newsletter.cli.progress import Progress
        from newsletter.delivery.drive import STAY, drive

        stop = asyncio.Event()
        driving = asyncio.current_task()

        def interrupt() -> None:
            if not stop.is_set():
                progress.tell("stopping when the mail server has answered; Ctrl-C again stops at once")
                stop.set()
            elif driving is not None and not driving.cancelling():
                progress.tell("stopping at once; whatever was not answered is uncertain")
                driving.cancel()

        with Progress() as progress:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, interrupt)
            account = await drive(
                self._store,
                self._campaign.id,
                settings=self._settings,
                links=self._links,
                template=template,
                stop=stop,
                limit=self._limit,
                join=self._join,
                on_progress=progress.show,
                wait=None if self._wait else STAY,
                timetable=self._timetable,
            )
        self._tell_hours(account)
        return Ended(account, early=stop.is_set())

    def _tell_hours(self, account: "Account") -> None:
        """Where it ended because it is not the time to send."""
        from newsletter.delivery.hours import Hours
        from newsletter.store.clock import as_datetime

        hours, now = Hours.of(self._timetable), self._store.clock()
        if account.state == "running" and hours is not None and (opens := hours.opens_at(now)) > now:
            when = f"{as_datetime(opens).astimezone(hours.zone):%a %Y-%m-%d %H:%M}"
            typer.echo(f"{account.slug}: not within the sending hours, they begin {when} ({hours.zone.key})", err=True)
