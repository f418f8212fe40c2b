"""What keeps months from being closed: exceptions that nobody has explained yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.periods.figures import period_lines
from demeter.periods.models import Period, PeriodStatus
from demeter.periods.service import explained_exceptions

KEPT_S = 300.0  # a large nursery's lines take seconds, and the first page is opened often


@dataclass(frozen=True, slots=True)
class ExceptionsLeft:
    """A month that is over and not closed, and where its unexplained exceptions are.

    ``houses`` are names of greenhouses.
    """

    period_code: str
    last_day: date
    exceptions: int
    houses: Sequence[str]


_known: dict[tuple[str, str], tuple[float, ExceptionsLeft]] = {}


def over_and_open(session: Session, now: datetime) -> Period | None:
    """The oldest period whose end has come and that is not closed."""
    return session.scalar(
        select(Period)
        .where(Period.status != PeriodStatus.CLOSED, Period.boundary_at <= now)
        .order_by(Period.boundary_at)
        .limit(1)
    )


def exceptions_left(session: Session, now: datetime) -> ExceptionsLeft | None:
    """Of that period, as of the last five minutes; ``None`` where there is none."""
    period = over_and_open(session, now)
    if period is None:
        return None
    key = (str(session.get_bind().engine.url), f"{period.code} {period.status}")
    read_at, left = _known.get(key, (float("-inf"), None))
    if left is None or time.monotonic() - read_at > KEPT_S:
        left = _exceptions_left(session, period)
        _known[key] = (time.monotonic(), left)
    return left


def _exceptions_left(session: Session, period: Period) -> ExceptionsLeft:
    left = [
        explained
        for explained in explained_exceptions(session, period, period_lines(session, period))
        if explained.explanation is None
    ]
    codes = sorted({explained.line.warehouse_code for explained in left})
    names = session.scalars(
        text("SELECT name FROM warehouses WHERE code = ANY(:codes) ORDER BY code"),
        {"codes": codes},
    )
    return ExceptionsLeft(period.code, period.last_day, len(left), list(names))
