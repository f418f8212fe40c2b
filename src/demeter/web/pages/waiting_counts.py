"""Counts by hand that wait: each with its reason, and what a person can do about it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts import queries
from demeter.counts.schemas import CountId
from demeter.counts.waiting_counts import waiting_counts
from demeter.review import count_decisions
from demeter.stock.schemas import LedgerCommandCreate
from demeter.web import render
from demeter.web.short_dates import ShortDates

router = APIRouter(prefix="/review/counts")

SHOWN = 100
Posted = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("", **requires(Permission.DECIDE))
def show_waiting_counts(request: Request, again: Posted = None) -> Response:
    """The counts by hand that wait, the oldest first; ``again`` is one that was tried again."""
    return _page(request, again)


@router.post("/{count_id}/again", **requires(Permission.DECIDE))
def post_again(
    request: Request, count_id: CountId, key: Annotated[UUID | None, Form()] = None
) -> Response:
    """Try to post it as the bed and its ledger are now; it may go on waiting."""
    reason = render.words_of(request)("waiting_counts.again_reason")
    body = LedgerCommandCreate(movement_id=key or uuid4(), reason=reason)
    try:
        with transaction() as session:
            count_decisions.repost_count(session, count_id, body)
    except DomainError as error:
        return _page(request, None, error)
    return RedirectResponse(f"/review/counts?again={count_id}", status_code=303)


def _page(request: Request, again: int | None, error: DomainError | None = None) -> Response:
    with transaction() as session:
        return render.page(
            request,
            "review/hand_counts.html",
            status_code=error.status if error else 200,
            problem=error.problem() if error else None,
            waiting=waiting_counts(session, SHOWN),
            tried=queries.count(session, again) if again else None,
            short=ShortDates(render.words_of(request)),
            new_key=uuid4,
        )
