"""Movements page by page, latest first, by keyset."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.pagination import last_id, next_cursor, where_clause
from demeter.stock.errors import MovementsTooMany, NameNotFound
from demeter.stock.models import MovementType
from demeter.stock.schemas import MovementPage, MovementRead

MOST_IN_A_FILE = 50_000


def movements(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    location_code: str | None = None,
    batch_code: str | None = None,
    movement_type: MovementType | None = None,
    movement_id: UUID | None = None,
    place_code: str | None = None,
    product_code: str | None = None,
    username: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> MovementPage:
    """A page of the ledger, last written first.

    ``place_code`` is a greenhouse's, an area's or a location's; ``since`` and ``until`` bound
    when it happened, both included.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    conditions = [
        *(["m.id < :before"] if cursor is not None else []),
        *(["m.movement_type = CAST(:kind AS movement_type)"] if movement_type else []),
        *(["m.movement_id = :movement"] if movement_id else []),
        *(["m.occurred_at >= :since"] if since else []),
        *(["m.occurred_at <= :until"] if until else []),
        *(["m.user_id = (SELECT id FROM users WHERE username = :user)"] if username else []),
    ]
    lot_conditions = [
        *(["l.code = :location"] if location_code is not None else []),
        *(["b.batch_code = :lot"] if batch_code is not None else []),
        *([_IS_PLACE] if place_code is not None else []),
        *([_IS_PRODUCT] if product_code is not None else []),
    ]
    source = (
        _OF_LOTS.format(where=where_clause(lot_conditions))
        if lot_conditions
        else "stock_movements m"
    )
    rows = session.execute(
        text(_MOVEMENTS.format(source=source, where=where_clause(conditions))),
        {
            "before": last_id(cursor, "m"),
            "location": location_code,
            "lot": batch_code,
            "kind": movement_type.value if movement_type else None,
            "movement": movement_id,
            "place": place_code,
            "product": product_code,
            "user": username,
            "since": since,
            "until": until,
            "limit": limit + 1,
        },
    ).mappings().all()  # fmt: skip
    items = [MovementRead.model_validate(dict(row)) for row in rows[:limit]]
    return MovementPage(
        items=items, next_cursor=next_cursor(rows, limit, "m", lambda row: row["id"])
    )


def all_movements(session: Session, **asked: Any) -> list[MovementRead]:
    """Every movement that is asked for, as `movements` narrows them, last written first.

    Raises:
        MovementsTooMany: they are more than `MOST_IN_A_FILE`.
    """
    page = movements(session, limit=MOST_IN_A_FILE, **asked)
    if page.next_cursor is not None:
        raise MovementsTooMany(
            f"more than {MOST_IN_A_FILE} movements are asked for", most=MOST_IN_A_FILE
        )
    return page.items


def movement(session: Session, movement_id: UUID) -> MovementRead:
    """One movement.

    Raises:
        NameNotFound: there is none of this id.
    """
    rows = movements(session, limit=1, movement_id=movement_id).items
    if not rows:
        raise NameNotFound(
            f"there is no movement {movement_id}", kind="movement", name=str(movement_id)
        )
    return rows[0]


_IS_PLACE = """:place IN (l.code,
    (SELECT a.code FROM storage_areas a WHERE a.storage_area_id = l.storage_area_id),
    (SELECT w.code FROM storage_areas a JOIN warehouses w USING (warehouse_id)
     WHERE a.storage_area_id = l.storage_area_id))"""
_IS_PRODUCT = "b.product_id = (SELECT id FROM products WHERE code = :product)"

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
       b.batch_code, b.id AS lot_id, s.code AS bin_code, l.code AS location_code,
       l.name AS location_name, w.name AS warehouse_name,
       p.code AS product_code, p.name AS product_name,
       m.closing_id IS NOT NULL AS written_by_closing,
       u.username AS "user", m.source_type, m.reason_description AS reason,
       m.reason_notice, m.count_id,
       f.session_id, m.transfer_id, r.movement_id AS reverses_movement_id,
       (SELECT x.movement_id FROM stock_movements x WHERE x.reverses_movement_id = m.id)
           AS undone_by
FROM (SELECT m.* FROM {source} {where} ORDER BY m.id DESC LIMIT :limit) AS m
JOIN stock_batches b ON b.id = m.batch_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN storage_locations l ON l.location_id = s.storage_location_id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
JOIN products p ON p.id = b.product_id
JOIN users u ON u.id = m.user_id
LEFT JOIN stock_movements r ON r.id = m.reverses_movement_id
LEFT JOIN photo_processing_sessions f ON f.id = m.processing_session_id
ORDER BY m.id DESC
"""
