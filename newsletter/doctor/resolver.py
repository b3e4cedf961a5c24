"""Names become what DNS knows of them; each question has a time limit."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import dns.exception
import dns.name
import dns.resolver

from newsletter.problem import complaint

#: Seconds for one question, over all servers and tries.
_PATIENCE = 5.0

Address = IPv4Address | IPv6Address


class NoDns(Exception):
    """DNS could not be asked; the message is a few words for people."""


class Dns:
    """Asks the servers of this machine, or ``server``: an address, with ``:port`` where it is not 53.

    Raises :class:`NoDns` where this machine names no server, :class:`~newsletter.problem.InputError` where ``server`` is none. An
    answer is kept for as long as it holds.
    """

    def __init__(self, server: str | None = None) -> None:
        place = None if server is None else _place(server)
        try:
            self._resolver = dns.resolver.Resolver(configure=place is None)
        except (dns.exception.DNSException, OSError) as error:
            raise NoDns(str(error)) from None
        if place is not None:
            self._resolver.nameservers, self._resolver.port = [place[0]], place[1]
        self._resolver.lifetime = _PATIENCE
        self._resolver.cache = dns.resolver.LRUCache()

    def texts(self, name: str) -> list[str]:
        """The TXT records, the strings of each joined (RFC 7208 §3.3)."""
        return [b"".join(record.strings).decode("ascii", "replace") for record in self._ask(name, "TXT")]

    def addresses(self, name: str, version: int | None = None) -> list[Address]:
        """The addresses of IP ``version`` 4 or 6, or of both."""
        kinds = {4: ("A",), 6: ("AAAA",), None: ("A", "AAAA")}[version]
        return [ipaddress.ip_address(record.address) for kind in kinds for record in self._ask(name, kind)]

    def exchangers(self, name: str) -> list[str]:
        """The names of the MX records, the most preferred first; ``.`` is a null MX (RFC 7505)."""
        records = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [record.exchange.to_text().rstrip(".") or "." for record in records]

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            absolute = dns.name.from_text(name.rstrip(".") + ".")
            return list(self._resolver.resolve(absolute, kind, raise_on_no_answer=False, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
            return []
        except (dns.resolver.NoNameservers, dns.resolver.LifetimeTimeout, OSError) as error:
            silent = isinstance(error, dns.resolver.LifetimeTimeout)
            raise NoDns(f"no answer about {name}" if silent else f"the servers cannot answer about {name}") from None
        except dns.exception.DNSException:  # no name at all: nobody can have a record there (RFC 7208 §4.3)
            return []


def _place(server: str) -> tuple[str, int]:
    """An address and its port."""
    try:
        return str(ipaddress.ip_address(server.strip("[]"))), 53
    except ValueError:
        host, _, port = server.rpartition(":")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise complaint(f"{server!r} is no address of a DNS server; write 192.0.2.53 or 192.0.2.53:5353") from None
