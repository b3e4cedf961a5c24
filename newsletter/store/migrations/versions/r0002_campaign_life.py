"""Campaigns that start at a time, lanes, the record of attempts; one index of marks instead of two of recipients."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = "state IN ('pending', 'deferred')"
_HELD = "state IN ('claimed', 'sending')"
_DEFERRED = "state = 'deferred'"
_APART = "state IN ('failed', 'suppressed', 'uncertain')"
_OLD_INDEXES = ("ix_delivery_due", "ix_delivery_held", "ix_delivery_held_campaign", "ix_delivery_open_mark")


def upgrade() -> None:
    """Change campaign and delivery, make lane and attempt."""
    _change_campaign()
    _change_delivery()
    _make_lane()
    _make_attempt()
    op.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")  # newsletter 0.1 refuses the database from now on


def _change_campaign() -> None:
    before = sa.Table(
        "campaign",
        sa.MetaData(),
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
    with op.batch_alter_table("campaign", copy_from=before) as batch:
        batch.add_column(sa.Column("start_at", _BIG))
        batch.drop_constraint("ck_campaign_state", type_="check")
        batch.create_check_constraint(
            "ck_campaign_state", sa.text("state IN ('draft', 'scheduled', 'running', 'paused', 'cancelled', 'done')")
        )


def _change_delivery() -> None:
    before = sa.Table(
        "delivery",
        sa.MetaData(),
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
    )
    for name in _OLD_INDEXES:
        op.drop_index(name, "delivery")
    counted = _last_id()
    with op.batch_alter_table("delivery", copy_from=before, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("lane", sa.String(), nullable=False, server_default="*"))
        batch.add_column(sa.Column("variant", sa.String()))
        batch.add_column(sa.Column("first_tried_at", _BIG))
        batch.drop_constraint("uq_delivery_campaign_id_address_key", type_="unique")
        batch.create_unique_constraint("uq_delivery_campaign_id_mark", ["campaign_id", "mark"])
    if counted is not None:  # the ids of rows that are gone stay used: they stand in links
        op.execute(sa.text("UPDATE sqlite_sequence SET seq = :seq WHERE name = 'delivery'").bindparams(seq=counted))
        op.execute(
            sa.text(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'delivery', :seq "
                "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'delivery')"
            ).bindparams(seq=counted)
        )
    # The first try was not written down; the last one stands for it, so that nothing is given up early.
    op.execute("UPDATE delivery SET first_tried_at = updated_at WHERE attempts > 0")
    for name, columns, where in (
        ("ix_delivery_due", ["campaign_id", "lane", "next_at", "id"], _DUE),
        ("ix_delivery_held", ["worker_id"], _HELD),
        ("ix_delivery_held_campaign", ["campaign_id"], _HELD),
        ("ix_delivery_deferred", ["campaign_id", "address_key"], _DEFERRED),
        ("ix_delivery_apart", ["campaign_id", "state"], _APART),
    ):
        op.create_index(name, "delivery", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _last_id() -> int | None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return None
    found: int | None = connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'"))
    return found


def _make_lane() -> None:
    op.create_table(
        "lane",
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "lane", name="pk_lane"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_lane_campaign_id_campaign"),
    )
    op.execute("INSERT INTO lane (campaign_id, lane) SELECT id, '*' FROM campaign")


def _make_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", _ID, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("worker_id", _ID, nullable=False),
        sa.Column("started_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.Integer()),
        sa.Column("enhanced", sa.String()),
        sa.Column("reply", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_attempt_delivery_id_delivery"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_attempt_worker_id_worker"),
    )
    op.create_index("ix_attempt_delivery_id", "attempt", ["delivery_id"])
