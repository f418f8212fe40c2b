"""A sales file against a period: what the ledger sold by SKU, recorded or found by closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.core.site import day_at_site
from demeter.core.tabular.remarks import Remark
from demeter.core.tabular.tables import TableFile
from demeter.periods import sales_file
from demeter.periods.closing import net_fotos
from demeter.periods.figures import Line, period_lines
from demeter.periods.formula import unrecorded_sales_by_lot
from demeter.periods.models import Period
from demeter.periods.sales_lines import Days, SalesComparison, SalesVerdict, Sku, compare_lines


def compare_file(
    session: Session, period: Period, file: TableFile, tolerance_share: float | None = None
) -> SalesComparison:
    """Compare a client's file with a period's sales, line by line.

    Raises:
        SalesFileInvalid: the file cannot be read; each wrong cell is named.
    """
    sales = sales_file.read(file)
    tolerance = settings().sales_tolerance_share if tolerance_share is None else tolerance_share
    lines = period_lines(session, period)
    sold, days = sold_by_sku(session, lines), days_of(session, period, lines)
    comparison = compare_lines(sales.lines, sold, known_skus(session), tolerance, days)
    warnings = (*sales.warnings, *_left_out(comparison, days), *_not_known(lines))
    return replace(comparison, warnings=warnings)


def days_of(session: Session, period: Period, lines: Sequence[Line]) -> Days:
    """The days of a period at the site.

    It begins with the boundary of the one before, the first of all with its first opening count.
    A boundary at midnight is the end of the day before.
    """
    begins: datetime | None = session.scalar(
        select(func.max(Period.boundary_at)).where(Period.boundary_at < period.boundary_at)
    )
    if begins is None:
        begins = min((line.figures.opening.captured_at for line in lines), default=None)
    last = day_at_site(period.boundary_at - timedelta(microseconds=1))
    return Days(None if begins is None else day_at_site(begins), last)


def _left_out(comparison: SalesComparison, days: Days) -> list[Remark]:
    """A warning where lines are dated outside the period."""
    rows = [
        compared.line.row
        for compared in comparison.lines
        if compared.verdict is SalesVerdict.OUTSIDE_PERIOD
    ]
    if not rows:
        return []
    notice = Notice(
        "outside_period",
        {
            "lines": len(rows),
            "first": str(days.first or "…"),
            "last": str(days.last),
            "row": rows[0],
        },
    )
    return [Remark(notice, row=rows[0])]


def _not_known(lines: Sequence[Line]) -> list[Remark]:
    """A warning where sales of some lines are not known: the ledger's totals leave them out."""
    number = sum(line.figures.sales is None for line in lines)
    return [Remark(Notice("sales_unknown", {"lines": number}))] if number else []


def sold_by_sku(session: Session, lines: Sequence[Line]) -> dict[Sku, int]:
    """Plants sold by product and packaging: recorded, and what closing writes."""
    lines = [line for line in lines if line.figures.closing is not None]
    fotos = net_fotos(session, lines)
    by_lot: dict[int, int] = {}
    for line in lines:
        unrecorded = line.figures.unrecorded_sales or 0
        if unrecorded > 0:
            by_lot.update(unrecorded_sales_by_lot(unrecorded, fotos.get(line.key, [])))
    plants_by_sku: dict[Sku, int] = {}
    for row in _sales_of_lots(session, lines, by_lot):
        sku: Sku = (row.product, row.packaging)
        plants_by_sku[sku] = plants_by_sku.get(sku, 0) + int(row.quantity)
    return plants_by_sku


def known_skus(session: Session) -> set[Sku]:
    """Every product with every packaging of the catalog, and with none."""
    products = session.execute(text("SELECT code FROM products")).scalars().all()
    packagings = session.execute(text("SELECT sku FROM packaging_catalog")).scalars().all()
    return {(product, packaging) for product in products for packaging in [None, *packagings]}


def _sales_of_lots(session: Session, lines, by_lot: dict[int, int]):  # noqa: ANN001, ANN202
    return session.execute(
        text("""
        WITH windows AS (
            SELECT * FROM unnest(CAST(:locations AS bigint[]), CAST(:products AS bigint[]),
                CAST(:openings AS timestamptz[]), CAST(:closings AS timestamptz[]))
                AS w (location, product, opening, closing)
        ), sold AS (
            SELECT b.id AS batch_id, -sum(m.quantity) AS quantity
            FROM windows w
            JOIN storage_bins s ON s.storage_location_id = w.location
            JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
                AND b.product_id = w.product
            JOIN stock_movements m ON m.batch_id = b.id AND m.movement_type = 'ventas'
                AND m.occurred_at > w.opening AND m.occurred_at <= w.closing
            GROUP BY b.id
            UNION ALL
            SELECT * FROM unnest(CAST(:lots AS bigint[]), CAST(:numbers AS bigint[]))
        )
        SELECT p.code AS product, k.sku AS packaging, sum(sold.quantity) AS quantity
        FROM sold
        JOIN stock_batches b ON b.id = sold.batch_id
        JOIN products p ON p.id = b.product_id
        LEFT JOIN packaging_catalog k ON k.id = b.packaging_catalog_id
        GROUP BY p.code, k.sku
        """),
        {
            "locations": [line.location_id for line in lines],
            "products": [line.product_id for line in lines],
            "openings": [line.figures.opening.captured_at for line in lines],
            "closings": [line.figures.closing.captured_at for line in lines],
            "lots": list(by_lot),
            "numbers": list(by_lot.values()),
        },
    )
