"""Counts that wait for something at a location: tried again when it comes, by a job."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import jobs

TASK = "retry_waiting_counts"
RETRIED_REASONS = (
    "stock_would_be_negative",
    "period_closed",
    "blind_recount",
    "no_config",
    "needs_config",
    "other_product",
    "count_contradicts_config",
    "unit_not_as_set",
)


def retry_later(session: Session, location_ids: Iterable[int]) -> None:
    """Queue another try, in this transaction, for each location where a count waits."""
    waiting = session.execute(
        text("""
        SELECT location_id FROM unnest(CAST(:locations AS bigint[])) AS location_id
        WHERE EXISTS (SELECT FROM counts WHERE storage_location_id = location_id
                      AND waits_for = ANY(:reasons))
           OR EXISTS (SELECT FROM photo_processing_sessions
                      WHERE storage_location_id = location_id
                        AND status IN ('needs_review', 'needs_config')
                        AND reason_code = ANY(:reasons))
        ORDER BY location_id
        """),
        {"locations": sorted(location_ids), "reasons": list(RETRIED_REASONS)},
    ).scalars()
    connection = session.connection().connection.driver_connection
    for location_id in waiting.all():
        task = jobs.app.configure_task(TASK, queue="cpu", connection=connection)
        task.defer(location_id=location_id)
