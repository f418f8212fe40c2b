"""What waits for a person, one after the other: the figures, the photo, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.catalog.queries import growing_choices
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts.waiting_counts import how_many_wait
from demeter.locations.models import StorageLocation
from demeter.photos import session_detail
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import decision_log, queue
from demeter.review.case import case_of
from demeter.review.queue import QueuePlace
from demeter.web import render, review_words
from demeter.web.review_undo import is_undoable

router = APIRouter()

Only = Annotated[str, Query(pattern=r"^[a-z_]{0,60}$")]
Place = Annotated[str, Query(pattern=r"^[A-Z0-9_-]{0,50}$")]


@dataclass(frozen=True, slots=True)
class ReviewToast:
    """What became of the session before; ``undo`` is whether it can be taken back here."""

    act: str
    session_id: UUID
    name: str | None
    was: str
    undo: bool
    decided: decision_log.DecisionMade | None
    reason: str | None


@router.get("/review", **requires(Permission.REPORT))
def show_next(
    request: Request, reason: Only = "", did: Only = "", of: UUID | None = None, was: Place = ""
) -> Response:
    """The first session that waits, of one reason or of all."""
    with transaction() as session:
        place = queue.first_place(session, reason)
        toast = _toast(session, did, of, was)
        if place is None:
            by_hand = how_many_wait(session) if identity.has(Permission.DECIDE) else 0
            return render.page(
                request,
                "review/empty.html",
                toast=toast,
                reason=reason,
                by_hand=by_hand,
                **_WORDS,
            )
        return _page(request, session, place.session_id, place, reason, toast)


@router.get("/review/{session_id}", **requires(Permission.REPORT))
def show_case(
    request: Request,
    session_id: UUID,
    reason: Only = "",
    did: Only = "",
    of: UUID | None = None,
    was: Place = "",
) -> Response:
    """One session, wherever it stands in the queue."""
    with transaction() as session:
        place = queue.place_of(session, session_id, reason)
        toast = _toast(session, did, of, was)
        return _page(request, session, session_id, place, reason, toast)


@router.get("/parts/review/{session_id}/decided", **requires(Permission.REPORT))
def show_decided(request: Request, session_id: UUID) -> Response:
    """Who changed a session last, for a page that has seen it before."""
    with transaction() as session:
        photo_session = session_detail.find(session, session_id)
        decided = decision_log.last_decision(session, photo_session)
        return render.fragment(request, "review/decided.html", decided=decided, **_WORDS)


@router.get("/parts/waiting", **requires(Permission.SEE))
def show_waiting(request: Request) -> Response:
    """The number in the navigation, counts by hand too; nothing for who does not decide."""
    if not identity.has(Permission.DECIDE):
        return Response(status_code=204)
    with transaction() as session:
        waiting = queue.waiting_sessions(session) + how_many_wait(session)
    if not waiting:
        return Response(status_code=204)
    return render.fragment(request, "review/waiting.html", waiting=waiting)


_WORDS: dict[str, Any] = {"since": review_words.since}


def _page(
    request: Request,
    session: Session,
    session_id: UUID,
    place: QueuePlace | None,
    reason: str,
    toast: ReviewToast | None,
) -> Response:
    photo_session = session_detail.find(session, session_id)
    case = case_of(session, photo_session)
    first = place or queue.first_place(session, reason)
    is_other_next = place is None and first is not None
    return render.page(
        request,
        "review/page.html",
        c=case,
        s=case.session,
        place=place,
        next_id=first.session_id if is_other_next and first else place.next_id if place else None,
        only=reason,
        toast=toast,
        log=[] if case.is_blind else decision_log.decisions(session, photo_session),
        choices=growing_choices(session) if _offers(case.offers, "config") else None,
        lead=review_words.lead(case),
        details=review_words.details(case),
        tells_notices=review_words.tells_notices(case),
        shows_figures=review_words.shows_figures(case),
        product_names=review_words.products(case),
        kind=review_words.container_word(case),
        **_WORDS,
    )


def _offers(offers: tuple[object, ...], act: str) -> bool:
    return any(getattr(offer, "act", None) == act for offer in offers)


def _toast(session: Session, did: str, of: UUID | None, was: str) -> ReviewToast | None:
    if not did or of is None:
        return None
    row = session.scalar(select(PhotoSession).where(PhotoSession.session_id == of))
    if row is None:
        return None
    location = session.get(StorageLocation, row.storage_location_id or 0)
    is_still = did == "still"
    return ReviewToast(
        did,
        of,
        location.name if location else row.requested_location_code,
        was,
        is_undoable(did, row.status, was),
        decision_log.last_decision(session, row) if did == "elsewhere" else None,
        row.reason_code if is_still and row.status is not SessionStatus.COMPLETED else None,
    )
