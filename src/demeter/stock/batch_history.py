"""A lot's whole life: its movements, and where its plants came from, back to the beginning."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.stock import lookup
from demeter.stock.errors import NameNotFound
from demeter.stock.models import StockBatch
from demeter.stock.schemas import LotHistoryRead


def lot_history(session: Session, batch_code: str) -> LotHistoryRead:
    """Everything that happened to a lot, oldest first, and the lots behind it.

    Raises:
        NameNotFound: there is no such lot.
    """
    return _history(session, lookup.batch(session, batch_code))


def lot_history_by_id(session: Session, lot_id: int) -> LotHistoryRead:
    """The same, by the lot's number.

    Raises:
        NameNotFound: there is no such lot.
    """
    lot = session.get(StockBatch, lot_id)
    if lot is None:
        raise NameNotFound(f"there is no lot {lot_id}", kind="lot", name=str(lot_id))
    return _history(session, lot)


def _history(session: Session, lot: StockBatch) -> LotHistoryRead:
    facts = session.execute(text(_FACTS), {"lot": lot.id}).mappings().one()
    entries = session.execute(text(_ENTRIES), {"lot": lot.id}).mappings()
    origins = session.execute(text(_ORIGINS), {"lot": lot.id}).mappings()
    return LotHistoryRead.model_validate(
        dict(facts) | {"entries": [dict(e) for e in entries], "origins": [dict(o) for o in origins]}
    )


_FACTS = """
SELECT b.id AS lot_id, b.batch_code, p.code AS product_code, p.name AS product_name,
       l.name AS location_name, a.name AS area_name, w.name AS warehouse_name,
       k.name AS packaging_name,
       (SELECT count(DISTINCT m.processing_session_id) FROM stock_movements m
        WHERE m.batch_id = b.id) AS photos,
       t.name AS state, z.code AS size,
       k.sku AS packaging_sku, s.code AS bin_code, l.code AS location_code, b.quantity_current,
       b.quantity_initial, b.quantity_empty_containers, b.planting_date, b.germination_date,
       b.transplant_date, b.expected_ready_date, b.notes
FROM stock_batches b
JOIN products p ON p.id = b.product_id
JOIN product_states t USING (product_state_id)
LEFT JOIN product_sizes z ON z.id = b.product_size_id
LEFT JOIN packaging_catalog k ON k.id = b.packaging_catalog_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN storage_locations l ON l.location_id = s.storage_location_id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
WHERE b.id = :lot
"""

_ENTRIES = """
SELECT m.movement_id, m.movement_type, m.quantity, m.occurred_at, m.created_at AS told_at,
       sum(m.quantity) OVER (ORDER BY m.occurred_at, m.id) AS stock_after,
       u.username AS by, m.reason_description AS reason,
       m.reason_notice, m.transfer_id,
       other.batch_code AS other_lot, other.id AS other_lot_id, other.name AS other_location_name,
       r.movement_id AS reverses_movement_id, m.count_id, p.session_id,
       (SELECT x.movement_id FROM stock_movements x WHERE x.reverses_movement_id = m.id)
           AS undone_by,
       m.closing_id IS NOT NULL AS written_by_closing
FROM stock_movements m
JOIN users u ON u.id = m.user_id
LEFT JOIN stock_movements r ON r.id = m.reverses_movement_id
LEFT JOIN photo_processing_sessions p ON p.id = m.processing_session_id
LEFT JOIN LATERAL (
    SELECT o.batch_code, o.id, l.name FROM stock_movements x
    JOIN stock_batches o ON o.id = x.batch_id
    JOIN storage_bins s ON s.bin_id = o.current_storage_bin_id
    JOIN storage_locations l ON l.location_id = s.storage_location_id
    WHERE m.transfer_id IS NOT NULL AND x.transfer_id = m.transfer_id AND x.batch_id <> m.batch_id
    ORDER BY x.id LIMIT 1
) AS other ON true
WHERE m.batch_id = :lot ORDER BY m.occurred_at, m.id
"""

# Back along the transfers that brought plants, each lot once, at its fewest steps.
_ORIGINS = """
WITH RECURSIVE behind (batch_id, steps_back, path) AS (
    SELECT CAST(:lot AS bigint), 0, ARRAY[CAST(:lot AS bigint)]
    UNION ALL
    SELECT DISTINCT g.batch_id, behind.steps_back + 1, behind.path || g.batch_id
    FROM behind
    JOIN stock_movements t ON t.batch_id = behind.batch_id AND t.quantity > 0
        AND t.transfer_id IS NOT NULL AND t.reverses_movement_id IS NULL
    JOIN stock_movements g ON g.transfer_id = t.transfer_id AND g.quantity < 0
    WHERE g.batch_id <> ALL(behind.path) AND behind.steps_back < 50
)
SELECT b.id AS lot_id, b.batch_code, l.code AS location_code, l.name AS location_name,
       nearest.steps_back,
       began.movement_type AS began_as, began.occurred_at AS began_at, p.session_id,
       p.original_image_id AS image_id
FROM (SELECT batch_id, min(steps_back) AS steps_back FROM behind GROUP BY batch_id) AS nearest
JOIN stock_batches b ON b.id = nearest.batch_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN storage_locations l ON l.location_id = s.storage_location_id
LEFT JOIN LATERAL (
    SELECT m.movement_type, m.occurred_at, m.processing_session_id FROM stock_movements m
    WHERE m.batch_id = b.id AND m.quantity > 0 ORDER BY m.occurred_at, m.id LIMIT 1
) AS began ON true
LEFT JOIN photo_processing_sessions p ON p.id = began.processing_session_id
ORDER BY nearest.steps_back, b.batch_code
"""
