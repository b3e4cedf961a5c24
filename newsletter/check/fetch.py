"""An address on the web becomes a status, by a request that reaches no machine inside the office's network (S8).

Off by default; ``newsletter check --online`` asks for it. A host name is looked up once, and the connection goes to the address
that was judged, so that no second answer of the name server can lead elsewhere. No cookies, no log-in, at most 5 MB.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Seconds for each step of a request, octets of a body that are read, redirects that are followed.
PATIENCE = 8.0
LARGEST = 5_000_000
REDIRECTS = 3

_AGENT = "newsletter-check (+no tracking; asks once before a mailing)"
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
#: IPv6 addresses that carry an IPv4 address, and where in their 128 bits it begins, from the right.
_CARRIERS = (
    (ipaddress.ip_network("::/96"), 0),
    (ipaddress.ip_network("::ffff:0:0/96"), 0),
    (ipaddress.ip_network("64:ff9b::/96"), 0),
    (ipaddress.ip_network("2002::/16"), 80),
)


class NotAllowed(Exception):
    """The address is none of the public web; nothing was sent to it. The message says which machine it would have been."""


class Unreachable(Exception):
    """No answer came. The message is short and for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: the last ``status``, the address where it was said, the media type and the octets of the body."""

    status: int
    url: str
    media_type: str
    size: int


def is_public(address: IPAddress) -> bool:
    """Whether an address is of the public internet: none of this machine or the local network, in whatever form it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        for network, shift in _CARRIERS:
            if address in network and int(address) > 1:
                return is_public(ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    return not any(address in network for network in _CLOSED)


def fetch(url: str, allowed: Callable[[IPAddress], bool] = is_public, context: ssl.SSLContext | None = None) -> Answer:
    """Ask for ``url`` with HEAD, with GET where a server does not know HEAD; up to three redirects, each judged anew.

    Raises :class:`NotAllowed` and :class:`Unreachable`.
    """
    for _ in range(REDIRECTS + 1):
        answer, location = _ask(url, allowed, context)
        if location is None:
            return answer
        url = urljoin(url, location)
    raise Unreachable(f"leads on and on, more than {REDIRECTS} times")


def _ask(url: str, allowed: Callable[[IPAddress], bool], context: ssl.SSLContext | None) -> tuple[Answer, str | None]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None or parts.username is not None:
        raise NotAllowed(f"is no plain web address: {url}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = _resolve(parts.hostname, port, allowed)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        for method in ("HEAD", "GET"):
            answer, location = _request(method, url, path, _Pinned(parts.hostname, port, address, parts.scheme, context))
            if answer.status not in (400, 403, 404, 405, 406, 501):  # some servers answer HEAD otherwise than GET
                break
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_reason(error)) from None
    return answer, location


def _resolve(host: str, port: int, allowed: Callable[[IPAddress], bool]) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, name in found:
        if not allowed(ipaddress.ip_address(str(name[0]).partition("%")[0])):
            raise NotAllowed(f"{host} is {name[0]}, a machine of this office's own network")
    return str(found[0][4][0])


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was judged, under the name that was asked for."""

    def __init__(self, host: str, port: int, address: str, scheme: str, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self.default_port = 443 if scheme == "https" else 80
        self._address = address
        self._context = (context or ssl.create_default_context()) if scheme == "https" else None

    def connect(self) -> None:
        """Connect to the address, never to what the name may say by now."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


def _request(method: str, url: str, path: str, connection: _Pinned) -> tuple[Answer, str | None]:
    try:
        connection.request(method, path, headers={"User-Agent": _AGENT, "Accept": "*/*"})
        reply = connection.getresponse()
        size = len(reply.read(LARGEST + 1)) if method == "GET" else int(reply.getheader("Content-Length") or 0)
        media_type = (reply.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        location = reply.getheader("Location") if reply.status in (301, 302, 303, 307, 308) else None
        return Answer(reply.status, url, media_type, size), location
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    match error:
        case socket.gaierror():
            return "there is no such server"
        case TimeoutError():
            return "no answer came in time"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case ConnectionRefusedError():
            return "the server refuses the connection"
        case OSError():
            return error.strerror or str(error)
        case _:
            return "the answer is no HTTP"
