"""The tables of newsletter 0.1, which knew no migrations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = "state IN ('pending', 'deferred')"
_HELD = "state IN ('claimed', 'sending')"
_OPEN = "state IN ('pending', 'deferred', 'claimed')"


def upgrade() -> None:
    """Make all tables."""
    meta = op.create_table(
        "meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.bulk_insert(meta, [{"key": "schema", "value": "1"}])
    op.create_table(
        "edition",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_edition"),
    )
    op.create_table(
        "picture",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_picture"),
    )
    op.create_table(
        "worker",
        sa.Column("id", _ID, nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
        sa.CheckConstraint("state IN ('alive', 'gone', 'dead')", name="ck_worker_state"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppression",
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("address", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("campaign_id", _BIG),
        sa.Column("delivery_id", _BIG),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_suppression"),
        sa.CheckConstraint("reason IN ('unsubscribed', 'bounced', 'complained', 'erased')", name="ck_suppression_reason"),
    )
    _campaigns()


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("edition_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("started_at", _BIG),
        sa.Column("ended_at", _BIG),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sa.UniqueConstraint("key", name="uq_campaign_key"),
        sa.UniqueConstraint("slug", "number", name="uq_campaign_slug_number"),
        sa.ForeignKeyConstraint(["edition_hash"], ["edition.hash"], name="fk_campaign_edition_hash_edition"),
        sa.CheckConstraint("state IN ('draft', 'running', 'paused', 'cancelled', 'done')", name="ck_campaign_state"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String()),
        sa.Column("worker_id", _ID),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", _BIG, nullable=False, server_default="0"),
        sa.Column("code", sa.Integer()),
        sa.Column("enhanced", sa.String()),
        sa.Column("reply", sa.Text()),
        sa.Column("updated_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_delivery_campaign_id_campaign"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_delivery_worker_id_worker"),
        sa.UniqueConstraint("campaign_id", "address_key", name="uq_delivery_campaign_id_address_key"),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'sending', 'sent', 'deferred', 'failed', 'suppressed', 'uncertain')",
            name="ck_delivery_state",
        ),
        sqlite_autoincrement=True,
    )
    for name, columns, where in (
        ("ix_delivery_due", ["campaign_id", "next_at", "id"], _DUE),
        ("ix_delivery_held", ["worker_id"], _HELD),
        ("ix_delivery_held_campaign", ["campaign_id"], _HELD),
        ("ix_delivery_open_mark", ["mark"], _OPEN),
    ):
        op.create_index(name, "delivery", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
