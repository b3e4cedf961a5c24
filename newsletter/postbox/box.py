"""What a mailbox is to those who read it: unread mails, each of which can be marked as read; nothing is ever deleted (N10)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

#: Octets of the largest mail that is read (N9).
LARGEST = 5_000_000


class PostboxError(Exception):
    """The mailbox does not answer any more; one sentence for people, without any secret. What was read until then is done."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it lies in the box. ``name`` is how a person finds it there, ``data`` its bytes.

    Of a mail that is larger than :data:`LARGEST`, ``data`` is that much and one octet more: enough to know it by.
    """

    name: str
    data: bytes = field(repr=False)
    key: str = field(repr=False)


class Postbox(Protocol):
    """A mailbox that is open. Whoever is interrupted reads the same mails again: to act on a mail twice must change nothing."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    def __iter__(self) -> Iterator[Mail]:
        """The unread mails, oldest first, each read when it is asked for. What is not given back by :meth:`done` stays unread.

        Raises :class:`PostboxError`.
        """

    def done(self, mail: Mail) -> None:
        """Mark a mail as read, for what it asks is done. Raises :class:`PostboxError`."""
