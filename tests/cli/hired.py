"""``newsletter worker`` as tests hire, watch and dismiss it; see the fixture ``hosts``."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from newsletter.cli.workspace import demand_links
from newsletter.delivery.shift import Shift
from newsletter.issue import Timetable
from newsletter.settings import Workspace
from newsletter.store import Store, open_store
from tests.cli.conftest import Office

on_a_server = pytest.mark.database("postgresql")


@contextmanager
def database(office: Office) -> Iterator[Store]:
    store = open_store(office.url)
    yield store
    store.close()


def ask(office: Office, question: str) -> list[Any]:
    with database(office) as store, store.write() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(question)]


def hire(office: Office, count: int = 1, **how: Any) -> list["subprocess.Popen[str]"]:
    """So many workers, at work."""
    hired = [office.process("worker", **how) for _ in range(count)]
    wait_until(lambda: ask(office, "SELECT count(*) FROM procrastinate_workers") >= [(count,)])
    return hired


def wait_until(there: Callable[[], bool]) -> None:
    until = time.monotonic() + 80
    while not there():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.1)


def is_done(office: Office) -> bool:
    return [campaign.state for campaign in office.campaigns()] == ["done"]


def dismiss(*hired: "subprocess.Popen[str]") -> str:
    """SIGTERM: each ends with 0. Gives what they said."""
    for one in hired:
        one.send_signal(signal.SIGTERM)
    return farewell(*hired)


def farewell(*hired: "subprocess.Popen[str]") -> str:
    """What they said that were told to stop; each ends with 0."""
    said = ""
    for one in hired:
        said += one.communicate()[1]
        assert one.returncode == 0, said
    return said


def slow(seconds: float) -> Callable[[str], str | None]:
    def refuses(_address: str) -> str | None:
        time.sleep(seconds)
        return None

    return refuses


def shift_of(office: Office, store: Store, **how: Any) -> Shift:
    workspace = Workspace(office.root)
    given: dict[str, Any] = {"links": demand_links(workspace), "stop": asyncio.Event(), "rest": 0.0} | how
    return Shift(store, workspace.settings, Timetable(), **given)
