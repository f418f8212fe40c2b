"""Deaths of workers are counted apart from tries, so that waiting for an outage counts as none."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE job_deaths (
    job_id bigint PRIMARY KEY CONSTRAINT fk_job_deaths_job_id
        REFERENCES procrastinate_jobs (id) ON DELETE CASCADE,
    deaths bigint NOT NULL CONSTRAINT ck_job_deaths_deaths CHECK (deaths > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE job_deaths IS
    'A job over which workers died, and how often; tries that waited for an outage are not here.';
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE job_deaths")
