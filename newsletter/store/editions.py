"""Editions and their pictures in the database: kept as long as a link to them can be opened."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from newsletter.compose.edition import Edition
from newsletter.store.engine import Store, insert_new
from newsletter.store.tables import edition as edition_table
from newsletter.store.tables import picture as picture_table


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture and what they are (``image/jpeg``)."""

    media_type: str
    data: bytes


def save_edition(connection: Connection, edition: Edition, *, slug: str, moment: int) -> str:
    """Keep an edition with its pictures; one that is there already stays as it is. Gives its hash."""
    row = {"hash": edition.hash, "slug": slug, "body": edition.to_json(), "created_at": moment}
    connection.execute(insert_new(connection, edition_table), [row])
    pictures = [{"name": file.name, "media_type": file.media_type, "data": file.data} for file in edition.pictures]
    if pictures:
        connection.execute(insert_new(connection, picture_table), pictures)
    return edition.hash


def load_edition(store: Store, edition_hash: str, *, with_pictures: bool = True) -> Edition | None:
    """The edition of a hash as it was saved, or None. ``with_pictures=False`` leaves the bytes of the pictures empty."""
    with store.read() as connection:
        body = connection.scalar(select(edition_table.c.body).where(edition_table.c.hash == edition_hash))
        if body is None:
            return None
        edition = Edition.from_json(body, {})
        if not with_pictures or not edition.pictures:
            return edition
        names = [file.name for file in edition.pictures]
        rows = connection.execute(select(picture_table).where(picture_table.c.name.in_(names)))
        return Edition.from_json(body, {row.name: row.data for row in rows})


def picture_of(store: Store, name: str) -> Picture | None:
    """The picture of a name, as ``Links.picture_url`` names it, or None."""
    columns = select(picture_table.c.media_type, picture_table.c.data)
    with store.read() as connection:
        row = connection.execute(columns.where(picture_table.c.name == name)).one_or_none()
    return None if row is None else Picture(*row)
