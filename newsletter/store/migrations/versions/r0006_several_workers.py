"""Several workers on one campaign: a lease each, and the buckets and the allowance that they share."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the lease to worker, make rate and allowance."""
    op.add_column("worker", sa.Column("lease_until", _BIG))
    op.create_table(
        "rate",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("per_s", sa.Double(), nullable=False),
        sa.Column("burst", sa.Double(), nullable=False),
        sa.Column("tat", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_rate"),
    )
    op.create_table(
        "allowance",
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_allowance"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_allowance_campaign_id_campaign"),
    )
