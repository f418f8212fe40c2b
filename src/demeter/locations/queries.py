"""Where beds are: at a point, in a frame, behind a QR code; and the places as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.locations.errors import PlaceNotFound
from demeter.locations.models import StorageLocation
from demeter.locations.schemas import BedNear


@dataclass(frozen=True, slots=True)
class MapFrame:
    """A frame of a map in degrees."""

    west: float
    south: float
    east: float
    north: float


def beds_at(session: Session, longitude: float, latitude: float) -> list[BedNear]:
    """The beds in use that hold a point, edges included; where several do, by code."""
    rows = session.execute(text(_AT), {"lon": longitude, "lat": latitude}).mappings()
    return [BedNear.model_validate(dict(row)) for row in rows]


def bed_by_qr(session: Session, words: str) -> BedNear:
    """The bed in use whose label says this.

    Raises:
        PlaceNotFound: none does.
    """
    row = session.execute(text(_BY_QR), {"words": words}).mappings().first()
    if row is None:
        raise PlaceNotFound(f"no bed in use has the label {words!r}")
    return BedNear.model_validate(dict(row))


def bed_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """What beds are called, by code; those that are no more are left out."""
    query = select(StorageLocation.code, StorageLocation.name)
    rows = session.execute(query.where(StorageLocation.code.in_(codes)))
    return {row.code: row.name for row in rows}


def places_geojson(
    session: Session,
    *,
    level: str | None = None,
    place_code: str | None = None,
    frame: MapFrame | None = None,
) -> dict[str, Any]:
    """Places in use with a shape, as a collection of features, from greenhouse to bed."""
    corners = (frame.west, frame.south, frame.east, frame.north) if frame else (None,) * 4
    values = dict(zip(("west", "south", "east", "north"), corners, strict=True))
    rows = session.execute(
        text(_FEATURES), {"level": level, "place": place_code, **values}
    ).mappings()
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": f"{row['level']}/{row['code']}",
                "geometry": json.loads(row["shape"]),
                "properties": {
                    "level": row["level"],
                    "code": row["code"],
                    "name": row["name"],
                    "area_m2": row["area_m2"],
                    "parent_code": row["parent_code"],
                },
            }
            for row in rows
        ],
    }


_BED = """
SELECT l.code, l.name, l.qr_code, a.code AS area_code, w.code AS warehouse_code, l.walk_order,
       l.area_m2
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
"""
_AT = (
    _BED
    + """
WHERE l.active
  AND ST_Covers(l.geojson_coordinates, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
ORDER BY l.code
"""
)
_BY_QR = (
    _BED
    + """
WHERE l.active AND (l.qr_code = :words OR (l.qr_code IS NULL AND l.code = :words))
ORDER BY l.qr_code NULLS LAST LIMIT 1
"""
)
_FEATURES = """
SELECT level, code, name, area_m2, parent_code, ST_AsGeoJSON(geometry, 15) AS shape FROM (
    SELECT 'warehouse' AS level, code, name, area_m2, NULL AS parent_code, active,
           geojson_coordinates AS geometry, 0 AS depth, code AS w, '' AS a
    FROM warehouses
    UNION ALL
    SELECT 'area', a.code, a.name, a.area_m2, w.code, a.active, a.geojson_coordinates, 1,
           w.code, a.code
    FROM storage_areas a JOIN warehouses w USING (warehouse_id)
    UNION ALL
    SELECT 'location', l.code, l.name, l.area_m2, a.code, l.active, l.geojson_coordinates, 2,
           w.code, a.code
    FROM storage_locations l
    JOIN storage_areas a USING (storage_area_id)
    JOIN warehouses w USING (warehouse_id)
) p
WHERE active AND geometry IS NOT NULL
  AND (CAST(:level AS text) IS NULL OR level = :level)
  AND (CAST(:place AS text) IS NULL OR :place IN (w, a, code))
  AND (CAST(:west AS float) IS NULL
       OR geometry && ST_MakeEnvelope(:west, :south, :east, :north, 4326))
ORDER BY w, a, depth, code
"""
