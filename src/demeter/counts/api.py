"""Counts over HTTP: made by hand, listed, read; `review` decides about them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from demeter.core.db import transaction
from demeter.core.fields import Code
from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts import commands, queries
from demeter.counts.models import Count
from demeter.counts.schemas import CountId, CountPage, CountRead, HandCountCreate
from demeter.review.queries import count_etag
from demeter.stock.changes import LedgerChange

router = APIRouter(
    prefix="/api/v1/stock/counts",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM},
)


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
def get_count(count_id: CountId, response: Response) -> CountRead:
    """What the machine said, what a person said, and what it changed.

    The `ETag` goes back as `If-Match` with a correction.
    """
    with transaction() as session:
        count = queries.count(session, count_id)
        response.headers["etag"] = count_etag(session, session.get_one(Count, count_id))
        return count
