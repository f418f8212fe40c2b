"""Where photos are sent from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from demeter.core.db import transaction
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.permissions import Permission, requires
from demeter.core.settings import settings
from demeter.locations.models import StorageLocation
from demeter.photos.models import UploadSource
from demeter.photos.upload import (
    Received,
    accept,
    look_through,
    receive,
    room_to_keep,
    wish_of,
)
from demeter.web import render

router = APIRouter(route_class=FileRoute)

OFFERED = 30


@router.get("/count", **requires(Permission.REPORT))
def show_count(request: Request) -> Response:
    """The form that sends photos."""
    with transaction() as session:
        return render.page(
            request,
            "count/page.html",
            locations=_locations(session, ""),
            max_photos=settings().max_photos,
        )


@router.get("/parts/locations", **requires(Permission.SEE))
def offer_locations(
    request: Request, location_code: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Locations whose code or name holds what was typed, for the field that asks for one."""
    with transaction() as session:
        context = _locations(session, location_code.replace("\x00", ""))
        return render.fragment(request, "locations.html", locations=context)


@router.post("/upload", **requires(Permission.REPORT, openapi=takes(Files.PHOTOS)))
def upload(
    received: Annotated[Received, Depends(receive)], form_token: str = ""
) -> RedirectResponse:
    """The form without scripts; with them the page talks to the API and shows progress.

    ``form_token`` is looked at before the photos are read.
    """
    del form_token
    wish = wish_of(received.fields, UploadSource.WEB)
    photos = look_through(received, wish)
    with room_to_keep(photos), transaction() as session:
        accepted = accept(session, wish, photos)
        only = accepted[0].session.session_id if len(accepted) == 1 else None
    return RedirectResponse(f"/sessions/{only}" if only else "/", status_code=303)


def _locations(session: Session, typed: str) -> list[StorageLocation]:
    escaped = typed.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    pattern = f"%{escaped}%"
    return list(
        session.scalars(
            select(StorageLocation)
            .where(
                StorageLocation.active,
                or_(StorageLocation.code.ilike(pattern), StorageLocation.name.ilike(pattern)),
            )
            .order_by(StorageLocation.code)
            .limit(OFFERED)
            .options(joinedload(StorageLocation.area))
        )
    )
