"""An edition becomes pieces that are encoded once; with a recipient they become the bytes of the message."""

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import format_datetime

from newsletter.compose.edition import Edition, Headers, Part, Slot
from newsletter.message.address import needs_smtputf8, wire_address
from newsletter.message.file_part import FilePart
from newsletter.message.headers import HeaderError, list_id, mailbox, unstructured
from newsletter.message.message_id import check_message_id
from newsletter.message.quoted_printable import SOFT_BREAK, encode
from newsletter.message.stuffed import END, Stuffed, double_dots
from newsletter.message.way_out import WayOut

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


class _Place:
    """Where the value of one slot goes: indices of pieces, as it is and HTML-escaped."""

    __slots__ = ("escaped", "plain", "slot")

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.plain: list[int] = []
        self.escaped: list[int] = []


class MessageTemplate:
    """The messages of one edition; what is the same for all recipients is encoded when the template is made.

    ``one_click`` puts List-Unsubscribe and List-Unsubscribe-Post into the header (RFC 8058; B5, B6): the https address, behind it
    the mailto link where the edition has an ``unsubscribe_email``; the mailto link alone, and no List-Unsubscribe-Post, where its
    links are ``static``. Without it a message has neither field: for a test, which nobody can unsubscribe from. ``automatic`` is
    for a mail that answers what somebody just did: Auto-Submitted (RFC 3834 §5) stands in place of List-Id and Precedence.
    ``domain`` is the From address's, where each Message-ID ends. ``pictures`` and ``attachments`` are the files that each message
    carries (B16).

    Of an edition with variants it makes the open one's messages; :meth:`of` gives the template of each.

    Raises :class:`~newsletter.message.headers.HeaderError` where a value of the edition may not go into a header (S1), ValueError
    where the edition was loaded without the files that its messages carry.
    """

    def __init__(self, edition: Edition, one_click: bool = True, automatic: bool = False) -> None:
        said = edition.headers
        sender = _ascii_address("From", said.from_email)
        self.domain = sender.rpartition("@")[2]
        if "." not in self.domain:
            raise HeaderError("From", "needs an address with a full domain, such as newsletter@example.org")  # B1, B3
        self._one_click = one_click
        self._way_out = WayOut(said)
        self._from = mailbox("From", said.from_name, sender)
        self._reply_to = f"Reply-To: {_ascii_address('Reply-To', said.reply_to)}\r\n" if said.reply_to else ""
        self._subject_part = edition.subject
        self._subject = "" if any(edition.subject.slots()) else unstructured("Subject", edition.subject.fill({}))
        self._last_date: tuple[datetime | None, str] = (None, "")
        self._automatic = automatic
        # The recipient's own pieces and those of all take turns; the first is the recipient's own header.
        self._pieces: list[bytes] = [b"", _fixed_header(said, automatic)]
        self._places: dict[tuple[str, str | None], _Place] = {}
        self.pictures = tuple(
            FilePart(file.name, file.media_type, file.data, edition.content_id(file.name)) for file in edition.embedded
        )
        self.attachments = tuple(FilePart(file.filename, file.media_type, file.data) for file in edition.attachments)
        self._add_body(edition)
        # A piece begins at the start of a line only where it is a slot's value or the header: a text after a slot begins with a
        # line break, soft or not.
        self._doubled = [b"", *map(double_dots, self._pieces[1:])]
        self._doubled[-1] += END
        self._size = sum(map(len, self._pieces))
        self._of = {
            variant.name: MessageTemplate(edition.variant(variant.name), one_click, automatic) for variant in edition.variants
        }
        self._open = edition.open_variant

    def of(self, variant: str | None) -> "MessageTemplate":
        """The template of a variant, by its name; of an edition without variants, whose name is None, it is this one.

        Raises KeyError where the edition has no variant of that name.
        """
        return self if variant == self._open else self._of[variant or ""]

    @property
    def structure(self) -> tuple[str | FilePart, ...]:
        """What each message consists of (B16): media types, and the files, each part before those inside it."""
        related = ("multipart/related",) if self.pictures else ()
        mixed = ("multipart/mixed",) if self.attachments else ()
        return (*mixed, "multipart/alternative", "text/plain", *related, "text/html", *self.pictures, *self.attachments)

    @property
    def header_names(self) -> tuple[str, ...]:
        """The header fields that each message has, each exactly once (B2), sorted."""
        names = {"Date", "From", "To", "Subject", "Message-ID"}
        names |= {"Reply-To"} if self._reply_to else set()
        names |= set(self._way_out.header_names) if self._one_click else set()
        names |= {"Auto-Submitted"} if self._automatic else {"List-Id", "Precedence"}
        names |= {"Content-Language", "MIME-Version", "Content-Type"}
        return tuple(sorted(names))

    def build(self, *, to: str, values: Mapping[str, str], message_id: str, date: datetime) -> bytes:
        """The whole message (RFC 5322) for one recipient: CRLF, not dot-stuffed.

        ``to`` is the bare address. One with a local part outside ASCII makes the To line raw UTF-8 (RFC 6532), fit only for a
        relay with SMTPUTF8 (:func:`~newsletter.message.address.needs_smtputf8`); all else is ASCII. ``values`` has the fields of
        the recipient and what :class:`~newsletter.message.own_links.OwnLinks` gives; ``message_id`` ends in :attr:`domain` (B3);
        ``date`` has a time zone (B4).

        The decoded parts are ``edition.text.fill(values)`` and ``edition.html.fill(values)`` with each line break inside a piece
        as CRLF. Raises :class:`~newsletter.message.headers.HeaderError` and :class:`~newsletter.compose.edition.MissingValue`.
        """
        pieces = self._pieces.copy()
        pieces[0] = self._own_header(to, values, message_id, date)
        self._put_values(pieces, values)
        return b"".join(pieces)

    def build_stuffed(self, *, to: str, values: Mapping[str, str], message_id: str, date: datetime) -> Stuffed:
        """The same message as it follows DATA, with its dots doubled (RFC 5321 §4.5.2); the text of the edition was once.

        A value can begin with a dot, or have one after a line break: quoted-printable leaves it as it is, at the start of a line.
        """
        pieces = self._doubled.copy()
        pieces[0] = self._own_header(to, values, message_id, date)
        self._put_values(pieces, values)
        own = pieces[::2]
        if b"\n." in b"\n".join([b"", *own]):
            pieces[::2] = map(double_dots, own)
        return Stuffed(pieces, self._size + sum(map(len, own)))

    def _put_values(self, pieces: list[bytes], values: Mapping[str, str]) -> None:
        """Put each slot's value in its places."""
        for place in self._places.values():
            value = place.slot.value(values)
            encoded = encode(value)
            for index in place.plain:
                pieces[index] = encoded
            if place.escaped:
                in_html = html.escape(value, quote=True)
                if in_html != value:
                    encoded = encode(in_html)
                for index in place.escaped:
                    pieces[index] = encoded

    def _own_header(self, to: str, values: Mapping[str, str], message_id: str, date: datetime) -> bytes:
        check_message_id(message_id, self.domain)
        subject = self._subject or unstructured("Subject", self._subject_part.fill(values))
        leave = self._way_out.fields(values) if self._one_click else ""
        return (
            f"Date: {self._written(date)}\r\n{self._from}To: {wire_address(to)}\r\n{self._reply_to}"
            f"{subject}Message-ID: {message_id}\r\n{leave}"
        ).encode()

    def _written(self, date: datetime) -> str:
        """The date by RFC 5322 §3.3. Most messages of a campaign are given the very one of the message before."""
        if self._last_date[0] is not date:
            offset = date.utcoffset()
            if offset is None or offset.seconds % 60:
                raise HeaderError("Date", "needs a time zone, of whole minutes; give a datetime with tzinfo")
            self._last_date = (date, format_datetime(date))
        return self._last_date[1]

    def _add_body(self, edition: Edition) -> None:
        """The parts, one inside the other: mixed { alternative { text, related { HTML, pictures } }, attachments } (B16).

        Without attachments there is no ``mixed``, without pictures inside the message no ``related``.
        """
        # "=_" occurs in no quoted-printable body (RFC 2045 §6.7) and no Base64, the hash in no other edition's messages;
        # none of the three is the beginning of another.
        either, related, mixed = (f"=_{mark}{edition.hash[:32]}" for mark in ("", "r", "m"))
        head = f'Content-Type: multipart/alternative;\r\n boundary="{either}"\r\n\r\n'
        if self.attachments:
            head = f'Content-Type: multipart/mixed;\r\n boundary="{mixed}"\r\n\r\n--{mixed}\r\n{head}'
        self._add(f"{head}--{either}\r\n{_part_header('plain')}", edition.text)
        head = f"\r\n--{either}\r\n"
        if self.pictures:  # RFC 2387 §3.1: the type is that of the part to begin with
            head += f'Content-Type: multipart/related; type="text/html";\r\n boundary="{related}"\r\n\r\n--{related}\r\n'
        self._add(f"{head}{_part_header('html')}", edition.html)
        self._add_files(self.pictures, related)
        self._pieces[-1] += f"\r\n--{either}--\r\n".encode()
        self._add_files(self.attachments, mixed)

    def _add_files(self, files: tuple[FilePart, ...], boundary: str) -> None:
        """Append the files that end a multipart, and its closing line; nothing where there are none."""
        if files:
            parts = [f"\r\n--{boundary}\r\n".encode() + file.encoded() for file in files]
            self._pieces[-1] = b"".join([self._pieces[-1], *parts, f"\r\n--{boundary}--\r\n".encode()])

    def _add(self, before: str, part: Part) -> None:
        """Append a MIME part: what comes before its body, then its pieces, each slot alone and at column 0."""
        self._pieces[-1] += before.encode("ascii")
        at_start = True
        after_slot = False
        for piece in _merged(part):
            if isinstance(piece, Slot):
                self._pieces[-1] += b"" if at_start else SOFT_BREAK
                self._place(piece)
            else:
                encoded = encode(piece)
                self._pieces[-1] += SOFT_BREAK + encoded if after_slot and not encoded.startswith(b"\r\n") else encoded
            after_slot = isinstance(piece, Slot)
            at_start = not after_slot and self._pieces[-1].endswith(b"\n")

    def _place(self, slot: Slot) -> None:
        place = self._places.setdefault((slot.name, slot.default), _Place(slot))
        (place.plain if slot.place == "plain" else place.escaped).append(len(self._pieces))
        self._pieces += [b"", b""]


def _merged(part: Part) -> Iterator[str | Slot]:
    """The pieces of a part with neighbouring texts as one, so that a line break is never cut in two."""
    text = ""
    for piece in part.pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
        yield piece
        text = ""
    if text:
        yield text


def _fixed_header(said: Headers, automatic: bool) -> bytes:
    if not _LANGUAGE.fullmatch(said.language):
        raise HeaderError("Content-Language", "is no language tag; write it like de or en-GB")
    list_ = f"{list_id(said.list_name, said.list_id)}Precedence: bulk\r\n"
    kind = "Auto-Submitted: auto-generated\r\n" if automatic else list_
    return f"{kind}Content-Language: {said.language}\r\nMIME-Version: 1.0\r\n".encode("ascii")


def _part_header(subtype: str) -> str:
    return f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'  # B16


def _ascii_address(header: str, address: str) -> str:
    address = wire_address(address, header)
    if needs_smtputf8(address):
        raise HeaderError(header, "has characters outside ASCII before the @; few servers take that, use another address")  # B20
    return address
