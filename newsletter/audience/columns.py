"""The first row of a recipient list becomes field names: the address, the usual names in German and English, merge fields."""

import re
import unicodedata
from collections.abc import Sequence

from newsletter.audience.address import normalise
from newsletter.issue.text import RESERVED

#: The field that the address column becomes.
ADDRESS = "email"
#: More columns than any list has; such a file is something else.
MOST_COLUMNS = 500

#: Headings without case, blanks, dashes and underscores -> field.
_USUAL = {
    heading: field
    for field, headings in {
        ADDRESS: "email mail emailadresse emailaddresse emailaddress mailadresse mailaddress email1value",
        "first_name": "vorname vornamen firstname givenname forename fname",
        "last_name": "nachname familienname zuname lastname surname familyname lname",
        "name": "name fullname vollername vollstaendigername displayname anzeigename vorundnachname vornamenachname",
        "salutation": "anrede briefanrede salutation",
        "language": "sprache language lang",
        "tags": "tags tag schlagworte stichworte themen",
    }.items()
    for heading in headings.split()
}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class HeaderError(ValueError):
    """The first row does not name the columns as it should; the message says how to mend it."""


def field_names(header: Sequence[str]) -> tuple[str | None, ...]:
    """The field of each column, in order; None for a column without a heading, and none at all for such columns at the end.

    ``Name`` beside ``Vorname`` is the last name, unless there is ``Nachname`` too; ``Anrede`` beside ``Briefanrede`` stays
    ``anrede``. Other headings become lower-case names: ``Straße Nr.`` is ``strasse_nr``.

    Raises :class:`HeaderError` where the address column is missing or there are two, where two columns become the same
    field, where one takes a name that the program fills in, or where the row holds an address instead of headings.
    """
    headings = [" ".join(_visible(cell).split()) for cell in header]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MOST_COLUMNS:
        raise HeaderError(f"has {len(headings)} columns; at most {MOST_COLUMNS} are read")
    names = _told_apart([_field(heading, number) for number, heading in enumerate(headings, 1)], headings)
    if ADDRESS not in names:
        raise HeaderError(_no_address(headings))
    _unique(names, headings)
    return tuple(names)


def _visible(text: str) -> str:
    return "".join(char for char in text if char.isspace() or unicodedata.category(char) not in ("Cf", "Cc", "Cs"))


def _field(heading: str, number: int) -> str | None:
    if not heading:
        return None
    lower = unicodedata.normalize("NFC", heading).lower().translate(_UMLAUTS)
    plain = "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not name:  # a heading in a script that merge fields cannot be written in
        return f"column_{number}"
    return _USUAL.get(name.replace("_", ""), f"_{name}" if name[0].isdigit() else name)


def _told_apart(names: list[str | None], headings: list[str]) -> list[str | None]:
    """Settle the headings whose meaning hangs on the others."""
    if "first_name" in names and "last_name" not in names:
        names = ["last_name" if name == "name" else name for name in names]
    if names.count("salutation") == 2:
        lower = [heading.lower() for heading in headings]
        if "anrede" in lower and ("briefanrede" in lower or "salutation" in lower):
            names[lower.index("anrede")] = "anrede"
    return names


def _no_address(headings: list[str]) -> str:
    for heading in headings:
        try:
            normalise(heading)
        except ValueError:
            continue
        return "the first line must name the columns, e.g. email;vorname;nachname; here it already holds an address"
    there = ", ".join(repr(heading[:40]) for heading in headings[:8] if heading)
    return f"no column is named email or E-Mail, so the addresses are not known; the columns are: {there}"


def _unique(names: list[str | None], headings: list[str]) -> None:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name is None:
            continue
        if name in RESERVED:
            raise HeaderError(f"the column {headings[index]!r} has a name that the program fills in itself; rename it")
        if name in first:
            both = f"columns {first[name] + 1} ({headings[first[name]][:40]!r}) and {index + 1} ({headings[index][:40]!r})"
            what = "both hold the address; keep one of them, or rename it" if name == ADDRESS else f"both mean {name}; rename one"
            raise HeaderError(f"{both} {what}")
        first[name] = index
