"""One session: the photo with everything counted on it, and what it did to the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.catalog.queries import growing_choices
from demeter.core import jobs
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.locations.models import StorageLocation
from demeter.photos import queue_forecast, session_detail
from demeter.photos.models import SessionStatus
from demeter.photos.queries import NEEDS_A_PERSON
from demeter.photos.schemas import SessionRead
from demeter.review import container_standing
from demeter.web import render
from demeter.web.waits import Waits

router = APIRouter()


@router.get("/sessions/{session_id}", **requires(Permission.SEE))
def show(request: Request, session_id: UUID) -> Response:
    """The page of one session; it follows the progress by itself."""
    with transaction() as session:
        session_read = _for_who_asks(
            session_detail.answer(session, session_detail.find(session, session_id))
        )
        return render.page(
            request,
            "session.html",
            s=session_read,
            **_wait(request, session, session_id),
            may_review=session_read.status in NEEDS_A_PERSON and identity.has(Permission.REPORT),
            **_containers(session_read),
            **_choices(session, session_read),
        )


@router.get("/parts/sessions/{session_id}/wait", **requires(Permission.SEE))
def show_wait(request: Request, session_id: UUID) -> Response:
    """How long it takes until a session is counted, alone."""
    with transaction() as session:
        return render.fragment(request, "session_wait.html", **_wait(request, session, session_id))


def _wait(request: Request, session: Session, session_id: UUID) -> dict[str, Any]:
    photo_session = session_detail.find(session, session_id)
    return {
        "session_id": session_id,
        "is_waiting": photo_session.status is SessionStatus.PENDING,
        "workers_alive": jobs.workers_alive(session),
        "forecast": queue_forecast.forecast_of(session, photo_session),
        "waits": Waits(render.words_of(request)),
    }


def _containers(session_read: SessionRead) -> dict[str, Any]:
    """A tile for each container, and a list with the changed ones first."""
    standings = container_standing.posted_standings(session_read.containers)
    pairs = list(zip(standings, session_read.containers, strict=True))
    order = container_standing.sort_by_change(standings)
    rows = {id(standing): container for standing, container in pairs}
    return {
        "listed": [rows[id(standing)] for standing in order],
        "tiles": container_standing.tiles_of(standings),
        "tally": container_standing.tally_of(standings),
    }


# What each action's route asks for; who may not do it is not offered it.
ASKS = {
    "accept": Permission.DECIDE,
    "blind-recount": Permission.REPORT,
    "config": Permission.DECIDE,
    "confirm-empty": Permission.DECIDE,
    "discard": Permission.REPORT,
    "location": Permission.REPORT,
    "post": Permission.DECIDE,
    "reprocess": Permission.DECIDE,
    "restore": Permission.REPORT,
}


def _for_who_asks(session_read: SessionRead) -> SessionRead:
    allowed = [each for each in session_read.actions if each in ASKS and identity.has(ASKS[each])]
    return session_read.model_copy(update={"actions": allowed})


def _choices(session: Session, session_read: SessionRead) -> dict[str, Any]:
    """What the form for a configuration offers."""
    if "config" not in session_read.actions or session_read.location is None:
        return {"choices": None, "is_framed_whole": False}
    location = session.get_one(StorageLocation, session_read.location.location_id)
    return {"choices": growing_choices(session), "is_framed_whole": location.framed_whole}
