"""The latest sessions: what became of the photos that were sent."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos import queries
from demeter.web import render

router = APIRouter()

SHOWN = 40


@router.get("/sessions", **requires(Permission.SEE))
def show_sessions(request: Request) -> Response:
    """What waits for a person first, then what is under way, then the rest."""
    with transaction() as session:
        return render.page(request, "sessions_page.html", **_latest(session))


@router.get("/parts/sessions", **requires(Permission.SEE))
def latest(request: Request, seen: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The list alone; 204 while it is as the page has it, so that nothing jumps about."""
    with transaction() as session:
        context = _latest(session)
        if context["version"] == seen:
            return Response(status_code=204)
        return render.fragment(request, "sessions.html", **context)


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
