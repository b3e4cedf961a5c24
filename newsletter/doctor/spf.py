"""A sender's domain and the address of its relay become what a receiver makes of them: check_host() of RFC 7208 §4, all of it.

A receiver stops at the first match; here every term is followed, for what counts is what those cost whom nothing matches.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from newsletter.doctor.resolver import Address, Dns
from newsletter.doctor.spf_record import Record, Term, is_spf, read_record

#: RFC 7208 §4.6.4: questions that the terms of a record may cost, answers among them that may be empty, and hosts of an ``mx``.
MOST_LOOKUPS, MOST_VOIDS, MOST_HOSTS = 10, 2, 10
#: Where to stop following a record that is far beyond the limit.
_ENOUGH = 50
T = TypeVar("T")
_MACRO = re.compile(r"%(?:\{([slodiphcrtv])(\d*)(r?)([.+,/_=-]*)\}|([%_-]))", re.IGNORECASE)


class SpfError(Exception):
    """A permanent error (RFC 7208 §2.6.7): ``kind`` is none, several, hosts or loop; ``domain`` where."""

    def __init__(self, kind: str, domain: str) -> None:
        super().__init__(f"{kind}: {domain}")
        self.kind = kind
        self.domain = domain


@dataclass(slots=True)
class Walk:
    """One evaluation for one address; ``relay`` is None where it is not known: then nothing matches but ``all``.

    ``lookups`` and ``voids`` are the questions asked and those of them without an answer; ``ptr`` says whether a record has one.
    """

    dns: Dns
    sender: str
    relay: Address | None
    helo: str = "unknown"
    lookups: int = 0
    voids: int = 0
    ptr: bool = False
    _inside: list[str] = field(default_factory=list)

    def check(self, domain: str) -> str | None:
        """The qualifier of the first term that matches, None where none does. ``+`` is a pass.

        Raises :class:`SpfError`, :class:`~newsletter.doctor.spf_record.SpfSyntax`, :class:`~newsletter.doctor.resolver.NoDns`.
        """
        if domain.lower() in self._inside:
            raise SpfError("loop", domain)
        self._inside.append(domain.lower())
        record = self.record(domain)
        result: str | None = None
        for term in record.terms:
            if self._matches(term, domain) and result is None:
                result = term.qualifier
        if record.redirect is not None and record.final is None:
            target = self._count(record.redirect, domain)
            if target is not None:
                nested = self.check(target)
                result = nested if result is None else result
        self._inside.pop()
        return result

    def record(self, domain: str) -> Record:
        """The one SPF record of a domain."""
        texts = [text for text in self.dns.texts(domain) if is_spf(text)]
        if len(texts) != 1:
            raise SpfError("several" if texts else "none", domain)
        return read_record(texts[0])

    def _matches(self, term: Term, domain: str) -> bool:
        if term.kind == "all":
            return True
        if term.network is not None:
            return self.relay in term.network if self.relay is not None else False
        target = self._count(term.target or domain, domain)
        if term.kind == "ptr":  # RFC 7208 §5.5: should not be used; many receivers do not look
            self.ptr = True
            return False
        if target is None:
            return False
        if term.kind == "include":
            return self.check(target) == "+"
        if term.kind == "exists":
            return bool(self._answer(self.dns.addresses(target, 4)))
        names = self._hosts(target) if term.kind == "mx" else [target]
        return any(self._named(self._answer(self._addresses(name)), term) for name in names)

    def _count(self, spec: str, domain: str) -> str | None:
        """The domain that a term names, its question counted; None where it depends on an address that is not known."""
        self.lookups += 1
        if self.lookups > _ENOUGH:
            raise SpfError("loop", domain)
        return expand(spec, domain, self.sender, self.relay, self.helo)

    def _hosts(self, domain: str) -> list[str]:
        hosts = self._answer([host for host in self.dns.exchangers(domain) if host != "."])
        if len(hosts) > MOST_HOSTS:
            raise SpfError("hosts", domain)
        return hosts

    def _addresses(self, name: str) -> list[Address]:
        return self.dns.addresses(name, self.relay.version if self.relay is not None else None)

    def _answer(self, found: list[T]) -> list[T]:
        if not found:
            self.voids += 1
        return found

    def _named(self, addresses: list[Address], term: Term) -> bool:
        if self.relay is None:
            return False
        length = term.lengths[0 if self.relay.version == 4 else 1]
        return any(self.relay in ipaddress.ip_network((address, length), strict=False) for address in addresses)


def expand(spec: str, domain: str, sender: str, relay: Address | None, helo: str) -> str | None:
    """A domain with its macros filled (RFC 7208 §7); None where one needs the address and that is not known."""
    local, _, sender_domain = sender.rpartition("@")
    address = None if relay is None else (str(relay) if relay.version == 4 else ".".join(relay.exploded.replace(":", "")))
    values = {"s": sender, "l": local, "o": sender_domain, "d": domain, "i": address, "p": "unknown", "h": helo}
    values["v"] = None if relay is None else ("in-addr" if relay.version == 4 else "ip6")
    values |= {"c": address, "r": "unknown", "t": "0"}  # RFC 7208 §7.2: for explanations alone
    unknown = False

    def fill(found: re.Match[str]) -> str:
        nonlocal unknown
        if found[5]:
            return {"%": "%", "_": " ", "-": "%20"}[found[5]]
        value = values[found[1].lower()]
        if value is None:
            unknown = True
            return ""
        pieces = re.split(f"[{re.escape(found[4] or '.')}]", value)
        pieces = pieces[::-1] if found[3] else pieces
        kept = pieces[-int(found[2]) :] if found[2] and int(found[2]) else pieces
        filled = ".".join(kept)
        return quote(filled, safe="") if found[1].isupper() else filled

    expanded = _MACRO.sub(fill, spec)
    return None if unknown else expanded
