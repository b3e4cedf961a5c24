"""The mails of those who leave become suppressions, each by the signed token in its subject (B28, L7, S14); all else is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Literal

from newsletter.audience.address import masked
from newsletter.audience.leaving import leave
from newsletter.links import Leaving, Links, bare
from newsletter.postbox import Mail, Postbox, Unreadable, date_of, field, is_automatic, own_words, parse, sender_of
from newsletter.store import Store

#: ``unsubscribed`` is new, ``already`` had left before, ``test`` is of a draft's link, ``automatic`` nobody's wish. These are in
#: order; for the others somebody has to look: ``left`` has no token of ours, ``unreadable`` is no mail that can be read (N9).
Kind = Literal["unsubscribed", "already", "test", "automatic", "left", "unreadable"]

#: In a mail's text the token counts only at its beginning, that many letters and digits: an answer to an issue quotes its foot,
#: token included, and is no wish to leave.
_BEGINNING = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail. ``sender`` is masked (S22), ``date`` the day it was written on, where it says so."""

    kind: Kind
    mail: str
    sender: str = ""
    date: str = ""
    why: str = ""


def read_unsubscribes(store: Store, links: Links, box: Postbox) -> Iterator[Outcome]:
    """Take everyone off the list whose mail says so, and mark that mail as read; what is left stays unread, for a person.

    A mail is marked after its suppression is on disk: who is interrupted reads it again, which changes nothing (N10). Raises
    :class:`~newsletter.postbox.PostboxError`.
    """
    for mail in box:
        try:
            message = parse(mail.data)
        except Unreadable as error:
            yield Outcome("unreadable", mail.name, why=str(error))
            continue
        outcome = _judge(store, links, mail, message)
        if outcome.kind in ("unsubscribed", "already", "test"):
            box.done(mail)
        yield outcome


def _judge(store: Store, links: Links, mail: Mail, message: Message) -> Outcome:
    sender, date = masked(sender_of(message)), date_of(message)
    if is_automatic(message):
        return Outcome("automatic", mail.name, sender, date)
    named = wish_of(links, message)
    if named is None:
        return Outcome("left", mail.name, sender, date, "has no token of this newsletter in its subject")
    if named.is_example:
        return Outcome("test", mail.name, sender, date)
    return Outcome("unsubscribed" if leave(store, named) else "already", mail.name, sender, date)


def wish_of(links: Links, message: Message) -> Leaving | None:
    """Who leaves by this mail: the token in its subject says so, else the one at the beginning of its text; None for nobody.

    The token alone counts, whoever sends it: it is the recipient's secret (B7).
    """
    return links.find_unsubscribe(field(message, "Subject")) or links.find_unsubscribe(bare(own_words(message))[:_BEGINNING])
