"""All places as one list, from greenhouse to bed, in the order in which people walk."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.schemas import Output


class PlaceRead(Output):
    """A place of any level."""

    level: str
    code: str
    name: str
    parent_code: str | None
    area_m2: float | None
    walk_order: int | None
    active: bool


def places(session: Session, place_code: str | None = None) -> list[PlaceRead]:
    """All places, or a greenhouse, an area or a bed with what is in it."""
    rows = session.execute(text(_PLACES), {"place": place_code}).mappings()
    return [PlaceRead.model_validate(dict(row)) for row in rows]


_PLACES = """
SELECT level, code, name, parent_code, area_m2, walk_order, active FROM (
    SELECT 'warehouse' AS level, code, name, NULL AS parent_code, area_m2,
           NULL::integer AS walk_order, active, 0 AS depth, code AS w, '' AS a
    FROM warehouses
    UNION ALL
    SELECT 'area', a.code, a.name, w.code, a.area_m2, NULL::integer, a.active, 1, w.code, a.code
    FROM storage_areas a JOIN warehouses w USING (warehouse_id)
    UNION ALL
    SELECT 'location', l.code, l.name, a.code, l.area_m2, l.walk_order, l.active, 2, w.code, a.code
    FROM storage_locations l
    JOIN storage_areas a USING (storage_area_id)
    JOIN warehouses w USING (warehouse_id)
) p
WHERE CAST(:place AS text) IS NULL OR :place IN (w, a, code)
ORDER BY w, a, depth, walk_order NULLS LAST, code
"""
