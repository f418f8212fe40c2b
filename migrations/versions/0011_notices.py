"""What rules and vision say, kept as codes with their numbers beside the English sentences."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOTICES = """
-- Why a session or a count waits: a list of {"code": …, "params": {…}}, the first is the reason.
ALTER TABLE photo_processing_sessions ADD COLUMN reason_notices jsonb
    CONSTRAINT ck_photo_processing_sessions_reason_notices
    CHECK (jsonb_typeof(reason_notices) = 'array');
ALTER TABLE counts ADD COLUMN wait_notices jsonb
    CONSTRAINT ck_counts_wait_notices CHECK (jsonb_typeof(wait_notices) = 'array');
-- One notice: why a container's estimate is unknown; why a movement was written, where that
-- is not a person's own words.
ALTER TABLE container_counts ADD COLUMN unknown_notice jsonb
    CONSTRAINT ck_container_counts_unknown_notice CHECK (jsonb_typeof(unknown_notice) = 'object');
ALTER TABLE stock_movements ADD COLUMN reason_notice jsonb
    CONSTRAINT ck_stock_movements_reason_notice CHECK (jsonb_typeof(reason_notice) = 'object');
"""

DROP = """
ALTER TABLE stock_movements DROP COLUMN reason_notice;
ALTER TABLE container_counts DROP COLUMN unknown_notice;
ALTER TABLE counts DROP COLUMN wait_notices;
ALTER TABLE photo_processing_sessions DROP COLUMN reason_notices;
"""


def upgrade() -> None:
    op.execute(NOTICES)


def downgrade() -> None:
    op.execute(DROP)
