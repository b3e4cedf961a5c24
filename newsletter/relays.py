"""The text of ``NEWSLETTER_SMTP_HOST`` becomes the relays to send through: ``mx1.example.org, mx2.example.org:587*2``."""

import ipaddress
import re
from dataclasses import dataclass

_ONE = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:*\s]+)(?::(?P<port>[^:*]*))?(?:\*(?P<weight>[^*]*))?")
_NAME = re.compile(r"[\w.-]+")
_ADVICE = "write for example mx1.example.org, mx2.example.org:587*2"
#: The greatest weight: there are never more connections than that.
_HEAVIEST = 100


@dataclass(frozen=True, slots=True)
class Relay:
    """One mail server. ``port`` None is that of the settings; ``weight`` says how many of the connections are its own."""

    host: str
    port: int | None = None
    weight: int = 1


def read_relays(text: str) -> tuple[Relay, ...]:
    """Read relays with commas between, each ``host``, ``host:port``, ``host*weight`` or ``host:port*weight``.

    An IPv6 address stands in brackets where a port or weight follows it. Raises :class:`ValueError` with one sentence.
    """
    relays = tuple(_read(one.strip()) for one in text.split(","))
    places = [(relay.host.lower(), relay.port) for relay in relays]
    for relay, place in zip(relays, places, strict=True):
        if places.count(place) > 1:
            raise ValueError(f"names {relay.host} twice; give it a weight instead, such as {relay.host}*2")
    return relays


def _read(one: str) -> Relay:
    if not one:
        raise ValueError(f"has a comma with no server beside it; {_ADVICE}")
    if _is_ipv6(one):
        return Relay(one)
    found = _ONE.fullmatch(one)
    if found is None:
        raise ValueError(f"{one!r} is no mail server; {_ADVICE}, an IPv6 address with a port as [2001:db8::1]:587")
    host = found["host"]
    if host.startswith("["):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise ValueError(f"{one!r} has no IPv6 address between its brackets; write for example [2001:db8::1]:587")
    elif not _NAME.fullmatch(host):
        raise ValueError(f"{host!r} is no name of a mail server; {_ADVICE}")
    port = _number(found["port"], 65535, f"the port of {one!r} must be a number from 1 to 65535")
    weight = _number(found["weight"], _HEAVIEST, f"the weight of {one!r} must be a number from 1 to {_HEAVIEST}")
    return Relay(host, port, 1 if weight is None else weight)


def _number(text: str | None, most: int, wrong: str) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise ValueError(wrong)
    return int(text)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
