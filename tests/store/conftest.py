"""An open database in a file, with a clock that the test moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.store import Store, open_store


@dataclass
class Watch:
    """A clock that stands still until it is moved."""

    moment: int = 1_000_000_000

    def __call__(self) -> int:
        return self.moment


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'newsletter.db'}"


@pytest.fixture
def store(database_url: str, watch: Watch) -> Iterator[Store]:
    store = open_store(database_url, watch)
    yield store
    store.close()
