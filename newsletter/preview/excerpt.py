"""A place in a file becomes the lines around it, the place marked."""

import re
from dataclasses import dataclass
from pathlib import Path

_AROUND = 3
_LARGEST = 1_000_000
_WORD = re.compile(r"\w+|\S")


@dataclass(frozen=True, slots=True)
class Shown:
    """One line: its number, and its text before, at and behind the place; ``at`` is empty in every line but one."""

    number: int
    before: str
    at: str = ""
    behind: str = ""
    meant: bool = False


def excerpt(path: str, line: int, column: int) -> tuple[Shown, ...]:
    """Three lines before and behind a place (counted from 1), without the margin that all have.

    Nothing where there is no such line or no such text file.
    """
    file = Path(path)
    try:
        if line < 1 or file.stat().st_size > _LARGEST:
            return ()
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    first = max(1, line - _AROUND)
    chosen = lines[first - 1 : line + _AROUND]
    margin = min((len(text) - len(text.lstrip(" ")) for text in chosen if text.strip()), default=0)
    return tuple(
        _meant(number, text[margin:], column - margin) if number == line else Shown(number, text[margin:])
        for number, text in enumerate(chosen, first)
    )


def _meant(number: int, text: str, column: int) -> Shown:
    start = max(0, column - 1)
    found = _WORD.match(text, start)
    end = found.end() if found else start + 1
    return Shown(number, text[:start], text[start:end] or " ", text[end:], meant=True)
