"""A count that a person recounts blind waits, and is not posted, until then (SPEC §3.5.6)."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE counts ADD COLUMN blind_until timestamptz;
    ALTER TABLE counts ADD CONSTRAINT ck_counts_blind_is_unposted
        CHECK (blind_until IS NULL OR posted_at IS NULL);
    COMMENT ON COLUMN counts.blind_until IS
        'hidden and unposted until a person has counted blind, or until this moment';
    CREATE INDEX ix_counts_blind_until ON counts (blind_until) WHERE blind_until IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE counts DROP COLUMN blind_until")
