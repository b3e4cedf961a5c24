"""What a recipient's message offers to its mail program for leaving: List-Unsubscribe, and one click (RFC 2369, RFC 8058)."""

import re
from collections.abc import Mapping

from newsletter.compose.edition import LEAVING, UNSUBSCRIBE, Headers, MissingValue
from newsletter.links import mail_link
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.headers import LONGEST_LINE, HeaderError
from newsletter.settings import is_loopback

_URL_CHARACTER = r"[A-Za-z0-9._~:/?@!$&'()*+;=-]"
#: No blank, bracket, comma (RFC 2369 §2), encoded word (B5) or percent-encoded control character (S1) in it.
_URL = re.compile(
    rf"""(?!.*=\?)
    http(s?):// ( [A-Za-z0-9._-]+ | \[[0-9A-Fa-f:.]+\] ) (?: :[0-9]{{1,5}} )?
    / {_URL_CHARACTER}* (?: %(?![01]|7[Ff])[0-9A-Fa-f]{{2}} {_URL_CHARACTER}* )*""",
    re.VERBOSE,
)
#: Words that stand in a mailto link as they are, with %20 between them.
_SUBJECT = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_FIELD = "List-Unsubscribe"


class WayOut:
    """The fields of the messages of one edition. Raises :class:`HeaderError` where its ``unsubscribe_email`` is none."""

    def __init__(self, said: Headers) -> None:
        self._by_web = not said.static
        self._by_mail = said.unsubscribe_email is not None
        self._mail_link = _link(said.unsubscribe_email) if said.unsubscribe_email is not None else ""
        # B6: one click is for https alone.
        self.header_names = (_FIELD, f"{_FIELD}-Post") if self._by_web else (_FIELD,)

    def fields(self, values: Mapping[str, str]) -> str:
        """The fields for one recipient, never folded, never encoded (B5, B6, B8): https first, where there are both.

        Raises :class:`HeaderError`, and :class:`MissingValue` where a value is not there.
        """
        ways = [f"<{_web(values)}>"] if self._by_web else []
        if self._by_mail:
            ways.append(f"<{self._mail_link}{_subject(values)}>")
        line = f"{_FIELD}: {', '.join(ways)}\r\n"
        if len(line) > LONGEST_LINE + 2:
            raise HeaderError(_FIELD, f"is longer than {LONGEST_LINE} characters; choose a shorter public address")  # B18
        return f"{line}{_FIELD}-Post: List-Unsubscribe=One-Click\r\n" if self._by_web else line


def _link(address: str) -> str:
    """All of the mailto link but the subject's words."""
    address = wire_address(address, _FIELD)
    if needs_smtputf8(address):
        raise HeaderError(_FIELD, "needs a mail address of ASCII characters alone; use another unsubscribe_email")  # B5
    return mail_link(address)


def _web(values: Mapping[str, str]) -> str:
    url = values.get(UNSUBSCRIBE)
    if not url:
        raise MissingValue(UNSUBSCRIBE)
    found = _URL.fullmatch(url)
    if found is None:
        raise HeaderError(_FIELD, "needs one https address of ASCII characters, without blanks or brackets")
    if not found[1] and not is_loopback(found[2]):
        raise HeaderError(_FIELD, "needs an https address; plain http is only for this machine itself (127.0.0.1)")
    return url


def _subject(values: Mapping[str, str]) -> str:
    subject = values.get(LEAVING)
    if not subject:
        raise MissingValue(LEAVING)
    if not _SUBJECT.fullmatch(subject):
        raise HeaderError(_FIELD, "needs a subject of ASCII letters and digits, with single blanks between its words")  # S1
    return subject.replace(" ", "%20")
