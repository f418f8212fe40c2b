"""Periods: opened, looked at, explained; found by their code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.errors import InvalidInput
from demeter.core.fields import YEARS
from demeter.core.settings import settings
from demeter.core.site import site_zone, start_of_day
from demeter.periods.errors import NothingToExplain, PeriodExists, PeriodNotFound, PeriodState
from demeter.periods.figures import Line, may_be_explained_together, period_lines
from demeter.periods.formula import ExceptionKind, LineException
from demeter.periods.models import Period, PeriodEvent, PeriodExplanation, PeriodStatus

log = logs.get(__name__)

CODE = re.compile(r"[A-Z0-9_-]{1,50}")
MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")


@dataclass(frozen=True, slots=True)
class ExplainedException:
    """An exception with what somebody said to it, if anybody did."""

    line: Line
    exception: LineException
    explanation: str | None
    by: str | None

    @property
    def may_be_explained_together(self) -> bool:
        """Whether it may be explained together with others of its greenhouse."""
        return may_be_explained_together(self.line, self.exception)


def open_period(
    session: Session,
    user: User,
    code: str,
    boundary_at: datetime | None = None,
    grace_hours: int | None = None,
) -> Period:
    """A new period; a code such as 2026-03 ends with that month at the site.

    Raises:
        InvalidInput: the code is none, or is no month and no boundary is given.
        PeriodExists: the code or the boundary is taken.
    """
    if not CODE.fullmatch(code):
        raise InvalidInput(
            f"{code!r} is no code of a period: capitals, digits, - and _, at most 50", field="code"
        )
    boundary = boundary_at or end_of_month(code)
    taken_code = session.scalar(
        select(Period.code).where(or_(Period.code == code, Period.boundary_at == boundary))
    )
    if taken_code is not None:
        raise PeriodExists(f"period {taken_code} is there already", code_taken=taken_code)
    hours = settings().closing_grace_hours if grace_hours is None else grace_hours
    if hours < 0:
        raise InvalidInput(f"a grace of {hours} hours is not possible", field="grace_hours")
    period = Period(code=code, boundary_at=boundary, grace_hours=hours)
    session.add(period)
    session.flush()
    note_event(session, period, "opened", user)
    return period


def end_of_month(code: str) -> datetime:
    """The first moment after a month such as 2026-03, at the site.

    Raises:
        InvalidInput: it is no month.
    """
    month_match = MONTH.fullmatch(code)
    if month_match is None or int(month_match[1]) not in YEARS:
        raise InvalidInput(
            f"{code!r} is no month such as 2026-03: say when the period ends", field="code"
        )
    year, month = int(month_match[1]), int(month_match[2])
    return start_of_day(date(year + month // 12, month % 12 + 1, 1)).astimezone(site_zone())


def find_period(session: Session, code: str, *, lock: bool = False) -> Period:
    """The period of this code.

    Raises:
        PeriodNotFound: there is none.
    """
    query = select(Period).where(Period.code == code)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    period = session.scalar(query)
    if period is None:
        raise PeriodNotFound(f"there is no period {code!r}", period=code)
    return period


def explained_exceptions(
    session: Session, period: Period, lines: Iterable[Line]
) -> list[ExplainedException]:
    """Every exception of these lines; an explanation counts for the figure it explained."""
    explanations = {
        (e.storage_location_id, e.product_id, e.kind, e.figure): (e.explanation, name)
        for e, name in session.execute(
            select(PeriodExplanation, User.username)
            .join(User, User.id == PeriodExplanation.user_id)
            .where(PeriodExplanation.period_id == period.id)
            .order_by(PeriodExplanation.id)
        )
    }
    unexplained = (None, None)
    return [
        ExplainedException(
            line,
            exception,
            *explanations.get((*line.key, exception.kind.value, exception.figure), unexplained),
        )
        for line in lines
        for exception in line.exceptions
    ]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which exceptions one explanation is for; what is ``None`` chooses all.

    ``place_code`` is a greenhouse's, an area's or a location's. ``small_only`` are differences
    within the counts' combined intervals.
    """

    place_code: str | None = None
    product_code: str | None = None
    kind: ExceptionKind | None = None
    small_only: bool = False

    def include(self, explained: ExplainedException) -> bool:
        """Whether this exception is one of them."""
        line = explained.line
        places = (line.warehouse_code, line.area_code, line.location_code)
        return (
            (self.place_code is None or self.place_code in places)
            and self.product_code in (None, line.product_code)
            and self.kind in (None, explained.exception.kind)
            and (explained.may_be_explained_together or not self.small_only)
        )


def explain(session: Session, period: Period, user: User, text: str, chosen: Chosen) -> int:
    """Explain exceptions in one act: of a line, a place, a kind, or a kind at a place.

    Of a line those explained before are explained anew, of more only those that are not yet;
    how many it were.

    Raises:
        InvalidInput: nothing is chosen, or no explanation is given.
        PeriodState: the period is closed.
        NothingToExplain: there is no such exception.
    """
    if chosen.place_code is None and chosen.kind is None:
        raise InvalidInput("name a place, a kind, or both: not all that is left at once")
    is_of_line = chosen.place_code is not None and chosen.product_code is not None
    exceptions = [
        explained
        for explained in explained_exceptions(session, period, period_lines(session, period))
        if chosen.include(explained) and (is_of_line or explained.explanation is None)
    ]
    return _explain(session, period, user, text, exceptions)


def _explain(
    session: Session, period: Period, user: User, text: str, exceptions: list[ExplainedException]
) -> int:
    if period.status is PeriodStatus.CLOSED:
        raise PeriodState(f"period {period.code} is closed", status=period.status)
    if not exceptions:
        raise NothingToExplain(f"period {period.code} has no such exception")
    if not text.strip():
        raise InvalidInput("an explanation says something", field="explanation")
    session.add_all(
        PeriodExplanation(
            period_id=period.id,
            storage_location_id=explained.line.location_id,
            product_id=explained.line.product_id,
            kind=explained.exception.kind.value,
            figure=explained.exception.figure,
            explanation=text,
            user_id=user.id,
        )
        for explained in exceptions
    )
    session.flush()
    log.info("exceptions_explained", period=period.code, number=len(exceptions), user=user.username)
    return len(exceptions)


def note_event(
    session: Session, period: Period, event: str, user: User, reason: str | None = None
) -> None:
    """Note an event of the period: what was done, by whom and why."""
    session.add(PeriodEvent(period_id=period.id, event=event, user_id=user.id, reason=reason))
    session.flush()
    log.info("period_changed", period=period.code, change=event, user=user.username)
