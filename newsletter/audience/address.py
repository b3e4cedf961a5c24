"""A cell of a recipient list becomes an address as it goes on the wire, and the key by which two rows are the same recipient."""

import re
import unicodedata
from typing import NamedTuple

#: A plain ASCII address in small letters; whatever it matches, email-validator accepts too (a test holds them together). All else
#: goes there.
_PLAIN = re.compile(
    r"""[a-z0-9_!#$%&'*+\-/=?^`{|}~]+ (?: \. [a-z0-9_!#$%&'*+\-/=?^`{|}~]+ )*
        @ (?: (?! - | ..-- ) [a-z0-9-]{1,63}+ (?<!-) \. )++              # RFC 1123 §2.1; Punycode is left to email-validator
        (?! (?: arpa | invalid | local | localhost | onion | test ) \Z ) [a-z]{2,63}""",
    re.VERBOSE | re.ASCII,
)
_LONGEST = 254  # RFC 5321 §4.5.3.1.3
_LONGEST_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1; email-validator lets longer ones pass

_MAILTO = re.compile(r"mailto:\s*([^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")

#: Why an address was refused, most telling first; only asked once it is known to be wrong.
_FAULTS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), reason)
    for pattern, reason in (
        (r"^[^@]*[＠﹫]", "has an @ of another script; write the plain @"),
        (r"^[^@]*$", "has no @"),
        (r"@[^@]*[\s,;/|<>&][^@]*@", "holds two addresses in one cell; give each its own row"),
        (r"@.*@", "has more than one @"),
        (r"^\s*@", "has nothing before the @"),
        (r"@\s*$", "has nothing after the @"),
        (r"\s", "contains a blank"),
        (r'"', "has quotes before the @, which is not supported"),  # S4: quoted local parts are how mail is mis-routed
        (r"@\[", "has a number in brackets after the @ where a domain must stand"),
        (r"\.$", "ends with a dot"),
        (r"^\.", "starts with a dot"),
        (r"\.@", "has a dot before the @"),
        (r"@\.", "has a dot behind the @"),
        (r"\.\.", "has two dots in a row"),
        (r"@[^.]*,[^.]*$", "has a comma where a dot must stand"),
        (r"@[^.]+$", "has no dot after the @, so its domain is not whole"),
        (r"\.(arpa|invalid|local|localhost|onion|test)$", "ends in a name that does not exist on the Internet"),
    )
)


class Address(NamedTuple):
    """``spelling`` goes on the wire (the domain of an IDN as U-label), ``key`` is equal for two spellings of one recipient."""

    spelling: str
    key: str


def normalise(cell: str) -> Address:
    """Read one address as spreadsheets hold it.

    What is certainly no part of it is taken off: blanks, no-break and zero-width ones too, quotes and angle brackets around
    it, ``,`` and ``;`` at its ends, ``mailto:``, and the name of ``Jörg Müller <joerg@…>``. The rest must be an address by
    RFC 5321/6531 without quotes and domain literals (S4), of which a message can be made; nothing is transliterated (B20).

    ``spelling`` keeps upper and lower case; letters are in NFC (RFC 6532 §3.1), a domain beyond ASCII in the mapped form of
    UTS #46, from which ``idna.encode`` makes the A-label. ``key`` is all lower-case, its domain the A-label.

    Raises ValueError with a plain sentence that has the address as its subject: ``has no @``.
    """
    text = cell.strip()
    if found := _plain(text):
        return found
    bare = _bare(text)
    return _plain(bare) or _checked(bare)


def _plain(text: str) -> Address | None:
    """An address as most are, without a second look."""
    key = text.lower()
    # isascii(): there are letters beyond ASCII whose small form is within.
    plain = text.isascii() and _PLAIN.fullmatch(key) and len(key) <= _LONGEST
    return Address(text, key) if plain and text.index("@") <= _LONGEST_LOCAL_PART and "=?" not in text else None


def _bare(text: str) -> str:
    """The text without what stands around the address. Raises ValueError where the name before it is another address."""
    before = None
    while text != before:
        before = text
        text = _trimmed(text)
        if mailto := _MAILTO.fullmatch(text):
            text = mailto[1]
        elif named := _NAMED.fullmatch(text):
            name, text = _trimmed(named["name"]).strip("'\""), named["address"]
            if "@" in name and name.casefold() != text.strip().casefold():
                raise ValueError("holds two addresses in one cell; give each its own row")
        elif text[:1] == text[-1:] and text[:1] in ("'", '"'):
            text = text[1:-1]
        elif text.count("<") + text.count(">") == 1:
            text = text.removeprefix("<").removesuffix(">")
    return text


def _trimmed(text: str) -> str:
    """Without blanks, invisible characters and separators at both ends."""
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_around(char: str) -> bool:
    # NUL is kept, so that it is refused; Cf are the zero-width characters, the BOM and the direction marks.
    return char in ",;" or char.isspace() or unicodedata.category(char) == "Cf"


def _checked(text: str) -> Address:
    """The address as email-validator reads it. Raises ValueError."""
    from email_validator import EmailNotValidError, validate_email

    if not text:
        raise ValueError("is empty")
    for char in text:
        if char in "\0\ufffd" or unicodedata.category(char) == "Cs":
            raise ValueError("contains a character that could not be read; write it anew")
        if unicodedata.category(char) in ("Cf", "Cc") and not char.isspace():
            raise ValueError(f"contains an invisible character ({unicodedata.name(char, f'U+{ord(char):04X}')}); write it anew")
    try:
        found = validate_email(
            text, allow_smtputf8=True, allow_quoted_local=False, allow_domain_literal=False, check_deliverability=False
        )
    except EmailNotValidError as error:
        raise ValueError(_fault(text, str(error))) from None
    written, _, written_domain = text.rpartition("@")
    local = unicodedata.normalize("NFC", written)
    if "=?" in local:  # S1: in a header it begins an encoded word
        raise ValueError("has =? before the @, which mail programs take for the beginning of encoded text")
    if len(local.encode()) > _LONGEST_LOCAL_PART:
        raise ValueError(f"has more than {_LONGEST_LOCAL_PART} octets before the @; no server takes that")
    key = unicodedata.normalize("NFC", local.lower())
    domain = written_domain if written_domain.isascii() else found.domain
    return Address(f"{local}@{domain}", f"{key}@{found.ascii_domain}")


def _fault(text: str, otherwise: str) -> str:
    for pattern, reason in _FAULTS:
        if pattern.search(text):
            return reason
    return f"is no mail address: {otherwise[:1].lower()}{otherwise[1:].rstrip('.')}"


def masked(address: str) -> str:
    """An address as lists of what is left to be done show it, enough for who knows it already: ``a…@example.org`` (S22)."""
    local, _, domain = address.rpartition("@")
    shown = f"{local[:1]}…@{domain[:80]}" if local else "…"
    return "".join(char if char.isprintable() else "�" for char in shown)
