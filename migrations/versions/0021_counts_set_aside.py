"""A count by hand that waits can be taken back, too: nothing of it was posted."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Of a photo session, what is not posted is discarded with the session.
SET_ASIDE = """
ALTER TABLE counts DROP CONSTRAINT ck_counts_voided, ADD CONSTRAINT ck_counts_voided CHECK (
    (voided_at IS NULL) = (voided_by_user_id IS NULL)
    AND (voided_at IS NULL OR (void_reason IS NOT NULL
        AND (posted_at IS NOT NULL OR processing_session_id IS NULL)))) NOT VALID;
ALTER TABLE counts VALIDATE CONSTRAINT ck_counts_voided;
"""

# Counts that were set aside wait again, as they did before there was a way to say so.
BACK = """
UPDATE counts SET voided_at = NULL, voided_by_user_id = NULL, void_reason = NULL,
    waits_for = 'needs_config', wait_message = 'waits', wait_notices = '[]'
WHERE voided_at IS NOT NULL AND posted_at IS NULL;
ALTER TABLE counts DROP CONSTRAINT ck_counts_voided, ADD CONSTRAINT ck_counts_voided CHECK (
    (voided_at IS NULL) = (voided_by_user_id IS NULL)
    AND (voided_at IS NULL OR (posted_at IS NOT NULL AND void_reason IS NOT NULL)));
"""


def upgrade() -> None:
    op.execute(SET_ASIDE)


def downgrade() -> None:
    op.execute(BACK)
