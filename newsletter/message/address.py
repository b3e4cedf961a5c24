"""An address as people write it becomes the address on the wire, in ``To`` and in the envelope alike (S4, B20)."""

import re

import idna

from newsletter.message.headers import HeaderError, check_value

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_UTF8_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ASCII = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LOCAL_PART = re.compile(rf"{_UTF8_ATOM}(?:\.{_UTF8_ATOM})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
#: Octets of a local part, a domain and a whole address (RFC 5321 §4.5.3.1; a path is the address and its brackets).
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN, _LONGEST = 64, 253, 254


def wire_address(address: str, header: str = "To") -> str:
    """The address as it goes on the wire: the domain as A-label, the rest as it was written.

    Exactly one bare address is taken: no name, no brackets, no comment, no quoted local part, no domain literal, no blank
    (S4). A local part outside ASCII stays as it is; the relay must then offer SMTPUTF8 (:func:`needs_smtputf8`).
    Raises :class:`HeaderError` that names ``header``.
    """
    if len(address) <= _LONGEST_LOCAL_PART and _ASCII.fullmatch(address) and "=?" not in address:
        return address
    check_value(header, address)
    local, at, domain = address.rpartition("@")
    if not at or "@" in local:
        raise HeaderError(header, "is not one address; write it like name@example.org")
    if not local.isprintable() or not _LOCAL_PART.fullmatch(local) or "=?" in local:
        raise HeaderError(
            header, "has characters before the @ that an address cannot have (blanks, quotes, brackets, two dots …)"
        )
    if len(local.encode()) > _LONGEST_LOCAL_PART:
        raise HeaderError(header, f"has more than {_LONGEST_LOCAL_PART} octets before the @; no server takes that")
    whole = f"{local}@{wire_domain(domain, header)}"
    if len(whole.encode()) > _LONGEST:
        raise HeaderError(header, f"has more than {_LONGEST} octets; no server takes that")
    return whole


def wire_domain(domain: str, header: str) -> str:
    """A domain as A-label (RFC 5891); an ASCII one as it was written. Raises :class:`HeaderError` that names ``header``."""
    if not domain.isascii() and len(domain) <= _LONGEST_DOMAIN:
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except UnicodeError:  # IDNAError is one
            domain = ""
    if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise HeaderError(header, "has no valid domain after the @; write it like name@example.org")
    return domain


def needs_smtputf8(address: str) -> bool:
    """Whether mail to this address can only go through a relay that offers SMTPUTF8 (RFC 6531): its local part is not ASCII."""
    return not address.rpartition("@")[0].isascii()
