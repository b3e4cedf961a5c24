"""Merge fields against a recipient list: every one has a column, and every recipient a value for it."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from newsletter.audience.columns import ADDRESS, HeaderError, field_names
from newsletter.audience.recipient import People, Recipient, Refused
from newsletter.compose.edition import Edition
from newsletter.issue import FieldUse, Issue
from newsletter.issue.variant import shown_in
from newsletter.problem import InputError, Problem

_TOLD = 20
_ADVICE = "fill the cell, or give the merge field a default: {{ field | default('…') }}"


def unknown_fields(issue: Issue, columns: Sequence[str], variants: Iterable[str | None]) -> Iterator[FieldUse]:
    """Every merge field without default that a list has no column for.

    What stands in a block that none of the ``variants`` has is not needed.
    """
    blocks = issue.content.blocks
    shown = {position for name in variants for position in (range(len(blocks)) if name is None else shown_in(blocks, name))}
    for field in issue.merge_fields():
        if field.name not in columns and field.default is None and (field.loc[0] != "blocks" or field.loc[1] in shown):
            yield field


def check_fields(issue: Issue, columns: Sequence[str], path: Path, variants: Iterable[str | None]) -> None:
    """Raise :class:`InputError` for every merge field of :func:`unknown_fields`."""
    problems = []
    for field in unknown_fields(issue, columns, variants):
        near = meant(field.name, columns)
        hint = f"did you mean {near}?" if near else f"its columns are: {', '.join(columns)}"
        problems.append(field.problem(f"the merge field {field.name} is no column of {path}, and it has no default; {hint}"))
    if problems:
        raise InputError(problems)


def meant(name: str, columns: Sequence[str]) -> str | None:
    """The column that somebody means who writes this name: what the heading ``vorname`` became, or one spelt alike."""
    with contextlib.suppress(HeaderError):
        usual = field_names((ADDRESS, name))[-1]
        if usual in columns:
            return usual
    return next(iter(difflib.get_close_matches(name, columns, 1)), None)


class WithFields:
    """A recipient list in which everyone has a value for the merge fields without default of the own variant.

    Else it ends with an :class:`InputError`.
    """

    def __init__(self, people: People, edition: Edition) -> None:
        self.path = people.path
        self._people = people
        self._choice = edition.choice
        self._needed = {
            name: [slot for slot in edition.variant(name).fields if slot.default is None] for name in edition.variant_names
        }

    def __iter__(self) -> Iterator[Recipient | Refused]:
        problems: list[Problem] = []
        for row in self._people:
            if isinstance(row, Recipient):
                for slot in self._needed.get(self._choice(row.fields), ()):
                    if not slot.has_value(row.fields) and len(problems) < _TOLD:
                        words = f"{row.address} has no {slot.name}, which the issue needs; {_ADVICE}"
                        problems.append(Problem(str(self.path), row.line, 1, "", words))
            yield row
        if problems:
            raise InputError(problems)
