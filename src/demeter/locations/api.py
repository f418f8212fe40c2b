"""Places over HTTP: their tables, where beds are, and labels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.files import MEDIA_TYPES, attachment
from demeter.core.http.openapi import PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.registers.routes import add_routes
from demeter.locations import labels, place_list, queries
from demeter.locations.place_list import PlaceRead
from demeter.locations.queries import MapFrame
from demeter.locations.registers import PLACES
from demeter.locations.schemas import BedNear, QrText

router = APIRouter(tags=["places"], responses=PROBLEMS)

Longitude = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
GEOJSON = "application/geo+json"
AS_GEOJSON: dict[int | str, dict[str, Any]] = {200: {"content": {GEOJSON: {}}}}
AS_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPES["pdf"]: {}}}}
FormatName = Literal["3x8", "3x7", "2x7", "2x4", "page"]


@router.get("/api/v1/places", summary="All places", **requires(Permission.SEE))
def list_places(place_code: Code | None = None) -> list[PlaceRead]:
    """From greenhouse to bed in walking order; of one place, if it is named."""
    with transaction() as session:
        return place_list.places(session, place_code)


@router.get("/api/v1/places/at", summary="Beds at a point", **requires(Permission.SEE))
def list_beds_at(longitude: Longitude, latitude: Latitude) -> list[BedNear]:
    """Edges included. Where beds overlap all of them are listed, by code."""
    with transaction() as session:
        return queries.beds_at(session, longitude, latitude)


@router.get("/api/v1/places/by-qr", summary="The bed of a label", **requires(Permission.SEE))
def get_bed_by_qr(text: Annotated[QrText, Query()]) -> BedNear:
    """As intake reads it in a photo."""
    with transaction() as session:
        return queries.bed_by_qr(session, text)


@router.get(
    "/api/v1/places/map",
    response_class=Response,
    responses=AS_GEOJSON,
    summary="Places as GeoJSON",
    **requires(Permission.SEE),
)
def get_map(
    level: Literal["warehouse", "area", "location"] | None = None,
    place_code: Code | None = None,
    west: Longitude = -180,
    south: Latitude = -90,
    east: Longitude = 180,
    north: Latitude = 90,
) -> Response:
    """Those in use that were surveyed; of one place, of a frame, or all."""
    frame = MapFrame(west, south, east, north)
    is_whole = frame == MapFrame(-180, -90, 180, 90)
    with transaction() as session:
        features = queries.places_geojson(
            session, level=level, place_code=place_code, frame=None if is_whole else frame
        )
    return JSONResponse(features, media_type=GEOJSON)


@router.get(
    "/api/v1/places/labels.pdf",
    response_class=Response,
    responses=AS_PDF,
    summary="QR labels of beds",
    **requires(Permission.SEE),
)
def get_labels(warehouse_code: Code | None = None, format: FormatName = "3x8") -> Response:  # noqa: A002  its name in the address
    """A4 sheets, of all beds in use or of a greenhouse; `format` is the grid of the sheet."""
    with transaction() as session:
        beds = labels.bed_labels(session, warehouse_code)
    return attachment(labels.labels_pdf(beds, format), "labels", "pdf")


add_routes(router, *PLACES)
