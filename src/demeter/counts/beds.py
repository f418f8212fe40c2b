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
