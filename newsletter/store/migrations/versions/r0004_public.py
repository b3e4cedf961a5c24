"""Whether an issue is public, as its file says."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add campaign.public: NULL, as the publication says."""
    op.add_column("campaign", sa.Column("public", sa.Boolean()))
