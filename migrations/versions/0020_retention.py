"""What retention let go: the photo or picture, when, by which rule, in which run."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE retention_runs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_retention_runs PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    rules jsonb NOT NULL,
    photos bigint NOT NULL DEFAULT 0,
    overlays bigint NOT NULL DEFAULT 0,
    freed_bytes bigint NOT NULL DEFAULT 0,
    failure jsonb,
    CONSTRAINT ck_retention_runs_failure CHECK (failure IS NULL OR ended_at IS NOT NULL)
);
COMMENT ON TABLE retention_runs IS
    'A look for what the settings no longer keep: by which rules, and what it let go.';

CREATE TABLE dropped_blobs (
    sha256 char(64) CONSTRAINT pk_dropped_blobs PRIMARY KEY
        CONSTRAINT ck_dropped_blobs_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CONSTRAINT ck_dropped_blobs_kind CHECK (kind IN ('photo', 'overlay')),
    rule text NOT NULL,
    retention_run_id bigint NOT NULL
        CONSTRAINT fk_dropped_blobs_retention_run_id_retention_runs
        REFERENCES retention_runs ON DELETE RESTRICT,
    size_bytes bigint,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at timestamptz,
    returned_at timestamptz
);
CREATE INDEX ix_dropped_blobs_retention_run_id ON dropped_blobs (retention_run_id);
CREATE INDEX ix_dropped_blobs_unremoved ON dropped_blobs (sha256)
    WHERE removed_at IS NULL AND returned_at IS NULL;
COMMENT ON TABLE dropped_blobs IS
    'Bytes that are no longer kept: the row comes first, the bytes go after it.';

-- One content may be the picture of one photo and a photo itself: before it goes, both are asked.
CREATE INDEX ix_s3_images_processed ON s3_images ("right"(s3_key_processed, 64))
    WHERE s3_key_processed IS NOT NULL;
CREATE INDEX ix_s3_images_thumbnail ON s3_images ("right"(s3_key_thumbnail, 64))
    WHERE s3_key_thumbnail IS NOT NULL;
"""
# The earlier schema would call what was let go missing.
DOWN = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM dropped_blobs WHERE returned_at IS NULL) THEN
        RAISE EXCEPTION 'dropped_blobs: photos were let go, which the earlier schema cannot say'
            USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP INDEX ix_s3_images_processed, ix_s3_images_thumbnail;
DROP TABLE dropped_blobs, retention_runs;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(DOWN)
