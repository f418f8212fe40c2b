"""Periods: opened, looked at, explained; found by their code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.errors import InvalidInput
from demeter.core.settings import settings
from demeter.periods.errors import NothingToExplain, PeriodExists, PeriodNotFound, PeriodState
from demeter.periods.figures import Line, is_bulk, lines
from demeter.periods.formula import ExceptionKind, Found
from demeter.periods.models import Period, PeriodEvent, PeriodExplanation, PeriodStatus

log = logs.get(__name__)

MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")


@dataclass(frozen=True, slots=True)
class Explained:
    """An exception with what somebody said to it, if anybody did."""

    line: Line
    found: Found
    explanation: str | None
    by: str | None

    @property
    def is_bulk(self) -> bool:
        """Whether it may be explained together with others of its greenhouse."""
        return is_bulk(self.line, self.found)


def open_period(
    session: Session,
    user: User,
    code: str,
    boundary_at: datetime | None = None,
    grace_hours: int | None = None,
) -> Period:
    """A new period; a code such as 2026-03 ends with that month at the site.

    Raises:
        InvalidInput: the code is no month and no boundary is given.
        PeriodExists: the code or the boundary is taken.
    """
    ends = boundary_at or end_of_month(code)
    taken = session.scalar(
        select(Period.code).where(or_(Period.code == code, Period.boundary_at == ends))
    )
    if taken is not None:
        raise PeriodExists(f"period {taken} is there already", code_taken=taken)
    hours = settings().closing_grace_hours if grace_hours is None else grace_hours
    if hours < 0:
        raise InvalidInput(f"a grace of {hours} hours is not possible", field="grace_hours")
    made = Period(code=code, boundary_at=ends, grace_hours=hours)
    session.add(made)
    session.flush()
    trace(session, made, "opened", user)
    return made


def end_of_month(code: str) -> datetime:
    """The first moment after a month such as 2026-03, at the site.

    Raises:
        InvalidInput: it is no month.
    """
    found = MONTH.match(code)
    if found is None:
        raise InvalidInput(f"{code!r} is no month such as 2026-03: say when the period ends")
    year, month = int(found[1]), int(found[2])
    zone = ZoneInfo(settings().time_zone)
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)


def at_site(moment: datetime) -> datetime:
    """A moment without offset is the site's."""
    zone = ZoneInfo(settings().time_zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def find(session: Session, code: str, *, lock: bool = False) -> Period:
    """The period of this code.

    Raises:
        PeriodNotFound: there is none.
    """
    query = select(Period).where(Period.code == code)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise PeriodNotFound(f"there is no period {code!r}", period=code)
    return found


def exceptions(session: Session, period: Period, found: Iterable[Line]) -> list[Explained]:
    """Every exception of these lines; an explanation counts for the figure it explained."""
    said = {
        (e.storage_location_id, e.product_id, e.kind, e.figure): (e.explanation, name)
        for e, name in session.execute(
            select(PeriodExplanation, User.username)
            .join(User, User.id == PeriodExplanation.user_id)
            .where(PeriodExplanation.period_id == period.id)
            .order_by(PeriodExplanation.id)
        )
    }
    nothing = (None, None)
    return [
        Explained(line, one, *said.get((*line.key, one.kind.value, one.figure), nothing))
        for line in found
        for one in line.exceptions
    ]


def explain(
    session: Session,
    period: Period,
    user: User,
    text: str,
    *,
    location_id: int,
    product_id: int,
    kind: ExceptionKind | None = None,
) -> int:
    """Explain one exception, or all of a location and product; how many it were.

    Raises:
        PeriodState: the period is closed.
        NothingToExplain: there is no such exception.
    """
    every = exceptions(session, period, lines(session, period, [location_id]))
    chosen = [
        one for one in every if one.line.product_id == product_id and kind in (None, one.found.kind)
    ]
    return _explain(session, period, user, text, chosen)


def explain_together(
    session: Session, period: Period, user: User, text: str, place_code: str
) -> int:
    """Explain the small differences of a greenhouse or a bed at once; how many it were.

    Small is what lies within the counts' combined intervals; anything else is explained one
    by one.

    Raises:
        PeriodState: the period is closed.
        NothingToExplain: there is none there that is not explained.
    """
    chosen = [
        one
        for one in exceptions(session, period, lines(session, period))
        if one.is_bulk
        and one.explanation is None
        and place_code in (one.line.warehouse_code, one.line.area_code)
    ]
    return _explain(session, period, user, text, chosen)


def _explain(
    session: Session, period: Period, user: User, text: str, chosen: list[Explained]
) -> int:
    if period.status is PeriodStatus.CLOSED:
        raise PeriodState(f"period {period.code} is closed", status=period.status)
    if not chosen:
        raise NothingToExplain(f"period {period.code} has no such exception")
    if not text.strip():
        raise InvalidInput("an explanation says something", field="explanation")
    session.add_all(
        PeriodExplanation(
            period_id=period.id,
            storage_location_id=one.line.location_id,
            product_id=one.line.product_id,
            kind=one.found.kind.value,
            figure=one.found.figure,
            explanation=text,
            user_id=user.id,
        )
        for one in chosen
    )
    session.flush()
    log.info("exceptions_explained", period=period.code, number=len(chosen), user=user.username)
    return len(chosen)


def trace(
    session: Session, period: Period, event: str, user: User, reason: str | None = None
) -> None:
    """Leave a mark on the period: what was done, by whom and why."""
    session.add(PeriodEvent(period_id=period.id, event=event, user_id=user.id, reason=reason))
    session.flush()
    log.info("period_changed", period=period.code, change=event, user=user.username)
