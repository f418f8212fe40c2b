"""Keys of requests that were carried out, with their answers."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE idempotency_keys (
        key varchar(200) PRIMARY KEY,
        request_sha256 char(64) NOT NULL,
        answer jsonb,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
    """)


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys")
