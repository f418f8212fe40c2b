"""The lots of one bed as they stand now, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class LotOfBed:
    """A lot of a bed; ``name`` is its number, four digits or more."""

    batch_code: str
    name: str
    product_code: str
    product_name: str
    state: str
    packaging_name: str | None
    quantity: int
    empty_containers: int
    planting_date: date | None
    created_at: datetime


def bed_lots(session: Session, location_id: int) -> list[LotOfBed]:
    """Lots with plants or empty containers, in the order in which plants are taken from them."""
    rows = session.execute(text(_LOTS), {"location": location_id}).mappings()
    return [LotOfBed(**row) for row in rows]


_LOTS = """
SELECT b.batch_code, to_char(b.id, 'FM9999990000') AS name, p.code AS product_code,
       p.name AS product_name, z.name AS state, k.name AS packaging_name,
       b.quantity_current AS quantity, b.quantity_empty_containers AS empty_containers,
       b.planting_date, b.created_at
FROM storage_bins s
JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
JOIN products p ON p.id = b.product_id
JOIN product_states z USING (product_state_id)
LEFT JOIN packaging_catalog k ON k.id = b.packaging_catalog_id
WHERE s.storage_location_id = :location
  AND (b.quantity_current <> 0 OR b.quantity_empty_containers <> 0)
ORDER BY b.created_at, b.id
"""
