"""Species by packaging: which plants stand in which pots, one row for each pair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from demeter.catalog.models import Product
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
from demeter.core.tabular.tables import TableRow

SHAPE = ListShape(
    titles={
        "packaging": ("packaging", "envase", "maceta", "codigo", "packaging_sku", "sku"),
        "genus": ("genus", "genero"),
        "species": ("species", "especie"),
    },
    required=("packaging", "genus"),
)
PACKAGINGS = "packagings"  # among a product's custom attributes
_CODE = re.compile(r"([CS])\s*([A-Z]{0,3}[0-9].*)", re.IGNORECASE)
_PHOTO = re.compile(r"ver\s+fotos?\b", re.IGNORECASE)


def guess(sources: Sequence[SourceColumns]) -> list[SourceMapping]:
    """By titles; without any, packaging codes in the first column tell such a list."""
    guesses = SHAPE.guess(sources)
    source = sources[0]
    first = source.examples.get("A", ())
    is_bare = source.heading_row == 0 and len(source.columns) == len(SHAPE.titles)
    if is_bare and first and all(_CODE.fullmatch(word) for word in first):
        columns = {"packaging": "A", "genus": "B", "species": "C"}
        return [replace(guesses[0], heading_row=0, columns=columns)]
    return guesses


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each row: a plant, and the pot that it stands in.

    Raises:
        ListRefused: it is no table.
    """
    table = SHAPE.read(files, mappings)
    names = ProductNames.of(session)
    listed: dict[str, set[str]] = {}
    rows = [_row(row, mappings[0].name, names, listed, choices) for row in table.rows]
    return Plan(tuple(rows), warnings_of(table))


def _row(
    row: TableRow,
    source: str,
    names: ProductNames,
    listed: dict[str, set[str]],
    choices: Choices,
) -> PlannedRow:
    reader = RowReader(row)
    packaging = reader.take("packaging", text) or ""
    genus = reader.take("genus", text) or ""
    species = reader.maybe("species", text)
    name = full_name(genus, species)
    planned = PlannedRow(
        f"{source}:{row.number}", source, row.number, "products", None, name, RowVerdict.REFUSED
    )
    if species and _PHOTO.search(species):
        reader.faults.append(Notice("species_in_a_photo", {"written": species}))
    elif genus and not plain_words(genus):
        reader.faults.append(Notice("name_missing"))
    if reader.faults:
        return replace(planned, notices=tuple(reader.faults))
    return _compare(planned, packaging, (genus, species), names, listed, choices)


def _compare(
    planned: PlannedRow,
    packaging: str,
    written: tuple[str, str | None],
    names: ProductNames,
    listed: dict[str, set[str]],
    choices: Choices,
) -> PlannedRow:
    match = names.match(" ".join(f"{written[0]} {written[1] or ''}".split()))
    category, sku = split_packaging(packaging)
    chosen = choices.of(planned.ref, match.doubts, match.options)
    row = replace(planned, notices=match.notices, doubts=match.doubts, options=match.options)
    row = replace(row, chosen=chosen)
    code = row.joins or match.code
    stored = names.stored.get(code)
    already = set(stored.custom_attributes.get(PACKAGINGS, [])) if stored else set()
    already |= listed.setdefault(code, set())
    values: dict[str, Any] = {"name": planned.name, "category": category, "packaging": sku}
    verdict = RowVerdict.NEW
    if match.is_known or stored is not None:
        verdict = RowVerdict.SAME if sku in already and not match.doubts else RowVerdict.CHANGED
    if not row.is_undecided:
        listed[code].add(sku)
    return replace(
        row, code=code, verdict=verdict, values={} if verdict is RowVerdict.SAME else values
    )


def split_packaging(code: str) -> tuple[str, str]:
    """`SR5D` is a succulent (S) in packaging R5D; what has no such letter is all packaging."""
    compact = "".join(code.upper().split())
    match = _CODE.fullmatch(compact)
    return (CATEGORIES[match[1]], match[2]) if match else ("CACTUS", compact)


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """Products with their packagings; a packaging that there is not yet is made by its code."""
    writer = CatalogWriter(session, journal)
    packagings: dict[str, list[str]] = {}
    products: dict[str, Product] = {}
    for row in planned.rows:
        if not row.is_written:
            continue
        code = row.joins or row.code
        assert code is not None  # only refused rows have none
        writer.packaging(row.values["packaging"], row.values["packaging"])
        products[code] = writer.product(
            code, row.values["category"], name=row.values["name"], scientific_name=None
        )
        packagings.setdefault(code, []).append(row.values["packaging"])
    for code, skus in packagings.items():
        _add_packagings(products[code], skus, journal)


def _add_packagings(product: Product, skus: Sequence[str], journal: Journal) -> None:
    before = product.custom_attributes.get(PACKAGINGS, [])
    after = list(dict.fromkeys([*before, *skus]))
    attributes = {**product.custom_attributes, PACKAGINGS: after}
    if product.id is None:  # made by this import
        product.custom_attributes = attributes
    elif after != before:
        journal.change(product, {"custom_attributes": attributes})


KIND = ImportKind(
    name="species",
    permission=Permission.ADMINISTER,
    fields=SHAPE.fields,
    required=SHAPE.required,
    sources=SHAPE.sources,
    guess=guess,
    plan=plan,
    write=write,
)
