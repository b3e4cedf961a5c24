"""What can be said of a set-up: each a verdict with its words, filled with what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsletter.check.wording import wording

#: ``note`` is worth knowing, and keeps nobody from sending.
Level = Literal["ok", "note", "warning", "error"]
#: The words in other languages, a catalogue each.
WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that can be said. ``says`` and ``mend`` are English with ``{…}`` places; called with their values it is told."""

    id: str
    level: Level
    says: str
    mend: str = ""

    def __call__(self, **values: object) -> "Told":
        """Say it of what was found."""
        return Told(self, {name: str(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict on this set-up."""

    verdict: Verdict
    values: Mapping[str, str]

    @property
    def level(self) -> Level:
        """How bad it is."""
        return self.verdict.level

    def message(self, language: str) -> str:
        """What was found, in one sentence."""
        return wording(language, WORDS).fill(self.verdict.says, self.values)

    def mend(self, language: str) -> str:
        """How to set it right; empty where there is nothing to mend."""
        return wording(language, WORDS).fill(self.verdict.mend, self.values) if self.verdict.mend else ""

    def as_json(self, language: str) -> dict[str, str]:
        """Plain data, for ``--json``."""
        return {"id": self.verdict.id, "level": self.level, "message": self.message(language), "mend": self.mend(language)}


_KNOWN: dict[str, Verdict] = {}


def verdict(id_: str, level: Level, says: str, mend: str = "") -> Verdict:
    """Register a verdict. Raises ValueError for an id that is taken: a mistake of ours."""
    if id_ in _KNOWN:
        raise ValueError(f"there is a verdict {id_!r} already")
    _KNOWN[id_] = made = Verdict(id_, level, says, mend)
    return made


def all_verdicts() -> Mapping[str, Verdict]:
    """Every verdict by its id, of the modules that were imported."""
    return dict(_KNOWN)
