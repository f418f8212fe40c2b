"""What a count counts stands with it: plants, or places that are occupied.

Photos were counted in plants until now; what people counted by hand, nobody said.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE counts ADD COLUMN unit text"
        " CONSTRAINT ck_counts_unit CHECK (unit IN ('plants', 'containers'))"
    )
    op.execute("UPDATE counts SET unit = 'plants' WHERE processing_session_id IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE counts DROP COLUMN unit")
