"""A client's sales against the ledger's: pure comparison, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from demeter.core.tabular.remarks import Remark

Sku = tuple[str, str | None]  # product's, packaging's or none


class SalesVerdict(StrEnum):
    """How a line of the file stands against the ledger."""

    MATCHED = "matched"
    SHORT = "short"
    OVER = "over"
    UNKNOWN_SKU = "unknown_sku"
    OUTSIDE_PERIOD = "outside_period"


@dataclass(frozen=True, slots=True)
class SalesLine:
    """One line of the file; ``row`` as the spreadsheet numbers it, a return is below 0."""

    row: int
    product_sku: str
    packaging_sku: str | None
    quantity_sold: int
    sale_date: date | None = None
    invoice_number: str | None = None
    customer_name: str | None = None
    notes: str | None = None

    @property
    def sku(self) -> Sku:
        """What was sold."""
        return (self.product_sku, self.packaging_sku)


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line with what the file and the ledger say of its SKU in all."""

    line: SalesLine
    verdict: SalesVerdict
    file_total: int | None
    ledger_total: int | None

    @property
    def difference(self) -> int | None:
        """The file's total less the ledger's."""
        if self.file_total is None or self.ledger_total is None:
            return None
        return self.file_total - self.ledger_total


@dataclass(frozen=True, slots=True)
class SalesComparison:
    """Every line of the file, what the ledger sold that it does not name, and what is odd."""

    lines: tuple[ComparedLine, ...]
    not_in_file: tuple[tuple[Sku, int], ...]
    warnings: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a period at the site, ends included; ``None`` leaves an end open."""

    first: date | None
    last: date | None

    def include(self, day: date | None) -> bool:
        """Whether a sale of this day is the period's; one without a day is."""
        if day is None:
            return True
        is_early = self.first is not None and day < self.first
        return not is_early and not (self.last is not None and day > self.last)


ALL_DAYS = Days(None, None)


def compare_lines(
    lines: Sequence[SalesLine],
    ledger: Mapping[Sku, int],
    catalog_skus: Sequence[Sku] | set[Sku],
    tolerance_share: float,
    days: Days = ALL_DAYS,
) -> SalesComparison:
    """Each line by its SKU's totals.

    ``matched`` where both differ by no more than ``tolerance_share`` of the ledger's, `short`
    where the file says less than the ledger, `over` where it says more. ``catalog_skus`` are the
    SKUs that the catalog has; others are `unknown_sku`. Lines outside the ``days`` are
    `outside_period` and in no total.
    """
    known_skus = set(catalog_skus)
    totals: dict[Sku, int] = {}
    for line in lines:
        if days.include(line.sale_date):
            totals[line.sku] = totals.get(line.sku, 0) + line.quantity_sold
    compared_lines = []
    for line in lines:
        if not days.include(line.sale_date):
            compared_lines.append(ComparedLine(line, SalesVerdict.OUTSIDE_PERIOD, None, None))
            continue
        if line.sku not in known_skus:
            compared_lines.append(ComparedLine(line, SalesVerdict.UNKNOWN_SKU, None, None))
            continue
        file_total, ledger_total = totals[line.sku], ledger.get(line.sku, 0)
        compared_lines.append(
            ComparedLine(
                line, _verdict(file_total, ledger_total, tolerance_share), file_total, ledger_total
            )
        )
    missing = sorted(
        (
            (sku, ledger_total)
            for sku, ledger_total in ledger.items()
            if ledger_total and sku not in totals
        ),
        key=lambda item: (item[0][0], item[0][1] or ""),
    )
    return SalesComparison(tuple(compared_lines), tuple(missing))


def _verdict(file_total: int, ledger_total: int, tolerance_share: float) -> SalesVerdict:
    if abs(file_total - ledger_total) <= tolerance_share * abs(ledger_total):
        return SalesVerdict.MATCHED
    return SalesVerdict.SHORT if file_total < ledger_total else SalesVerdict.OVER
