"""What grows at locations, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.catalog import queries, service
from demeter.catalog.schemas import LocationConfigCreate, LocationConfigRead
from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import Permission, requires
from demeter.stock import lookup

router = APIRouter(
    prefix="/api/v1/locations", tags=["locations"], responses=PROBLEMS | {409: PROBLEM}
)

LocationCode = Annotated[str, Path(pattern="^[A-Z0-9_-]{1,50}$", examples=["NAVE1-C03"])]


@router.get("", summary="Locations and what grows there", **requires(Permission.SEE))
def list_locations(place_code: Code | None = None) -> list[LocationConfigRead]:
    """Those in use, of a greenhouse, an area, one location (`place_code`), or all.

    `waiting` is how many counts wait because nobody said what grows there.
    """
    with transaction() as session:
        return queries.location_configs(session, place_code)


@router.post(
    "/{location_code}/config", summary="Say what grows there", **requires(Permission.DECIDE)
)
def set_config(
    location_code: LocationCode, body: LocationConfigCreate, once: OnceOnly
) -> LocationConfigRead:
    """From now on; counts that wait there are tried again, without new processing.

    `framed_whole` says whether its photos show the bed from edge to edge.
    """

    def configure(session: Session) -> LocationConfigRead:
        acting_user(session, body.user)
        location = lookup.location(session, location_code)
        growing = lookup.growing(session, body.product_code, body.state, body.packaging_sku)
        service.set_location_config(session, location, growing, framed_whole=body.framed_whole)
        (row,) = queries.location_configs(session, location_code)
        return row

    return run_once(once, [location_code, body], configure)
