"""A period as people read it: lines with their figures, exceptions, and what is behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.tabular.remarks import remark_read
from demeter.core.totals import known_sum
from demeter.core.wording import english
from demeter.periods import service
from demeter.periods.figures import Line, period_lines
from demeter.periods.formula import CountRef
from demeter.periods.models import Period, PeriodEvent
from demeter.periods.sales_lines import SalesComparison, SalesVerdict
from demeter.periods.schemas import (
    ComparedLineRead,
    EventRead,
    ExceptionRead,
    LedgerSaleRead,
    LineRead,
    LineTraceRead,
    PeriodCountRead,
    PeriodPreviewRead,
    PeriodRead,
    SalesComparisonRead,
    TracedMovementRead,
)
from demeter.periods.service import ExplainedException


def period_read(session: Session, period: Period) -> PeriodRead:
    """A period with its trace."""
    events = session.execute(
        select(PeriodEvent, User.username)
        .join(User, User.id == PeriodEvent.user_id)
        .where(PeriodEvent.period_id == period.id)
        .order_by(PeriodEvent.id)
    )
    return PeriodRead(
        code=period.code,
        boundary_at=period.boundary_at,
        grace_hours=period.grace_hours,
        status=period.status,
        events=[
            EventRead(event=e.event, by=name, at=e.created_at, reason=e.reason)
            for e, name in events
        ],
    )


def periods(session: Session) -> list[PeriodRead]:
    """Every period, latest first; a nursery has twelve a year."""
    rows = session.scalars(select(Period).order_by(Period.boundary_at.desc()))
    return [period_read(session, period) for period in rows]


def period_preview(session: Session, period: Period) -> PeriodPreviewRead:
    """Every line of a period as the ledger has it now."""
    lines = period_lines(session, period)
    exceptions = service.explained_exceptions(session, period, lines)
    sales = known_sum(line.figures.sales for line in lines)
    return PeriodPreviewRead(
        period=period_read(session, period),
        lines=line_reads(lines, exceptions),
        sales=sales.known,
        unrecorded_sales=known_sum(line.figures.unrecorded_sales for line in lines).known,
        lines_unknown=sales.left_out,
        exceptions_left=sum(explained.explanation is None for explained in exceptions),
    )


def line_reads(lines: Sequence[Line], exceptions: Iterable[ExplainedException]) -> list[LineRead]:
    """Lines with their exceptions."""
    by_line: dict[tuple[int, int], list[ExceptionRead]] = {}
    for explained in exceptions:
        by_line.setdefault(explained.line.key, []).append(
            ExceptionRead(
                kind=explained.exception.kind.value,
                figure=explained.exception.figure,
                message=english(explained.exception.notice),
                notice=explained.exception.notice,
                may_be_explained_together=explained.may_be_explained_together,
                explanation=explained.explanation,
                explained_by=explained.by,
            )
        )
    return [_line(line, by_line.get(line.key, [])) for line in lines]


def line_trace(
    session: Session, period: Period, location_id: int, product_id: int
) -> LineTraceRead:
    """The movements and photos behind one line.

    Raises:
        NothingToExplain: the period has no such line.
    """
    lines = [
        line
        for line in period_lines(session, period, [location_id])
        if line.product_id == product_id
    ]
    if not lines:
        raise service.NothingToExplain(f"period {period.code} has no such line")
    (line,) = lines
    counts = [line.figures.opening, line.figures.closing]
    sessions = [_session_of(session, count.count_id) if count else None for count in counts]
    movements = session.execute(
        text(_MOVED),
        {
            "location": location_id,
            "product": product_id,
            "opening": line.figures.opening.captured_at,
            "until": line.figures.closing.captured_at
            if line.figures.closing
            else period.boundary_at,
        },
    ).mappings()
    exceptions = service.explained_exceptions(session, period, lines)
    return LineTraceRead(
        line=line_reads(lines, exceptions)[0],
        opening_session_id=sessions[0],
        closing_session_id=sessions[1],
        movements=[TracedMovementRead.model_validate(dict(row)) for row in movements],
    )


def _line(line: Line, exceptions: list[ExceptionRead]) -> LineRead:
    figures, flows = line.figures, line.figures.flows
    return LineRead(
        warehouse_code=line.warehouse_code,
        area_code=line.area_code,
        location_code=line.location_code,
        product_code=line.product_code,
        opening=_count(figures.opening),
        planted=flows.planted,
        sown=flows.sown,
        moved_in=flows.moved_in,
        moved_out=flows.moved_out,
        dead=flows.dead,
        corrections=flows.corrections,
        closing=_count(figures.closing) if figures.closing else None,
        sales=figures.sales,
        recorded_sales=flows.recorded_sales,
        unrecorded_sales=figures.unrecorded_sales,
        exceptions=exceptions,
    )


def _count(ref: CountRef) -> PeriodCountRead:
    low, high = ref.interval_low, ref.interval_high
    return PeriodCountRead(
        count_id=ref.count_id,
        captured_at=ref.captured_at,
        plants=ref.plants,
        interval_90=None if low is None or high is None else (low, high),
    )


def _session_of(session: Session, count_id: int) -> UUID | None:
    return session.execute(
        text("""
        SELECT p.session_id FROM counts c
        JOIN photo_processing_sessions p ON p.id = c.processing_session_id WHERE c.id = :count
        """),
        {"count": count_id},
    ).scalar()


_MOVED = """
SELECT m.movement_id, m.movement_type, m.quantity, m.occurred_at, b.batch_code,
       u.username AS by, m.reason_description AS reason,
       m.reason_notice, m.count_id, p.session_id,
       m.closing_id IS NOT NULL AS written_by_closing
FROM storage_bins s
JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id AND b.product_id = :product
JOIN stock_movements m ON m.batch_id = b.id
JOIN users u ON u.id = m.user_id
LEFT JOIN photo_processing_sessions p ON p.id = m.processing_session_id
WHERE s.storage_location_id = :location AND m.occurred_at > :opening
  AND m.occurred_at <= :until
ORDER BY m.occurred_at, m.id
"""


def sales_comparison_read(comparison: SalesComparison) -> SalesComparisonRead:
    """A sales file against the ledger, line by line, with how many lines have each verdict."""
    return SalesComparisonRead(
        lines=[
            ComparedLineRead(
                row=compared.line.row,
                product_sku=compared.line.product_sku,
                packaging_sku=compared.line.packaging_sku,
                quantity_sold=compared.line.quantity_sold,
                verdict=compared.verdict,
                file_total=compared.file_total,
                ledger_total=compared.ledger_total,
                difference=compared.difference,
                invoice_number=compared.line.invoice_number,
            )
            for compared in comparison.lines
        ],
        not_in_file=[
            LedgerSaleRead(product_sku=product, packaging_sku=packaging, ledger_total=total)
            for (product, packaging), total in comparison.not_in_file
        ],
        verdicts={v: sum(line.verdict is v for line in comparison.lines) for v in SalesVerdict},
        warnings=[remark_read(warning) for warning in comparison.warnings],
    )
