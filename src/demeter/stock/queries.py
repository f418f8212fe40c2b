"""Movements page by page, latest first, by keyset."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.pagination import Page, last_id, next_cursor, where_clause
from demeter.stock.errors import NoSuch
from demeter.stock.models import MovementType, SourceType


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


class MovementPage(Page[MovementRow]):
    """A page of movements, last written first."""


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
    source = _OF_LOTS.format(where=where_clause(of_lots)) if of_lots else "stock_movements m"
    rows = session.execute(
        text(_MOVEMENTS.format(source=source, where=where_clause(asked))),
        {
            "before": last_id(cursor, "m"),
            "location": location_code,
            "lot": batch_code,
            "kind": movement_type.value if movement_type else None,
            "movement": movement_id,
            "limit": limit + 1,
        },
    ).mappings().all()  # fmt: skip
    items = [MovementRow.model_validate(dict(row)) for row in rows[:limit]]
    return MovementPage(
        items=items, next_cursor=next_cursor(rows, limit, "m", lambda row: row["id"])
    )


def movement(session: Session, movement_id: UUID) -> MovementRow:
    """One movement.

    Raises:
        NoSuch: there is none of this id.
    """
    found = movements(session, limit=1, movement_id=movement_id).items
    if not found:
        raise NoSuch(f"there is no movement {movement_id}", kind="movement", name=str(movement_id))
    return found[0]


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
