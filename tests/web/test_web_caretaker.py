"""The thread that deletes what is old: it says how much, never what, and a failure does not end it."""

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from newsletter.issue import Retention
from newsletter.problem import complaint
from newsletter.store import list_suppressions, suppress
from newsletter.web import caretaker as caretaker_module
from newsletter.web.caretaker import Caretaker

if TYPE_CHECKING:
    from tests.web.conftest import Site

DAY = 24 * 3600 * 1_000_000


def old(site: "Site") -> None:
    clock = site.store.clock
    site.store.clock = lambda: clock() - 91 * DAY
    suppress(site.store, b"a" * 16, reason="bounced", address="anna@example.org")
    site.store.clock = clock


def test_it_works_at_the_start_and_again_after_a_failure(
    site: "Site", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(caretaker_module, "_AGAIN", 0.01)
    caplog.set_level(logging.INFO, "newsletter.web")
    old(site)
    asked = []
    done = threading.Event()

    def retention() -> Retention:
        asked.append(1)
        if len(asked) == 1:
            raise complaint("retention.values: must be a number", "publication.yaml")
        if len(asked) == 2:
            raise KeyError("anna@example.org")
        done.set()
        return Retention()

    with Caretaker(site.store, retention):
        assert done.wait(60)
        while not any("deleted" in record.getMessage() and "addresses 1" in record.getMessage() for record in caplog.records):
            threading.Event().wait(0.01)
    assert [record.getMessage() for record in caplog.records] == [
        "nothing old was deleted: publication.yaml: retention.values: must be a number",
        "nothing old was deleted: KeyError",
        "deleted what is old: addresses 1",
    ]
    assert [one.address for one in list_suppressions(site.store)] == [None]


def test_it_ends_between_two_portions(site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.store import tidying

    monkeypatch.setattr(tidying, "_AT_ONCE", 1)
    for _ in range(3):
        old(site)
    with Caretaker(site.store, Retention) as caretaker:
        pass
    assert not caretaker._thread.is_alive()
