"""Closing a period: what was sold and never recorded is written; reopening takes it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session, aliased

from demeter.accounts.models import User
from demeter.core.crash_points import step
from demeter.core.errors import InvalidInput
from demeter.core.formats import site_text
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.core.wording import english
from demeter.locations import lock, retry_signal
from demeter.periods import service
from demeter.periods.errors import (
    EarlierPeriodOpen,
    PeriodNotOver,
    PeriodState,
    SecondPersonNeeded,
    Unexplained,
)
from demeter.periods.figures import Line, period_lines
from demeter.periods.formula import LotFoto, unrecorded_sales_by_lot
from demeter.periods.models import Period, PeriodClosing, PeriodStatus
from demeter.stock.ledger import reason_columns
from demeter.stock.models import MovementType, SourceType, StockMovement

JUST_BEFORE = timedelta(microseconds=1)


def close(session: Session, code: str, user: User) -> Period:
    """Close a period, or propose to where a second person has to do it.

    Each location and product keeps its opening, closing and sales. Sales that nobody recorded
    are written as `foto` +n and `ventas` −n just before the closing count; stock is the same
    before and after.

    Raises:
        PeriodState: it is closed already.
        PeriodNotOver: its end has not come.
        EarlierPeriodOpen: an earlier period is still open.
        Unexplained: exceptions are left.
        SecondPersonNeeded: this person proposed it.
    """
    period = service.find_period(session, code, lock=True)
    if period.status is PeriodStatus.CLOSED:
        raise PeriodState(f"period {code} is closed already", status=period.status)
    if period.boundary_at > datetime.now(UTC):
        raise PeriodNotOver(
            f"period {code} ends {site_text(period.boundary_at)}",
            ends_at=period.boundary_at.isoformat(),
        )
    _require_order(session, period)
    lock.lock_locations(session, {line.location_id for line in period_lines(session, period)})
    step("closing.locations_locked")
    lines = period_lines(session, period)  # again, now that nobody else writes there
    _require_explained(session, period, lines)
    if settings().closing_two_people and not _is_second_person(period, user):
        return _propose(session, period, user)
    _close_lines(session, period, lines, user)
    period.status = PeriodStatus.CLOSED
    period.closed_by_user_id, period.closed_at = user.id, datetime.now(UTC)
    service.note_event(session, period, "closed", user)
    step("closing.before_commit")
    session.expire_all()
    return period


def reopen(session: Session, code: str, user: User, reason: str) -> Period:
    """Open a closed period again: what closing wrote is reversed, and a trace is left.

    Raises:
        PeriodState: it is not closed.
        EarlierPeriodOpen: a later period is closed; it comes first.
        InvalidInput: no reason is given.
    """
    period = service.find_period(session, code, lock=True)
    if period.status is not PeriodStatus.CLOSED:
        raise PeriodState(f"period {code} is {period.status}", status=period.status)
    if not reason.strip():
        raise InvalidInput("reopening a period says its reason", field="reason")
    later = session.scalar(
        select(Period.code)
        .where(Period.boundary_at > period.boundary_at, Period.status == PeriodStatus.CLOSED)
        .order_by(Period.boundary_at.desc())
        .limit(1)
    )
    if later is not None:
        raise EarlierPeriodOpen(f"period {later} is closed and comes later", period=later)
    closings = _standing_closings(session, period)
    locations = lock.lock_locations(session, {closing.storage_location_id for closing in closings})
    _reverse_pairs(
        session, closings, user, Notice("period_reopened", {"period": code, "reason": reason})
    )
    now = datetime.now(UTC)
    for closing in closings:
        closing.reopened_at, closing.reopened_by_user_id = now, user.id
        closing.reopen_reason = reason
    period.status = PeriodStatus.OPEN
    period.closed_at = period.closed_by_user_id = None
    period.proposed_at = period.proposed_by_user_id = None
    service.note_event(session, period, "reopened", user, reason)
    retry_signal.retry_later(session, locations)
    session.expire_all()
    return period


def _require_order(session: Session, period: Period) -> None:
    earlier = session.scalar(
        select(Period.code)
        .where(Period.boundary_at < period.boundary_at, Period.status != PeriodStatus.CLOSED)
        .order_by(Period.boundary_at)
        .limit(1)
    )
    if earlier is not None:
        raise EarlierPeriodOpen(f"period {earlier} is earlier and still open", period=earlier)


def _require_explained(session: Session, period: Period, lines: Sequence[Line]) -> None:
    unexplained = [
        e for e in service.explained_exceptions(session, period, lines) if e.explanation is None
    ]
    if unexplained:
        raise Unexplained(
            f"{len(unexplained)} exceptions of period {period.code} are not explained",
            exceptions=[
                {
                    "location_code": e.line.location_code,
                    "product_code": e.line.product_code,
                    "kind": e.exception.kind.value,
                    "figure": e.exception.figure,
                    "message": english(e.exception.notice),
                    "notice": e.exception.notice.to_json(),
                }
                for e in unexplained[:100]
            ],
            total=len(unexplained),
        )


def _is_second_person(period: Period, user: User) -> bool:
    if period.status is not PeriodStatus.PROPOSED:
        return False
    if period.proposed_by_user_id == user.id:
        raise SecondPersonNeeded(f"{user.username} proposed to close period {period.code}")
    return True


def _propose(session: Session, period: Period, user: User) -> Period:
    period.status = PeriodStatus.PROPOSED
    period.proposed_by_user_id, period.proposed_at = user.id, datetime.now(UTC)
    service.note_event(session, period, "proposed", user)
    return period


def _close_lines(session: Session, period: Period, lines: Sequence[Line], user: User) -> None:
    fotos = net_fotos(session, lines)
    for line in lines:
        closing = PeriodClosing(
            period_id=period.id,
            storage_location_id=line.location_id,
            product_id=line.product_id,
            opening_count_id=line.figures.opening.count_id,
            closing_count_id=line.figures.closing.count_id if line.figures.closing else None,
            opening_plants=line.figures.opening.plants,
            closing_plants=line.figures.closing.plants if line.figures.closing else None,
            sales=line.figures.sales,
            closed_by_user_id=user.id,
            **asdict(line.figures.flows),
        )
        session.add(closing)
        session.flush()
        _write_pairs(session, period, line, closing, fotos.get(line.key, []), user)
        step("closing.line_written")


def _write_pairs(
    session: Session,
    period: Period,
    line: Line,
    closing: PeriodClosing,
    lots: Sequence[LotFoto],
    user: User,
) -> None:
    unrecorded, count = line.figures.unrecorded_sales, line.figures.closing
    if count is None or unrecorded is None or unrecorded <= 0:
        return
    sales = unrecorded_sales_by_lot(unrecorded, lots)
    common: dict[str, Any] = {
        "user_id": user.id,
        "source_type": SourceType.MANUAL,
        "closing_id": closing.id,
        "occurred_at": count.captured_at - JUST_BEFORE,
        **reason_columns(Notice("sales_unrecorded", {"period": period.code})),
    }
    foto = {"movement_type": MovementType.FOTO, "count_id": count.count_id}
    sale = {"movement_type": MovementType.VENTAS, "count_id": None}
    _insert(
        session,
        [
            *(common | foto | {"batch_id": batch, "quantity": n} for batch, n in sales),
            *(common | sale | {"batch_id": batch, "quantity": -n} for batch, n in sales),
        ],
    )


def net_fotos(session: Session, lines: Iterable[Line]) -> dict[tuple[int, int], list[LotFoto]]:
    """The net `foto` of each lot between its line's counts, by location and product."""
    windows = [
        (*line.key, line.figures.opening.captured_at, line.figures.closing.captured_at)
        for line in lines
        if line.figures.closing is not None and (line.figures.unrecorded_sales or 0) > 0
    ]
    columns = list(zip(*windows, strict=True)) or [(), (), (), ()]
    rows = session.execute(
        text("""
        SELECT w.location, w.product, b.id,
               rank() OVER (ORDER BY b.created_at, b.id) AS age_rank, sum(m.quantity) AS net
        FROM unnest(CAST(:locations AS bigint[]), CAST(:products AS bigint[]),
                    CAST(:openings AS timestamptz[]), CAST(:closings AS timestamptz[]))
            AS w (location, product, opening, closing)
        JOIN storage_bins s ON s.storage_location_id = w.location
        JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id AND b.product_id = w.product
        JOIN stock_movements m ON m.batch_id = b.id
            AND m.movement_type IN ('foto', 'manual_init')
            AND m.occurred_at > w.opening AND m.occurred_at <= w.closing
        GROUP BY w.location, w.product, b.id
        """),
        {
            name: list(column)
            for name, column in zip(
                ("locations", "products", "openings", "closings"), columns, strict=True
            )
        },
    )
    fotos: dict[tuple[int, int], list[LotFoto]] = {}
    for row in rows:
        lot = LotFoto(row.id, row.age_rank, int(row.net))
        fotos.setdefault((row.location, row.product), []).append(lot)
    return fotos


