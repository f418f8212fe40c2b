"""No invented keys: on a database whose ids start at 1,000,000 every id written is above it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.photos import record
from demeter.photos.models import SessionStatus
from demeter.review import session_decisions
from support.nursery import NOON, configure, counted_session, photo_count, plant_nursery, user

MILLION = 1_000_000
# What the migrations bring, found by name or code and never by number.
REFERENCE = {
    "product_states",
    "product_sizes",
    "product_categories",
    "product_families",
    "packaging_colors",
}


def test_every_id_is_the_databases_own(fresh_database: str) -> None:
    with transaction() as db:
        for sequence in _identities(db):
            db.execute(text(f"ALTER SEQUENCE {sequence} RESTART WITH {MILLION}"))
    with transaction() as db:
        plant_nursery(db)
        _live(db)
    with transaction() as db:
        low = [
            f"{table}.{column} = {value}"
            for table, column, points_to in _keys(db)
            if points_to not in REFERENCE
            for value in db.scalars(
                text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} < {MILLION}")
            )
            if not _is_reference_row(db, points_to, value)
        ]
        assert low == []
        written = {t for t, _, _ in _keys(db) if db.scalar(text(f"SELECT 1 FROM {t} LIMIT 1"))}
        assert written >= {
            "storage_bins", "stock_batches", "stock_movements", "counts", "container_counts",
            "detections", "estimations", "classifications", "photo_processing_sessions",
        }  # fmt: skip


def _live(db: Session) -> None:
    """A count, a second one, a miss, a wait for config, an acceptance."""
    for number, answer in enumerate(
        [
            photo_count((8, 2), (5, 0)),
            photo_count((7, 2), (5, 0), at=[(20, 15), (262, 12)]),
            photo_count((9, 1)),
        ]
    ):
        made = counted_session(db, answer, at=NOON + number * timedelta(days=1))
        record.record_session(db, made)
        assert made.status is SessionStatus.COMPLETED, made.error_message
    waiting = counted_session(db, photo_count((4, 0)), None, code="A3")
    record.record_session(db, waiting)
    configure(db, "A3", "ECHEVERIA-01")
    session_decisions.retry_posting(db, waiting.session_id, user(db))
    assert waiting.reason_code == "image_failed"
    session_decisions.accept(db, waiting.session_id, user(db))
    assert waiting.status is SessionStatus.COMPLETED


def _identities(db: Session) -> list[str]:
    return list(
        db.scalars(
            text("""
            SELECT pg_get_serial_sequence(quote_ident(table_name), column_name)
            FROM information_schema.columns
            WHERE table_schema = 'public'
              AND (is_identity = 'YES' OR column_default LIKE 'nextval(%')
            """)
        )
    )


def _keys(db: Session) -> list[tuple[str, str, str]]:
    """Integer columns that are keys or point to one: table, column, the table pointed to."""
    rows = db.execute(
        text("""
        SELECT con.conrelid::regclass::text, att.attname,
               coalesce(nullif(con.confrelid, 0), con.conrelid)::regclass::text
        FROM pg_constraint con
        JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = ANY (con.conkey)
        WHERE con.contype IN ('p', 'f') AND att.atttypid IN ('int4'::regtype, 'int8'::regtype)
          AND con.connamespace = 'public'::regnamespace
          AND con.conrelid::regclass::text NOT IN ('spatial_ref_sys')
          AND con.conrelid::regclass::text NOT LIKE 'procrastinate%'
        """)
    )
    return [(table, column, target) for table, column, target in rows]


def _is_reference_row(db: Session, table: str, value: int) -> bool:
    """Grid bin types and the service user came with the migrations."""
    if table == "storage_bin_types":
        return bool(
            db.scalar(
                text("SELECT is_grid FROM storage_bin_types WHERE bin_type_id = :id"),
                {"id": value},
            )
        )
    if table == "users":
        name = db.scalar(text("SELECT username FROM users WHERE id = :id"), {"id": value})
        return name == "demeter-service"
    return False
