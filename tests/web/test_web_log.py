"""What a process logs: control characters escaped, of errors only where they happened (S15, S22)."""

import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.log import Careful

SECRET = "anna@example.org"


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    kind = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("uvicorn.error", logging.ERROR, "x.py", 1, message, values, kind)


def fail() -> None:
    try:
        dict[str, str]()[SECRET]
    except KeyError as error:
        raise ValueError(f"\x1b[31mno {SECRET}\r\nGET view 200 0.1 ms") from error


def test_of_an_error_the_kind_and_the_place_are_told_and_nothing_else() -> None:
    try:
        fail()
    except ValueError as error:
        lines = Careful().format(record("Exception in ASGI application\n", error=error)).splitlines()
    assert lines[0].endswith(" Exception in ASGI application\\n")
    assert lines[1] == "  ValueError"
    assert lines[-2:-1] == ["  KeyError"]
    assert all(line.startswith(f"  at {__file__}:") for line in lines[2:-2])
    assert SECRET not in "\n".join(lines)


@given(st.text(), st.text())
def test_no_message_makes_a_second_line_or_moves_the_cursor(message: str, value: str) -> None:
    line = Careful().format(record(message.replace("%", "") + "%s", value))
    assert line.isprintable()
    assert value == "".join(filter(str.isprintable, value)) or "\\" in line


def test_a_thread_that_fails_says_no_more() -> None:
    """In a process of its own, for it is about all that the process writes."""
    import subprocess

    program = (
        "import threading\nfrom newsletter.web.log import write_log\nwrite_log()\n"
        f"def work(): raise ValueError('{SECRET}')\n"
        "one = threading.Thread(target=work, name='worker'); one.start(); one.join()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "worker failed\n  ValueError\n  at " in ran.stderr
    assert SECRET not in ran.stderr
    assert ran.stdout == ""
