"""Shapes of places as GeoJSON: what comes in and goes out, as it is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from geoalchemy2.shape import from_shape
from pydantic import Field
from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from demeter.core.geo.reading import WGS84
from demeter.core.schemas import Input
from demeter.locations.errors import ShapeInvalid

MOST_POINTS = 10_000
MOST_DIGITS = 15

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=3)]
Ring = Annotated[list[Point], Field(min_length=4, max_length=MOST_POINTS)]


class PolygonShape(Input):
    """A polygon as GeoJSON has it: longitude, latitude; a height is dropped."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=100)]


class PointShape(Input):
    """A point as GeoJSON has it."""

    type: Literal["Point"]
    coordinates: Point


BedShape = PolygonShape | PointShape


@dataclass(frozen=True, slots=True)
class ShapeField:
    """A column of shapes, written and read as GeoJSON."""

    attribute: str = "geojson_coordinates"

    def expression(self, model: type[Any]) -> ColumnElement[Any]:
        """GeoJSON out of PostGIS."""
        return func.ST_AsGeoJSON(getattr(model, self.attribute), MOST_DIGITS)

    def from_column(self, value: Any) -> Any:
        """What is shown of it."""
        return None if value is None else json.loads(value)

    def to_column(self, session: Session, name: str, value: Any) -> Any:  # noqa: ARG002  others ask it
        """What is stored of it.

        Raises:
            ShapeInvalid: its ring is open, or it crosses itself.
        """
        if value is None:
            return None
        return from_shape(_shape(value, name), srid=WGS84)


def _shape(value: PolygonShape | PointShape, name: str) -> Any:
    import shapely  # noqa: PLC0415  most commands know no shapes

    flat = value.model_dump()
    for ring in flat["coordinates"] if flat["type"] == "Polygon" else ():
        if ring[0] != ring[-1]:
            raise ShapeInvalid("the ring does not end where it begins", field=name)
    shape = shapely.force_2d(shapely.from_geojson(json.dumps(flat)))
    if shape.is_empty or not shape.is_valid:
        raise ShapeInvalid(shapely.is_valid_reason(shape), field=name)
    return shape
