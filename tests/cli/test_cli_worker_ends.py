"""How workers are ended, what they leave, and what ``status`` says of them, on a real PostgreSQL."""

import asyncio
import logging
import signal

import pytest

pytest.importorskip("procrastinate", reason="Procrastinate is not installed: pip install 'newsletter[cluster]'")
from procrastinate import App, PsycopgConnector

from newsletter.delivery.engine import Engine
from newsletter.store.postgresql import driver_arguments
from newsletter.store.url import read_url
from tests.cli.conftest import SLUG, Office
from tests.cli.hired import ask, database, dismiss, hire, is_done, on_a_server, shift_of, slow, wait_until
from tests.thorough import only_thorough


@only_thorough
@on_a_server
def test_a_second_sigterm_ends_it_at_once_and_nothing_is_doubled(hosts: Office) -> None:
    hosts.crowd(20)
    hosts.post.hold_at = 5
    (hired,) = hire(hosts)
    hosts.send("--background")
    assert hosts.post.holding.wait(80)
    hired.send_signal(signal.SIGTERM)
    assert hired.stderr is not None
    while "stopping when the mail server has answered" not in (line := hired.stderr.readline()):
        assert line, "it ended"
    assert hired.poll() is None  # the mail server has not answered
    hired.send_signal(signal.SIGTERM)
    said = hired.communicate(timeout=60)[1]
    assert (hired.returncode, said.count("Traceback")) == (3, 0), said
    account = hosts.account()
    assert (account["state"], account["sent"], account["uncertain"]) == ("running", 4, 1)
    hosts.post.go_on.set()
    (after,) = hire(hosts)
    wait_until(lambda: is_done(hosts))
    dismiss(after)
    account = hosts.account()
    assert (account["sent"], account["uncertain"]) == (19, 1)
    assert max(hosts.post.addresses().values()) == 1


@on_a_server
def test_status_says_who_sends_it(hosts: Office) -> None:
    hosts.crowd(60)
    alone = hosts.send("--background")
    assert f"{SLUG}: not finished; no newsletter worker is there to send it; newsletter send {SLUG} goes on" in alone.err
    hosts.post.refuses = slow(0.1)
    (hired,) = hire(hosts)
    wait_until(lambda: len(hosts.post) > 0)
    assert f"{SLUG}: under way with 1 newsletter worker\n" in hosts.newsletter("status").err
    resumes = f"{SLUG}: paused: by newsletter pause; newsletter resume {SLUG} --background goes on\n"
    assert resumes in hosts.newsletter("pause", SLUG).err
    assert resumes in hosts.newsletter("status", SLUG).err
    dismiss(hired)
    hosts.newsletter("cancel", SLUG, "--yes")
    planned = hosts.send("--again", "--at", "2099-01-01 08:00", "--background")
    assert f"no newsletter worker is there to send it; newsletter send {SLUG} waits for it\n" in planned.err


def aged(office: Office, minutes: int, slot: int) -> None:
    """A job that a living worker began so many minutes ago."""
    ask_quietly = f"""
        WITH living AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id),
        job AS (
            INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id, queueing_lock)
            SELECT 'drive', 'drive', '{{"campaign": 1, "slot": {slot}}}', 'doing', id, 'drive:1:{slot}' FROM living RETURNING id
        )
        INSERT INTO procrastinate_events (job_id, type, at) SELECT id, 'started', now() - interval '{minutes} minutes' FROM job
        RETURNING job_id
    """
    assert ask(office, ask_quietly)


@on_a_server
def test_the_sweeper_deletes_what_a_living_worker_does_not_end(hosts: Office, caplog: pytest.LogCaptureFixture) -> None:
    aged(hosts, 14, 0)
    aged(hosts, 16, 1)
    with database(hosts) as store, caplog.at_level(logging.WARNING):

        async def sweep() -> None:
            engine = Engine(hosts.url, shift_of(hosts, store))
            async with App(
                connector=PsycopgConnector(kwargs=driver_arguments(read_url(hosts.url), store.lease))
            ).open_async() as app:
                await engine.sweep(app)

        asyncio.run(sweep())
    assert ask(hosts, "SELECT args ->> 'slot' FROM procrastinate_jobs") == [("0",)]
    assert caplog.text.count("a worker did not end its job for campaign 1") == 1
