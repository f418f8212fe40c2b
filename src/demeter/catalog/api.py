"""What grows at locations, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.catalog import queries, service
from demeter.catalog.schemas import (
    LocationConfigCreate,
    LocationConfigRead,
    LocationConfigsCreate,
    LocationConfigsRead,
)
from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.locations import rules
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
        (row,) = _configure(session, [location_code], body).items
        return row

    return run_once(once, [location_code, body], configure)


@router.post("/configs", summary="Say what grows at many", **requires(Permission.DECIDE))
def set_configs(body: LocationConfigsCreate, once: OnceOnly) -> LocationConfigsRead:
    """All of them or, where one is refused, none. Counts that wait there are tried again."""
    return run_once(once, body, lambda session: _configure(session, body.location_codes, body))


@router.delete(
    "/{location_code}/config",
    summary="Say no more what grows there",
    **requires(Permission.DECIDE),
)
def clear_config(location_code: LocationCode, once: OnceOnly) -> LocationConfigRead:
    """What was said stays as history; new counts wait until it is said again."""

    def clear(session: Session) -> LocationConfigRead:
        acting_user(session)
        location = lookup.location(session, location_code)
        rules.require_active(location)
        service.clear_location_config(session, location)
        (row,) = queries.location_configs_of(session, [location_code])
        return row

    return run_once(once, location_code, clear)


def _configure(
    session: Session, codes: Sequence[str], body: LocationConfigCreate
) -> LocationConfigsRead:
    acting_user(session, body.user)
    growing = lookup.growing(session, body.product_code, body.state, body.packaging_sku)
    locations = [lookup.location(session, code) for code in dict.fromkeys(codes)]
    setting = service.Setting(body.framed_whole, body.names_unit, body.count_unit)
    waiting = sum(row.waiting for row in queries.location_configs_of(session, codes))
    service.set_location_configs(session, locations, growing, setting)
    return LocationConfigsRead(
        items=[r for r in queries.location_configs_of(session, codes) if r.location_code in codes],
        retried=waiting,
    )
