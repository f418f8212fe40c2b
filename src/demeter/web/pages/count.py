"""Where beds are counted: photos from a camera or a folder, kept on the phone until safe."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from demeter.accounts import identity, secrets
from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.schemas import Output
from demeter.core.settings import settings
from demeter.core.site import day_at_site, start_of_day
from demeter.counts.beds import BedToCount, beds_to_count
from demeter.locations.models import StorageLocation
from demeter.locations.queries import bed_names
from demeter.photos import queries
from demeter.photos.models import UploadSource
from demeter.photos.queue_forecast import own_wait
from demeter.photos.upload import (
    Received,
    accept,
    look_through,
    receive,
    room_to_keep,
    wish_of,
)
from demeter.web import render
from demeter.web.pages import hand_count, offline
from demeter.web.waits import Waits

router = APIRouter(route_class=FileRoute)
router.include_router(offline.router)
router.include_router(hand_count.router)

OFFERED = 30


class SenderRead(Output):
    """Whose queue may be sent; ``now`` is the server's time in milliseconds."""

    person: str
    form_token: str
    now: int


@router.get("/count", **requires(Permission.REPORT))
def show_count(
    request: Request, bed: Annotated[str, Query(max_length=50, pattern=r"^[^\x00]*$")] = ""
) -> Response:
    """Camera, desk and queue; without scripts a form. ``bed`` is the code to begin with."""
    with transaction() as session:
        return render.page(
            request,
            "count/page.html",
            locations=_locations(session, ""),
            max_photos=settings().max_photos,
            bed=bed,
        )


@router.get("/count/me", **requires(Permission.REPORT))
def tell_who_sends() -> SenderRead:
    """Whose photos may be sent now, the token to send them with, and the server's time."""
    acting = identity.current()
    assert acting is not None
    token = secrets.form_token(acting.secret) if acting.secret else ""
    now_ms = round(time.time() * 1000)
    return SenderRead(person=str(acting.user_id), form_token=token, now=now_ms)


@router.get("/count/beds", **requires(Permission.REPORT))
def list_beds() -> list[BedToCount]:
    """The beds in walking order, for a phone to remember."""
    with transaction() as session:
        return beds_to_count(session)


@router.get("/parts/count/today", **requires(Permission.REPORT))
def show_today(request: Request, seen: Annotated[str, Query(max_length=64)] = "") -> Response:
    """What this person sent today, and how far each is; 204 while it is as the page has it."""
    with transaction() as session:
        since = start_of_day(day_at_site(datetime.now(UTC)))
        sessions = queries.own_since(session, acting_user(session), since)
        wait = own_wait(session, acting_user(session).id)
        names = bed_names(session, {item.location_code for item in sessions if item.location_code})
        written = "".join(item.model_dump_json() for item in sessions) + repr(wait)
        version = hashlib.sha256(written.encode()).hexdigest()[:16]
        if version == seen:
            return Response(status_code=204)
        context = {"sessions": sessions, "names": names, "version": version, "wait": wait}
        waits = Waits(render.words_of(request))
        return render.fragment(request, "count/today.html", waits=waits, **context)


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
