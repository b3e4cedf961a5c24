"""The tables: editions and pictures, campaigns with lanes, deliveries and attempts, workers and what they share, suppressions,
subscribers, consents.

Every statement over them holds on SQLite and PostgreSQL. Moments are whole microseconds UTC (:mod:`newsletter.store.clock`).
A change here needs a migration that does the same to a database that is there already (``migrations/versions``), and its name
in :data:`REVISIONS`.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.schema import ExecutableDDLElement

#: The migrations, oldest first; the last one makes what stands here. A database names the one that it has in ``alembic_version``.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
#: What ``meta`` says to a program from before the migrations: that this database is not for it.
MOVED_ON = "2"

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
DEFERRED = "state = 'deferred'"
APART = "state IN ('failed', 'suppressed', 'uncertain')"
OPEN = "state IN ('pending', 'deferred', 'claimed')"
WAITING = "state = 'waiting'"

#: Not among ``metadata``, since Alembic minds it itself.
revision = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

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
    Column("start_at", _Big),  # not before this moment, where somebody said when
    Column("started_at", _Big),
    Column("ended_at", _Big),
    Column("note", Text),
    Column("public", Boolean),  # what the file says; NULL: as the publication says
    Column("emptied_at", _Big),  # when the last of its recipients' values were deleted
    UniqueConstraint("slug", "number"),
    CheckConstraint("state IN ('draft', 'scheduled', 'running', 'paused', 'cancelled', 'done')", name="state"),
)

#: Which lanes a campaign's deliveries are in: large mailbox providers each in one, all others in ``*``.
lane = Table(
    "lane",
    metadata,
    Column("campaign_id", ForeignKey("campaign.id"), primary_key=True),
    Column("lane", String, primary_key=True),
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
    Column("lease_until", _Big),  # until when it is taken for alive; NULL in a file, where the kernel says who lives
    CheckConstraint("state IN ('alive', 'gone', 'dead')", name="state"),
    sqlite_autoincrement=True,  # the id is the fence: a late answer carries it
)

#: The buckets that all workers share, by scope: ``*`` for all mail, ``lane:…`` for one lane. ``tat`` is the moment at which the
#: bucket is full again (GCRA's theoretical arrival time).
rate = Table(
    "rate",
    metadata,
    Column("scope", String, primary_key=True),
    Column("per_s", Double, nullable=False),
    Column("burst", Double, nullable=False),
    Column("tat", _Big, nullable=False),
)

#: How many deliveries of a campaign may still be claimed by all workers together, where somebody said ``--limit``.
allowance = Table(
    "allowance",
    metadata,
    Column("campaign_id", ForeignKey("campaign.id"), primary_key=True),
    Column("allowed", Integer, nullable=False),
    Column("remaining", Integer, nullable=False),
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
    Column("lane", String, nullable=False, server_default="*"),
    Column("variant", String),  # of the edition; NULL where everyone gets the same
    Column("data", Text),  # the fields as JSON; NULL once they were deleted
    Column("state", String, nullable=False),
    Column("why", String),
    Column("worker_id", ForeignKey("worker.id")),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("first_tried_at", _Big),  # the end of the first try: from there it is counted when to give up
    Column("next_at", _Big, nullable=False, server_default="0"),
    Column("code", Integer),
    Column("enhanced", String),
    Column("reply", Text),
    Column("updated_at", _Big, nullable=False),
    # One index for two questions: is this recipient in the campaign already, and what is still open for an address that was
    # suppressed. The mark stands for the address; it is shorter, and it stays when the address is erased.
    UniqueConstraint("campaign_id", "mark"),
    CheckConstraint(
        "state IN ('pending', 'claimed', 'sending', 'sent', 'deferred', 'failed', 'suppressed', 'uncertain')", name="state"
    ),
    Index("ix_delivery_due", "campaign_id", "lane", "next_at", "id", sqlite_where=text(DUE), postgresql_where=text(DUE)),
    Index("ix_delivery_held", "worker_id", sqlite_where=text(HELD), postgresql_where=text(HELD)),
    Index("ix_delivery_held_campaign", "campaign_id", sqlite_where=text(HELD), postgresql_where=text(HELD)),
    Index("ix_delivery_deferred", "campaign_id", "address_key", sqlite_where=text(DEFERRED), postgresql_where=text(DEFERRED)),
    Index("ix_delivery_apart", "campaign_id", "state", sqlite_where=text(APART), postgresql_where=text(APART)),
    sqlite_autoincrement=True,
)

#: How PostgreSQL keeps the deliveries: each is written three times a mail, and what it was before is swept away soon, else a
#: claim of forty takes a hundred milliseconds after some hundred thousand mails (ledger.md §5).
STORAGE = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, "
    "autovacuum_vacuum_cost_delay = 0"
)
_KEEP: ExecutableDDLElement = DDL(f"ALTER TABLE delivery SET ({STORAGE})")  # type: ignore[no-untyped-call]
event.listen(delivery, "after_create", _KEEP.execute_if(dialect="postgresql"))

#: The tries that came to anything but ``sent``, for ``newsletter why``; rows are only added. What was sent, the delivery tells.
attempt = Table(
    "attempt",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("worker_id", ForeignKey("worker.id"), nullable=False),
    Column("started_at", _Big, nullable=False),
    Column("ended_at", _Big, nullable=False),
    Column("state", String, nullable=False),
    Column("code", Integer),
    Column("enhanced", String),
    Column("reply", Text),
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

#: Whom the publication keeps itself. ``gone``: left, and may still say that it was a mistake; after some days the row goes.
subscriber = Table(
    "subscriber",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("mark", LargeBinary(16), nullable=False, unique=True),
    Column("address_key", String, nullable=False),
    Column("address", String, nullable=False),
    Column("state", String, nullable=False),
    Column("language", String),
    Column("topics", String),  # as in a list's cell: "presse, kommunen"
    Column("fields", Text, nullable=False, server_default="{}"),  # the other merge fields as JSON
    Column("created_at", _Big, nullable=False),
    Column("confirmed_at", _Big),
    Column("gone_at", _Big),
    CheckConstraint("state IN ('pending', 'confirmed', 'gone')", name="state"),
    Index("ix_subscriber_state", "state", "id"),
    sqlite_autoincrement=True,
)

#: Words that were shown or sent to many, kept once: of a consent, of the mail that asked to confirm it.
wording = Table(
    "wording",
    metadata,
    Column("hash", String, primary_key=True),
    Column("body", Text, nullable=False),
)

#: The proof (L3): who agreed to what, when and how, and who left. Rows are only added; they know an address by its mark alone, so
#: they outlive it (L8). ``former`` is the mark of the address that this one took the place of.
consent = Table(
    "consent",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("mark", LargeBinary(16), nullable=False, index=True),
    Column("former", LargeBinary(16), index=True),
    Column("list_id", String),
    Column("kind", String, nullable=False),
    Column("at", _Big, nullable=False),
    Column("asked_at", _Big),
    Column("wording", ForeignKey("wording.hash")),
    Column("mail", ForeignKey("wording.hash")),
    Column("message_id", String),
    Column("source", Text),
    CheckConstraint(
        "kind IN ('confirmed', 'imported', 'added', 'moved', 'returned', 'unsubscribed', 'bounced', 'complained', 'erased')",
        name="kind",
    ),
    sqlite_autoincrement=True,
)

#: What somebody asked for with a form and has to confirm from the mailbox: a subscription, or (``former``) a new address. It is
#: the outbox of these mails at the same time; ``waiting`` ones are due at ``next_at``. Rows go after a week.
signup = Table(
    "signup",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", LargeBinary(16), nullable=False, unique=True),
    Column("mark", LargeBinary(16), nullable=False, index=True),
    Column("former", LargeBinary(16), index=True),
    Column("address_key", String, nullable=False),
    Column("address", String, nullable=False),
    Column("language", String),
    Column("topics", String),
    Column("state", String, nullable=False),
    Column("asked_at", _Big, nullable=False, index=True),
    Column("next_at", _Big, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_at", _Big),
    Column("wording", ForeignKey("wording.hash"), nullable=False),
    Column("mail", ForeignKey("wording.hash")),
    Column("message_id", String),
    CheckConstraint("state IN ('waiting', 'sent', 'used', 'dropped', 'failed')", name="state"),
    Index("ix_signup_due", "next_at", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
    sqlite_autoincrement=True,
)
