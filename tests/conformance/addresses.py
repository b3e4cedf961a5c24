"""A delivered mail becomes the addresses that a gateway or mailbox provider finds in it, without any part of the program."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from lxml.html import document_fromstring

#: RFC 2369 §2: addresses in angle brackets, separated by commas.
_IN_BRACKETS = re.compile(r"<([^<>\s]+)>")
_IN_TEXT = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")


@dataclass(frozen=True)
class Found:
    """What was found in one mail."""

    message: EmailMessage
    recipient: str
    html: str
    in_headers: frozenset[str]
    in_html: frozenset[str]
    in_text: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Every web address, wherever it stands."""
        return self.in_headers | self.in_html | self.in_text

    @property
    def one_click(self) -> str:
        """Where RFC 8058 §3.1 lets a mailbox provider POST to: the one https address of List-Unsubscribe."""
        assert self.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        (url,) = (url for url in _IN_BRACKETS.findall(str(self.message["List-Unsubscribe"])) if url.startswith("http"))
        return str(url)


def addresses_in(data: bytes) -> Found:
    """All web addresses of a mail."""
    message = message_from_bytes(data, policy=policy.default)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    page = str(html.get_content())
    headers = " ".join(str(value) for value in message.values())
    values = (value for element in document_fromstring(page).iter() for value in element.attrib.values())
    linked = {value for value in map(str, values) if value.startswith(("http:", "https:"))}
    return Found(
        message,
        str(message["To"]),
        page,
        frozenset(_IN_TEXT.findall(headers)),
        frozenset(linked) | frozenset(_IN_TEXT.findall(page.replace("&amp;", "&"))),
        frozenset(_IN_TEXT.findall(str(text.get_content()))),
    )
