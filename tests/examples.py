"""How many examples Hypothesis tries: more before a change lands (``.ci/run``) than while somebody works (``make test``)."""

import os

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def examples(thorough: int) -> int:
    """So many with ``HYPOTHESIS_PROFILE=thorough``, else a quarter. Each run tries others."""
    return thorough if THOROUGH else max(thorough // 4, 20)
