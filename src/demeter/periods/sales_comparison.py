"""A sales file against a period: what the ledger sold by SKU, recorded or found by closing."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.settings import settings
from demeter.periods import sales_file
from demeter.periods.closing import net_fotos
from demeter.periods.figures import lines
from demeter.periods.formula import pairs
from demeter.periods.models import Period
from demeter.periods.sales_lines import Comparison, Sku, compare


def compare_file(
    session: Session, period: Period, content: bytes, tolerance_share: float | None = None
) -> Comparison:
    """Compare a client's file with a period's sales, line by line.

    Raises:
        SalesFileInvalid: the file cannot be read; each wrong cell is named.
    """
    read = sales_file.read(content)
    share = settings().sales_tolerance_share if tolerance_share is None else tolerance_share
    return compare(read, sold_by_sku(session, period), known_skus(session), share)


def sold_by_sku(session: Session, period: Period) -> dict[Sku, int]:
    """Plants sold in a period by product and packaging: recorded, and what closing writes."""
    found = [one for one in lines(session, period) if one.figures.closing is not None]
    fotos = net_fotos(session, found)
    by_lot: dict[int, int] = {}
    for line in found:
        unrecorded = line.figures.unrecorded or 0
        if unrecorded > 0:
            by_lot.update(pairs(unrecorded, fotos.get(line.key, [])))
    sold: dict[Sku, int] = {}
    for row in _recorded(session, found, by_lot):
        sku: Sku = (row.product, row.packaging)
        sold[sku] = sold.get(sku, 0) + int(row.quantity)
    return sold


def known_skus(session: Session) -> set[Sku]:
    """Every product with every packaging of the catalog, and with none."""
    products = session.execute(text("SELECT code FROM products")).scalars().all()
    packagings = session.execute(text("SELECT sku FROM packaging_catalog")).scalars().all()
    return {(product, packaging) for product in products for packaging in [None, *packagings]}


def _recorded(session: Session, found, by_lot: dict[int, int]):  # noqa: ANN001, ANN202
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
            "locations": [one.location_id for one in found],
            "products": [one.product_id for one in found],
            "openings": [one.figures.opening.captured_at for one in found],
            "closings": [one.figures.closing.captured_at for one in found],
            "lots": list(by_lot),
            "numbers": list(by_lot.values()),
        },
    )
