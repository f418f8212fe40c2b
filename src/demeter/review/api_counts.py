"""What a person decides about a count, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.permissions import Permission
from demeter.counts.schemas import CountCorrect, CountId, CountMove
from demeter.review import corrections, count_decisions
from demeter.stock.changes import LedgerChange
from demeter.stock.schemas import LedgerCommandCreate

router = APIRouter(
    prefix="/api/v1/stock/counts",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM, 412: PROBLEM},
)


@post_with_preview(
    router,
    "/{count_id}/correct",
    summary="Correct a count",
    preview="What correcting a count would write",
    permission=Permission.DECIDE,
)
def correct(
    count_id: CountId, body: CountCorrect, once: OnceOnly, if_match: IfMatch = None
) -> LedgerChange:
    """Writes the net difference of each lot; a later count stands."""
    return run_once(
        once,
        body,
        lambda session: corrections.correct_containers(session, count_id, body, if_match),
    )


@post_with_preview(
    router,
    "/{count_id}/repost",
    summary="Post a count again",
    preview="What posting a count again would write",
    permission=Permission.DECIDE,
)
def repost(count_id: CountId, body: LedgerCommandCreate, once: OnceOnly) -> LedgerChange:
    """After the configuration changed, say; writes the net difference only."""
    return run_once(
        once, body, lambda session: count_decisions.repost_count(session, count_id, body)
    )


@post_with_preview(
    router,
    "/{count_id}/void",
    summary="Void a count",
    preview="What voiding a count would write",
    permission=Permission.REPORT,
)
def void(count_id: CountId, body: LedgerCommandCreate, once: OnceOnly) -> LedgerChange:
    """Every row of it is reversed; where stock would be negative it waits.

    A worker voids own counts of the last 24 hours, until the bed is counted again.
    """
    return run_once(once, body, lambda session: count_decisions.void_count(session, count_id, body))


@post_with_preview(
    router,
    "/{count_id}/move",
    summary="Move a count: its photos show another location",
    preview="What moving a count would write",
    permission=Permission.REPORT,
)
def move(count_id: CountId, body: CountMove, once: OnceOnly) -> LedgerChange:
    """Voided where it was posted, posted anew at the location that is named.

    A worker moves own counts, as in voiding.
    """
    return run_once(once, body, lambda session: count_decisions.move_count(session, count_id, body))
