"""Seedling trays as a nursery lists them: products, and a count sheet for a supervisor to post.

An import writes no stock: the sheet that comes of it is posted by hand, like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.product_drafts import CATEGORIES, CatalogWriter, ProductNames
from demeter.catalog.product_names import full_name, plain_words
from demeter.core.imports.columns import SourceColumns, SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportKind
from demeter.core.imports.lists import ListShape, RowReader, warnings_of
from demeter.core.imports.plans import Choices, Plan, PlannedRow, RowVerdict
from demeter.core.notices import Notice
from demeter.core.permissions import Permission
from demeter.core.tabular.cells import text
from demeter.core.tabular.dates import month_and_year
from demeter.core.tabular.numbers import decimal_number, whole_number
from demeter.core.tabular.tables import TableRow
from demeter.locations import place_codes
from demeter.locations.models import StorageLocation

SHAPE = ListShape(
    titles={
        "category": ("categoria", "category"),
        "place": ("lugar", "place", "ubicacion", "location_code"),
        "code": ("codigo", "code"),
        "genus": ("genero", "genus"),
        "species": ("especie", "species"),
        "description": ("descripcion", "description"),
        "sown": ("fecha_de_siembra", "sown", "siembra"),
        "trays": ("cant_almacigos", "almacigos", "trays"),
        "plants": ("cant_x_almacigos", "cant_x_almacigo", "plants_per_tray"),
        "stage": ("etapa", "stage"),
        "state": ("estadio", "state"),
        "note": ("nota", "notas", "note", "observaciones"),
    },
    required=("place", "genus", "trays", "plants"),
)
MOST_A_TRAY = 5_000  # plants; more is two numbers written together
_STAGES = {"1": "sown", "2": "pricked_out"}
# The first digit says what is to be done; what follows 3 are the pots it is ready for.
_STATES = {"1": "leave", "2": "prick_out", "3": "pot"}


def guess(sources: Sequence[SourceColumns]) -> list[SourceMapping]:
    """By titles; the category's letters and remarks stand in columns without one."""
    (mapping,) = SHAPE.guess(sources)
    source = sources[0]
    columns = dict(mapping.columns)
    untitled = [c for c, title in source.columns.items() if not title]
    for column in untitled:
        letters = {word.upper() for word in source.examples.get(column, ())}
        if "category" not in columns and letters and letters <= {"S", "C"}:
            columns["category"] = column
    last = columns.get("state", columns.get("stage"))
    beyond = [c for c in untitled if last and (len(c), c) > (len(last), last)]
    if "note" not in columns and beyond:
        columns["note"] = beyond[0]
    return [replace(mapping, columns=columns)]


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each row: its product, where it stands, and how many plants that is.

    Raises:
        ListRefused: it is no table.
    """
    table = SHAPE.read(files, mappings)
    names = ProductNames.of(session)
    places = {
        place_codes.plain_name(word).replace(" ", ""): location.code
        for location in session.scalars(select(StorageLocation).where(StorageLocation.active))
        for word in (location.name, location.code)
    }
    rows = [_row(row, mappings[0].name, names, places, choices) for row in table.rows]
    return Plan(tuple(rows), warnings_of(table))


def _row(
    row: TableRow,
    source: str,
    names: ProductNames,
    places: dict[str, str],
    choices: Choices,
) -> PlannedRow:
    reader = RowReader(row)
    values = _values(reader)
    name = full_name(values.pop("genus"), values.pop("species"))
    planned = PlannedRow(
        f"{source}:{row.number}", source, row.number, "products", None, name, RowVerdict.REFUSED
    )
    if not reader.faults and not plain_words(name):
        reader.faults.append(Notice("name_missing"))
    if reader.faults:
        return replace(planned, notices=tuple(reader.faults))
    written = " ".join(
        f"{reader.take('genus', text)} {reader.maybe('species', text) or ''}".split()
    )
    match = names.match(written)
    place = str(values["place"])
    known = places.get(place_codes.plain_name(place).replace(" ", ""))
    values["location_code"] = known or place_codes.plain_name(place).replace(" ", "-")
    notices = match.notices
    if known is None:
        notices = (*notices, Notice("place_unknown", {"place": place}))
    row_ = replace(
        planned,
        code=match.code,
        notices=notices,
        doubts=match.doubts,
        options=match.options,
        chosen=choices.of(planned.ref, match.doubts, match.options),
        values=values,
    )
    is_known = (match.is_known or row_.joins in names.stored) and not match.doubts
    verdict = RowVerdict.SAME if is_known else RowVerdict.NEW
    return replace(row_, code=row_.joins or match.code, verdict=verdict)


def _values(reader: RowReader) -> dict[str, Any]:
    trays = reader.take("trays", decimal_number)
    each = reader.take("plants", lambda cell: whole_number(cell, least=1, most=MOST_A_TRAY))
    sown = _sown(reader)
    plants = None if trays is None or each is None else trays * each
    return {
        "genus": reader.take("genus", text) or "",
        "species": reader.maybe("species", text),
        "category": (reader.maybe("category", text) or "C").upper(),
        "place": reader.take("place", text),
        "trays": None if trays is None else f"{trays.normalize():f}",
        "plants_per_tray": each,
        "plants": None if plants is None else int(plants.quantize(Decimal(1), ROUND_HALF_UP)),
        "plants_exact": None if plants is None else f"{plants.normalize():f}",
        "sown": sown,
        "stage": _STAGES.get(reader.maybe("stage", text) or ""),
        "state": _state(reader.maybe("state", text)),
        "note": " · ".join(
            words for name in ("code", "description", "note") if (words := reader.maybe(name, text))
        ),
    }


def _sown(reader: RowReader) -> str | None:
    """The month of sowing; what is no month, such as a cutting, stays as it is written."""
    before = len(reader.faults)
    month: date | None = reader.maybe("sown", month_and_year)
    if len(reader.faults) > before:
        del reader.faults[before:]
        return reader.maybe("sown", text)
    return None if month is None else f"{month:%Y-%m}"


def _state(written: str | None) -> str | None:
    """`35` is ready for a pot of 5, `38` of 8, `311` of 11."""
    if not written or written[0] not in _STATES:
        return written
    word = _STATES[written[0]]
    return f"{word}_{written[1:]}" if len(written) > 1 else word


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """The products; the ledger is not touched."""
    writer = CatalogWriter(session, journal)
    for row in planned.rows:
        if row.is_written and row.joins is None:
            written: str = row.values["category"]
            category = CATEGORIES.get(written, written)
            assert row.code is not None  # only refused rows have none
            writer.product(row.code, category, name=row.name, scientific_name=row.name)


KIND = ImportKind(
    name="trays",
    permission=Permission.ADMINISTER,
    fields=SHAPE.fields,
    required=SHAPE.required,
    sources=SHAPE.sources,
    guess=guess,
    plan=plan,
    write=write,
)
