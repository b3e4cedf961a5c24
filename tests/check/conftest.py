"""The workspace that the tests of the rules break."""

from pathlib import Path

import pytest

from tests.check.broken import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A workspace with an issue that is in order."""
    return Bench(tmp_path)
