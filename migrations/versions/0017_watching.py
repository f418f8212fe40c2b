"""Seconds of each step are added up, so that `/metrics` can tell them for all workers."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE step_times (
    step text NOT NULL,
    outcome text NOT NULL,
    within_s double precision NOT NULL CONSTRAINT ck_step_times_within CHECK (within_s > 0),
    steps bigint NOT NULL CONSTRAINT ck_step_times_steps CHECK (steps > 0),
    seconds double precision NOT NULL CONSTRAINT ck_step_times_seconds CHECK (seconds >= 0),
    CONSTRAINT pk_step_times PRIMARY KEY (step, outcome, within_s)
) WITH (fillfactor = 50);
COMMENT ON TABLE step_times IS
    'How often a step of a photo ended so within so many seconds; figures for /metrics.';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE step_times")
