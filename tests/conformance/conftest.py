"""All pages behind a real server in this process, with an eye on their database and their log."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from h11 import LocalProtocolError

from newsletter.preview.inbox import Inbox
from newsletter.web.server import BackgroundServer
from tests.conformance.wire import Wire
from tests.web.subscribing import Office, make_office

ANNA, BERT = "anna@example.org", "bert@example.org"


@dataclass
class Watched:
    """All pages behind a real server, and an eye on their database and their log."""

    office: Office
    url: str
    eye: sqlite3.Connection
    log: pytest.LogCaptureFixture

    def written(self) -> int:
        """A number that grows when anybody commits anything (``PRAGMA data_version``)."""
        return int(self.eye.execute("PRAGMA data_version").fetchone()[0])

    def is_well(self) -> None:
        """It answers, and no request has ended in a traceback.

        But for one that is not the pages' fault: while a page is made, uvicorn answers 400 to noise behind its request, and the
        page then comes too late for h11.
        """
        with Wire(self.url) as wire:
            assert wire.ask("GET", "/healthz").status == 200
        errors = [record for record in self.log.records if record.levelno >= logging.ERROR]
        assert [one for one in errors if one.exc_info is None or one.exc_info[0] is not LocalProtocolError] == []

    @property
    def tokens(self) -> dict[str, str]:
        """The last segment of a good address for each purpose; of people who are there."""
        links, mark = self.office.links, self.office.links.mark(ANNA)
        return {
            "view": links.view_url(1, 1).rsplit("/", 1)[1],
            "unsubscribe": links.unsubscribe_url(1, 2, links.mark(BERT)).rsplit("/", 1)[1],
            "confirm": self.office.link().rsplit("/", 1)[1],
            "preferences": links.preferences_token(mark),
        }


@pytest.fixture
def watched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Watched]:
    """Anna is a subscriber and got a mail; somebody new has asked to be one."""
    with Inbox() as inbox, BackgroundServer() as server:
        file = tmp_path / "newsletter.db"
        office = make_office(f"sqlite:///{file}", inbox, server.url)
        office.post(office.join(ANNA))
        office.join("neu@example.org")
        server.start(office.app)
        with closing(sqlite3.connect(file)) as eye:
            yield Watched(office, server.url, eye, caplog)
        office.site.store.close()
