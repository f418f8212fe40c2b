"""Beds as somebody walks by them with a phone: where they are, what grows, the last count."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.schemas import Output


class BedToCount(Output):
    """A bed in use; ``ring`` is its frame in degrees, longitude first, null where unknown.

    ``last`` is what its last posted count said, null where nobody counted it.
    """

    code: str
    name: str
    place: str
    product: str | None
    qr: str
    last: int | None
    last_at: datetime | None
    ring: list[tuple[float, float]] | None


def beds_to_count(session: Session) -> list[BedToCount]:
    """All beds in use, in walking order."""
    rows = session.execute(text(_BEDS)).mappings()
    return [BedToCount.model_validate(dict(row) | {"ring": _ring(row["ring"])}) for row in rows]


def _ring(geojson: str | None) -> list[tuple[float, float]] | None:
    if geojson is None:
        return None
    shape = json.loads(geojson)
    return shape["coordinates"][0] if shape["type"] == "Polygon" else None


_BEDS = """
SELECT l.code, l.name, w.name || ' · ' || a.name AS place, p.name AS product,
       coalesce(l.qr_code, l.code) AS qr, c.plants AS last, c.captured_at AS last_at,
       ST_AsGeoJSON(ST_OrientedEnvelope(l.geojson_coordinates), 7) AS ring
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config g
    ON g.storage_location_id = l.location_id AND g.active
LEFT JOIN products p ON p.id = g.product_id
LEFT JOIN LATERAL (
    SELECT plants, captured_at FROM counts
    WHERE storage_location_id = l.location_id AND posted_at IS NOT NULL AND voided_at IS NULL
    ORDER BY captured_at DESC, id DESC LIMIT 1
) AS c ON true
WHERE l.active
ORDER BY w.code, a.code, l.walk_order NULLS LAST, l.code
"""


class BinToCount(Output):
    """A bin in use, and what the ledger says is in it; ``number`` counts those of its category."""

    code: str
    label: str | None
    category: str
    number: int
    before: int


def bins_to_count(session: Session, code: str) -> list[BinToCount]:
    """The bins of a bed that hold plants or may, in the order in which they were made."""
    rows = session.execute(text(_BINS), {"code": code}).mappings()
    return [BinToCount.model_validate(dict(row)) for row in rows]


class WalkedBed(Output):
    """A bed by name and place."""

    code: str
    name: str
    place: str


def walk(session: Session) -> list[WalkedBed]:
    """All beds in use in walking order, with no more than their names."""
    rows = session.execute(text(_WALK)).mappings()
    return [WalkedBed.model_validate(dict(row)) for row in rows]


_WALK = """
SELECT l.code, l.name, w.name || ' · ' || a.name AS place
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
WHERE l.active
ORDER BY w.code, a.code, l.walk_order NULLS LAST, l.code
"""
_BINS = """
SELECT b.code, b.label, coalesce(t.category::text, 'box') AS category,
       row_number() OVER (PARTITION BY coalesce(t.category::text, 'box') ORDER BY b.bin_id)
           AS number,
       coalesce(s.plants, 0) AS before
FROM storage_bins b
JOIN storage_locations l ON l.location_id = b.storage_location_id
LEFT JOIN storage_bin_types t ON t.bin_type_id = b.storage_bin_type_id
LEFT JOIN LATERAL (SELECT sum(quantity_current) AS plants FROM stock_batches
                   WHERE current_storage_bin_id = b.bin_id) AS s ON true
WHERE l.code = :code AND b.status = 'active'
ORDER BY b.bin_id
"""
