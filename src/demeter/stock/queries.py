"""Movements and counts page by page, latest first, by keyset."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.errors import InvalidInput
from demeter.stock.errors import CountNotFound, NoSuch
from demeter.stock.models import MovementType, SourceType


class BadCursor(InvalidInput):
    """The cursor is not one that a page gave."""

    code = "bad_cursor"
    title = "This cursor is not one of ours"
    next_action = "Begin again without a cursor."


class MovementRow(BaseModel):
    """A movement as it stands in the ledger."""

    model_config = ConfigDict(frozen=True)

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    created_at: datetime
    batch_code: str
    bin_code: str
    location_code: str
    product_code: str
    user: str
    source_type: SourceType
    reason: str | None
    count_id: int | None
    session_id: UUID | None
    transfer_id: UUID | None
    reverses_movement_id: UUID | None
    undone_by: UUID | None


class MovementPage(BaseModel):
    """A page of movements; ``next_cursor`` leads on."""

    items: list[MovementRow]
    next_cursor: str | None


class ContainerRow(BaseModel):
    """One container of a count: the machine's answer, a person's, the answer now."""

    model_config = ConfigDict(frozen=True)

    container_id: int
    bin_code: str | None
    seen: bool
    machine_detected: int | None
    machine_estimated: int | None
    human_corrected: int | None
    ledger_before: int | None
    difference: int | None


class CountRow(BaseModel):
    """A count of a location; ``plants`` is what was posted, null until it is."""

    model_config = ConfigDict(frozen=True)

    count_id: int
    location_code: str
    captured_at: datetime
    source_type: SourceType
    counted_by: str
    session_id: UUID | None
    product_code: str | None
    plants: int | None
    posted_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    waits_for: str | None
    message: str | None
    containers: list[ContainerRow] = []


class CountPage(BaseModel):
    """A page of counts."""

    items: list[CountRow]
    next_cursor: str | None


def movements(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    location_code: str | None = None,
    batch_code: str | None = None,
    movement_type: MovementType | None = None,
    movement_id: UUID | None = None,
) -> MovementPage:
    """A page of the ledger, last written first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    asked = [
        *(["m.id < :before"] if cursor is not None else []),
        *(["m.movement_type = CAST(:kind AS movement_type)"] if movement_type else []),
        *(["m.movement_id = :movement"] if movement_id else []),
    ]
    of_lots = [
        *(["l.code = :location"] if location_code is not None else []),
        *(["b.batch_code = :lot"] if batch_code is not None else []),
    ]
    source = _OF_LOTS.format(where=_where(of_lots)) if of_lots else "stock_movements m"
    rows = session.execute(
        text(_MOVEMENTS.format(source=source, where=_where(asked))),
        {
            "before": _position(cursor),
            "location": location_code,
            "lot": batch_code,
            "kind": movement_type.value if movement_type else None,
            "movement": movement_id,
            "limit": limit + 1,
        },
    ).mappings().all()  # fmt: skip
    items = [MovementRow.model_validate(dict(row)) for row in rows[:limit]]
    more = len(rows) > limit
    return MovementPage(items=items, next_cursor=f"m{rows[limit - 1]['id']:x}" if more else None)


def movement(session: Session, movement_id: UUID) -> MovementRow:
    """One movement.

    Raises:
        NoSuch: there is none of this id.
    """
    found = movements(session, limit=1, movement_id=movement_id).items
    if not found:
        raise NoSuch(f"there is no movement {movement_id}", kind="movement", name=str(movement_id))
    return found[0]


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
    asked = [
        *(["c.id < :before"] if cursor is not None else []),
        *(["l.code = :location"] if location_code is not None else []),
        *(["c.id = :count"] if count_id is not None else []),
        *([_WAITING] if waiting else []),
    ]
    rows = session.execute(
        text(_COUNTS.format(where=_where(asked))),
        {
            "before": _position(cursor),
            "location": location_code,
            "count": count_id,
            "limit": limit + 1,
        },
    ).mappings().all()  # fmt: skip
    items = [CountRow.model_validate(dict(row)) for row in rows[:limit]]
    more = len(rows) > limit
    return CountPage(items=items, next_cursor=f"m{rows[limit - 1]['count_id']:x}" if more else None)


