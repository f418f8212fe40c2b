"""What one person sent today, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.site import day_at_site, start_of_day
from demeter.photos import urls
from demeter.photos.waiting import BedName


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session of the person's; ``plants`` is ``None`` before it is in the stock."""

    session_id: UUID
    bed: BedName | None
    sent_at: datetime
    photos: int
    status: str
    share: float
    plants: int | None
    thumbnail: str | None

    @property
    def page_url(self) -> str:
        """Its page."""
        return urls.of_session(self.session_id)["page_url"]


@dataclass(frozen=True, slots=True)
class OwnPhotos:
    """All that the person sent today; ``latest`` are those that are shown."""

    sessions: int
    latest: Sequence[OwnSession]


def own_photos(session: Session, user_id: int, now: datetime, limit: int) -> OwnPhotos:
    """A person's sessions of today at the site, latest first."""
    since = start_of_day(day_at_site(now))
    values = {"user": user_id, "since": since, "limit": limit}
    rows = session.execute(text(_OWN), values).mappings().all()
    return OwnPhotos(rows[0]["all_sessions"] if rows else 0, [_session(row) for row in rows])


def _session(row: Any) -> OwnSession:
    bed = BedName(*(row[name] for name in ("code", "name", "area_name", "warehouse_name")))
    return OwnSession(
        session_id=row["session_id"],
        bed=bed if row["code"] is not None else None,
        sent_at=row["created_at"],
        photos=row["photos"],
        status=row["status"],
        share=float(row["share"] or 0),
        plants=row["plants"],
        thumbnail=urls.of_image(row["image_id"], "thumbnail", row["s3_key_thumbnail"])
        if row["image_id"] is not None
        else None,
    )


_OWN = """
WITH own AS (
    SELECT f.*, count(*) OVER () AS all_sessions
    FROM photo_processing_sessions f
    WHERE f.uploaded_by_user_id = :user AND f.created_at >= :since
    ORDER BY f.id DESC LIMIT :limit
)
SELECT o.session_id, o.status, o.created_at, o.all_sessions,
       (SELECT count(*) FROM photo_session_images m WHERE m.session_id = o.id) AS photos,
       (SELECT avg(CASE WHEN m.status IN ('succeeded', 'failed') THEN 1 ELSE m.progress END)
        FROM photo_session_images m WHERE m.session_id = o.id) AS share,
       (SELECT c.plants FROM counts c WHERE c.processing_session_id = o.id
            AND c.posted_at IS NOT NULL AND c.voided_at IS NULL) AS plants,
       l.code, l.name, a.name AS area_name, h.name AS warehouse_name,
       i.image_id, i.s3_key_thumbnail
FROM own o
LEFT JOIN storage_locations l ON l.location_id = o.storage_location_id
LEFT JOIN storage_areas a USING (storage_area_id)
LEFT JOIN warehouses h USING (warehouse_id)
LEFT JOIN s3_images i ON i.image_id = o.original_image_id
ORDER BY o.id DESC
"""
