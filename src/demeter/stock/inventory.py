"""The inventory as people read it: plants by product, place, packaging, state or lot, on any day.

Beside each number stands what it leaves out: beds of the group that nobody has counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from demeter.stock.on_hand import is_recent
from demeter.stock.schemas import InventoryRead, InventoryRow

CHANGE_DAYS = 30


class InventoryBy(StrEnum):
    """What the rows of an inventory are of."""

    PRODUCT = "product"
    WAREHOUSE = "warehouse"
    AREA = "area"
    LOCATION = "location"
    PACKAGING = "packaging"
    STATE = "state"
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class InventoryFilter:
    """What narrows an inventory; ``None`` leaves open.

    ``place`` is a greenhouse's, an area's or a location's code; ``words`` are in the name or
    code of a product or a bed.
    """

    product: str | None = None
    place: str | None = None
    packaging: str | None = None
    state: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class _Level:
    """How rows of a kind are grouped, and where their code, name and second words come from."""

    key: str
    names: str
    code: str
    name: str
    second: str


def inventory(
    session: Session,
    by: InventoryBy,
    filters: InventoryFilter,
    at: datetime,
    *,
    is_now: bool = False,
    limit: int | None = None,
) -> InventoryRead:
    """Rows with most plants first, and their total.

    ``is_now`` spares the movements since ``at``, where there are none yet. A group whose beds
    nobody has counted, and where nothing is booked, has no number of plants.
    """
    level = _LEVELS[by]
    query = text(
        _INVENTORY.format(
            plants=_plants(session, at, is_now=is_now),
            key=level.key,
            names=level.names,
            code=level.code,
            name=level.name,
            second=level.second,
            growing="false" if by is InventoryBy.LOT else "true",
            is_lot="true" if by is InventoryBy.LOT else "false",
        )
    ).bindparams(bindparam("limit", limit))
    values = {
        "at": at,
        "since": at - timedelta(days=CHANGE_DAYS),
        "product": filters.product,
        "place": filters.place,
        "packaging": filters.packaging,
        "state": filters.state,
        "words": _pattern(filters.words),
    }
    rows = session.execute(query, values).mappings().all()
    return InventoryRead(
        at=at,
        by=by.value,
        total=next((_row(row) for row in rows if row["is_total"]), _NOTHING),
        groups=rows[0]["all_groups"] if rows else 0,
        rows=[_row(row) for row in rows if not row["is_total"]],
    )


def levels_of_place(session: Session, place: str | None) -> InventoryBy:
    """What stands inside a place: areas of a greenhouse, beds of an area, lots of a bed."""
    if place is None:
        return InventoryBy.WAREHOUSE
    row = session.execute(text(_LEVEL_OF), {"place": place}).scalar()
    return InventoryBy(row) if row is not None else InventoryBy.WAREHOUSE


def _plants(session: Session, at: datetime, *, is_now: bool) -> str:
    if is_now:
        return _NOW
    return _LESS_SINCE if is_recent(session, at) else _UNTIL


def _pattern(words: str | None) -> str | None:
    if not words or not words.strip():
        return None
    escaped = words.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def _row(row: Any) -> InventoryRow:
    plants = row["plants"]
    if plants is None and row["beds"] > row["never_counted"]:
        plants = 0
    return InventoryRow(
        code=row["code"],
        name=row["name"] or row["code"],
        detail=row["second"] if row["seconds"] == 1 else None,
        details=row["seconds"],
        beds=row["beds"],
        never_counted=row["never_counted"],
        lots=row["lots"],
        change_30_days=row["change"],
        last_counted_at=row["counted_at"],
        plants=plants,
        lot_id=row["lot_id"],
    )


_NOTHING = InventoryRow(
    code=None, name=None, detail=None, details=0, beds=0, never_counted=0, lots=0,
    change_30_days=None, last_counted_at=None, plants=0, lot_id=None,
)  # fmt: skip

_PRODUCT_NAMES = "LEFT JOIN products n ON n.id = g.key"
_LEVELS = {
    InventoryBy.PRODUCT: _Level("product_id", _PRODUCT_NAMES, "n.code", "n.name", "packaging_name"),
    InventoryBy.WAREHOUSE: _Level(
        "warehouse_id",
        "LEFT JOIN warehouses n ON n.warehouse_id = g.key",
        "n.code",
        "n.name",
        "product_name",
    ),
    InventoryBy.AREA: _Level(
        "storage_area_id",
        "LEFT JOIN storage_areas n ON n.storage_area_id = g.key"
        " LEFT JOIN warehouses w ON w.warehouse_id = n.warehouse_id",
        "n.code",
        "w.name || ' · ' || n.name",
        "product_name",
    ),
    InventoryBy.LOCATION: _Level(
        "location_id",
        "LEFT JOIN storage_locations n ON n.location_id = g.key"
        " LEFT JOIN storage_areas a ON a.storage_area_id = n.storage_area_id"
        " LEFT JOIN warehouses w ON w.warehouse_id = a.warehouse_id",
        "n.code",
        "n.name || ' · ' || w.name || ' · ' || a.name",
        "product_name",
    ),
    InventoryBy.PACKAGING: _Level(
        "packaging_id",
        "LEFT JOIN packaging_catalog n ON n.id = g.key",
        "n.sku",
        "n.name",
        "product_name",
    ),
    InventoryBy.STATE: _Level(
        "state_id",
        "LEFT JOIN product_states n ON n.product_state_id = g.key",
        "n.name",
        "n.name",
        "product_name",
    ),
    InventoryBy.LOT: _Level(
        "lot_id",
        "LEFT JOIN stock_batches n ON n.id = g.key"
        " "
        " LEFT JOIN storage_bins s ON s.bin_id = n.current_storage_bin_id"
        " LEFT JOIN storage_locations l ON l.location_id = s.storage_location_id"
        " LEFT JOIN storage_areas a ON a.storage_area_id = l.storage_area_id"
        " LEFT JOIN warehouses w ON w.warehouse_id = a.warehouse_id",
        "n.batch_code",
        "l.name || ' · ' || w.name || ' · ' || a.name",
        "product_name",
    ),
}

_NOW = "SELECT id AS batch_id, quantity_current AS plants FROM stock_batches"
_LESS_SINCE = """
SELECT b.id AS batch_id, b.quantity_current - coalesce(m.quantity, 0) AS plants
FROM stock_batches b LEFT JOIN (
    SELECT batch_id, sum(quantity) AS quantity FROM stock_movements
    WHERE occurred_at > :at GROUP BY batch_id
) AS m ON m.batch_id = b.id
"""
_UNTIL = """
SELECT batch_id, sum(quantity) AS plants FROM stock_movements
WHERE occurred_at <= :at GROUP BY batch_id
"""

# Beds once with their last count; lots that hold or held something lately; and what is said to
# grow in each bed, so that a bed that nobody has counted is named beside the number.
_INVENTORY = """
WITH beds AS MATERIALIZED (
    SELECT l.location_id, l.storage_area_id, a.warehouse_id, l.active,
           l.name || ' ' || l.code AS bed_words,
           (SELECT max(c.captured_at) FROM counts c
            WHERE c.storage_location_id = l.location_id AND c.posted_at IS NOT NULL
              AND c.voided_at IS NULL AND c.captured_at <= :at) AS counted_at
    FROM storage_locations l
    JOIN storage_areas a USING (storage_area_id)
    JOIN warehouses w USING (warehouse_id)
    WHERE CAST(:place AS text) IS NULL OR :place IN (w.code, a.code, l.code)
), held AS ({plants}), moved AS (
    SELECT batch_id, sum(quantity) AS change FROM stock_movements
    WHERE occurred_at > :since AND occurred_at <= :at GROUP BY batch_id
), parts AS (
    SELECT s.storage_location_id AS location_id, b.product_id, b.product_state_id AS state_id,
           b.packaging_catalog_id AS packaging_id, b.id AS lot_id,
           nullif(h.plants, 0) AS plants, m.change, false AS is_said
    FROM stock_batches b
    JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
    JOIN held h ON h.batch_id = b.id
    LEFT JOIN moved m ON m.batch_id = b.id
    WHERE h.plants <> 0 OR m.change <> 0
    UNION ALL
    SELECT d.location_id, c.product_id, c.expected_product_state_id, c.packaging_catalog_id,
           NULL, NULL, NULL, true
    FROM beds d
    LEFT JOIN storage_location_config c ON c.storage_location_id = d.location_id AND c.active
    WHERE d.active
), wanted AS (
    SELECT q.*, d.storage_area_id, d.warehouse_id, d.counted_at, p.name AS product_name,
           k.name AS packaging_name
    FROM parts q
    JOIN beds d USING (location_id)
    LEFT JOIN products p ON p.id = q.product_id
    LEFT JOIN product_states t ON t.product_state_id = q.state_id
    LEFT JOIN packaging_catalog k ON k.id = q.packaging_id
    WHERE (CAST(:product AS text) IS NULL OR p.code = :product)
      AND (CAST(:state AS text) IS NULL OR t.name = :state)
      AND (CAST(:packaging AS text) IS NULL OR k.sku = :packaging)
      AND (CAST(:words AS text) IS NULL OR p.name ILIKE :words OR p.code ILIKE :words
           OR p.scientific_name ILIKE :words OR d.bed_words ILIKE :words)
), grouped AS (
    SELECT {key} AS key, GROUPING({key}) = 1 AS is_total, sum(plants) AS plants,
           sum(change) AS change, count(DISTINCT {second}) AS seconds, min({second}) AS second,
           count(DISTINCT location_id) FILTER (WHERE is_said OR plants <> 0) AS beds,
           count(DISTINCT location_id) FILTER (WHERE is_said AND counted_at IS NULL)
               AS never_counted,
           max(counted_at) AS counted_at, count(DISTINCT lot_id) FILTER (WHERE plants <> 0) AS lots
    FROM wanted GROUP BY GROUPING SETS (({key}), ())
), shown AS (
    SELECT g.*, {code} AS code, {name} AS name
    FROM grouped g {names}
    WHERE g.is_total OR g.plants <> 0 OR ({growing} AND g.key IS NOT NULL AND g.beds > 0)
)
SELECT *, CASE WHEN {is_lot} THEN key END AS lot_id,
       count(*) FILTER (WHERE NOT is_total) OVER () AS all_groups
FROM shown
ORDER BY is_total DESC, plants DESC NULLS LAST, name, code
LIMIT CAST(:limit AS integer) + 1
"""

_LEVEL_OF = """
SELECT level FROM (
    SELECT code, 'area' AS level, 0 AS depth FROM warehouses
    UNION ALL SELECT code, 'location', 1 FROM storage_areas
    UNION ALL SELECT code, 'lot', 2 FROM storage_locations
) AS places WHERE code = :place ORDER BY depth LIMIT 1
"""
