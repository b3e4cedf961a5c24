"""The proof of who agreed to what, when and how, and of who left: rows that are only added (L3, L8)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, or_, select

from newsletter.store.engine import Store, insert_new
from newsletter.store.tables import consent, wording

#: ``moved``: the subscriber's new address was confirmed. ``returned``: leaving was a mistake, said the one who left.
ConsentKind = Literal["confirmed", "imported", "added", "moved", "returned", "unsubscribed", "bounced", "complained", "erased"]


@dataclass(frozen=True, slots=True)
class Consent:
    """One step of a subscriber's proof. Moments are microseconds UTC.

    ``asked_at`` is when the form was sent, ``at`` when it was confirmed (or what else happened). ``wording`` is the declaration
    as it was shown, ``wording_version`` its name; ``mail`` the text of the mail that asked to confirm it, ``message_id`` that
    mail's. ``former`` is the mark of the address before. ``source`` says where an imported consent comes from.
    """

    mark: bytes
    former: bytes | None
    list_id: str | None
    kind: ConsentKind
    at: int
    asked_at: int | None
    wording_version: str | None
    wording: str | None
    mail: str | None
    message_id: str | None
    source: str | None


def keep_wording(connection: Connection, body: str) -> str:
    """Keep a text once; gives its hash, SHA-256 in hex, whose first digits are its version."""
    name = hashlib.sha256(body.encode()).hexdigest()
    connection.execute(insert_new(connection, wording).values(hash=name, body=body))
    return name


def add_consents(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add steps, each as the columns of the table, as part of a transaction."""
    values = list(rows)
    if values:
        connection.execute(consent.insert(), values)


def linked_marks(connection: Connection, mark: bytes) -> list[bytes]:
    """The marks of all addresses that one subscriber had one after the other, this one first.

    Links in old mails name the address of that time; they must work for the person.
    """
    known, fresh = [mark], [mark]
    while fresh:
        pairs = select(consent.c.mark, consent.c.former).where(
            consent.c.former.is_not(None), or_(consent.c.mark.in_(fresh), consent.c.former.in_(fresh))
        )
        fresh = list(dict.fromkeys(one for pair in connection.execute(pairs) for one in pair if one not in known))
        known += fresh
    return known


def consents_of(store: Store, mark: bytes) -> list[Consent]:
    """All steps of a subscriber, also under former addresses, oldest first."""
    shown, sent = wording.alias(), wording.alias()
    steps = (
        select(
            *(consent.c[name] for name in ("mark", "former", "list_id", "kind", "at", "asked_at")),
            consent.c.wording.label("wording_version"),
            shown.c.body.label("wording"),
            sent.c.body.label("mail"),
            consent.c.message_id,
            consent.c.source,
        )
        .join(shown, shown.c.hash == consent.c.wording, isouter=True)
        .join(sent, sent.c.hash == consent.c.mail, isouter=True)
        .order_by(consent.c.id)
    )
    with store.read() as connection:
        rows = connection.execute(steps.where(consent.c.mark.in_(linked_marks(connection, mark)))).all()
    return [Consent(**row._mapping) for row in rows]
