"""When the values of a campaign's recipients were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change campaign."""
    op.add_column("campaign", sa.Column("emptied_at", sa.BigInteger()))
