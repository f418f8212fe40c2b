"""Counts over HTTP: by hand, corrected, posted again, voided, moved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import Permission, requires
from demeter.counts import commands, queries
from demeter.counts.schemas import CountCorrect, CountMove, CountPage, CountRead, HandCountCreate
from demeter.review import corrections, count_decisions
from demeter.stock.changes import LedgerChange
from demeter.stock.schemas import LedgerCommandCreate

router = APIRouter(
    prefix="/api/v1/stock/counts",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM},
)

CountId = Annotated[int, Path(ge=1, lt=2**62)]


@post_with_preview(
    router,
    "",
    summary="Count a location by hand",
    preview="What a count by hand would write",
    permission=Permission.REPORT,
)
def count_by_hand(body: HandCountCreate, once: OnceOnly) -> LedgerChange:
    """A stocktake at its moment, like a photo; `waits_for` says what it waits for, if it does."""
    return run_once(once, body, lambda session: commands.count_by_hand(session, body))


@router.get("", summary="Counts, last kept first", **requires(Permission.SEE))
def list_counts(
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    location_code: Code | None = None,
    waiting: Annotated[bool, Query(description="only those that wait for something")] = False,
) -> CountPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.counts(
            session, limit=limit, cursor=cursor, location_code=location_code, waiting=waiting
        )


@router.get("/{count_id}", summary="One count with its containers", **requires(Permission.SEE))
def get_count(count_id: CountId) -> CountRead:
    """What the machine said, what a person said, and what it changed."""
    with transaction() as session:
        return queries.count(session, count_id)


@post_with_preview(
    router,
    "/{count_id}/correct",
    summary="Correct a count",
    preview="What correcting a count would write",
    permission=Permission.DECIDE,
)
def correct(count_id: CountId, body: CountCorrect, once: OnceOnly) -> LedgerChange:
    """Writes the net difference of each lot; a later count stands."""
    return run_once(
        once, body, lambda session: corrections.correct_containers(session, count_id, body)
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
    permission=Permission.DECIDE,
)
def void(count_id: CountId, body: LedgerCommandCreate, once: OnceOnly) -> LedgerChange:
    """Every row of it is reversed; where stock would be negative it waits."""
    return run_once(once, body, lambda session: count_decisions.void_count(session, count_id, body))


@post_with_preview(
    router,
    "/{count_id}/move",
    summary="Move a count: its photos show another location",
    preview="What moving a count would write",
    permission=Permission.DECIDE,
)
def move(count_id: CountId, body: CountMove, once: OnceOnly) -> LedgerChange:
    """Voided where it was posted, posted anew at the location that is named."""
    return run_once(once, body, lambda session: count_decisions.move_count(session, count_id, body))
