"""Today: what needs whoever looks, what is being counted, the round of the month, the week."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.core import jobs
from demeter.core.backup_runs import backup_state
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.site import day_at_site
from demeter.counts.first_day import first_day
from demeter.counts.waiting_counts import waiting_counts
from demeter.counts.week import week_of
from demeter.periods.exceptions_left import exceptions_left, over_and_open
from demeter.photos.monthly_round import bed_before, monthly_round
from demeter.photos.own_photos import own_photos
from demeter.photos.queue_forecast import own_wait
from demeter.photos.under_way import under_way
from demeter.photos.waiting import waiting_groups
from demeter.stock.on_hand import total_stock
from demeter.web import render
from demeter.web.ages import Ages
from demeter.web.waits import Waits

router = APIRouter()

OWN_SHOWN = 6


@router.get("/", **requires(Permission.SEE))
def show_today(request: Request) -> Response:
    """The first page: of who decides, of who photographs, of who looks on."""
    now = datetime.now(UTC)
    is_worker = identity.has(Permission.REPORT) and not identity.has(Permission.DECIDE)
    with transaction() as session:
        context = _worker(session, now) if is_worker else _supervisor(session, now)
        return render.page(
            request,
            "today/worker.html" if is_worker else "today/page.html",
            today=day_at_site(now),
            ago=Ages(render.words_of(request), now),
            waits=Waits(render.words_of(request)),
            **context,
        )


@router.get("/parts/counting", **requires(Permission.SEE))
def show_counting(request: Request, seen: Annotated[str, Query(max_length=64)] = "") -> Response:
    """What is being counted, alone; 204 while it is as the page has it."""
    with transaction() as session:
        context = _counting(session)
        if context["version"] == seen:
            return Response(status_code=204)
        waits = Waits(render.words_of(request))
        return render.fragment(request, "today/counting.html", waits=waits, **context)


@router.get("/parts/exceptions", **requires(Permission.DECIDE))
def show_exceptions(request: Request) -> Response:
    """The row of what keeps the last month from being closed; it takes seconds to add up."""
    with transaction() as session:
        left = exceptions_left(session, datetime.now(UTC))
        return render.fragment(request, "today/exceptions.html", left=left)


def _supervisor(session: Session, now: datetime) -> dict[str, Any]:
    decides = identity.has(Permission.DECIDE)
    groups = waiting_groups(session) if decides else []
    by_hand = next(iter(waiting_counts(session, 1)), None) if decides else None
    sessions_waiting = sum(group.sessions for group in groups)
    return {
        "groups": groups,
        "by_hand": by_hand,
        "sessions_waiting": sessions_waiting,
        "waiting": sessions_waiting + (by_hand.total if by_hand else 0),
        "may_decide": decides,
        "may_count": identity.has(Permission.REPORT),
        "period": over_and_open(session, now) if decides else None,
        "backup": backup_state(session) if identity.has(Permission.ADMINISTER) else None,
        "round": monthly_round(session, now),
        "week": week_of(session, now),
        "on_hand": total_stock(session),
        "first_day": first_day(session),
        **_counting(session),
    }


def _worker(session: Session, now: datetime) -> dict[str, Any]:
    acting = identity.current()
    assert acting is not None
    own_round = monthly_round(session, now, acting.user_id)
    bed = own_round.next_bed
    return {
        "round": own_round,
        "before": bed_before(session, bed.code) if bed else None,
        "own": own_photos(session, acting.user_id, now, OWN_SHOWN),
        "workers_alive": jobs.workers_alive(session),
        "wait": own_wait(session, acting.user_id),
    }


def _counting(session: Session) -> dict[str, Any]:
    now_counting = under_way(session)
    workers = jobs.workers_alive(session)
    written = repr((now_counting, workers == 0))
    return {
        "counting": now_counting,
        "workers_alive": workers,
        "version": hashlib.sha256(written.encode()).hexdigest()[:16],
    }
