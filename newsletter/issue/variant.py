"""The conditions of an issue's blocks make its variants: which one a recipient gets, which blocks it has, and how to name it.

A variant is named by a digit for each of the issue's conditions, in their order: 1 where it holds, 0 where it does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from newsletter.issue.blocks import Contents, Divider, Interview, OwnBlock
from newsletter.issue.only import Condition, primary, tags_in

#: More variants of one issue than this are a mistake, and each takes its time to compile.
MOST_VARIANTS = 32
#: How many blocks that a variant lacks are named.
_NAMED = 4


class Choice:
    """Which variant a recipient gets. ``language`` is the issue's: that of recipients whose list says none."""

    def __init__(self, conditions: Sequence[Condition], language: str) -> None:
        self._conditions = tuple(conditions)
        self._language = primary(language)
        self._name = lru_cache(4096)(self._named)  # many recipients share their language and tags

    def __call__(self, fields: Mapping[str, str]) -> str | None:
        """The name of the variant for a recipient's fields ``language`` and ``tags``; None where all recipients get the same."""
        return self._name(fields.get("language", ""), fields.get("tags", "")) if self._conditions else None

    def _named(self, language: str, tags: str) -> str:
        spoken, held = primary(language) or self._language, tags_in(tags)
        return "".join("01"[condition.holds(spoken, held)] for condition in self._conditions)


def conditions_of(blocks: Iterable[OwnBlock]) -> tuple[Condition, ...]:
    """The different conditions of the blocks, in the order in which they first stand."""
    return tuple(dict.fromkeys(block.only.condition for block in blocks if block.only is not None))


def shown_in(blocks: Sequence[OwnBlock], name: str) -> list[int]:
    """The positions of the blocks that a variant has.

    A divider goes where what it divided is gone: at an end, or beside another divider.
    """
    holds = dict(zip(conditions_of(blocks), (digit == "1" for digit in name), strict=True))
    kept: list[int] = []
    gap = False
    for position, block in enumerate(blocks):
        if block.only is not None and not holds[block.only.condition]:
            gap = True
        elif gap and isinstance(block, Divider) and (not kept or isinstance(blocks[kept[-1]], Divider)):
            gap = not kept  # beside another one the two have become one
        else:
            kept.append(position)
            gap = False
    while gap and kept and isinstance(blocks[kept[-1]], Divider):
        kept.pop()
    return kept


def says_something(blocks: Sequence[OwnBlock], name: str) -> bool:
    """Whether a variant has a block with anything in it: dividers and contents alone are no mail."""
    return any(not isinstance(blocks[position], Divider | Contents) for position in shown_in(blocks, name))


def in_words(blocks: Sequence[OwnBlock], name: str) -> str:
    """What those get who get a variant: ``all of it``, or ``it without “Für die Presse”``."""
    holds = dict(zip(conditions_of(blocks), name, strict=True))
    missing = [
        _called(block, number)
        for number, block in enumerate(blocks, 1)
        if block.only is not None and holds[block.only.condition] == "0"
    ]
    if not missing:
        return "all of it"
    named = missing if len(missing) <= _NAMED else [*missing[: _NAMED - 1], f"{len(missing) - _NAMED + 1} more blocks"]
    return f"it without {' and '.join(filter(None, (', '.join(named[:-1]), named[-1])))}"


def _called(block: OwnBlock, number: int) -> str:
    title = getattr(block, "title", None) or (block.person.name if isinstance(block, Interview) else None)
    kind = getattr(block, "type", "block")
    return f"“{title.sample()}”" if title is not None else f"the {kind} (block {number})"
