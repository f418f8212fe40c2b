"""What waits for a person, grouped by why: how many, since when, and one example in figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.notices import Notice, read_notices
from demeter.photos import urls
from demeter.photos.queries import NEEDS_A_PERSON

THUMBNAILS = 3


@dataclass(frozen=True, slots=True)
class BedName:
    """A bed as people call it, with where it is."""

    code: str
    name: str
    area_name: str
    warehouse_name: str


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """The sessions that wait for one reason, the longest waiting first.

    ``notices`` say why the first of them waits, with its figures; ``bed`` is ``None`` where it
    is not known. ``thumbnails`` are addresses, at most three.
    """

    reason: str
    status: str
    sessions: int
    beds: int
    since: datetime
    bed: BedName | None
    notices: Sequence[Notice]
    thumbnails: Sequence[str]

    @property
    def has_failed(self) -> bool:
        """Whether nothing of it could be read or counted."""
        return self.status == "failed" or self.reason in ("no_image_counted", "image_failed")


def waiting_groups(session: Session) -> list[WaitingGroup]:
    """Every reason for which sessions wait now, those of most sessions first."""
    statuses = [status.value for status in NEEDS_A_PERSON]
    rows = session.execute(
        text(_WAITING), {"statuses": statuses, "thumbnails": THUMBNAILS}
    ).mappings()
    by_reason = [list(group) for _, group in groupby(rows, key=lambda row: row["reason"])]
    groups = [_group(members) for members in by_reason]
    return sorted(groups, key=lambda group: (-group.sessions, group.reason))


def _group(rows: Sequence[Any]) -> WaitingGroup:
    first = rows[0]
    bed = BedName(*(first[name] for name in ("code", "name", "area_name", "warehouse_name")))
    return WaitingGroup(
        reason=first["reason"],
        status=first["status"],
        sessions=first["sessions"],
        beds=first["beds"],
        since=first["created_at"],
        bed=bed if first["code"] is not None else None,
        notices=[] if first["is_hidden"] else read_notices(first["reason_notices"]),
        thumbnails=[
            urls.of_image(row["image_id"], "thumbnail", row["s3_key_thumbnail"])
            for row in rows
            if row["image_id"] is not None
        ],
    )


# A few hundred sessions wait at most: they are found by their status, and numbered once.
_WAITING = """
WITH waiting AS (
    SELECT f.*, coalesce(f.reason_code, f.status::text) AS reason
    FROM photo_processing_sessions f
    WHERE f.status = ANY(CAST(:statuses AS session_status[]))
), numbered AS (
    SELECT w.*, row_number() OVER (PARTITION BY reason ORDER BY created_at, id) AS place,
           count(*) OVER (PARTITION BY reason) AS sessions
    FROM waiting w
), totals AS (
    SELECT reason, count(DISTINCT storage_location_id) AS beds FROM waiting GROUP BY reason
)
SELECT n.reason, n.status, n.sessions, t.beds, n.created_at, n.reason_notices,
       EXISTS (SELECT FROM counts c WHERE c.processing_session_id = n.id
               AND c.voided_at IS NULL AND c.blind_until > now()) AS is_hidden,
       l.code, l.name, a.name AS area_name, h.name AS warehouse_name,
       i.image_id, i.s3_key_thumbnail
FROM numbered n
JOIN totals t USING (reason)
LEFT JOIN storage_locations l ON l.location_id = n.storage_location_id
LEFT JOIN storage_areas a USING (storage_area_id)
LEFT JOIN warehouses h USING (warehouse_id)
LEFT JOIN s3_images i ON i.image_id = n.original_image_id
WHERE n.place <= :thumbnails
ORDER BY n.reason, n.place
"""
