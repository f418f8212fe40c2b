"""What is being counted now: how far, for how long still, and what stands in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.photos import urls
from demeter.photos.queue_forecast import Pace, Wait, current_pace
from demeter.photos.waiting import BedName

AT_MOST = 6
SAYS_SOMETHING = 0.1  # of the work done: before, how long the rest takes is not known


@dataclass(frozen=True, slots=True)
class SessionUnderWay:
    """A session that is being counted, or waits for it in ``line`` (from 1; ``None``: it runs).

    ``photo`` is the position of the photo that is being read now. ``seconds_left`` is what the
    rest takes at the speed so far, ``None`` where that is not known yet; ``wait`` is the same of
    one in line, from the pace of the queue.
    """

    session_id: UUID
    bed: BedName | None
    photos: int
    photo: int
    share: float
    seconds_left: int | None
    wait: Wait | None
    line: int | None
    thumbnail: str | None

    @property
    def page_url(self) -> str:
        """Its page."""
        return urls.of_session(self.session_id)["page_url"]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """All that is under way and how long it takes; ``first`` are those that are shown."""

    sessions: int
    photos: int
    wait: Wait | None
    first: Sequence[SessionUnderWay]


def under_way(session: Session, now: datetime | None = None) -> UnderWay:
    """Sessions that are being counted first, then those that wait, each oldest first."""
    rows = session.execute(text(_UNDER_WAY), {"limit": AT_MOST}).mappings().all()
    at = now or datetime.now(UTC)
    pace = current_pace(session, at)
    return UnderWay(
        sessions=rows[0]["all_sessions"] if rows else 0,
        photos=int(rows[0]["all_photos"]) if rows else 0,
        wait=pace.wait(rows[0]["all_left"]) if pace and rows else None,
        first=[_session(row, at, pace) for row in rows],
    )


def _session(row: Any, now: datetime, pace: Pace | None) -> SessionUnderWay:
    bed = BedName(*(row[name] for name in ("code", "name", "area_name", "warehouse_name")))
    is_waiting = row["status"] == "pending"
    share = 0.0 if is_waiting else float(row["share"] or 0)
    return SessionUnderWay(
        session_id=row["session_id"],
        bed=bed if row["code"] is not None else None,
        photos=row["photos"],
        photo=min(row["ended"] + 1, row["photos"]),
        share=share,
        seconds_left=_seconds_left(share, row["started_at"], now),
        wait=pace.wait(row["left_with_it"]) if pace and is_waiting else None,
        line=row["line"] if is_waiting else None,
        thumbnail=urls.of_image(row["image_id"], "thumbnail", row["s3_key_thumbnail"])
        if row["image_id"] is not None
        else None,
    )


def _seconds_left(share: float, started_at: datetime | None, now: datetime) -> int | None:
    if started_at is None or share < SAYS_SOMETHING:
        return None
    spent_s = max(0.0, (now - started_at).total_seconds())
    return round(spent_s * (1 - share) / share)


_UNDER_WAY = """
WITH running AS (
    SELECT f.*, count(*) OVER () AS all_sessions,
           row_number() OVER (PARTITION BY status ORDER BY f.id) AS line
    FROM photo_processing_sessions f WHERE f.status IN ('pending', 'processing')
), photos AS (
    SELECT m.session_id, count(*) AS photos, min(m.started_at) AS started_at,
           count(*) FILTER (WHERE m.status IN ('succeeded', 'failed')) AS ended,
           avg(CASE WHEN m.status IN ('succeeded', 'failed') THEN 1 ELSE m.progress END) AS share,
           sum(CASE WHEN m.status IN ('succeeded', 'failed') THEN 0 ELSE 1 - m.progress END)
               AS unread
    FROM photo_session_images m JOIN running r ON r.id = m.session_id
    GROUP BY m.session_id
)
SELECT r.session_id, r.status, r.line, r.all_sessions,
       sum(p.photos) OVER () AS all_photos,
       sum(p.unread) OVER () AS all_left, sum(p.unread) OVER (ORDER BY r.id) AS left_with_it,
       p.photos, p.ended, p.share, p.started_at,
       l.code, l.name, a.name AS area_name, h.name AS warehouse_name,
       i.image_id, i.s3_key_thumbnail
FROM running r
JOIN photos p ON p.session_id = r.id
LEFT JOIN storage_locations l ON l.location_id = r.storage_location_id
LEFT JOIN storage_areas a USING (storage_area_id)
LEFT JOIN warehouses h USING (warehouse_id)
LEFT JOIN s3_images i ON i.image_id = r.original_image_id
ORDER BY r.status DESC, r.id LIMIT :limit
"""
