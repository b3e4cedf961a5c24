"""``newsletter worker`` as processes: several share a campaign, are killed, stopped and cut off, on a real PostgreSQL."""

import asyncio
import datetime as dt
import logging
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from newsletter.delivery import life
from newsletter.delivery.due import due_campaigns
from newsletter.issue import Timetable
from newsletter.links import Links
from newsletter.store.clock import HOUR
from newsletter.store.engine import upgrade_tables
from newsletter.store.jobs import upgrade_jobs
from newsletter.store.tables import delivery, worker
from tests.cli.conftest import SLUG, Office
from tests.cli.hired import ask, database, dismiss, farewell, hire, is_done, on_a_server, shift_of, slow, wait_until
from tests.real.postgresql import programs, running_server
from tests.thorough import only_thorough

pytest.importorskip("procrastinate", reason="Procrastinate is not installed: pip install 'newsletter[cluster]'")


@on_a_server
def test_two_share_a_campaign_and_each_recipient_gets_one(hosts: Office) -> None:
    hosts.crowd(300)
    hosts.post.refuses = slow(0.04)
    hired = hire(hosts, 2)
    begun = hosts.send("--background", "--json")
    assert begun.code == 0
    assert begun.json["state"] == "running"
    assert "newsletter worker sends it, now" in begun.err
    wait_until(lambda: is_done(hosts))
    assert hosts.post.addresses() == Counter({f"p{number}@example.org": 1 for number in range(300)})
    assert hosts.account()["sent"] == 300
    with database(hosts) as store, store.read() as connection:
        sent_by = connection.execute(select(worker.c.pid).join(delivery).distinct()).all()
    assert len(sent_by) == 2
    wait_until(lambda: ask(hosts, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    said = dismiss(*hired)
    assert f"{SLUG}: done, 300 sent of 300" in said
    assert "@example.org" not in said  # S22
    assert ask(hosts, "SELECT count(*) FROM procrastinate_workers") == [(0,)]


@on_a_server
def test_another_takes_over_from_one_that_was_killed(hosts: Office) -> None:
    hosts.crowd(60)
    hosts.post.hold_at = 10
    (killed,) = hire(hosts)
    hosts.send("--background")
    assert hosts.post.holding.wait(80)
    killed.kill()
    killed.communicate()
    assert ask(hosts, "SELECT status::text FROM procrastinate_jobs") == [("doing",)]
    hosts.post.go_on.set()
    hired = hosts.process("worker")
    wait_until(lambda: is_done(hosts))
    account = hosts.account()
    assert account["uncertain"] >= 1  # the one that was held
    assert account["sent"] + account["uncertain"] == 60
    assert max(hosts.post.addresses().values()) == 1
    wait_until(lambda: ask(hosts, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    assert "a worker did not end its job" in dismiss(hired)


@only_thorough
@on_a_server
def test_sigterm_finishes_what_is_on_the_wire_and_pause_and_cancel_stop_it(hosts: Office) -> None:
    hosts.crowd(60)
    hosts.post.hold_at = 10
    (hired,) = hire(hosts)
    hosts.send("--background")
    assert hosts.post.holding.wait(80)
    hired.send_signal(signal.SIGTERM)
    hosts.post.go_on.set()
    assert "Traceback" not in farewell(hired)  # one SIGTERM: a second says "at once"
    account = hosts.account()
    assert (account["state"], account["uncertain"]) == ("running", 0)
    assert 10 <= account["sent"] == len(hosts.post) < 60

    hosts.post.refuses = slow(0.1)
    (hired,) = hire(hosts)
    before = len(hosts.post)
    wait_until(lambda: len(hosts.post) > before)
    assert hosts.newsletter("pause", SLUG).code == 0
    wait_until(lambda: ask(hosts, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    paused = hosts.account()
    assert paused["state"] == "paused"
    assert before < paused["sent"] == len(hosts.post) < 60
    again = hosts.newsletter("resume", SLUG, "--background", "--json")
    assert (again.code, again.json["state"]) == (0, "running")
    wait_until(lambda: len(hosts.post) > paused["sent"])
    assert hosts.newsletter("cancel", SLUG, "--yes").code == 0
    wait_until(lambda: ask(hosts, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    dismiss(hired)
    cancelled = hosts.account()
    assert cancelled["state"] == "cancelled"
    assert cancelled["sent"] == len(hosts.post) < 60
    assert cancelled["uncertain"] == 0


@only_thorough
@on_a_server
def test_a_planned_campaign_begins_in_the_background_also_after_lines_were_cut(hosts: Office) -> None:
    hosts.settings(lease="4")  # on a slow machine the line is cut while a job is fetched, which is then missed for a lease
    (hired,) = hire(hosts)
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=12)
    planned = hosts.send("--at", f"{at:%Y-%m-%d %H:%M:%S}Z", "--background", "--json")
    assert (planned.code, planned.json["state"]) == (0, "scheduled")
    ask(
        hosts,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE application_name LIKE 'newsletter {hired.pid}@%%' AND pid <> pg_backend_pid()",
    )
    assert len(hosts.post) == 0
    wait_until(lambda: is_done(hosts))
    assert dt.datetime.now(dt.UTC) >= at.replace(microsecond=0)
    assert len(hosts.post) == 3
    assert "Traceback" not in dismiss(hired)


def test_a_database_that_is_away_ends_no_worker(office: Office) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_server() as server, create_engine(server.url.replace("/postgres", "/template1")).connect() as beside:
        beside.execution_options(isolation_level="AUTOCOMMIT")
        office.url = server.url
        office.settings(lease="4")
        upgrade_tables(office.url)
        with database(office) as store:
            upgrade_jobs(store)
        (hired,) = hire(office)
        beside.exec_driver_sql("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        beside.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'")
        assert hired.stderr is not None
        while "the connection to the database was lost" not in (line := hired.stderr.readline()):
            assert line, "it ended"
        beside.exec_driver_sql("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
        office.send("--background")
        wait_until(lambda: is_done(office))
        assert len(office.post) == 3
        assert "Traceback" not in dismiss(hired)


@on_a_server
def test_a_time_that_was_missed_by_hours_is_held(hosts: Office) -> None:
    hosts.send("--at", "2099-01-01 08:00", "--background")
    (campaign,) = hosts.campaigns()
    with database(hosts) as store:
        assert due_campaigns(store, Timetable()) == []
        for late, due in ((1, [campaign.id]), (100 * HOUR, [])):
            with store.write() as connection:
                life.schedule(connection, campaign.id, store.now(connection) - late)
            assert due_campaigns(store, Timetable()) == due
    assert hosts.account()["state"] == "paused"
    assert "was missed by more than" in hosts.account()["note"]


@only_thorough
@on_a_server
def test_a_job_has_a_turn_and_the_next_one_goes_on(hosts: Office) -> None:
    hosts.crowd(40)
    hosts.post.refuses = slow(0.1)
    hosts.send("--background")
    (campaign,) = hosts.campaigns()
    with database(hosts) as store:

        async def turns() -> list[bool]:
            shift = shift_of(hosts, store, turn=1.0)
            return [await shift.work(campaign.id), await shift_of(hosts, store).work(campaign.id)]

        assert asyncio.run(turns()) == [True, False]
    assert is_done(hosts)
    assert hosts.post.addresses() == Counter({f"p{number}@example.org": 1 for number in range(40)})


@on_a_server
def test_a_host_with_another_key_sends_nothing(hosts: Office, caplog: pytest.LogCaptureFixture) -> None:
    hosts.send("--background")
    (campaign,) = hosts.campaigns()
    with database(hosts) as store, caplog.at_level(logging.ERROR):
        shift = shift_of(hosts, store, links=lambda list_id: Links("http://127.0.0.1:8025", b"q" * 40, list_id))
        assert asyncio.run(shift.work(campaign.id)) is False
    assert "NEWSLETTER_SECRET_KEY is not the one" in caplog.text
    assert len(hosts.post) == 0


@on_a_server
def test_a_mail_server_that_is_away_ends_no_worker(hosts: Office, caplog: pytest.LogCaptureFixture, quick: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    hosts.send("--background")
    hosts.settings(smtp_port=str(port))
    (campaign,) = hosts.campaigns()
    with database(hosts) as store, caplog.at_level(logging.ERROR):
        assert asyncio.run(shift_of(hosts, store).work(campaign.id)) is False
    assert "stopped here: " in caplog.text
    assert hosts.account()["pending"] == 3


@on_a_server
def test_systemd_hears_of_it(hosts: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(80)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        hired = hosts.process("worker")
        assert [line.recv(99) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        dismiss(hired)
        rest = set()
        line.setblocking(False)
        while True:
            try:
                rest.add(line.recv(99))
            except BlockingIOError:
                break
    assert b"STOPPING=1" in rest


@on_a_server
def test_without_the_engine_or_its_tables_it_says_what_to_do(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = office.newsletter("worker")
    assert refused.code == 2
    assert "newsletter db upgrade makes them" in refused.err
    monkeypatch.setitem(sys.modules, "procrastinate.schema", None)
    refused = office.newsletter("worker")
    assert refused.code == 2
    assert "pip install 'newsletter[cluster]'" in refused.err


def test_a_file_has_no_workers(office: Office) -> None:
    refused = office.newsletter("worker")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "needs a database on PostgreSQL" in refused.err
    refused = office.send("--background")
    assert refused.code == 2
    assert "needs PostgreSQL" in refused.err
    assert office.campaigns() == []
