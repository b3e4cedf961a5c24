"""An issue compiled with its layout: static pieces and slots for HTML, text and subject; immutable, named by its hash."""

import hashlib
import html
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from newsletter.issue.only import Condition
from newsletter.issue.variant import Choice

#: Where in a part a slot stands; it decides how the value is escaped.
Place = Literal["plain", "text", "attribute", "url"]

VIEW = "view_url"
UNSUBSCRIBE = "unsubscribe_url"
#: What a mail has to say in its subject to take its sender off the list.
LEAVING = "unsubscribe_subject"
#: The slots that the program fills, with what is each recipient's own; all others are merge fields.
OWN = frozenset({VIEW, UNSUBSCRIBE, LEAVING})


class MissingValue(Exception):
    """A merge field without a default has no value for a recipient. ``name`` is the field's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no value for the merge field {name!r}, and it has no default")
        self.name = name


def clean(value: str) -> str:
    """One line without control characters: what a value of a recipient may be anywhere in a message (S1, B18, B21)."""
    if value.isprintable():
        return value
    spaced = "".join(" " if char.isspace() or char in "\x85\u2028\u2029" else char for char in value)
    return "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cs"))


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in an edition that differs per recipient: a merge field, the view link, or what takes him off the list."""

    name: str
    default: str | None
    place: Place

    def value(self, values: Mapping[str, str]) -> str:
        """The recipient's value, else the default, not yet escaped. Raises :class:`MissingValue` where there is neither."""
        if value := self._given(values):
            return value
        if self.default is None:
            raise MissingValue(self.name)
        return self.default

    def has_value(self, values: Mapping[str, str]) -> bool:
        """Whether there is a value or a default."""
        return self.default is not None or bool(self._given(values))

    def _given(self, values: Mapping[str, str]) -> str:
        value = values.get(self.name, "")
        return (value if value.isprintable() else clean(value)).strip()

    def fill(self, values: Mapping[str, str]) -> str:
        """The value as it goes into the part: HTML-escaped in ``text``, ``attribute`` and ``url``, as it is in ``plain``."""
        value = self.value(values)
        return value if self.place == "plain" else html.escape(value, quote=True)


@dataclass(frozen=True, slots=True)
class Part:
    """Literal pieces and slots, in order."""

    pieces: tuple[str | Slot, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The whole text for one recipient. Raises :class:`MissingValue`."""
        return "".join(piece if isinstance(piece, str) else piece.fill(values) for piece in self.pieces)

    def slots(self) -> Iterator[Slot]:
        """The slots in order, repeated ones repeated."""
        return (piece for piece in self.pieces if isinstance(piece, Slot))

    def as_json(self) -> list[Any]:
        """Plain data: a string a piece, ``[name, default, place]`` a slot."""
        return [piece if isinstance(piece, str) else [piece.name, piece.default, piece.place] for piece in self.pieces]

    @classmethod
    def from_json(cls, data: list[Any]) -> "Part":
        """The reverse of :meth:`as_json`."""
        return cls(tuple(piece if isinstance(piece, str) else Slot(*piece) for piece in data))


@dataclass(frozen=True, slots=True)
class Headers:
    """What every message of the edition says in its headers: plain, checked values, not yet encoded.

    ``unsubscribe_email`` takes mails of those who leave. ``static`` says that this is the only way to leave, and that the view
    link leads to the page for everyone: there is no service that acts.
    """

    from_name: str
    from_email: str
    reply_to: str | None
    list_id: str
    list_name: str
    language: str
    unsubscribe_email: str | None = None
    static: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data, by name; what came later is only in it where it says something, so that an older edition keeps its hash."""
        values = {name: getattr(self, name) for name in Headers.__slots__}
        later = ("unsubscribe_email", "static")
        return {name: value for name, value in values.items() if value or name not in later}


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture as readers load it; ``name`` is made of the hash of ``data`` (``3f….jpg``)."""

    name: str
    media_type: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that every message carries. ``name`` is :attr:`PREFIX` and its content's hash, ``filename`` what recipients see."""

    #: Tells attachments from pictures, which are given out to everyone who asks for one by its name.
    PREFIX: ClassVar[str] = "attached-"

    name: str
    filename: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Variant:
    """What those recipients get for whom the same conditions hold; ``name`` has a digit for each, 1 where it does."""

    name: str
    text: Part
    html: Part
    attachments: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True)
