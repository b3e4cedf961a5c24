"""A rule: a small function that looks at one kind of thing and yields what breaks it; registered with its words and source."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from newsletter.check.subject import Message, Online, Page, Place, Subject

Severity = Literal["error", "warning", "info"]
#: The worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

S = TypeVar("S", Subject, Page, Message, Online)

_ID = re.compile(r"[A-Z]\d{1,2}(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Found:
    """Something that breaks a rule: where, and what fills the ``{…}`` of the rule's words."""

    at: Place
    values: Mapping[str, str]


def found(at: Place, **values: object) -> Found:
    """Something that breaks the rule, at a place; ``values`` fill its words."""
    return Found(at, {name: value if isinstance(value, str) else str(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """What must hold. ``says`` is one sentence in English with ``{…}`` places, ``mend`` says how to set it right.

    ``id`` begins with the number in standards.md (``A5-alt-is-file-name``); ``source`` names the RFC, law or criterion behind it;
    ``on`` is what the rule looks at.
    """

    id: str
    severity: Severity
    says: str
    mend: str
    source: str
    on: type[S]
    look: Callable[[S], Iterable[Found]]


_REGISTERED: dict[str, Rule[Any]] = {}


def rule(  # noqa: PLR0913, PLR0917 - a rule's own words, in the order in which one tells them
    id_: str, severity: Severity, says: str, mend: str, source: str, on: type[S]
) -> Callable[[Callable[[S], Iterable[Found]]], Callable[[S], Iterable[Found]]]:
    """Register the function below as a rule. Raises ValueError for an id that is malformed or taken: a mistake of ours."""
    if not _ID.fullmatch(id_) or id_ in _REGISTERED:
        raise ValueError(f"{id_!r} is no new rule's id")

    def register(look: Callable[[S], Iterable[Found]]) -> Callable[[S], Iterable[Found]]:
        _REGISTERED[id_] = Rule(id_, severity, says, mend, source, on, look)
        return look

    return register


def all_rules() -> Mapping[str, Rule[Any]]:
    """Every rule by its id, in the order of the ids."""
    from newsletter.check import rules  # they register themselves, and need this module first

    for module in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(_REGISTERED.items(), key=lambda item: _order(item[0])))


def _order(id_: str) -> tuple[str, int, str]:
    number = re.match(r"[A-Z](\d+)", id_)
    return id_[0], int(number[1]) if number else 0, id_
