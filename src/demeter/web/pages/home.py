"""The first page: send photos, and see what became of those sent before."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.permissions import Permission, requires
from demeter.core.settings import settings
from demeter.locations.models import StorageLocation
from demeter.photos import queries
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

SHOWN = 40
OFFERED = 30


@router.get("/", **requires(Permission.SEE))
def home(request: Request) -> Response:
    """Upload form and latest sessions."""
    with transaction() as session:
        return render.page(
            request,
            "home.html",
            **_latest(session),
            locations=_locations(session, ""),
            max_photos=settings().max_photos,
        )


@router.get("/parts/sessions", **requires(Permission.SEE))
def latest(request: Request, seen: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The list alone; 204 while it is as the page has it, so that nothing jumps about."""
    with transaction() as session:
        context = _latest(session)
        if context["version"] == seen:
            return Response(status_code=204)
        return render.fragment(request, "sessions.html", **context)


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


def _latest(session: Session) -> dict[str, Any]:
    sessions = queries.for_a_person(session, SHOWN)
    workers = jobs.workers_alive(session)
    written = "".join(item.model_dump_json() for item in sessions) + str(workers == 0)
    return {
        "sessions": sessions,
        "workers_alive": workers,
        "is_busy": any(item.status in ("pending", "processing") for item in sessions),
        "version": hashlib.sha256(written.encode()).hexdigest()[:16],
    }


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
