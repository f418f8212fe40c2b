"""Counts day by day over HTTP, as JSON, CSV or XLSX."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from demeter.core.db import transaction
from demeter.core.fields import Code, When
from demeter.core.http.openapi import PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.moments import beginning_of, boundary_of
from demeter.core.permissions import Permission
from demeter.core.registers.files import AS_TABLE, file_kind, file_of_rows
from demeter.counts.daily import DailyCountPage, DailyCountRead, daily_counts

router = APIRouter(prefix="/api/v1/stock", tags=["counts"], responses=PROBLEMS)


@router.get(
    "/daily-counts",
    summary="Counts day by day",
    response_model=DailyCountPage,
    responses=AS_TABLE,
    **requires(Permission.SEE),
)
def list_daily_counts(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    since: When = None,
    until: When = None,
    place_code: Code | None = None,
) -> DailyCountPage | Response:
    """Counts in the ledger, last kept first; a date alone means the whole of that day."""
    asked = {
        "since": None if since is None else beginning_of(since),
        "until": None if until is None else boundary_of(until),
        "place_code": place_code,
    }
    kind = file_kind(request)
    with transaction() as session:
        if kind:
            rows = daily_counts(session, limit=None, **asked).items
            return file_of_rows("daily-counts", DailyCountRead, rows, kind)
        return daily_counts(session, limit=limit, cursor=cursor, **asked)
