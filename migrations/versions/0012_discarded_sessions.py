"""Sessions that a person discards: a value of their own, which says why and can be taken back.

PostgreSQL 15 refuses a new enum value in the transaction that adds it, so the type is rebuilt.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Constraints and the default name the type, so they are dropped first and made again after.
REBUILD = """
ALTER TABLE photo_processing_sessions
    DROP CONSTRAINT ck_photo_processing_sessions_posted,
    DROP CONSTRAINT ck_photo_processing_sessions_reason,
    ALTER COLUMN status DROP DEFAULT;
ALTER TYPE session_status RENAME TO session_status_before;
CREATE TYPE session_status AS ENUM ({values});
ALTER TABLE photo_processing_sessions
    ALTER COLUMN status TYPE session_status USING status::text::session_status;
DROP TYPE session_status_before;
ALTER TABLE photo_processing_sessions
    ALTER COLUMN status SET DEFAULT 'pending',
    ADD CONSTRAINT ck_photo_processing_sessions_posted
        CHECK (status <> 'completed' OR posted_at IS NOT NULL),
    ADD CONSTRAINT ck_photo_processing_sessions_reason CHECK (
        status IN ('pending', 'processing', 'completed')
        OR (reason_code IS NOT NULL AND next_action IS NOT NULL));
"""
BEFORE = (
    "'pending', 'processing', 'completed', 'failed', 'needs_location', 'needs_config', "
    "'needs_review'"
)
NOT_POSTED = """
ALTER TABLE photo_processing_sessions ADD CONSTRAINT ck_photo_processing_sessions_discarded
    CHECK (status <> 'discarded' OR posted_at IS NULL);
"""
# Before this revision nothing could be discarded: what was, waits for a person again.
TAKEN_BACK = """
ALTER TABLE photo_processing_sessions
    DROP CONSTRAINT ck_photo_processing_sessions_discarded;
UPDATE photo_processing_sessions SET status = 'failed' WHERE status = 'discarded';
"""


def upgrade() -> None:
    op.execute(REBUILD.format(values=f"{BEFORE}, 'discarded'"))
    op.execute(NOT_POSTED)


def downgrade() -> None:
    op.execute(TAKEN_BACK)
    op.execute(REBUILD.format(values=BEFORE))
