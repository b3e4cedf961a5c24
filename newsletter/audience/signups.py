"""A form becomes a request, a request a mail, and a click in the mailbox a subscriber with proof (double opt-in; L3, L5)."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from newsletter.audience.address import Address
from newsletter.audience.confirmation import DAYS, Asked, Confirmations
from newsletter.links import MARK_SIZE, Links
from newsletter.message import HeaderError
from newsletter.message.stuffed import Stuffed
from newsletter.store.clock import HOUR, MINUTE, as_datetime
from newsletter.store.consents import add_consents, keep_wording
from newsletter.store.engine import Store
from newsletter.store.signups import (
    Signup,
    ask,
    asked_lately,
    asked_since,
    due_signup,
    find_signup,
    is_kept,
    settle_signup,
    use_signup,
)
from newsletter.store.subscribers import Newcomer, add_pending, make_confirmed, move_subscriber, subscriber_of
from newsletter.store.suppressions import suppression_in

DAY = 24 * HOUR
#: How long a link is good, and how long whoever left can say that it was a mistake.
WEEK = DAYS * DAY
#: S17: one mail to an address in this time.
_BETWEEN = DAY
#: S17: so many requests within an hour, whoever makes them.
MOST_AN_HOUR = 300
#: How long one process keeps a request to itself: longer than any server takes to answer.
_LEASE = 15 * MINUTE
#: How long a mail is tried; whoever asked has long given up then.
_TRIED = DAY
_LONGEST_PAUSE = HOUR


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail that is due."""

    signup: Signup
    sender: str
    recipient: str
    message: Stuffed


class Signups:
    """Subscribing to one publication by double opt-in."""

    def __init__(self, store: Store, links: Links, list_id: str, mails: Confirmations) -> None:
        self._store = store
        self._links = links
        self._list_id = list_id
        self._mails = mails

    @property
    def declaration(self) -> str:
        """What somebody declares by sending the form."""
        return self._mails.declaration

    def crowded(self) -> bool:
        """Whether there were so many requests in the last hour that no more are taken (S17)."""
        return asked_since(self._store, self._store.clock() - HOUR) >= MOST_AN_HOUR

    def ask(self, address: Address, language: str | None, topics: str | None, former: bytes | None = None) -> None:
        """Keep what somebody asked for: the same one row whoever it is, so that nobody learns who is on the list (L6).

        ``former`` is the mark of a subscriber who wants to be written to at this address instead.
        """
        values = {
            "key": secrets.token_bytes(MARK_SIZE),
            "mark": self._links.mark(address.key),
            "former": former,
            "address_key": address.key,
            "address": address.spelling,
            "language": language,
            "topics": topics,
        }
        ask(self._store, self.declaration, values)

    def next_mail(self) -> Prepared | None:
        """The next mail that is due, or None. Each must be given back by :meth:`sent`, :meth:`later` or :meth:`failed`.

        Nothing goes to an address that was written to in the last 24 hours (S17), that bounced or that complained.
        """
        while (one := due_signup(self._store, _LEASE)) is not None:
            with self._store.write() as connection:
                kind = self._kind(connection, one)
                if kind is None:
                    settle_signup(connection, one.id, state="dropped")
                    continue
            link = self._links.preferences_url(one.mark) if kind == "known" else self._links.confirm_url(one.key)
            try:
                date = as_datetime(self._store.clock()).astimezone()
                message = self._mails.write(kind, to=one.address, link=link, key=one.key, date=date)
            except HeaderError:
                self.failed(one)
                continue
            return Prepared(one, self._mails.sender, one.address, message)
        return None

    def _kind(self, connection: Connection, one: Signup) -> Asked | None:
        """What is to be written, None where nothing is; what is written is kept with the request."""
        if not is_kept(connection, one.id):
            return None
        stop = suppression_in(connection, one.mark)
        if asked_lately(connection, one, self._store.clock() - _BETWEEN) or stop in ("bounced", "complained"):
            return None
        known = subscriber_of(connection, one.mark)
        kind: Asked = "join"
        if one.former is not None:
            if subscriber_of(connection, one.former) is None:
                return None
            kind = "move"
        elif known is not None and known.mark == one.mark and known.state == "confirmed":
            kind = "known"
        else:
            add_pending(connection, _newcomer(one), self._store.clock())
        mail = keep_wording(connection, self._mails.kept(kind))
        settle_signup(connection, one.id, mail=mail, message_id=self._mails.number(one.key))
        return kind

    def sent(self, one: Signup) -> None:
        """The mail server has the mail, or may have it."""
        with self._store.write() as connection:
            settle_signup(connection, one.id, state="sent", sent_at=self._store.clock())

    def later(self, one: Signup) -> None:
        """The mail server could not take it now: it is tried again, after growing pauses, for a day."""
        moment = self._store.clock()
        pause = min(MINUTE * 2**one.attempts, _LONGEST_PAUSE)
        given_up = moment + pause > one.asked_at + _TRIED
        with self._store.write() as connection:
            state = "failed" if given_up else "waiting"
            settle_signup(connection, one.id, state=state, next_at=moment + pause, attempts=one.attempts + 1)

    def failed(self, one: Signup) -> None:
        """The mail server will not take it."""
        with self._store.write() as connection:
            settle_signup(connection, one.id, state="failed")

    def open(self, key: bytes) -> Signup | None:
        """The request that a link names, where it can be confirmed still; nothing changes."""
        one = find_signup(self._store, key)
        good = one is not None and one.state in ("waiting", "sent") and one.asked_at >= self._store.clock() - WEEK
        return one if good else None

    def confirm(self, key: bytes) -> Signup | None:
        """Do what was asked for, once, and keep the proof; None where the link is used up or too old."""
        moment = self._store.clock()
        with self._store.write() as connection:
            one = use_signup(connection, key, moment - WEEK)
            if one is None:
                return None
            person = _newcomer(one)
            if one.former is None:
                make_confirmed(connection, person, moment)
            elif not move_subscriber(connection, one.former, person):
                return None
            add_consents(connection, [self._proof(one, moment)])
        return one

    def _proof(self, one: Signup, moment: int) -> dict[str, object]:
        return {
            "mark": one.mark,
            "former": one.former if one.former != one.mark else None,
            "list_id": self._list_id,
            "kind": "confirmed" if one.former is None else "moved",
            "at": moment,
            "asked_at": one.asked_at,
            "wording": one.wording if one.former is None else None,
            "mail": one.mail,
            "message_id": one.message_id,
        }


def _newcomer(one: Signup) -> Newcomer:
    return Newcomer(one.mark, one.address_key, one.address, one.language, one.topics, {})
