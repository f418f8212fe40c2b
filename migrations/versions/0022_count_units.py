"""What a count counts stands with it: plants, or places that are occupied."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE counts ADD COLUMN unit text NOT NULL DEFAULT 'plants'"
        " CONSTRAINT ck_counts_unit CHECK (unit IN ('plants', 'containers'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE counts DROP COLUMN unit")
