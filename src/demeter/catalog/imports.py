"""Products from a plain list: a row a product, by its name or its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import Product, ProductFamily
from demeter.catalog.product_drafts import CatalogWriter, category_code
from demeter.catalog.product_names import plain_words, product_code
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportKind
from demeter.core.imports.lists import ListShape, RowReader, warnings_of
from demeter.core.imports.plans import LEAVE, Choices, Plan, PlannedRow, RowVerdict
from demeter.core.notices import Notice
from demeter.core.permissions import Permission
from demeter.core.tabular.cells import text
from demeter.core.tabular.numbers import decimal_number
from demeter.core.tabular.tables import TableRow

SHAPE = ListShape(
    titles={
        "name": ("name", "nombre", "producto", "product", "especie"),
        "code": ("code", "codigo", "product_code", "sku"),
        "category": ("category", "categoria", "category_code", "tipo", "descripcion"),
        "family": ("family", "familia", "family_code"),
        "scientific_name": ("scientific_name", "nombre_cientifico", "cientifico"),
        "height_mm": ("current_height_mm", "height_mm", "altura_mm", "alto_mm"),
    },
    required=("name",),
)
DEFAULT_CATEGORY = "CACTUS"
MOST_HEIGHT_MM = Decimal(100_000)


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each row.

    Raises:
        ListRefused: it is no table.
    """
    table = SHAPE.read(files, mappings)
    stored = {row.code: row for row in session.scalars(select(Product))}
    stored = {row.code: row for row in session.scalars(select(Product))}
    families = {row.code: row for row in session.scalars(select(ProductFamily))}
    first: dict[str, int] = {}
    rows = []
    for row in table.rows:
        planned, values = _read(row, mappings[0].name, families)
        planned = _once(planned, first)
        if planned.verdict is not RowVerdict.REFUSED:
            planned = _compare(planned, values, stored)
            chosen = choices.by_row.get(planned.ref)
            if chosen == LEAVE:
                planned = replace(planned, options=(LEAVE,), chosen=LEAVE)
        rows.append(planned)
    return Plan(tuple(rows), warnings_of(table))


def _read(
    row: TableRow, source: str, families: dict[str, ProductFamily]
) -> tuple[PlannedRow, dict[str, Any]]:
    reader = RowReader(row)
    name = " ".join((reader.take("name", text) or "").split())
    code = reader.maybe("code", text)
    family = reader.maybe("family", text)
    height = reader.maybe("height_mm", decimal_number)
    values: dict[str, Any] = {
        "name": name,
        "category": category_code(reader.maybe("category", text) or DEFAULT_CATEGORY),
        "family": "_".join(plain_words(family)) if family else None,
        "scientific_name": reader.maybe("scientific_name", text),
        "height_mm": None if height is None else str(height),
    }
    if name and not plain_words(name):
        reader.faults.append(Notice("name_missing"))
    if values["family"] and values["family"] not in families:
        reader.faults.append(Notice("family_unknown", {"family": values["family"]}))
    if height is not None and not 0 <= height <= MOST_HEIGHT_MM:
        reader.faults.append(Notice("height_unlikely", {"height": str(height)}))
    key = product_code(code or name) or None
    planned = PlannedRow(
        ref=f"{source}:{row.number}",
        source=source,
        row=row.number,
        subject="products",
        code=key,
        name=name,
        verdict=RowVerdict.REFUSED if reader.faults else RowVerdict.NEW,
        notices=tuple(reader.faults),
    )
    return planned, values


def _once(planned: PlannedRow, first: dict[str, int]) -> PlannedRow:
    """A code that stands in the list twice is taken once."""
    if planned.verdict is RowVerdict.REFUSED or planned.code is None:
        return planned
    if planned.code in first:
        notice = Notice("code_twice", {"code": planned.code, "row": first[planned.code]})
        return replace(planned, verdict=RowVerdict.REFUSED, notices=(notice,))
    first[planned.code] = planned.row
    return planned


def _compare(planned: PlannedRow, values: dict[str, Any], stored: dict[str, Product]) -> PlannedRow:
    """What the list says beyond what is stored; what it leaves blank stays, and the category."""
    product = stored.get(planned.code or "")
    given = {name: value for name, value in values.items() if value is not None}
    if product is None:
        return replace(planned, values=given)
    height = product.current_height_mm
    now = {
        "name": product.name,
        "scientific_name": product.scientific_name,
        "height_mm": None if height is None else str(height),
    }
    after = {n: v for n, v in given.items() if n in now and not _is_equal(v, now[n])}
    verdict = RowVerdict.CHANGED if after else RowVerdict.SAME
    return replace(planned, verdict=verdict, values=after, before={n: now[n] for n in after})


def _is_equal(value: str, now: str | None) -> bool:
    if now is None:
        return False
    try:
        return Decimal(value) == Decimal(now)
    except ArithmeticError:
        return value == now


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """Products by their codes."""
    writer = CatalogWriter(session, journal)
    for row in planned.rows:
        if not row.is_written:
            continue
        values = dict(row.values)
        if "height_mm" in values:
            values["current_height_mm"] = Decimal(values.pop("height_mm"))
        assert row.code is not None  # only refused rows have none
        if row.verdict is RowVerdict.NEW:
            family = values.pop("family", None)
            row_ = writer.product(row.code, values.pop("category"), **values)
            if family:
                query = select(ProductFamily.id).where(ProductFamily.code == family)
                row_.product_family_id = session.scalar(query)
        else:
            query = select(Product).where(Product.code == row.code)
            journal.change(session.scalars(query).one(), values)


KIND = ImportKind(
    name="products",
    permission=Permission.ADMINISTER,
    fields=SHAPE.fields,
    required=SHAPE.required,
    sources=SHAPE.sources,
    guess=SHAPE.guess,
    plan=plan,
    write=write,
)
