"""The text of an SPF record becomes its terms (RFC 7208 §12)."""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

#: How every SPF record begins (RFC 7208 §4.5).
_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![A-Za-z0-9._=-])(.*)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)")
_MACRO_STRING = re.compile(r"(?:%\{[slodiphcrtv]\d*r?[.+,/_=-]*\}|%%|%_|%-|[!-$&-~])+", re.IGNORECASE)
_WITH_LENGTHS = re.compile(r"(?::([^/]+))?(?:/(\d{1,2}))?(?://(\d{1,3}))?")

Kind = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]


class SpfSyntax(ValueError):
    """A part of a record that is none by RFC 7208; ``part`` is that part."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism. ``target`` is the domain with its macros, None for the one that is asked about; ``lengths`` the CIDR prefix
    lengths for IPv4 and IPv6; ``network`` what ``ip4`` and ``ip6`` name."""

    qualifier: str
    kind: Kind
    target: str | None = None
    lengths: tuple[int, int] = (32, 128)
    network: IPv4Network | IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record."""

    terms: tuple[Term, ...]
    redirect: str | None = None

    @property
    def final(self) -> str | None:
        """The qualifier of its ``all``, None where it has none."""
        return next((term.qualifier for term in self.terms if term.kind == "all"), None)


def is_spf(text: str) -> bool:
    """Whether a TXT record is meant as SPF."""
    return _VERSION.match(text) is not None


def read_record(text: str) -> Record:
    """The terms of a record. Raises :class:`SpfSyntax`; no receiver uses any of it then (RFC 7208 §4.6)."""
    if not is_spf(text):
        raise SpfSyntax(text[:20])
    terms: list[Term] = []
    redirects: list[str] = []
    for part in text[len("v=spf1") :].split(" "):
        if not part:
            continue
        if found := _DIRECTIVE.fullmatch(part):
            terms.append(_term(part, found[1] or "+", found[2].lower(), found[3]))
        elif (modifier := _MODIFIER.fullmatch(part)) is None:
            raise SpfSyntax(part)
        elif modifier[1].lower() == "redirect":
            redirects.append(_domain(part, modifier[2]))
    if len(redirects) > 1:
        raise SpfSyntax(f"redirect={redirects[1]}")
    return Record(tuple(terms), redirects[0] if redirects else None)


def _term(part: str, qualifier: str, kind: str, rest: str) -> Term:
    match kind:
        case "all" if not rest:
            return Term(qualifier, "all")
        case "ip4" | "ip6" if rest.startswith(":"):
            return Term(qualifier, "ip4" if kind == "ip4" else "ip6", network=_network(part, kind, rest[1:]))
        case "include" | "exists" if rest.startswith(":"):
            return Term(qualifier, "include" if kind == "include" else "exists", _domain(part, rest[1:]))
        case "ptr" if not rest or rest.startswith(":"):
            return Term(qualifier, "ptr", _domain(part, rest[1:]) if rest else None)
        case "a" | "mx" if found := _WITH_LENGTHS.fullmatch(rest):
            lengths = (int(found[2] or 32), int(found[3] or 128))
            if lengths[0] <= 32 and lengths[1] <= 128:
                target = _domain(part, found[1]) if found[1] else None
                return Term(qualifier, "a" if kind == "a" else "mx", target, lengths)
    raise SpfSyntax(part)


def _network(part: str, kind: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ipaddress.IPv4Network(text, strict=False) if kind == "ip4" else ipaddress.IPv6Network(text, strict=False)
    except ValueError:
        raise SpfSyntax(part) from None


def _domain(part: str, text: str) -> str:
    if not _MACRO_STRING.fullmatch(text):
        raise SpfSyntax(part)
    return text
