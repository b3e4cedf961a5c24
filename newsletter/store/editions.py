"""Editions, their pictures and attachments in the database: kept as long as a link to them can be opened."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from newsletter.compose.edition import AttachedFile, Edition
from newsletter.store.engine import Store, insert_new
from newsletter.store.tables import edition as edition_table
from newsletter.store.tables import picture as picture_table


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture and what they are (``image/jpeg``)."""

    media_type: str
    data: bytes


def save_edition(connection: Connection, edition: Edition, *, slug: str, moment: int) -> str:
    """Keep an edition with its pictures and attachments; one that is there already stays as it is. Gives its hash."""
    row = {"hash": edition.hash, "slug": slug, "body": edition.to_json(), "created_at": moment}
    connection.execute(insert_new(connection, edition_table), [row])
    files = [{"name": file.name, "media_type": file.media_type, "data": file.data} for file in edition.files]
    if files:
        connection.execute(insert_new(connection, picture_table), files)
    return edition.hash


def load_edition(store: Store, edition_hash: str, *, with_files: bool = True) -> Edition | None:
    """The edition of a hash as it was saved, or None. ``with_files=False`` leaves the bytes of its files empty."""
    with store.read() as connection:
        body = connection.scalar(select(edition_table.c.body).where(edition_table.c.hash == edition_hash))
        if body is None:
            return None
        edition = Edition.from_json(body, {})
        names = [file.name for file in edition.files]
        if not with_files or not names:
            return edition
        rows = connection.execute(select(picture_table).where(picture_table.c.name.in_(names)))
        return Edition.from_json(body, {row.name: row.data for row in rows})


def picture_of(store: Store, name: str) -> Picture | None:
    """The picture of a name, as ``Links.picture_url`` names it, or None. An attachment is nobody's but the recipients'."""
    if name.startswith(AttachedFile.PREFIX):
        return None
    columns = select(picture_table.c.media_type, picture_table.c.data)
    with store.read() as connection:
        row = connection.execute(columns.where(picture_table.c.name == name)).one_or_none()
    return None if row is None else Picture(*row)
