"""Counts by hand that wait for a person: at which bed, what they say, and why they wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.notices import Notice, read_notices

# What it waits for comes when somebody says what grows in the bed.
OF_CONFIG = ("needs_config", "no_config", "other_product", "count_contradicts_config")


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """A count by hand that is kept, not posted, or whose taking back waits (`is_void_asked`).

    ``plants`` is ``None`` where a bin was not counted; ``total`` is how many such counts wait.
    """

    count_id: int
    code: str
    name: str
    area_name: str
    warehouse_code: str
    warehouse_name: str
    captured_at: datetime
    counted_by: str
    product_name: str | None
    plants: int | None
    waits_for: str
    is_void_asked: bool
    notices: Sequence[Notice]
    total: int

    @property
    def asks_what_grows(self) -> bool:
        """Whether it is posted as soon as somebody says what grows in the bed."""
        return self.waits_for in OF_CONFIG


def waiting_counts(session: Session, limit: int) -> list[WaitingCount]:
    """The counts by hand that wait, the oldest first, at most ``limit``."""
    rows = session.execute(text(_WAITING), {"limit": limit}).mappings()
    return [_waiting(row) for row in rows]


def how_many_wait(session: Session) -> int:
    """How many counts by hand wait."""
    return session.execute(text(f"SELECT count(*) FROM counts c WHERE {_WAITS}")).scalar_one()  # noqa: S608


def _waiting(row: Any) -> WaitingCount:
    return WaitingCount(**{**row, "notices": read_notices(row["notices"])})


_WAITS = "c.waits_for IS NOT NULL AND c.processing_session_id IS NULL AND c.voided_at IS NULL"

_WAITING = f"""
SELECT c.id AS count_id, l.code, l.name, a.name AS area_name,
       h.code AS warehouse_code, h.name AS warehouse_name, c.captured_at,
       coalesce(nullif(concat_ws(' ', u.first_name, u.last_name), ''), u.username) AS counted_by,
       p.name AS product_name,
       (SELECT CASE WHEN bool_and(k.human_corrected IS NOT NULL) THEN sum(k.human_corrected)::int
               END FROM container_counts k WHERE k.count_id = c.id AND k.attempt = c.attempt)
           AS plants,
       c.waits_for, c.pending_void IS NOT NULL AS is_void_asked,
       coalesce(c.wait_notices, '[]') AS notices, count(*) OVER () AS total
FROM counts c
JOIN storage_locations l ON l.location_id = c.storage_location_id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses h USING (warehouse_id)
JOIN users u ON u.id = c.counted_by_user_id
LEFT JOIN products p ON p.id = c.product_id
WHERE {_WAITS}
ORDER BY c.captured_at, c.id LIMIT :limit
"""  # noqa: S608  parts of the query itself
