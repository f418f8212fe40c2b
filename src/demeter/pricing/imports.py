"""A price list as a nursery writes it: category, pot, price, code, units and total of a box."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.product_drafts import CatalogWriter, category_code
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportKind
from demeter.core.imports.lists import ListShape, RowReader, warnings_of
from demeter.core.imports.plans import LEAVE, Choices, Plan, PlannedRow, RowVerdict
from demeter.core.notices import Notice
from demeter.core.permissions import Permission
from demeter.core.site import day_at_site
from demeter.core.tabular.cells import text
from demeter.core.tabular.numbers import whole_number, written_amount
from demeter.core.tabular.tables import TableRow
from demeter.pricing.amounts import PricedRow, price_in_pesos, scale_of_totals
from demeter.pricing.models import ListPrice
from demeter.pricing.registers import require_own_days

SHAPE = ListShape(
    titles={
        "category": ("descripcion", "categoria", "category", "tipo"),
        "packaging": ("maceta", "envase", "packaging", "packaging_name"),
        "unit_price": ("precio_unitario", "unit_price", "precio", "wholesale_unit_price"),
        "code": ("codigo", "code", "sku"),
        "units": ("unid_x_cajon", "unidades_por_cajon", "units_per_box", "unit_per_storage_box"),
        "total": ("total_x_cajon", "total_por_cajon", "total", "wholesale_total_price_per_box"),
        "observations": ("observaciones", "observations", "notas"),
        "availability": ("disponibilidad", "availability"),
    },
    required=("category", "packaging", "unit_price", "code", "units", "total"),
)
MOST_UNITS = 10_000
_DAY = re.compile(r"(?<![0-9])([0-9]{1,2})[_/.\-]([0-9]{1,2})[_/.\-](20[0-9]{2})(?![0-9])")
_SUFFIX = re.compile(r"-\d+$")


@dataclass(frozen=True, slots=True)
class _ReadRow:
    planned: PlannedRow
    priced: PricedRow | None
    words: dict[str, Any]


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each row.

    Raises:
        ListRefused: it is no table.
    """
    table = SHAPE.read(files, mappings)
    above = SHAPE.rows_above(files, mappings)
    since = _since(above)
    rows = [_read(row, mappings[0].name) for row in table.rows]
    scale = scale_of_totals(row.priced for row in rows if row.priced is not None)
    skus = _packaging_skus(rows)
    stored = _stored(session)
    planned = []
    first: dict[str, int] = {}
    for read_row in rows:
        row = _price(read_row, scale, skus)
        row = _once(row, first)
        if row.verdict is not RowVerdict.REFUSED:
            row = _compare(row, stored)
            if choices.by_row.get(row.ref) == LEAVE:
                row = replace(row, options=(LEAVE,), chosen=LEAVE)
        planned.append(row)
    title = above[0] if above else None
    return Plan(tuple(planned), warnings_of(table), title, {"since": since})


def _read(row: TableRow, source: str) -> _ReadRow:
    reader = RowReader(row)
    unit = reader.take("unit_price", written_amount)
    units = reader.take("units", lambda cell: whole_number(cell, least=1, most=MOST_UNITS))
    total = reader.take("total", written_amount)
    words = {
        "category": reader.take("category", text),
        "packaging": reader.take("packaging", text),
        "code": _plain(reader.take("code", text)),
        "observations": reader.maybe("observations", text),
        "availability": _plain(reader.maybe("availability", text)),
    }
    is_whole = unit is not None and units is not None and total is not None
    planned = PlannedRow(
        ref=f"{source}:{row.number}",
        source=source,
        row=row.number,
        subject="price_list",
        code=words["code"],
        name=f"{words['category'] or ''} · {words['packaging'] or ''}",
        verdict=RowVerdict.REFUSED if reader.faults else RowVerdict.NEW,
        notices=tuple(reader.faults),
    )
    return _ReadRow(planned, PricedRow(unit, units, total) if is_whole else None, words)  # type: ignore[arg-type]  all three are there


def _price(row: _ReadRow, scale: Decimal, skus: dict[str, str]) -> PlannedRow:
    planned = row.planned
    if planned.verdict is RowVerdict.REFUSED or row.priced is None:
        return planned
    price = price_in_pesos(row.priced, scale)
    if price is None:
        product = row.priced.unit.value * row.priced.units
        notice = Notice(
            "does_not_multiply",
            {
                "unit": str(row.priced.unit.value),
                "units": row.priced.units,
                "product": str(product),
                "total": str(row.priced.total.value),
            },
        )
        return replace(planned, verdict=RowVerdict.REFUSED, notices=(notice,))
    values = {
        "category": category_code(row.words["category"]),
        "packaging": skus[planned.ref],
        "packaging_name": row.words["packaging"],
        "unit_price": _exact(price.unit),
        "units": row.priced.units,
        "total": _exact(price.total),
        "observations": row.words["observations"],
        "availability": row.words["availability"],
    }
    return replace(planned, values=values)


