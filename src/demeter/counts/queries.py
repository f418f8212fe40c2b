"""Counts page by page, last kept first; one with its containers; the one of a photo session."""

from __future__ import annotations

from sqlalchemy import select, text, tuple_
from sqlalchemy.orm import Session

from demeter.core.pagination import last_id, next_cursor, where_clause
from demeter.counts.errors import CountNotFound
from demeter.counts.models import Count
from demeter.counts.schemas import ContainerRead, CountPage, CountRead


def counts(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    location_code: str | None = None,
    waiting: bool = False,
    count_id: int | None = None,
) -> CountPage:
    """A page of counts, last kept first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    conditions = [
        *(["c.id < :before"] if cursor is not None else []),
        *(["l.code = :location"] if location_code is not None else []),
        *(["c.id = :count"] if count_id is not None else []),
        *([_WAITING] if waiting else []),
    ]
    rows = session.execute(
        text(_COUNTS.format(where=where_clause(conditions))),
        {
            "before": last_id(cursor, "m"),
            "location": location_code,
            "count": count_id,
            "limit": limit + 1,
        },
    ).mappings().all()  # fmt: skip
    items = [CountRead.model_validate(dict(row)) for row in rows[:limit]]
    return CountPage(
        items=items, next_cursor=next_cursor(rows, limit, "m", lambda row: row["count_id"])
    )


def count(session: Session, count_id: int) -> CountRead:
    """One count with its containers.

    Raises:
        CountNotFound: there is none of this id.
    """
    rows = counts(session, limit=1, count_id=count_id).items
    if not rows:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    containers = session.execute(text(_CONTAINERS), {"count": count_id}).mappings()
    return rows[0].model_copy(
        update={"containers": [ContainerRead.model_validate(dict(c)) for c in containers]}
    )


def standing_count(session: Session, session_id: int) -> Count | None:
    """The count of a photo session (its integer id) that is not void; ``None`` if there is none."""
    return session.scalar(
        select(Count).where(Count.processing_session_id == session_id, Count.voided_at.is_(None))
    )


def is_first_count(session: Session, count_id: int) -> bool:
    """Whether no count of the location that stands is older than this one."""
    count_row = session.get_one(Count, count_id)
    older = session.scalar(
        select(Count.id)
        .where(
            Count.storage_location_id == count_row.storage_location_id,
            Count.posted_at.is_not(None),
            Count.voided_at.is_(None),
            tuple_(Count.captured_at, Count.id) < (count_row.captured_at, count_row.id),
        )
        .limit(1)
    )
    return older is None


_WAITING = "(c.waits_for IS NOT NULL OR f.status IN ('needs_review', 'needs_config'))"


_COUNTS = """
SELECT c.id AS count_id, l.code AS location_code, c.captured_at, c.source_type,
       u.username AS counted_by, c.unit, f.session_id, p.code AS product_code, c.plants,
       CASE WHEN k.partly_unknown = 0 THEN k.known END AS counted,
       CASE WHEN k.known > 0 OR k.partly_unknown = 0 THEN k.known END AS counted_at_least,
       c.posted_at,
       c.voided_at, c.void_reason,
       coalesce(c.waits_for, CASE WHEN f.status IN ('needs_review', 'needs_config')
                                  AND c.voided_at IS NULL THEN f.reason_code END) AS waits_for,
       coalesce(c.wait_message, CASE WHEN f.status IN ('needs_review', 'needs_config')
                                     AND c.voided_at IS NULL THEN f.error_message END) AS message,
       coalesce(c.wait_notices, CASE WHEN f.status IN ('needs_review', 'needs_config')
                                     AND c.voided_at IS NULL THEN f.reason_notices END, '[]')
           AS reasons
FROM counts c
JOIN storage_locations l ON l.location_id = c.storage_location_id
JOIN users u ON u.id = c.counted_by_user_id
LEFT JOIN photo_processing_sessions f ON f.id = c.processing_session_id
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE seen AND human_corrected IS NULL
               AND (machine_detected IS NULL OR machine_estimated IS NULL)) AS partly_unknown,
           coalesce(sum(coalesce(human_corrected, CASE WHEN seen
               THEN coalesce(machine_detected, 0) + coalesce(machine_estimated, 0) END)), 0)
               AS known
    FROM container_counts n
    WHERE n.count_id = c.id AND n.attempt = c.attempt
      AND (c.blind_until IS NULL OR c.blind_until <= now())
    HAVING c.blind_until IS NULL OR c.blind_until <= now()
) AS k ON true
{where}
ORDER BY c.id DESC LIMIT :limit
"""


_CONTAINERS = """
SELECT k.id AS container_id, s.code AS bin_code, k.seen,
       CASE WHEN shown THEN k.machine_detected END AS machine_detected,
       CASE WHEN shown THEN k.machine_estimated END AS machine_estimated,
       k.human_corrected, k.ledger_before, k.difference
FROM container_counts k
JOIN (SELECT *, coalesce(blind_until <= now(), true) AS shown FROM counts) AS c
    ON c.id = k.count_id AND c.attempt = k.attempt
LEFT JOIN storage_bins s ON s.bin_id = k.bin_id
WHERE k.count_id = :count ORDER BY k.container_index NULLS LAST, k.id
"""
