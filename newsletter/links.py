"""Signed tokens and the addresses made of them: what a subscriber clicks on to see a mail or to leave."""

import hashlib
import hmac
import re
import struct
from base64 import b32decode
from binascii import b2a_base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode
from itsdangerous.signer import HMACAlgorithm

#: Bytes of an address's mark and of a token's signature: 128 bits, which nobody guesses (S14).
MARK_SIZE = 16
_VIEW = struct.Struct(">IQ")
_UNSUBSCRIBE = struct.Struct(f">IQ{MARK_SIZE}s")
_BYTES = struct.Struct(f"{MARK_SIZE}s")
_MOMENT = struct.Struct(">Q")
#: Begins a token in a mail, and is no letter of Base32: whatever mail programs put before the token, it ends here.
_BEGIN = "9"
_LETTERS = -(-8 * (_UNSUBSCRIBE.size + MARK_SIZE) // 5)
_IN_MAIL = re.compile(f"{_BEGIN}([A-Z2-7]{{{_LETTERS}}})")
_NEITHER_LETTER_NOR_DIGIT = re.compile("[^A-Z0-9]+")


class _Short(HMACAlgorithm):
    """HMAC-SHA-256 cut to 128 bits (RFC 2104 §5 allows half the digest), which keeps the addresses short."""

    def __init__(self) -> None:
        self._begun: dict[bytes, hmac.HMAC] = {}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        # Not hmac.digest(): it lets go of the interpreter lock, and to get it back takes longer than the digest itself.
        begun = self._begun.get(key) or self._begun.setdefault(key, hmac.new(key, digestmod="sha256"))
        mine = begun.copy()
        mine.update(value)
        return mine.digest()[:MARK_SIZE]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a view token names. Both are 0 in a draft that was never sent."""

    campaign: int
    delivery: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """What an unsubscribe token names; ``mark`` is the address's (see :meth:`Links.mark`), so it works after the row is gone."""

    campaign: int
    delivery: int
    mark: bytes

    @property
    def is_example(self) -> bool:
        """Whether it stood in a draft or a test, which nobody can leave."""
        return (self.campaign, self.delivery) == (0, 0)


class Links:
    """Makes and reads the addresses of one publication.

    ``public_url`` is where ``newsletter serve`` is reached, ``secret`` the workspace's key, ``list_id`` names the publication:
    a token of another key, publication or purpose is no token here (S14). Tokens do not expire.
    """

    def __init__(self, public_url: str, secret: bytes, list_id: str) -> None:
        self.public_url = public_url.rstrip("/")
        self._key = secret
        self._list_id = list_id.encode()
        self._mark = hmac.new(secret, b"newsletter:mark:", "sha256")
        self._view = self._signer("view")
        self._unsubscribe = self._signer("unsubscribe")
        self._by_mail = self._signer("unsubscribe by mail")
        self._confirm = self._signer("confirm")
        self._preferences = self._signer("preferences")
        self._form = self._signer("form")

    def _signer(self, purpose: str) -> Signer:
        key = hmac.digest(self._key, b"newsletter:" + purpose.encode() + b":" + self._list_id, "sha256")
        return Signer(key, salt=b"", key_derivation="none", digest_method=hashlib.sha256, algorithm=_Short())

    def mark(self, address_key: str) -> bytes:
        """The keyed HMAC of a normalised address: what a suppression remembers where the address itself is erased (L8)."""
        mine = self._mark.copy()  # the key is digested once, not for every recipient
        mine.update(address_key.encode())
        return mine.digest()[:MARK_SIZE]

    def view_url(self, campaign: int, delivery: int) -> str:
        """The address of exactly the mail that this delivery was."""
        return f"{self.public_url}/view/{_seal(self._view, _VIEW.pack(campaign, delivery))}"

    def unsubscribe_url(self, campaign: int, delivery: int, mark: bytes) -> str:
        """The address that takes this recipient off the list; it alone identifies recipient and list (B7)."""
        return f"{self.public_url}/unsubscribe/{_seal(self._unsubscribe, _UNSUBSCRIBE.pack(campaign, delivery, mark))}"

    def unsubscribe_subject(self, campaign: int, delivery: int, mark: bytes) -> str:
        """The subject of a mail that takes this recipient off the list: ``unsubscribe`` and a token, which says the same as that
        of :meth:`unsubscribe_url`.

        Capitals and digits alone: a mail program can fold it, encode it, quote it or write it small, and it is still the same.
        """
        content = _UNSUBSCRIBE.pack(campaign, delivery, mark)
        token = _base32(content + self._by_mail.algorithm.get_signature(self._by_mail.secret_key, content))
        return f"unsubscribe {_BEGIN}{token}"

    def find_unsubscribe(self, text: str) -> Leaving | None:
        """What the token in a mail's subject (:meth:`unsubscribe_subject`) names, whatever stands around it and between its
        letters; None where there is none that was made here.
        """
        for token in _IN_MAIL.findall(bare(text)):
            sealed = b32decode(token + "=" * (-len(token) % 8))
            content, signature = sealed[: _UNSUBSCRIBE.size], sealed[_UNSUBSCRIBE.size :]
            right = self._by_mail.algorithm.get_signature(self._by_mail.secret_key, content)
            # One spelling only: a last letter has bits to spare.
            if hmac.compare_digest(right, signature) and _base32(sealed) == token:
                return Leaving(*_UNSUBSCRIBE.unpack(content))
        return None

    def confirm_url(self, key: bytes) -> str:
        """The address that confirms what was asked for under this key of 16 random bytes; it is good once (L5)."""
        return f"{self.public_url}/confirm/{_seal(self._confirm, _BYTES.pack(key))}"

    def read_confirm(self, token: str) -> bytes | None:
        """The key in the last segment of a confirm address, or None where it was not made by :meth:`confirm_url`."""
        content = _open(self._confirm, token, _BYTES)
        return None if content is None else bytes(content[0])

    def preferences_token(self, mark: bytes) -> str:
        """What stands for a subscriber in the addresses of the pages that change what is kept of him."""
        return _seal(self._preferences, _BYTES.pack(mark))

    def preferences_url(self, mark: bytes) -> str:
        """The address of a subscriber's preferences."""
        return f"{self.public_url}/preferences/{self.preferences_token(mark)}"

    def read_preferences(self, token: str) -> bytes | None:
        """The mark in a :meth:`preferences_token`, or None where it is none."""
        content = _open(self._preferences, token, _BYTES)
        return None if content is None else bytes(content[0])

    def stamp(self, moment: int) -> str:
        """What a form that anyone may send carries: that it was shown by us, and when (S18)."""
        return _seal(self._form, _MOMENT.pack(moment))

    def read_stamp(self, stamp: str) -> int | None:
        """The moment of a :meth:`stamp`, or None where it is none."""
        content = _open(self._form, stamp, _MOMENT)
        return None if content is None else int(content[0])

    def picture_url(self, name: str) -> str:
        """The address under which ``newsletter serve`` gives out a picture."""
        return f"{self.public_url}/pictures/{name}"

    def archive_url(self) -> str:
        """The address of the page that lists the public issues."""
        return f"{self.public_url}/issues/"

    def issue_url(self, slug: str, language: str | None = None) -> str:
        """The address of the public page of an issue, the same for everyone: no token, no name (L19).

        ``language`` is for a form of it other than that of the issue's own language. The slash at the end is that of a folder:
        ``newsletter publish`` writes one, and a web server gives out its ``index.html`` without a redirect.
        """
        own = f"{self.archive_url()}{quote(slug, safe='')}/"
        return own if language is None else f"{own}{quote(language, safe='')}/"

    def feed_url(self) -> str:
        """The address of the Atom feed of the public issues."""
        return f"{self.public_url}/feed.atom"

    def read_view(self, token: str) -> Delivered | None:
        """What the last segment of a view address names, or None where it was not made by :meth:`view_url`."""
        content = _open(self._view, token, _VIEW)
        return None if content is None else Delivered(*content)

    def read_unsubscribe(self, token: str) -> Leaving | None:
        """What the last segment of an unsubscribe address names, or None where it was not made by :meth:`unsubscribe_url`."""
        content = _open(self._unsubscribe, token, _UNSUBSCRIBE)
        return None if content is None else Leaving(*content)


def mail_link(address: str, subject: str = "") -> str:
    """The link that opens a mail to ``address``, an ASCII one, with this subject: words of ASCII letters (RFC 6068)."""
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe='!+')}@{domain}?subject={subject.replace(' ', '%20')}"


