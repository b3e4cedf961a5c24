"""A worker on one of several hosts: Procrastinate hands it coarse jobs, "drive campaign C, slot K", and a sweeper makes them.

What is left to do stands in the ledger alone (ledger.md §1). A job that is lost or doubled only changes how parallel a campaign
is sent: the sweeper of any worker sees that a slot is missing and queues it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.exc import DBAPIError

from newsletter.delivery.due import due_campaigns
from newsletter.delivery.shift import Shift, log
from newsletter.store.clock import SECOND
from newsletter.store.postgresql import driver_arguments
from newsletter.store.url import read_url

TASK = QUEUE = "drive"
#: Seconds between two sweeps.
SWEEP = 5.0
#: Seconds before a database that was away is tried again, the last again and again.
_PAUSES: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
#: No job takes longer in seconds: a minute, and what a server may take for its last answer (RFC 5321 §4.5.3.2.6).
_LONGEST = 15 * 60
#: Jobs of workers that live and do not end them. Procrastinate's own question for it is deprecated.
_ENDLESS = """
    SELECT job.id, job.args FROM procrastinate_jobs AS job JOIN procrastinate_events AS event ON event.job_id = job.id
    WHERE job.queue_name = %(queue)s AND job.status = 'doing' AND event.type = 'started'
    GROUP BY job.id HAVING max(event.at) < now() - make_interval(secs => %(longest)s)
"""
_AWAY = (ConnectorException, psycopg.Error, DBAPIError, OSError)


class Engine:
    """One worker. It drives one campaign at a time; campaigns that run at the same time take turns."""

    def __init__(self, url: str, shift: Shift) -> None:
        self._shift = shift
        self._lease = shift.store.lease
        self._url = read_url(url)

    async def run(self) -> None:
        """Work until the shift's ``stop`` is set and what was on the wire is settled; a database that is away is waited for."""
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # they log tracebacks; what matters is said here
        loop, stop, tries = asyncio.get_running_loop(), self._shift.stop, 0
        loop.set_exception_handler(_tell)
        while not stop.is_set():
            begun = loop.time()
            try:
                await self._connected()
            except _AWAY as error:
                log.debug("%s", type(error).__name__)
            if stop.is_set():
                return
            tries = 0 if loop.time() - begun > _PAUSES[-1] else tries
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            tries += 1
            log.warning("the connection to the database was lost; a new one is tried in %g s", pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _connected(self) -> None:
        """As long as the connection lasts. Drains where it ends, or is to end."""
        silence = self._lease / SECOND
        connector = PsycopgConnector(
            kwargs=driver_arguments(self._url, self._lease) | {"prepare_threshold": None},  # a pool may stand in between
            min_size=1,
            max_size=4,
            timeout=silence,
        )
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE)(self._job(app))
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=1,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=SWEEP,
                    update_heartbeat_interval=silence / 3,
                    stalled_worker_timeout=silence,
                )
            )
            sweeper = asyncio.create_task(self._sweep_always(app))
            stopped = asyncio.create_task(self._shift.stop.wait())
            try:
                await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sweeper.cancel()
                stopped.cancel()
                worker.cancel()  # that is Procrastinate's way to be told to finish its job
                await asyncio.gather(sweeper, stopped, return_exceptions=True)
                with contextlib.suppress(asyncio.CancelledError):
                    await worker

    def _job(self, app: App) -> Callable[[int, int], Awaitable[None]]:
        async def job(campaign: int, slot: int) -> None:
            if await self._shift.work(campaign):
                with contextlib.suppress(*_AWAY):
                    await _queue(app, campaign, slot)

        return job

    async def _sweep_always(self, app: App) -> None:
        while True:
            try:
                await self.sweep(app)
            except _AWAY as error:
                log.debug("no sweep: %s", type(error).__name__)
            await asyncio.sleep(SWEEP)

    async def sweep(self, app: App) -> None:
        """Delete the jobs that nobody does any more, and queue those that are missing: one a living worker and campaign."""
        manager, silence = app.job_manager, self._lease / SECOND
        await manager.prune_stalled_workers(silence)
        stalled = await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=silence)
        over = {int(job.id or 0): job.task_kwargs for job in stalled}
        for row in await app.connector.execute_query_all_async(_ENDLESS, queue=QUEUE, longest=_LONGEST):
            over[row["id"]] = row["args"]
        for number, told in over.items():
            log.warning("took over: a worker did not end its job for campaign %s", told.get("campaign"))
            # Never retry_job: it collides with a job that was queued meanwhile (ledger.md §5, fault 6).
            with contextlib.suppress(ConnectorException):  # another sweeper was first
                await manager.finish_job_by_id_async(number, Status.FAILED, delete_job=True)
        due = await asyncio.to_thread(due_campaigns, self._shift.store, self._shift.timetable)
        if not due:
            return
        workers = await app.connector.execute_query_one_async("SELECT count(*) AS count FROM procrastinate_workers")
        there = set()
        for status in (Status.TODO, Status.DOING):
            for job in await manager.list_jobs_async(queue=QUEUE, status=status.value):
                there.add((job.task_kwargs["campaign"], job.task_kwargs["slot"]))
        for slot in range(int(workers["count"])):
            for campaign in due:  # so that of two campaigns each has a worker at once
                if (campaign, slot) not in there:
                    await _queue(app, campaign, slot)


async def _queue(app: App, campaign: int, slot: int) -> None:
    with contextlib.suppress(AlreadyEnqueued):
        job = app.configure_task(TASK, queue=QUEUE, queueing_lock=f"{TASK}:{campaign}:{slot}")
        await job.defer_async(campaign=campaign, slot=slot)


def _tell(_loop: asyncio.AbstractEventLoop, what: dict[str, object]) -> None:
    """What nobody waited for, such as the end of a job that another worker had deleted: a line, not a traceback."""
    error = what.get("exception")
    if not isinstance(error, ConnectorException):
        log.error("%s: %s", what.get("message"), type(error).__name__)
