"""What is wrong with something a person wrote, where it stands and how to mend it."""

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to mend.

    ``path`` is a file or folder as the user would name it, ``line`` and ``column`` count from 1 (0: not known), ``where``
    is the dotted place inside the file (``blocks[3].title``, or empty), ``message`` one sentence that also says how to mend it.
    """

    path: str
    line: int
    column: int
    where: str
    message: str

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        place = f" {self.where}:" if self.where else ""
        head = f"{self.path}{position}:" if self.path else ""
        return f"{head}{place} {self.message}".strip()

    def as_json(self) -> dict[str, str | int]:
        """The same as plain data, for ``--json``."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "where": self.where,
            "message": self.message,
        }


class InputError(Exception):
    """Bad input or set-up: nothing was done. Carries every :class:`Problem` that was found, in file order."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(sorted(found))
        super().__init__("\n".join(map(str, self.problems)))


def complaint(message: str, path: str = "") -> InputError:
    """An :class:`InputError` about a whole file or about the set-up, where there is no line to point to."""
    return InputError(Problem(path, 0, 0, "", message))
