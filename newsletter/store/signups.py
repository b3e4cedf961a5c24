"""What was asked for with a form and waits to be confirmed; at the same time the outbox of the mails that ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, exists, func, or_, select, text, update

from newsletter.store.consents import keep_wording, linked_marks
from newsletter.store.engine import Store
from newsletter.store.tables import WAITING, signup

#: ``waiting``: its mail has not left. ``used``: it was confirmed. ``dropped``: no mail was due. ``failed``: none could be sent.
SignupState = Literal["waiting", "sent", "used", "dropped", "failed"]


@dataclass(frozen=True, slots=True)
class Signup:
    """One request. ``key`` is what its link names, ``former`` the mark of the address that a new one is to take the place of.

    ``wording`` and ``mail`` are hashes of kept texts; moments are microseconds UTC.
    """

    id: int
    key: bytes
    mark: bytes
    former: bytes | None
    address_key: str
    address: str
    language: str | None
    topics: str | None
    state: SignupState
    asked_at: int
    next_at: int
    attempts: int
    sent_at: int | None
    wording: str
    mail: str | None
    message_id: str | None


def ask(store: Store, said: str, values: Mapping[str, Any]) -> None:
    """Keep a request: one row, whoever asks. ``said`` is the declaration as the form showed it, ``values`` are columns."""
    moment = store.clock()
    with store.write() as connection:
        row = {**values, "state": "waiting", "asked_at": moment, "next_at": moment, "wording": keep_wording(connection, said)}
        connection.execute(signup.insert(), row)


def asked_since(store: Store, moment: int) -> int:
    """How many requests there were since a moment."""
    with store.read() as connection:
        return connection.scalar(select(func.count()).where(signup.c.asked_at >= moment)) or 0


def due_signup(store: Store, lease: int) -> Signup | None:
    """The request whose mail is due first, held for ``lease`` microseconds so that no other process sends it, or None."""
    moment = store.clock()
    due = (text(WAITING), signup.c.next_at <= moment)
    first = select(signup.c.id).where(*due).order_by(signup.c.next_at, signup.c.id).limit(1)
    with store.read() as connection:
        if connection.scalar(first) is None:
            return None
    with store.write() as connection:
        # Said twice: where two processes chose the same row, PostgreSQL looks at the outer conditions again.
        held = update(signup).where(signup.c.id == first.scalar_subquery(), *due).values(next_at=moment + lease)
        row = connection.execute(held.returning(signup)).one_or_none()
    return None if row is None else Signup(**row._mapping)


def asked_lately(connection: Connection, one: Signup, since: int) -> bool:
    """Whether this address was written to since then for another request, or is about to be for an earlier one (S17)."""
    other = exists().where(
        signup.c.mark == one.mark,
        signup.c.id != one.id,
        or_(
            and_(signup.c.state.in_(["sent", "used"]), signup.c.sent_at >= since),
            and_(signup.c.state == "waiting", signup.c.id < one.id),
        ),
    )
    return bool(connection.scalar(select(other)))


def is_kept(connection: Connection, signup_id: int) -> bool:
    """Whether a request is there still: whoever is erased takes it along. It stays then to the end of the transaction."""
    return connection.scalar(select(signup.c.id).where(signup.c.id == signup_id).with_for_update()) is not None


def settle_signup(connection: Connection, signup_id: int, **values: Any) -> None:
    """Change a request."""
    connection.execute(update(signup).where(signup.c.id == signup_id).values(values))


def find_signup(store: Store, key: bytes) -> Signup | None:
    """The request that a link names, or None where it was deleted."""
    with store.read() as connection:
        row = connection.execute(select(signup).where(signup.c.key == key)).one_or_none()
    return None if row is None else Signup(**row._mapping)


def signups_for(store: Store, mark: bytes) -> list[Signup]:
    """What one person asked for and is kept still, under all addresses and for a new one, oldest first."""
    with store.read() as connection:
        marks = linked_marks(connection, mark)
        own = signup.c.mark.in_(marks) | signup.c.former.in_(marks)
        rows = connection.execute(select(signup).where(own).order_by(signup.c.id))
        return [Signup(**row._mapping) for row in rows]


def use_signup(connection: Connection, key: bytes, since: int) -> Signup | None:
    """Take a request whose link is good: made since then, and not used before (L5). None for any other."""
    good = (signup.c.key == key, signup.c.state.in_(["waiting", "sent"]), signup.c.asked_at >= since)
    row = connection.execute(update(signup).where(*good).values(state="used").returning(signup)).one_or_none()
    return None if row is None else Signup(**row._mapping)
