"""Addresses that staff write: links and mail addresses, checked before they reach a reader."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit

import idna
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator

from newsletter.issue.text import check_characters

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]*):")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\$\{|%\(|%s(?![0-9A-Za-z])|\[[A-ZÄÖÜ][A-ZÄÖÜ _-]*\]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CODED_CONTROL = re.compile(r"%(?:[01][0-9A-F]|7F)", re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9][0-9().*#-]*(?:;[a-z-]+=[0-9A-Za-z.+-]+)*")
#: What stands unescaped in a path, a query or a fragment (RFC 3986 §3.3 to §3.5); everything else is percent-encoded.
_PATH = "/%:@!$&'()*+,;=~-._"
_QUERY = _PATH + "?"
#: The header fields that a mailto link may fill in (RFC 6068 §4: others are unsafe).
_MAIL_FIELDS = frozenset({"subject", "body", "cc"})


def check_url(value: str) -> str:
    """Give the address back as it goes into the mail: https, mailto or tel, host as A-label, percent-encoded (H13).

    Plain http is only for the loopback addresses 127.0.0.1 and [::1], so that a send can be rehearsed. Raises ValueError saying
    what to write instead.
    """
    check_characters(value)
    url = value.strip()
    if not url:
        raise ValueError("is empty; write an address such as https://www.example.org/page")
    if any(char in url for char in "\n\t\\"):
        raise ValueError("a line break, a tab or a backslash cannot stand in an address")
    if match := _PLACEHOLDER.search(url):
        raise ValueError(f"holds the placeholder {match[0]!r}; write the address itself, it is the same for everyone")
    scheme = _SCHEME.match(url)
    match scheme[1].lower() if scheme else "":
        case "https" | "http":
            return _web(url)
        case "mailto":
            return _mailto(url[7:])
        case "tel":
            return _tel(url[4:])
        case "":
            raise ValueError(_relative(url))
        case other:
            raise ValueError(f"{other}: links are not allowed; an address begins with https://, mailto: or tel:")


def _relative(url: str) -> str:
    if url.startswith(("#", "/", "./", "../", "?")):
        return f"{url!r} leads nowhere in a mail; write the whole address, beginning with https://"
    if "@" in url and "/" not in url:
        return f"{url!r} is no link; did you mean mailto:{url}?"
    return f"{url!r} is no whole address; did you mean https://{url}?"


def _web(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{url!r} is no address; write one such as https://www.example.org/page") from None
    if not parts.netloc or not host:
        raise ValueError(f"{url!r} names no host; write an address such as https://www.example.org/page")
    if "@" in parts.netloc:
        raise ValueError("a user name or password cannot stand in an address that everyone gets; leave out what is before the @")
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        raise ValueError("localhost is each reader's own machine; write the public address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(f"must be https; try https:{url[5:]}")
    shown = f"{_host(host)}:{port}" if port is not None else _host(host)
    path = _encoded(parts.path, _PATH)
    query = f"?{_encoded(parts.query, _QUERY)}" if parts.query else ""
    fragment = f"#{_encoded(parts.fragment, _QUERY)}" if parts.fragment else ""
    return f"{parts.scheme}://{shown}{path}{query}{fragment}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(host: str) -> str:
    """The host as A-label (RFC 5891), an IPv6 address in brackets."""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host.partition('%')[0])}]"
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"{host!r} is no host name: {error}") from None


def _encoded(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=safe)


def _mailto(rest: str) -> str:
    """RFC 6068 §2, without what could smuggle in a header: no coded line breaks, only subject, body and cc (S1)."""
    if _CODED_CONTROL.search(rest):
        raise ValueError("a coded line break or control character (%0A, %0D …) cannot stand in a mailto link; leave it out")
    addresses, _, query = rest.partition("?")
    checked = [quote(check_mailbox(unquote(address)), safe="@+-._!") for address in addresses.split(",")]
    fields = []
    for field in filter(None, query.split("&")):
        name, _, text = field.partition("=")
        if name.lower() not in _MAIL_FIELDS:
            raise ValueError(f"{name!r} cannot be set by a mailto link; only subject, body and cc can")
        fields.append(f"{name.lower()}={_encoded(text, '%:@!$,;~-._/?*()')}")
    return f"mailto:{','.join(checked)}" + (f"?{'&'.join(fields)}" if fields else "")


def _tel(rest: str) -> str:
    number = re.sub(r"[ /\u00a0\u202f]", "", rest)  # separators that people write; RFC 3966 §3 knows only - . ( )
    if not _PHONE.fullmatch(number):
        raise ValueError("is no telephone number; write one such as tel:+49-611-1234")
    return f"tel:{number}"


def check_mailbox(value: str) -> str:
    """A bare mail address (RFC 5321 §4.1.2), its domain as A-label; nothing is looked up. Raises ValueError.

    A local part beyond ASCII is refused: most servers cannot take it (RFC 6531 §3.2).
    """
    check_characters(value)
    try:
        found = validate_email(value.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"is no mail address: {error}") from None
    return found.ascii_email or found.normalized


Url = Annotated[str, AfterValidator(check_url)]
Mailbox = Annotated[str, AfterValidator(check_mailbox)]
