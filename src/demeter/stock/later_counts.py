"""Which posted count of a location comes after a moment, or after another count."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.stock.late_movements import PostedCount


def next_posted_count(
    session: Session, location_id: int, at: datetime, after_id: int = 0
) -> PostedCount | None:
    """The first posted count of a location at or after a moment.

    ``after_id`` leaves out, of the counts of that very moment, those up to this id.
    """
    count = session.execute(
        text("""
        SELECT id, captured_at FROM counts
        WHERE storage_location_id = :location AND posted_at IS NOT NULL
          AND voided_at IS NULL AND (captured_at, id) > (:at, :after_id)
        ORDER BY captured_at, id LIMIT 1
        """),
        {"location": location_id, "at": at, "after_id": after_id},
    ).first()
    return PostedCount(count.id, count.captured_at) if count else None
