"""What became of backups: the last one, its age, and why one failed."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE backup_runs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_backup_runs PRIMARY KEY,
    place text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    name text,
    blobs bigint,
    new_bytes bigint,
    missing bigint NOT NULL DEFAULT 0,
    failure jsonb,
    CONSTRAINT ck_backup_runs_end CHECK ((name IS NULL AND failure IS NULL) = (ended_at IS NULL))
);
COMMENT ON TABLE backup_runs IS
    'A backup that was begun: its name once it is whole, or why it failed; neither while it runs.';
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE backup_runs")
