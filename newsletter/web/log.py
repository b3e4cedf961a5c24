"""Whatever this process logs becomes lines without secrets: control characters escaped, and of an error only where it happened.

An exception's own words may hold a token, an address or a recipient's values: of a program's fault its kind and its place in the
source say enough (S15, S22).
"""

import logging
import threading
import traceback


class Careful(logging.Formatter):
    """Formats the records of all libraries, ours and others': a line for the message, one for each step to an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry, without a line end."""
        steps = _steps(record.exc_info[1]) if record.exc_info else []
        return "\n  ".join(map(_escaped, (f"{self.formatTime(record)} {record.getMessage()}", *steps)))


def _steps(error: BaseException | None) -> list[str]:
    """The kind and the places of an exception and of those that led to it; none of their words."""
    steps: list[str] = []
    while error is not None:
        places = (f"at {place.filename}:{place.lineno} in {place.name}" for place in traceback.extract_tb(error.__traceback__))
        steps += [type(error).__name__, *places]
        error = error.__cause__ or error.__context__
    return steps


def _escaped(line: str) -> str:
    """Without line ends, escape sequences and what turns the direction of text (S22)."""
    if line.isprintable():  # nearly all are
        return line
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in line)


def write_log() -> None:
    """Log to stderr from now on: what is of note, and each request; also where a thread fails."""
    handler = logging.StreamHandler()
    handler.setFormatter(Careful())
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("newsletter").setLevel(logging.INFO)
    threading.excepthook = _fallen


def _fallen(fallen: threading.ExceptHookArgs) -> None:
    name = fallen.thread.name if fallen.thread is not None else "thread"
    error = fallen.exc_value or fallen.exc_type()
    logging.getLogger("newsletter").error("%s failed", name, exc_info=error)