def _standing_closings(session: Session, period: Period) -> list[PeriodClosing]:
    return list(
        session.scalars(
            select(PeriodClosing)
            .where(PeriodClosing.period_id == period.id, PeriodClosing.reopened_at.is_(None))
            .order_by(PeriodClosing.id)
        )
    )


def _reverse_pairs(
    session: Session, closings: Sequence[PeriodClosing], user: User, reason: Notice
) -> None:
    """Sales first, which bring plants, so that no lot is negative on the way."""
    reversal = aliased(StockMovement)
    movements = session.scalars(
        select(StockMovement)
        .where(
            StockMovement.closing_id.in_([closing.id for closing in closings]),
            StockMovement.reverses_movement_id.is_(None),
            ~select(reversal.id).where(reversal.reverses_movement_id == StockMovement.id).exists(),
        )
        .order_by(StockMovement.quantity, StockMovement.id)
    )
    _insert(
        session,
        [
            {
                "batch_id": row.batch_id,
                "movement_type": row.movement_type,
                "quantity": -row.quantity,
                "user_id": user.id,
                "source_type": SourceType.MANUAL,
                "closing_id": row.closing_id,
                "count_id": row.count_id,
                "occurred_at": row.occurred_at,
                "reverses_movement_id": row.id,
                **reason_columns(reason),
            }
            for row in movements
        ],
    )


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        keyed = [row | {"movement_id": uuid4()} for row in rows]
        session.execute(insert(StockMovement), keyed)