def bare(text: str) -> str:
    """What all spellings of a text have in common that mail programs make of it: its letters A to Z, as capitals, and digits."""
    return _NEITHER_LETTER_NOR_DIGIT.sub("", text.upper())


def _seal(signer: Signer, content: bytes) -> str:
    """What ``signer.sign()`` gives, in half the time: two are made for every message."""
    value = _base64(content)
    return (value + b"." + _base64(signer.algorithm.get_signature(signer.secret_key, value))).decode()


def _base64(content: bytes) -> bytes:
    return b2a_base64(content, newline=False).rstrip(b"=").translate(_URL_SAFE)


def _base32(content: bytes) -> str:
    """What ``base64.b32encode`` gives of 44 bytes, without the padding, in a third of the time: one is made for every message."""
    number = int.from_bytes(content, "big") << 8
    return "".join([_PAIRS[number >> place & 1023] for place in _PLACES])[:_LETTERS]


#: RFC 4648 §6: ten bits are two letters.
_PAIRS = [first + second for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"]
_PLACES = range(8 * (_UNSUBSCRIBE.size + MARK_SIZE + 1) - 10, -1, -10)

#: RFC 4648 §5.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _open(signer: Signer, token: str, form: struct.Struct) -> tuple[Any, ...] | None:
    try:
        given = token.encode()
        content = base64_decode(signer.unsign(given))
    except (BadData, UnicodeError):
        return None
    # One spelling only: base64 ignores strange characters and the last bits, of the signature too.
    if len(content) != form.size or not hmac.compare_digest(_seal(signer, content).encode(), given):
        return None
    return form.unpack(content)