class Edition:
    """What is sent: the same for all recipients but for the slots, and but for the variants where an issue has ``conditions``.

    ``inline`` says that the pictures travel inside the message, where the HTML names them ``cid:…`` (:func:`cid_url`);
    else their addresses lead to the web. ``text``, ``html`` and ``attachments`` are what somebody gets who speaks the issue's
    language and has no tags: the one for the public. ``variants`` are the others, ``pictures`` those of all.
    ``sources`` says of which file of the issue each picture was made; it is known while the edition is fresh, and not stored.
    """

    title: str
    headers: Headers
    subject: Part
    text: Part
    html: Part
    pictures: tuple[PictureFile, ...] = ()
    inline: bool = False
    attachments: tuple[AttachedFile, ...] = ()
    conditions: tuple[Condition, ...] = ()
    variants: tuple[Variant, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over headers, pieces, pictures and attachments, in hex: the edition's name."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def choice(self) -> Choice:
        """Which variant a recipient gets, by name; None for everyone where there are no conditions."""
        return Choice(self.conditions, self.headers.language)

    @property
    def open_variant(self) -> str | None:
        """The name of the variant of those who speak the issue's language and have no tags; None where all get the same."""
        return self.choice({})

    @cached_property
    def variant_names(self) -> frozenset[str | None]:
        """The names of all variants it has, the open one's included; None alone where all recipients get the same."""
        return frozenset((self.open_variant, *(variant.name for variant in self.variants)))

    def variant(self, name: str | None) -> "Edition":
        """One variant as an edition of its own, the same for all who get it; itself where it has no conditions.

        Raises KeyError where it has no variant of that name.
        """
        if name == self.open_variant:
            return replace(self, conditions=(), variants=()) if self.conditions else self
        chosen = next((variant for variant in self.variants if variant.name == name), None)
        if chosen is None:
            raise KeyError(f"the edition has no variant {name}")
        alone = replace(self, conditions=(), variants=())
        return replace(alone, text=chosen.text, html=chosen.html, attachments=chosen.attachments)

    @property
    def fields(self) -> tuple[Slot, ...]:
        """The merge fields that recipients must or may fill, each name once; one without a default wins over one with."""
        found: dict[str, Slot] = {}
        parts = (part for variant in self.variants for part in (variant.text, variant.html))
        for part in (self.subject, self.text, self.html, *parts):
            for slot in part.slots():
                if slot.name in OWN:
                    continue
                known = found.get(slot.name)
                if known is None or (known.default is not None and slot.default is None):
                    found[slot.name] = slot
        return tuple(found.values())

    @property
    def files(self) -> tuple[PictureFile | AttachedFile, ...]:
        """The pictures and attachments: what :meth:`to_json` names, but does not hold."""
        attached = (*self.attachments, *(file for variant in self.variants for file in variant.attachments))
        return (*self.pictures, *dict.fromkeys(attached))

    def content_id(self, picture: str) -> str:
        """The Content-ID of a picture inside the message, without its brackets: its name and the List-Id (RFC 2392)."""
        return f"{picture}@{self.headers.list_id}"

    @property
    def embedded(self) -> tuple[PictureFile, ...]:
        """The pictures that travel inside the message: those of an ``inline`` edition that its HTML shows (B16)."""
        if not self.inline:
            return ()
        html_ = "".join(piece for piece in self.html.pieces if isinstance(piece, str))
        return tuple(picture for picture in self.pictures if cid_url(picture.name, self.headers.list_id) in html_)

    def html_on_the_web(self, picture_url: Callable[[str], str]) -> Part:
        """The HTML for a browser: a picture that travels inside the message is shown from ``picture_url(name)`` instead."""
        pieces = list(self.html.pieces)
        for picture in self.embedded:
            inside, outside = cid_url(picture.name, self.headers.list_id), picture_url(picture.name)
            pieces = [piece.replace(inside, outside) if isinstance(piece, str) else piece for piece in pieces]
        return Part(tuple(pieces))

    def to_json(self) -> str:
        """Everything but the bytes of pictures and attachments, which are named by their hash; the form in which it is stored.

        What an edition does not have is not in it, so that an older one keeps its hash.
        """
        data: dict[str, Any] = {
            "title": self.title,
            "headers": self.headers.as_json(),
            "subject": self.subject.as_json(),
            "text": self.text.as_json(),
            "html": self.html.as_json(),
            "pictures": [[p.name, p.media_type, p.width, p.height] for p in self.pictures],
        }
        if self.inline:
            data["inline"] = True
        if self.attachments:
            data["attachments"] = _attached_json(self.attachments)
        if self.conditions:
            data["conditions"] = self.conditions
            data["variants"] = [
                [variant.name, variant.text.as_json(), variant.html.as_json(), _attached_json(variant.attachments)]
                for variant in self.variants
            ]
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, stored: str, files: Mapping[str, bytes]) -> "Edition":
        """The reverse of :meth:`to_json`; ``files`` gives the bytes by name (missing ones are empty)."""
        data = json.loads(stored)
        return cls(
            title=data["title"],
            headers=Headers(**data["headers"]),
            subject=Part.from_json(data["subject"]),
            text=Part.from_json(data["text"]),
            html=Part.from_json(data["html"]),
            pictures=tuple(PictureFile(row[0], row[1], row[2], row[3], files.get(row[0], b"")) for row in data["pictures"]),
            inline=data.get("inline", False),
            attachments=_attached(data.get("attachments", ()), files),
            conditions=tuple(Condition(*map(tuple, row)) for row in data.get("conditions", ())),
            variants=tuple(
                Variant(name, Part.from_json(text), Part.from_json(html_), _attached(attached, files))
                for name, text, html_, attached in data.get("variants", ())
            ),
        )


def _attached_json(files: tuple[AttachedFile, ...]) -> list[list[str]]:
    return [[file.name, file.filename, file.media_type] for file in files]


def _attached(rows: Iterable[list[str]], files: Mapping[str, bytes]) -> tuple[AttachedFile, ...]:
    return tuple(AttachedFile(row[0], row[1], row[2], files.get(row[0], b"")) for row in rows)


def cid_url(picture: str, list_id: str) -> str:
    """The address by which the HTML shows a picture inside the message: its Content-ID, percent-encoded (RFC 2392 §2)."""
    return f"cid:{quote(f'{picture}@{list_id}', safe='@')}"
