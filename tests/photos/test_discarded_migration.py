"""Sessions of before are kept as they are when discarding comes, and when it goes again."""

from __future__ import annotations

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from demeter.core import db
from support.nursery import NURSERY_SQL

BEFORE = "0011"
STATES = (
    "pending", "processing", "completed", "failed", "needs_location", "needs_config",
    "needs_review",
)  # fmt: skip


def _states(url: str) -> list[tuple[str, str | None]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT status::text, reason_code FROM photo_processing_sessions ORDER BY id"
        )
        return [(row[0], row[1]) for row in rows]


def test_every_state_of_a_filled_database_is_kept(fresh_database: str) -> None:
    engine = create_engine(fresh_database.replace("postgresql://", "postgresql+psycopg://"))
    db.migrate(engine, "base")
    db.migrate(engine, BEFORE)
    with psycopg.connect(fresh_database) as connection:
        connection.execute(NURSERY_SQL)
        for number, state in enumerate(STATES):
            connection.execute(
                """
                INSERT INTO photo_processing_sessions (storage_location_id, status, reason_code,
                    next_action, captured_at, captured_at_source, posted_at,
                    uploaded_by_user_id, content_key)
                SELECT l.location_id, %s::session_status, 'implausible_change', 'look at it',
                    now(), 'person', now(), u.id, %s
                FROM storage_locations l, users u WHERE l.code = 'A1' AND u.username = 'rosa'
                """,
                (state, f"{number:064}"),
            )
    before = _states(fresh_database)
    assert [state for state, _ in before] == list(STATES)
    db.migrate(engine)
    assert _states(fresh_database) == before
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        waiting = "WHERE status = 'needs_review'"
        with pytest.raises(psycopg.errors.CheckViolation, match="discarded"):  # it is posted
            connection.execute(
                f"UPDATE photo_processing_sessions SET status = 'discarded' {waiting}"
            )
        connection.execute(
            f"UPDATE photo_processing_sessions SET status = 'discarded', posted_at = NULL {waiting}"
        )
        with pytest.raises(psycopg.errors.CheckViolation, match="reason"):
            connection.execute("UPDATE photo_processing_sessions SET reason_code = NULL")
    config = Config()
    config.set_main_option("script_location", str(db.migrations()))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
    assert [state for state, _ in _states(fresh_database)] == [*STATES[:-1], "failed"]
    engine.dispose()
