"""One session: the photo with everything counted on it, and what it did to the ledger."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.core.http.permissions import Permission, requires
from demeter.photos import session_detail
from demeter.web import render

router = APIRouter()


@router.get("/sessions/{session_id}", **requires(Permission.SEE))
def show(request: Request, session_id: UUID) -> Response:
    """The page of one session; it follows the progress by itself."""
    with transaction() as session:
        session_read = session_detail.answer(session, session_detail.find(session, session_id))
        return render.page(
            request, "session.html", s=session_read, workers_alive=jobs.workers_alive(session)
        )
