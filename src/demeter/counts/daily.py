"""Counts day by day: which bed, by photo or by hand, how many plants, in what interval."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.pagination import Page, last_id, next_cursor
from demeter.core.schemas import Output
from demeter.core.site import site_zone


class DailyCountRead(Output):
    """A count that is in the ledger; its interval is null where a person counted."""

    count_id: int
    day: date
    counted_at: datetime
    warehouse_code: str
    area_code: str
    location_code: str
    location_name: str
    product_code: str | None
    counted_by: str
    how: Literal["photo", "hand"]
    plants: int
    interval_low: int | None
    interval_high: int | None
    session_id: UUID | None


class DailyCountPage(Page[DailyCountRead]):
    """A page of counts, last kept first."""


def daily_counts(
    session: Session,
    *,
    limit: int | None,
    cursor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    place_code: str | None = None,
) -> DailyCountPage:
    """Counts that stand, last kept first; without ``limit`` all of them.

    ``place_code`` is a greenhouse's, an area's or a location's; both moments are included.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    values = {
        "before": last_id(cursor, "d"),
        "since": since,
        "until": until,
        "place": place_code,
        "zone": site_zone().key,
        "limit": None if limit is None else limit + 1,
    }
    rows = session.execute(text(_DAILY), values).mappings().all()
    shown = rows if limit is None else rows[:limit]
    return DailyCountPage(
        items=[DailyCountRead.model_validate(dict(row)) for row in shown],
        next_cursor=None
        if limit is None
        else next_cursor(rows, limit, "d", lambda row: row["count_id"]),
    )


_DAILY = """
SELECT c.id AS count_id, (c.captured_at AT TIME ZONE :zone)::date AS day,
       c.captured_at AS counted_at, w.code AS warehouse_code, a.code AS area_code,
       l.code AS location_code, l.name AS location_name, p.code AS product_code,
       u.username AS counted_by,
       CASE WHEN c.source_type = 'ia' THEN 'photo' ELSE 'hand' END AS how,
       c.plants, c.interval_low, c.interval_high, f.session_id
FROM counts c
JOIN storage_locations l ON l.location_id = c.storage_location_id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
JOIN users u ON u.id = c.counted_by_user_id
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN photo_processing_sessions f ON f.id = c.processing_session_id
WHERE c.posted_at IS NOT NULL AND c.voided_at IS NULL
  AND (CAST(:before AS bigint) IS NULL OR c.id < :before)
  AND (CAST(:since AS timestamptz) IS NULL OR c.captured_at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR c.captured_at <= :until)
  AND (CAST(:place AS text) IS NULL OR :place IN (w.code, a.code, l.code))
ORDER BY c.id DESC LIMIT CAST(:limit AS integer)
"""
