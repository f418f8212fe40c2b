"""Corrections and blind recounts over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos.session_detail import find
from demeter.review import corrections, queries, session_decisions
from demeter.review.errors import CorrectionRefused
from demeter.review.mark_edits import NewMark
from demeter.review.schemas import (
    BlindRecountCreate,
    BlindRecountRead,
    Correction,
    CorrectionDone,
    SessionMarks,
)
from demeter.stock.ledger import LedgerCommand

CHANGED = PROBLEM | {"description": "it is not as `If-Match` says"}
router = APIRouter(
    prefix="/api/v1/photos/sessions/{session_id}",
    tags=["corrections"],
    responses=PROBLEMS | {409: PROBLEM},
)


@router.get(
    "/corrections",
    summary="Containers and marks as they stand, with their history",
    **requires(Permission.SEE),
)
def get_corrections(session_id: UUID, response: Response) -> SessionMarks:
    """The machine's marks and the person's; the `ETag` goes back with a correction."""
    with transaction() as session:
        photo_session = find(session, session_id)
        answer = queries.session_marks(session, photo_session)
        count = queries.require_count(session, photo_session)
        response.headers["etag"] = queries.count_etag(session, count)
        response.headers["cache-control"] = "no-cache"
        return answer


@router.post(
    "/corrections",
    summary="Correct numbers, add and remove marks",
    responses={412: CHANGED},
    **requires(Permission.DECIDE),
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
            session, body.model_dump(), lambda: _correct(session, session_id, body, if_match)
        )
        count = queries.require_count(session, find(session, session_id))
        response.headers["etag"] = queries.count_etag(session, count)
        return answer


@router.post(
    "/blind-recount",
    summary="Give your own number before the machine's is shown",
    **requires(Permission.REPORT),
)
def blind_recount(session_id: UUID, once: OnceOnly, body: BlindRecountCreate) -> BlindRecountRead:
    """For the share of sessions that is counted twice; the machine's count is posted with it."""

    def act(session: Session) -> BlindRecountRead:
        recount = session_decisions.recount_blind(
            session,
            session_id,
            acting_user(session, body.user),
            body.plants,
            _by_index(body),
            body.reason,
        )
        names = ("plants", "machine_plants", "difference")
        return BlindRecountRead(session_id=session_id, **{n: getattr(recount, n) for n in names})

    return run_once(once, body, act)


def _correct(
    session: Session, session_id: UUID, body: Correction, if_match: str | None
) -> CorrectionDone:
    photo_session = find(session, session_id)
    count = queries.require_count(session, photo_session)
    command = LedgerCommand(uuid4(), acting_user(session, body.user).id, None, body.reason)
    edits = corrections.Edits(
        plants=queries.by_container_id(count, _by_index(body)),
        add=tuple(
            NewMark(m.box, m.container_index, m.position, m.is_empty_container) for m in body.add
        ),
        remove=tuple(body.remove),
        undo=tuple(body.undo),
    )
    effect = corrections.correct_count(
        session, command, count.id, edits, accept=body.accept, if_match=if_match
    )
    return queries.correction_done(session, photo_session, effect)


def _by_index(body: Any) -> dict[int, int]:
    numbers = {c.index: c.plants for c in body.containers}
    if len(numbers) < len(body.containers):
        raise CorrectionRefused("a container is named twice")
    return numbers
