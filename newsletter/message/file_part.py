"""A picture or an attachment becomes a part that is the same in each message: encoded once, as Base64 (RFC 2045 §6.8)."""

import re
from base64 import encodebytes
from dataclasses import dataclass, field
from urllib.parse import quote

from newsletter.message.headers import LINE, HeaderError, check_value

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_TOKEN = re.compile(r"[A-Za-z0-9 !#$&+.^_`{|}~()@,;:\[\]=-]+")
_ADDR_SPEC = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
#: What stands unencoded in an extended value: RFC 5987 §3.2.1, which keeps to what RFC 2231 §7 allows.
_ATTRIBUTE = "!#$&+-.^_`|~"


@dataclass(frozen=True, slots=True)
class FilePart:
    """What travels beside the words. A picture that the HTML shows has a ``content_id``, here without brackets; an attachment has
    none.
    """

    filename: str
    media_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None

    def encoded(self) -> bytes:
        """Header, empty line and Base64 lines of 76 characters, without the last line break.

        A picture is ``inline`` with Content-ID *and* file name, or Thunderbird lists it as an attachment (B16).
        Raises :class:`~newsletter.message.headers.HeaderError` for what may not go into a header (S1), ValueError where the bytes
        are missing.
        """
        if not self.data:
            raise ValueError(f"{self.filename} has no content; load the edition with its files")
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise HeaderError("Content-Type", "is no media type; write it like application/pdf")
        charset = '; charset="utf-8"' if self.media_type.startswith("text/") else ""
        head = f"Content-Type: {self.media_type}{charset}\r\nContent-Transfer-Encoding: base64\r\n"
        if self.content_id is not None:
            if not _ADDR_SPEC.fullmatch(self.content_id) or "=?" in self.content_id:
                raise HeaderError("Content-ID", "is not of the form name@example.org")
            head += f"Content-ID: <{self.content_id}>\r\n"
        head += f"Content-Disposition: {'attachment' if self.content_id is None else 'inline'};{_filename(self.filename)}\r\n\r\n"
        return head.encode("ascii") + encodebytes(self.data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _filename(name: str) -> str:
    """The parameter ``filename``: a quoted string where it is plain ASCII and fits a line, else by RFC 2231 §3 and §4."""
    check_value("Content-Disposition", name)
    if not name or name != name.strip():
        raise HeaderError("Content-Disposition", "needs a file name, without blanks around it")
    if _TOKEN.fullmatch(name) and len(name) <= LINE - len(' filename=""'):
        return f'\r\n filename="{name}"'
    # One character at a time, so that no percent sequence of one is cut in two.
    pieces = ["utf-8''"]
    for character in name:
        coded = quote(character, safe=_ATTRIBUTE)
        if len(pieces[-1]) + len(coded) > LINE - len(" filename*100*=;"):
            pieces.append("")
        pieces[-1] += coded
    if len(pieces) == 1:
        return f"\r\n filename*={pieces[0]}"
    return ";".join(f"\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces))
