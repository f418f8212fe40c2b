"""Counts over HTTP: by hand, corrected, posted again, taken back, moved; and the count sheet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.idempotency import Once, OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import DECIDES, KEYED, REPORTS, SEES
from demeter.counts import commands as count_commands
from demeter.counts import queries as count_queries
from demeter.counts.queries import CountPage, CountRow
from demeter.counts.schemas import ByHand, Correction, MoveCount
from demeter.review import corrections, count_decisions
from demeter.stock.changes import Effect, preview
from demeter.stock.schemas import Report

router = APIRouter(
    prefix="/api/v1/stock/counts",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM},
)

CountId = Annotated[int, Path(ge=1, lt=2**62)]


@router.post("", summary="Count a location by hand", openapi_extra=REPORTS)
def count_by_hand(body: ByHand, once: OnceOnly) -> Effect:
    """A stocktake at its moment, like a photo; `waits_for` says what it waits for, if it does."""
    with transaction() as session:
        return once.answer(session, body, lambda: count_commands.count_by_hand(session, body))


@router.post(
    "/preview",
    summary="What a count by hand would write",
    openapi_extra=REPORTS,
    dependencies=KEYED,
)
def preview_count(body: ByHand) -> Effect:
    """The same answer as counting, and nothing is kept."""
    with transaction() as session:
        return preview(session, lambda: count_commands.count_by_hand(session, body))


@router.get("", summary="Counts, last kept first", openapi_extra=SEES)
def list_counts(
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    location_code: Code | None = None,
    waiting: Annotated[bool, Query(description="only those that wait for something")] = False,
) -> CountPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return count_queries.counts(
            session, limit=limit, cursor=cursor, location_code=location_code, waiting=waiting
        )


@router.get("/{count_id}", summary="One count with its containers", openapi_extra=SEES)
def get_count(count_id: CountId) -> CountRow:
    """What the machine said, what a person said, and what it changed."""
    with transaction() as session:
        return count_queries.count(session, count_id)


@router.post("/{count_id}/correct", summary="Correct a count", openapi_extra=DECIDES)
def correct(count_id: CountId, body: Correction, once: OnceOnly) -> Effect:
    """Writes the net difference of each lot; a later count stands."""
    return _act(once, body, lambda session: corrections.correct_containers(session, count_id, body))


@router.post(
    "/{count_id}/correct/preview",
    summary="What it would write",
    openapi_extra=DECIDES,
    dependencies=KEYED,
)
def preview_correct(count_id: CountId, body: Correction) -> Effect:
    """The same answer as correcting, and nothing is kept."""
    with transaction() as session:
        return preview(session, lambda: corrections.correct_containers(session, count_id, body))


@router.post("/{count_id}/repost", summary="Post a count again", openapi_extra=DECIDES)
def repost(count_id: CountId, body: Report, once: OnceOnly) -> Effect:
    """After the configuration changed, say; writes the net difference only."""
    return _act(once, body, lambda session: count_decisions.repost_count(session, count_id, body))


@router.post(
    "/{count_id}/repost/preview",
    summary="What it would write",
    openapi_extra=DECIDES,
    dependencies=KEYED,
)
def preview_repost(count_id: CountId, body: Report) -> Effect:
    """The same answer as posting it again, and nothing is kept."""
    with transaction() as session:
        return preview(session, lambda: count_decisions.repost_count(session, count_id, body))


@router.post("/{count_id}/void", summary="Take a count back", openapi_extra=DECIDES)
def void(count_id: CountId, body: Report, once: OnceOnly) -> Effect:
    """Every row of it is reversed; where stock would be negative it waits."""
    return _act(once, body, lambda session: count_decisions.void_count(session, count_id, body))


@router.post(
    "/{count_id}/void/preview",
    summary="What it would write",
    openapi_extra=DECIDES,
    dependencies=KEYED,
)
def preview_void(count_id: CountId, body: Report) -> Effect:
    """The same answer as taking it back, and nothing is kept."""
    with transaction() as session:
        return preview(session, lambda: count_decisions.void_count(session, count_id, body))


@router.post("/{count_id}/move", summary="Its photos show another location", openapi_extra=DECIDES)
def move(count_id: CountId, body: MoveCount, once: OnceOnly) -> Effect:
    """Taken back where it was posted, posted anew there."""
    return _act(once, body, lambda session: count_decisions.move_count(session, count_id, body))


@router.post(
    "/{count_id}/move/preview",
    summary="What it would write",
    openapi_extra=DECIDES,
    dependencies=KEYED,
)
def preview_move(count_id: CountId, body: MoveCount) -> Effect:
    """The same answer as moving it, and nothing is kept."""
    with transaction() as session:
        return preview(session, lambda: count_decisions.move_count(session, count_id, body))


def _act(once: Once, body: Report, act) -> Effect:  # noqa: ANN001
    with transaction() as session:
        return once.answer(session, body, lambda: act(session))
