"""Corrections and blind recounts over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Response
from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.core.db import transaction
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.counts import blind_recounts
from demeter.photos import sessions
from demeter.photos.models import PhotoSession
from demeter.photos.session_detail import find
from demeter.review import corrections, queries
from demeter.review.errors import CorrectionRefused, SessionChanged
from demeter.review.mark_edits import NewMark
from demeter.review.schemas import (
    BlindAnswer,
    BlindNumber,
    Correction,
    CorrectionDone,
    SessionMarks,
)
from demeter.stock.changes import Effect
from demeter.stock.ledger import Told

CHANGED = PROBLEM | {"description": "it is not as `If-Match` says"}
router = APIRouter(
    prefix="/api/v1/photos/sessions/{session_id}",
    tags=["corrections"],
    responses=PROBLEMS | {409: PROBLEM},
)

IfMatch = Annotated[
    str | None,
    Header(max_length=200, description="the `ETag` that was read: refused if it changed since"),
]


@router.get("/corrections", summary="Containers and marks as they stand, with their history")
def get_corrections(session_id: UUID, response: Response) -> SessionMarks:
    """The machine's marks and the person's; the `ETag` goes back with a correction."""
    with transaction() as session:
        found = find(session, session_id)
        blind_recounts.require_shown(session, found)
        response.headers["etag"] = queries.etag(session, found)
        response.headers["cache-control"] = "no-cache"
        return queries.marks(session, found)


@router.post(
    "/corrections",
    summary="Correct numbers, add and remove marks",
    responses={412: CHANGED},
)
def correct(
    session_id: UUID,
    once: OnceOnly,
    response: Response,
    body: Correction,
    if_match: IfMatch = None,
) -> CorrectionDone:
    """Kept beside the machine's answer; the ledger gets the net difference."""
    with transaction() as session:
        answer = once.answer(
            session, body.model_dump(), lambda: _corrected(session, session_id, body, if_match)
        )
        response.headers["etag"] = queries.etag(session, sessions.locked(session, session_id))
        return answer


@router.post("/blind-recount", summary="Give your own number before the machine's is shown")
def blind_recount(session_id: UUID, once: OnceOnly, body: BlindNumber) -> BlindAnswer:
    """For the share of sessions that is counted twice; changes no stock."""

    def act(session: Session) -> BlindAnswer:
        made = blind_recounts.give(
            session,
            session_id,
            find_user(session, body.user),
            body.plants,
            _by_index(body),
            body.reason,
        )
        names = ("plants", "machine_plants", "difference")
        return BlindAnswer(session_id=session_id, **{n: getattr(made, n) for n in names})

    with transaction() as session:
        return once.answer(session, body.model_dump(), lambda: act(session))


def _corrected(
    session: Session, session_id: UUID, body: Correction, if_match: str | None
) -> CorrectionDone:
    found = sessions.locked(session, session_id)
    blind_recounts.require_shown(session, found)
    _require_unchanged(session, found, if_match)
    told = Told(uuid4(), find_user(session, body.user).id, None, body.reason)
    edits = corrections.Edits(
        plants=_by_index(body),
        add=tuple(
            NewMark(m.box, m.container_index, m.position, m.is_empty_container) for m in body.add
        ),
        remove=tuple(body.remove),
        undo=tuple(body.undo),
    )
    effect = corrections.correct_session(session, told, session_id, edits, accept=body.accept)
    session.flush()
    session.expire_all()
    return _done(session, sessions.locked(session, session_id), effect)


def _done(session: Session, found: PhotoSession, effect: Effect) -> CorrectionDone:
    answers = [c.answer for c in queries.standing_count(session, found).containers if c.seen]
    return CorrectionDone(
        session_id=found.session_id,
        status=found.status,
        ledger_difference=sum(m.quantity for m in effect.movements if m.movement_type == "foto"),
        answer=None if None in answers else sum(a or 0 for a in answers),
        waits_for=effect.waits_for,
        message=effect.message,
        next_action=effect.next_action,
    )


def _require_unchanged(session: Session, found: PhotoSession, if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    now = queries.etag(session, found)
    if now not in {tag.strip() for tag in if_match.split(",")}:
        raise SessionChanged(f"session {found.session_id} has changed since it was read", etag=now)


def _by_index(body: Any) -> dict[int, int]:
    numbers = {c.index: c.plants for c in body.containers}
    if len(numbers) < len(body.containers):
        raise CorrectionRefused("a container is named twice")
    return numbers
