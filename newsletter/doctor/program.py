"""This Python becomes verdicts: does its e-mail library, and ours, let a header smuggle another one (S3)?"""

import platform
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage

from newsletter.doctor.verdict import Told, verdict
from newsletter.message.headers import HeaderError, unstructured

#: P3, CVE-2024-6923 and CVE-2026-1299: what must not come out as a header of its own.
SMUGGLED = (
    "=?utf-8?q?hi=0D=0ABcc:_evil@example.org?=",
    "=?utf-8?b?aGkNCkJjYzogZXZpbEBleGFtcGxlLm9yZw==?=",
    "abc\nBcc: evil@example.org",
)

_GOOD = verdict("python", "ok", "Python {version}; its e-mail library passes the self-test")
_OLD = verdict(
    "python-email",
    "warning",
    "Python {version} has an e-mail library by which one header can smuggle in another (CVE-2024-6923); "
    "the newsletter's own headers are not made by it",
    "update Python: 3.11.10, 3.12.5 or newer",
)
_OURS = verdict(
    "header-smuggling",
    "error",
    "this program lets one header smuggle in another",
    "send nothing, and report this as a fault of the program",
)


def look_at_python() -> Iterator[Told]:
    """Run the strings through the library and through the headers of this program, whatever their versions say."""
    version = platform.python_version()
    yield (_OLD if any(map(library_lets_through, SMUGGLED)) else _GOOD)(version=version)
    if any(map(_we_let_through, SMUGGLED)):
        yield _OURS()


def library_lets_through(subject: str) -> bool:
    """Whether a message of the standard library with this subject has a Bcc header."""
    message = EmailMessage()
    try:
        message["Subject"] = subject
        message.set_content("x")
        head = message.as_bytes().partition(b"\n\n")[0]
    except (ValueError, MessageError):
        return False
    return any(line.lower().startswith(b"bcc:") for line in head.splitlines())


def _we_let_through(subject: str) -> bool:
    try:
        unstructured("Subject", subject)
    except HeaderError:
        return False
    return True
