"""Reading a client's sales file, CSV or XLSX: every wrong cell is named, and then none is taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from demeter.core.fields import MOST
from demeter.core.notices import Notice
from demeter.core.site import day_at_site, site_zone
from demeter.core.tabular.cells import Cell, text
from demeter.core.tabular.dates import date_or_time
from demeter.core.tabular.numbers import whole_number
from demeter.core.tabular.reading import read_table
from demeter.core.tabular.remarks import Remark
from demeter.core.tabular.tables import Table, TableFile, TableRow, TableShape
from demeter.periods.errors import SalesFileInvalid
from demeter.periods.sales_lines import SalesLine

SHAPE = TableShape(
    required=("product_sku", "packaging_sku", "quantity_sold"),
    optional=("sale_date", "invoice_number", "customer_name", "notes"),
    most_rows=100_000,
    error=SalesFileInvalid,
)


@dataclass(frozen=True, slots=True)
class SalesFile:
    """The lines of a sales file, and what is odd about it."""

    lines: tuple[SalesLine, ...]
    warnings: tuple[Remark, ...]


def read(file: TableFile) -> SalesFile:
    """The lines of a sales file; a quantity below 0 is a return, and said.

    Raises:
        SalesFileInvalid: it is no CSV or XLSX, lacks a column, or has wrong cells; each is
            named with its place.
    """
    table = read_table(file, SHAPE)
    zone = site_zone()
    lines = [_line(table, row, zone) for row in table.rows]
    table.require_faultless()
    known = tuple(line for line in lines if line is not None)
    returns = [line.row for line in known if line.quantity_sold < 0]
    if returns:
        notice = Notice("returns", {"lines": len(returns), "row": returns[0]})
        table.remarks.add_warning(Remark(notice, table.heading.sheet, returns[0]))
    return SalesFile(known, tuple(table.remarks.warnings))


def _line(table: Table, row: TableRow, zone: ZoneInfo) -> SalesLine | None:
    """One line, or ``None`` where a cell of it is wrong, which is noted."""
    product = row.cell("product_sku")
    sku = table.take(product, text)
    if product.is_blank:
        table.remarks.add_fault(product.remark(Notice("empty_cell")))
    quantity = table.take(row.cell("quantity_sold"), partial(whole_number, least=-MOST))
    texts = {
        name: table.take(row.cell(name), text)
        for name in ("packaging_sku", "invoice_number", "customer_name", "notes")
    }
    sold_on = row.cell("sale_date")
    day = None if sold_on.is_blank else table.take(sold_on, partial(_day, zone=zone))
    if sku is None or quantity is None:
        return None
    return SalesLine(
        row=row.number, product_sku=sku, quantity_sold=quantity, sale_date=day, **texts
    )


def _day(cell: Cell, zone: ZoneInfo) -> date:
    """The day at the site; a moment with another offset may lie on another day."""
    sold_at = date_or_time(cell, zone)
    return day_at_site(sold_at) if isinstance(sold_at, datetime) else sold_at
