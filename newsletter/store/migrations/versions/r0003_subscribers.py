"""Subscribers, the proof of their consent, and what they asked for and have to confirm."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = "state = 'waiting'"


def upgrade() -> None:
    """Make subscriber, wording, consent and signup."""
    op.create_table(
        "wording",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_wording"),
    )
    _make_subscriber()
    _make_consent()
    _make_signup()


def _make_subscriber() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", _ID, nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("language", sa.String()),
        sa.Column("topics", sa.String()),
        sa.Column("fields", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("confirmed_at", _BIG),
        sa.Column("gone_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("mark", name="uq_subscriber_mark"),
        sa.CheckConstraint("state IN ('pending', 'confirmed', 'gone')", name="ck_subscriber_state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriber_state", "subscriber", ["state", "id"])


def _make_consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", _ID, nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("former", sa.LargeBinary(16)),
        sa.Column("list_id", sa.String()),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.Column("asked_at", _BIG),
        sa.Column("wording", sa.String()),
        sa.Column("mail", sa.String()),
        sa.Column("message_id", sa.String()),
        sa.Column("source", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.ForeignKeyConstraint(["wording"], ["wording.hash"], name="fk_consent_wording_wording"),
        sa.ForeignKeyConstraint(["mail"], ["wording.hash"], name="fk_consent_mail_wording"),
        sa.CheckConstraint(
            "kind IN ('confirmed', 'imported', 'added', 'moved', 'returned', 'unsubscribed', 'bounced', 'complained', 'erased')",
            name="ck_consent_kind",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_mark", "consent", ["mark"])
    op.create_index("ix_consent_former", "consent", ["former"])


def _make_signup() -> None:
    op.create_table(
        "signup",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("former", sa.LargeBinary(16)),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("language", sa.String()),
        sa.Column("topics", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("next_at", _BIG, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("sent_at", _BIG),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("mail", sa.String()),
        sa.Column("message_id", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_signup"),
        sa.UniqueConstraint("key", name="uq_signup_key"),
        sa.ForeignKeyConstraint(["wording"], ["wording.hash"], name="fk_signup_wording_wording"),
        sa.ForeignKeyConstraint(["mail"], ["wording.hash"], name="fk_signup_mail_wording"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'used', 'dropped', 'failed')", name="ck_signup_state"),
        sqlite_autoincrement=True,
    )
    for column in ("mark", "former", "asked_at"):
        op.create_index(f"ix_signup_{column}", "signup", [column])
    where = sa.text(_WAITING)
    op.create_index("ix_signup_due", "signup", ["next_at"], sqlite_where=where, postgresql_where=where)
