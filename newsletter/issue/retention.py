"""How long a publication keeps what it knows of people (L17): ``retention`` in ``issues/publication.yaml``.

What of it is deleted, and how, is in :mod:`newsletter.store.tidying`.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from newsletter.issue.parts import Model


def _time(unit: str, most: int) -> Callable[[Any], int]:
    """Reads ``90 days`` or the number alone."""
    written = re.compile(rf"(\d{{1,4}})(?:\s*{unit}s?)?")

    def read(value: Any) -> int:
        found = written.fullmatch(str(value).strip().lower())
        if found is None or not 1 <= int(found[1]) <= most:
            raise ValueError(
                f"must be a whole number of {unit}s, 1 to {most}, such as {'90 days' if unit == 'day' else '3 years'}"
            )
        return int(found[1])

    return read


_SHOWN = WithJsonSchema({"type": ["string", "integer"]})
Days = Annotated[int, BeforeValidator(_time("day", 3650)), _SHOWN]
Years = Annotated[int, BeforeValidator(_time("year", 30)), _SHOWN]


class Retention(Model):
    """What goes by itself, and when. Counts and the marks of those who left stay (L8)."""

    noun = "the retention"

    values: Days = Field(
        90, description="addresses, values and the servers' words of an issue: so many days after its sending ended"
    )
    proofs: Years = Field(3, description="the proof of who left: so many years, then to the end of that year")