def count(session: Session, count_id: int) -> CountRow:
    """One count with its containers.

    Raises:
        CountNotFound: there is none of this id.
    """
    found = counts(session, limit=1, count_id=count_id).items
    if not found:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    containers = session.execute(text(_CONTAINERS), {"count": count_id}).mappings()
    return found[0].model_copy(
        update={"containers": [ContainerRow.model_validate(dict(c)) for c in containers]}
    )


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not re.fullmatch(r"m[0-9a-f]{1,15}", cursor):
        raise BadCursor(f"{cursor!r} is not a cursor that a page gave")
    return int(cursor[1:], 16)


def _where(conditions: list[str]) -> str:
    """Only what is asked for: the database then plans for it, and pages cost the same anywhere."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


# Lots first, whatever the planner thinks of their number: a bed is a thousandth of the ledger.
_OF_LOTS = """(
    SELECT m.* FROM (
        SELECT b.id FROM stock_batches b
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        JOIN storage_locations l ON l.location_id = s.storage_location_id
        {where}
    ) AS lots JOIN stock_movements m ON m.batch_id = lots.id OFFSET 0
) AS m"""

_MOVEMENTS = """
SELECT m.id, m.movement_id, m.movement_type, m.quantity, m.occurred_at, m.created_at,
       b.batch_code, s.code AS bin_code, l.code AS location_code, p.code AS product_code,
       u.username AS "user", m.source_type, m.reason_description AS reason, m.count_id,
       f.session_id, m.transfer_id, r.movement_id AS reverses_movement_id,
       (SELECT x.movement_id FROM stock_movements x WHERE x.reverses_movement_id = m.id)
           AS undone_by
FROM (SELECT m.* FROM {source} {where} ORDER BY m.id DESC LIMIT :limit) AS m
JOIN stock_batches b ON b.id = m.batch_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN storage_locations l ON l.location_id = s.storage_location_id
JOIN products p ON p.id = b.product_id
JOIN users u ON u.id = m.user_id
LEFT JOIN stock_movements r ON r.id = m.reverses_movement_id
LEFT JOIN photo_processing_sessions f ON f.id = m.processing_session_id
ORDER BY m.id DESC
"""

_WAITING = "(c.waits_for IS NOT NULL OR f.status IN ('needs_review', 'needs_config'))"

_COUNTS = """
SELECT c.id AS count_id, l.code AS location_code, c.captured_at, c.source_type,
       u.username AS counted_by, f.session_id, p.code AS product_code, c.plants, c.posted_at,
       c.voided_at, c.void_reason,
       coalesce(c.waits_for, CASE WHEN f.status IN ('needs_review', 'needs_config')
                                  AND c.voided_at IS NULL THEN f.reason_code END) AS waits_for,
       coalesce(c.wait_message, CASE WHEN f.status IN ('needs_review', 'needs_config')
                                     AND c.voided_at IS NULL THEN f.error_message END) AS message
FROM counts c
JOIN storage_locations l ON l.location_id = c.storage_location_id
JOIN users u ON u.id = c.counted_by_user_id
LEFT JOIN photo_processing_sessions f ON f.id = c.processing_session_id
LEFT JOIN products p ON p.id = c.product_id
{where}
ORDER BY c.id DESC LIMIT :limit
"""

_CONTAINERS = """
SELECT k.id AS container_id, s.code AS bin_code, k.seen, k.machine_detected,
       k.machine_estimated, k.human_corrected, k.ledger_before, k.difference
FROM container_counts k
JOIN counts c ON c.id = k.count_id AND c.attempt = k.attempt
LEFT JOIN storage_bins s ON s.bin_id = k.bin_id
WHERE k.count_id = :count ORDER BY k.container_index NULLS LAST, k.id
"""
