"""Lists as people have them: what each row becomes, and sums against the files themselves.

The files are read here by other means than the import's: the csv module and few lines.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product, ProductCategory
from demeter.imports import queries
from demeter.pricing.models import ListPrice
from demeter.stock.models import StockMovement
from support.importing import (
    SAMPLES,
    a_file,
    carried_out,
    files_at,
    needs_samples,
    rows_of,
    verdicts,
)

LISTS = SAMPLES / "lists"


def lines(name: str) -> list[list[str]]:
    """The rows of a sample as csv reads them."""
    with (LISTS / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def filled(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if any(cell.strip() for cell in row)]


@needs_samples
def test_the_price_list_is_read_to_the_peso(session: Session):
    run = carried_out(session, files_at([LISTS / "price_list.csv"]), kind=None)
    raw = filled(lines("price_list.csv")[3:])
    counts = queries.import_read(session, run).counts
    assert (run.kind, counts.rows, counts.new, counts.refused) == ("prices", len(raw), 29, 0)
    assert run.title == "LISTA PRECIOS CULTIVO MAYORISTA al 1_9_2025"
    totals = sum(Decimal(row[5].replace("$", "").strip()) * 1000 for row in raw)
    assert session.scalar(select(func.sum(ListPrice.wholesale_total_price_per_box))) == totals
    prices = {p.sku: p for p in session.scalars(select(ListPrice))}
    assert prices["C R5 T-1"].wholesale_unit_price == 950
    assert prices["C R5 D-2"].wholesale_unit_price == 1050
    assert prices["C R8 D -2"].wholesale_total_price_per_box == 41_990
    category = session.get_one(ProductCategory, prices["S R5 V-1"].product_categories_id)
    assert category.code == "SUCCULENT"
    assert {str(p.valid_from) for p in prices.values()} == {"2025-09-01"}
    for price in prices.values():
        box = price.wholesale_unit_price * price.unit_per_storage_box
        assert abs(box - price.wholesale_total_price_per_box) <= 5 * price.unit_per_storage_box + 5
    again = carried_out(session, files_at([LISTS / "price_list.csv"]), kind=None)
    assert verdicts(session, again) == {"new": 0, "changed": 0, "same": 29, "refused": 0}


@needs_samples
def test_species_by_packaging_are_joined_by_suggestion_only(session: Session):
    run = carried_out(session, files_at([LISTS / "species_by_packaging.csv"]), kind=None)
    raw = filled(lines("species_by_packaging.csv"))
    rows = rows_of(session, run)
    assert (run.kind, len(rows)) == ("species", len(raw))
    outcomes = Counter(row.outcome for row in rows)
    assert sum(outcomes.values()) == 90
    photos = [r for r in raw if "ver foto" in r[2].lower()]
    assert outcomes["refused"] == len(photos)
    assert all(row.reasons for row in rows if row.outcome == "refused")
    # By other means: a species is its letters and digits in one case.
    kinds = {
        tuple("".join(c for c in word.lower() if c.isalnum()) for word in row[1:3])
        for row in raw
        if "ver foto" not in row[2].lower()
    }
    assert session.scalar(select(func.count()).select_from(Product)) == len(kinds)
    assert {p.sku for p in session.scalars(select(Packaging))} == {r[0][1:] for r in raw}
    again = carried_out(session, files_at([LISTS / "species_by_packaging.csv"]), kind=None)
    assert verdicts(session, again)["same"] == 90 - len(photos)


@needs_samples
def test_seedling_trays_become_products_and_a_filled_sheet_but_no_stock(session: Session):
    run = carried_out(session, files_at([LISTS / "seedling_trays.csv"]), kind=None)
    raw = filled(lines("seedling_trays.csv")[2:])
    rows = rows_of(session, run)
    assert (run.kind, len(rows)) == ("trays", len(raw))
    refused = [row for row in rows if row.outcome == "refused"]
    assert [row.notices[0].params["column"] for row in refused] == ["I"]  # 25284 plants a tray
    per_place: dict[str, int] = defaultdict(int)
    for line in raw:
        if int(line[8]) <= 5000:
            exact = Decimal(line[7]) * int(line[8])
            per_place[line[1]] += int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    told: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.outcome != "refused":
            told[row.values["place"]] += row.values["plants"]
    assert told == per_place
    assert session.scalar(select(func.count()).select_from(StockMovement)) == 0
    first = rows[0].values
    assert (first["sown"], first["stage"], first["state"]) == ("2021-12", "pricked_out", "pot_5")
    sheet = queries.count_sheet_rows(session, run)
    assert sum(line.plants for line in sheet) == sum(per_place.values())


PRICES = """LISTA al 5/3/2026
DESCRIPCION,MACETA,Precio unitario,CODIGO,Unid.X Cajón,Total $ x cajón,OBSERVACIONES,DISPONIBILIDAD
CACTUS,Rígida 5,{unit},C R5 T-1,45,{total},,Todo el año
"""


@pytest.mark.parametrize(
    ("unit", "total", "pesos"),
    [
        ("$950", "$ 42.75", "950"),
        ("$1.05", "$ 47.25", None),  # nothing in this list says that totals are thousands
        ("950", "42750", "950"),
        ("$950", "$ 42.80", None),
        ("950,00", "42750,00", "950"),
        ("=1+1", "42750", None),
    ],
)
def test_a_price_is_what_multiplies(session: Session, unit: str, total: str, pesos: str | None):
    file = a_file(PRICES.format(unit=f'"{unit}"', total=f'"{total}"'))
    (row,) = rows_of(session, carried_out(session, [file], "prices"))
    if pesos is None and unit == "$1.05":
        assert row.values["unit_price"] == "1.05"
    elif pesos is None:
        assert (row.outcome, len(row.reasons)) == ("refused", 1)
    else:
        assert (row.outcome, row.values["unit_price"]) == ("created", pesos)


def test_a_new_price_ends_the_one_before(session: Session):
    old = PRICES.format(unit="$950", total="$ 42.75")
    carried_out(session, [a_file(old)], "prices")
    new = old.replace("5/3/2026", "1/6/2026").replace("950", "1000").replace("42.75", "45.00")
    (row,) = rows_of(session, carried_out(session, [a_file(new)], "prices"))
    assert (row.verdict, row.before["unit_price"], row.values["unit_price"]) == (
        "changed", "950", "1000",
    )  # fmt: skip
    prices = session.scalars(select(ListPrice).order_by(ListPrice.valid_from)).all()
    assert [(str(p.valid_from), str(p.valid_to)) for p in prices] == [
        ("2026-03-05", "2026-05-31"), ("2026-06-01", "None"),
    ]  # fmt: skip


def test_names_nearly_alike_are_offered_and_not_joined(session: Session):
    text = "SR5V,crassula,perforata\nSR5V,crassula,perdorata\nSR5V,Crassula,perforata\n"
    run = carried_out(session, [a_file(text)], "species")
    one, near, capital = rows_of(session, run)
    assert (one.outcome, near.outcome, capital.outcome) == ("created", "created", "joined")
    assert near.options == ["new", "join:CRASSULA-PERFORATA"]
    assert [row.notices[0].code for row in (near, capital)] == [
        "nearly_the_same", "written_otherwise",
    ]  # fmt: skip


def test_products_come_from_a_plain_list(session: Session):
    text = "Nombre;Código;Categoría;altura_mm\nEcheveria elegans;ECH1;Suculentas;80\n;X;;\n"
    text += "Otra;ECH1;;\nMammillaria;;;12,5\n"
    run = carried_out(session, [a_file(text)], None)
    assert run.kind == "products"
    assert [row.outcome for row in rows_of(session, run)] == [
        "created", "refused", "refused", "created",
    ]  # fmt: skip
    product = session.scalars(select(Product).where(Product.code == "ECH1")).one()
    assert (product.name, product.current_height_mm) == ("Echeveria elegans", 80)
    changed = carried_out(session, [a_file(text.replace(";80", ";90"))], None)
    assert verdicts(session, changed) == {"new": 0, "changed": 1, "same": 1, "refused": 2}


def test_people_come_from_a_plain_list_and_cannot_log_in_yet(session: Session):
    text = "nombre,rol,correo\nAna Quiroga,operaria,ana@x.org\nLuis,supervisor,\nEva,jefa,\n"
    run = carried_out(session, [a_file(text)], "people")
    assert [row.outcome for row in rows_of(session, run)] == ["created", "created", "refused"]
    again = carried_out(session, [a_file(text)], "people")
    assert verdicts(session, again) == {"new": 0, "changed": 0, "same": 2, "refused": 1}