def _packaging_skus(rows: Sequence[_ReadRow]) -> dict[str, str]:
    """The packaging in each price's code: `C R5 T-1` of cacti is R5T.

    Where one category has several prices for it, the number that tells them apart stays.
    """
    bases = {row.planned.ref: _base(row) for row in rows}
    shared = Counter(
        (row.words["category"], _SUFFIX.sub("", bases[row.planned.ref])) for row in rows
    )
    skus = {}
    for row in rows:
        base = bases[row.planned.ref]
        short = _SUFFIX.sub("", base)
        skus[row.planned.ref] = base if shared[row.words["category"], short] > 1 else short
    return skus


def _base(row: _ReadRow) -> str:
    compact = "".join((row.words["code"] or "").upper().split())
    initial = (row.words["category"] or "").strip()[:1].upper()
    is_of_category = len(compact) > 1 and initial and compact.startswith(initial)
    return (compact[1:] if is_of_category else compact)[:50]


def _stored(session: Session) -> dict[str, ListPrice]:
    """Prices that hold, by their codes without blanks."""
    query = select(ListPrice).where(ListPrice.valid_to.is_(None))
    rows = session.scalars(query.order_by(ListPrice.valid_from, ListPrice.id))
    return {_compact(row.sku): row for row in rows if row.sku}


def _once(row: PlannedRow, first: dict[str, int]) -> PlannedRow:
    if row.verdict is RowVerdict.REFUSED:
        return row
    key = _compact(row.code or "")
    if key in first:
        notice = Notice("code_twice", {"code": row.code, "row": first[key]})
        return replace(row, verdict=RowVerdict.REFUSED, notices=(notice,))
    first[key] = row.row
    return row


def _compare(row: PlannedRow, stored: dict[str, ListPrice]) -> PlannedRow:
    entry = stored.get(_compact(row.code or ""))
    if entry is None:
        return row
    now = {
        "unit_price": _exact(entry.wholesale_unit_price),
        "units": entry.unit_per_storage_box,
        "total": None
        if entry.wholesale_total_price_per_box is None
        else _exact(entry.wholesale_total_price_per_box),
        "observations": entry.observations,
        "availability": entry.availability,
    }
    after = {name: row.values[name] for name in now if row.values[name] != now[name]}
    if not after:
        return replace(row, verdict=RowVerdict.SAME, values={})
    before = {name: now[name] for name in after}
    return replace(row, verdict=RowVerdict.CHANGED, values=row.values, before=before)


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """Prices from their day on; the price before ends the day before.

    Raises:
        PriceOverlaps: another price, under another code, is valid on these days.
    """
    writer = CatalogWriter(session, journal)
    stored = _stored(session)
    since: date = planned.rests_on["since"]
    for row in planned.rows:
        if row.is_written:
            _write(row, stored.get(_compact(row.code or "")), since, writer, (session, journal))


def _write(
    row: PlannedRow,
    entry: ListPrice | None,
    since: date,
    writer: CatalogWriter,
    into: tuple[Session, Journal],
) -> None:
    session, journal = into
    values = {
        "wholesale_unit_price": Decimal(row.values["unit_price"]),
        "unit_per_storage_box": row.values["units"],
        "wholesale_total_price_per_box": Decimal(row.values["total"]),
        "observations": row.values["observations"],
        "availability": row.values["availability"],
    }
    if entry is not None and entry.valid_from >= since:  # a price of the same day is corrected
        journal.change(entry, values)
        return
    if entry is not None:
        journal.change(entry, {"valid_to": since - timedelta(days=1)})
        packaging_id, category_id = entry.packaging_catalog_id, entry.product_categories_id
        values["retail_unit_price"] = entry.retail_unit_price
    else:
        sku, name = row.values["packaging"], row.values["packaging_name"]
        packaging_id = writer.packaging(sku, name).id
        category_id = writer.category(row.values["category"]).id
    price = journal.create(
        session,
        ListPrice(
            packaging_catalog_id=packaging_id,
            product_categories_id=category_id,
            sku=row.code,
            valid_from=since,
            **values,
        ),
    )
    session.flush()
    require_own_days(session, price)


def _since(above: Sequence[str]) -> date:
    """The day that the list's title names, day first; else today."""
    for words in above:
        match = _DAY.search(words)
        if match:
            day, month, year = (int(part) for part in match.groups())
            try:
                return date(year, month, day)
            except ValueError:
                continue
    return day_at_site(datetime.now(UTC))


def _exact(amount: Decimal) -> str:
    """An amount without the noughts behind its last decimal."""
    return f"{amount.normalize():f}"


def _plain(words: str | None) -> str | None:
    return None if words is None else " ".join(words.split())


def _compact(code: str) -> str:
    return "".join(code.upper().split())


KIND = ImportKind(
    name="prices",
    permission=Permission.DECIDE,
    fields=SHAPE.fields,
    required=SHAPE.required,
    sources=SHAPE.sources,
    guess=SHAPE.guess,
    plan=plan,
    write=write,
)
