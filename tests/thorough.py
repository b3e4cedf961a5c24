"""How much is tried: more before a change lands (``.ci/run``) than while somebody works (``make test``)."""

import os

import pytest

THOROUGH = os.environ.get("TESTS") == "thorough"
#: For what takes long and is shown in a smaller way by another test: left out by tests/conftest.py.
only_thorough = pytest.mark.thorough


def examples(thorough: int) -> int:
    """So many with ``TESTS=thorough``, else a quarter. Hypothesis tries others in each run."""
    return thorough if THOROUGH else max(thorough // 4, 20)
