"""PostgreSQL: room beside each delivery for its next form, and what it was before is swept away soon."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Set how the deliveries are kept; SQLite has nothing of the kind."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE delivery SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, "
            "autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)"
        )
