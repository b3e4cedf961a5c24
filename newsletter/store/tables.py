"""The tables: editions and their pictures, campaigns and their deliveries, suppressions, workers.

Every statement over them holds on SQLite and PostgreSQL. Moments are whole microseconds UTC (:mod:`newsletter.store.clock`).
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: Counts up when a table changes; what is stored in ``meta`` tells a later program what it has before it.
SCHEMA = "1"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Big = BigInteger()
#: SQLite counts rows by itself only where the column is called INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

#: The conditions of the partial indexes. A statement that should use the index says the same words: SQLite compares
#: the text, and a bound value proves nothing to it.
DUE = "state IN ('pending', 'deferred')"
HELD = "state IN ('claimed', 'sending')"
OPEN = "state IN ('pending', 'deferred', 'claimed')"

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", String, nullable=False))

edition = Table(
    "edition",
    metadata,
    Column("hash", String, primary_key=True),
    Column("slug", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", _Big, nullable=False),
)

picture = Table(
    "picture",
    metadata,
    Column("name", String, primary_key=True),
    Column("media_type", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("slug", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("edition_hash", ForeignKey("edition.hash"), nullable=False),
    Column("state", String, nullable=False),
    Column("list_name", String, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("created_at", _Big, nullable=False),
    Column("started_at", _Big),
    Column("ended_at", _Big),
    Column("note", Text),
    UniqueConstraint("slug", "number"),
    CheckConstraint("state IN ('draft', 'running', 'paused', 'cancelled', 'done')", name="state"),
)

worker = Table(
    "worker",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String, nullable=False),
    Column("state", String, nullable=False),
    Column("started_at", _Big, nullable=False),
    Column("ended_at", _Big),
    CheckConstraint("state IN ('alive', 'gone', 'dead')", name="state"),
    sqlite_autoincrement=True,  # the id is the fence: a late answer carries it
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("campaign_id", ForeignKey("campaign.id"), nullable=False),
    Column("address_key", String, nullable=False),
    Column("address", String, nullable=False),
    Column("mark", LargeBinary(16), nullable=False),
    Column("line", Integer, nullable=False),
    Column("data", Text),  # the fields as JSON; NULL once they were deleted
    Column("variant", Text),  # of the edition; NULL where everyone gets the same
    Column("state", String, nullable=False),
    Column("why", String),
    Column("worker_id", ForeignKey("worker.id")),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", _Big, nullable=False, server_default="0"),
    Column("code", Integer),
    Column("enhanced", String),
    Column("reply", Text),
    Column("updated_at", _Big, nullable=False),
    UniqueConstraint("campaign_id", "address_key"),
    CheckConstraint(
        "state IN ('pending', 'claimed', 'sending', 'sent', 'deferred', 'failed', 'suppressed', 'uncertain')", name="state"
    ),
    Index("ix_delivery_due", "campaign_id", "next_at", "id", sqlite_where=text(DUE), postgresql_where=text(DUE)),
    Index("ix_delivery_held", "worker_id", sqlite_where=text(HELD), postgresql_where=text(HELD)),
    Index("ix_delivery_held_campaign", "campaign_id", sqlite_where=text(HELD), postgresql_where=text(HELD)),
    Index("ix_delivery_open_mark", "mark", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    sqlite_autoincrement=True,
)

# No foreign keys here: a suppression outlives campaigns, and a link of a draft names campaign 0.
suppression = Table(
    "suppression",
    metadata,
    Column("mark", LargeBinary(16), primary_key=True),
    Column("address", String),
    Column("reason", String, nullable=False),
    Column("campaign_id", _Big),
    Column("delivery_id", _Big),
    Column("created_at", _Big, nullable=False),
    CheckConstraint("reason IN ('unsubscribed', 'bounced', 'complained', 'erased')", name="reason"),
)
