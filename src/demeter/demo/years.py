"""Years of a large nursery, made up: to look at, and to measure the ledger by.

The rows are spooled to files and loaded with COPY. Their sums are written with them, so the
ledger's triggers do not run; that nothing was lost on the way is what `demeter verify` says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.errors import Conflict
from demeter.core.site import site_zone
from demeter.demo.flows import Bed, Book, Month, Pair

WAREHOUSES, AREAS, PLACES, PRODUCTS = 28, 56, 1_290, 12
GROWS = ("SEEDLING", "JUVENILE", "ADULT")

# In the order in which their foreign keys ask for them.
TABLES: dict[str, str] = {
    "stock_batches": "id, batch_code, current_storage_bin_id, product_id, product_state_id,"
    " quantity_initial, quantity_current, created_at, updated_at",
    "counts": "id, storage_location_id, captured_at, source_type, counted_by_user_id, product_id,"
    " product_state_id, posted_at, posted_by_user_id, plants, posted_attempt, created_at",
    "period_closings": "id, period_id, storage_location_id, product_id, opening_count_id,"
    " closing_count_id, opening_plants, closing_plants, planted, sown, moved_in, moved_out, dead,"
    " corrections, recorded_sales, sales, closed_by_user_id, created_at",
    "stock_movements": "id, movement_id, batch_id, movement_type, source_bin_id,"
    " destination_bin_id, quantity, transfer_id, user_id, count_id, closing_id, source_type,"
    " is_inbound, occurred_at, created_at",
    "container_counts": "id, count_id, container_index, bin_id, human_corrected,"
    " corrected_by_user_id, corrected_at, ledger_before, difference, stock_movement_id, created_at",
}


class YearsLoaded(Conflict):
    """The years are there already, or a real ledger is."""

    code = "demo_years_refused"
    title = "The made-up years are for a database without stock"
    next_action = "Set DEMETER_HOME or DEMETER_DATABASE_URL to another, empty database."


def load_years(
    session: Session,
    years: int,
    *,
    places: int = PLACES,
    seed: int = 7,
    until: datetime | None = None,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda rows, _: rows,
) -> None:
    """Load ``places`` beds with ``years`` of closed months that end with the last one.

    The same seed, places and end are the same nursery. The role must be a superuser, as that
    of the embedded database is.

    Raises:
        YearsLoaded: there is stock, or a period.
    """
    if session.scalar(text("SELECT EXISTS (TABLE stock_batches) OR EXISTS (TABLE periods)")):
        raise YearsLoaded("this database has stock or periods")
    user_id = acting_user(session, None).id
    months = _months(session, _boundaries(years, until), user_id)
    beds = _beds(session, places, seed)
    states = _states(session)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_files:
        files = {
            table: open_files.enter_context(Path(folder, table).open("w+", encoding="utf-8"))
            for table in TABLES
        }
        book = Book(_writer(files), {t: _first_id(session, t) for t in TABLES}, user_id)
        pairs = list(zip(beds[::2], beds[1::2], strict=True))
        for number, pair_beds in enumerate(progress(pairs, len(pairs))):
            pair = Pair(book, pair_beds, states, f"{seed}/{number}")
            pair.open(months[0].ends)
            for month in months[1:]:
                pair.live(month)
            pair.finish()
        _copy(session, files)
    for table, following in book.next_ids.items():
        session.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :next, false)"),
            {"table": table, "next": following},
        )


def _boundaries(years: int, until: datetime | None) -> list[datetime]:
    """The first moments of months at the site, from ``years`` ago to the present one's."""
    zone = site_zone()
    last = (until or datetime.now(zone)).astimezone(zone)
    months = [last.year * 12 + last.month - 1 - back for back in range(years * 12, -1, -1)]
    return [datetime(m // 12, m % 12 + 1, 1, tzinfo=zone) for m in months]


def _months(session: Session, boundaries: list[datetime], user_id: int) -> list[Month]:
    """A closed period for each month; the first boundary opens the first of them."""
    months = [Month(0, boundaries[0])]
    for before, ends in pairwise(boundaries):
        number = session.execute(
            text("""
            INSERT INTO periods (code, boundary_at, grace_hours, status, closed_by_user_id,
                closed_at)
            VALUES (:code, :ends, 48, 'closed', :user, :ends) RETURNING id
            """),
            {"code": f"{before:%Y-%m}", "ends": ends, "user": user_id},
        ).scalar_one()
        session.execute(
            text("""
            INSERT INTO period_events (period_id, event, user_id, created_at)
            VALUES (:period, 'opened', :user, :before), (:period, 'closed', :user, :ends)
            """),
            {"period": number, "user": user_id, "before": before, "ends": ends},
        )
        months.append(Month(number, ends))
    return months


def _beds(session: Session, places: int, seed: int) -> list[Bed]:
    """The places with their configuration and bins; neighbours in twos grow the same."""
    if places % 2:
        raise ValueError(f"{places} beds are not an even number")
    sizes = {"places": places, "areas": AREAS, "warehouses": WAREHOUSES, "products": PRODUCTS}
    for statement in (_WAREHOUSES, _AREAS, _LOCATIONS, _PRODUCTS, _CONFIG):
        session.execute(text(statement), sizes)
    rows = session.execute(text(_BINS), {"seed": seed}).all()
    bins: dict[int, list[tuple[int, str]]] = {}
    products: dict[int, int] = {}
    for row in rows:
        bins.setdefault(row.location_id, []).append((row.bin_id, row.code))
        products[row.location_id] = row.product_id
    return [Bed(key, products[key], sorted(bed_bins)) for key, bed_bins in sorted(bins.items())]


def _states(session: Session) -> list[int]:
    rows = session.execute(text("SELECT name, product_state_id FROM product_states"))
    state_ids = {name: key for name, key in rows}  # noqa: C416 - rows are no pairs to the type checker
    return [state_ids[name] for name in GROWS]


def _first_id(session: Session, table: str) -> int:
    return session.execute(
        text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))"), {"table": table}
    ).scalar_one()


def _writer(files: Mapping[str, IO[str]]) -> Callable[..., None]:
    """Rows in COPY's text format; no value here has a tab, a line's end or a backslash."""

    def write(table: str, values: tuple[object, ...]) -> None:
        cells = ("\\N" if value is None else str(value) for value in values)
        files[table].write("\t".join(cells) + "\n")

    return write


def _copy(session: Session, files: Mapping[str, IO[str]]) -> None:
    session.execute(text("SET LOCAL session_replication_role = replica"))
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor:
        for table, columns in TABLES.items():
            files[table].seek(0)
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                while block := files[table].read(1 << 20):
                    copy.write(block)
    session.execute(text("SET LOCAL session_replication_role = origin"))
    for table in TABLES:
        session.execute(text(f"ANALYZE {table}"))


_WAREHOUSES = """
INSERT INTO warehouses (code, name, warehouse_type, geojson_coordinates)
SELECT format('N%s', to_char(n, 'FM00')), format('Nave %s', n), 'greenhouse',
       ST_MakeEnvelope(n * 2, 0, n * 2 + 1.8, 2, 4326)
FROM generate_series(1, :warehouses) AS n
"""
_AREAS = """
INSERT INTO storage_areas (warehouse_id, code, name, area_type, position, geojson_coordinates)
SELECT w.warehouse_id, w.code || side, 'Cantero ' || side, 'greenhouse', side::area_position,
       ST_MakeEnvelope(n * 2, CASE side WHEN 'N' THEN 1 ELSE 0 END, n * 2 + 1.8,
                       CASE side WHEN 'N' THEN 2 ELSE 1 END, 4326)
FROM generate_series(1, :warehouses) AS n
JOIN warehouses w ON w.code = format('N%s', to_char(n, 'FM00'))
CROSS JOIN unnest(ARRAY['N', 'S']) AS side
"""
_LOCATIONS = """
INSERT INTO storage_locations (storage_area_id, code, name, location_type, geojson_coordinates)
SELECT a.storage_area_id, a.code || '-C' || to_char(k.place, 'FM00'),
       'Claro ' || k.place, 'growing_bed',
       ST_MakeEnvelope(ST_XMin(g) + (k.place - 1) * 1.8 / k.most, ST_YMin(g),
                       ST_XMin(g) + k.place * 1.8 / k.most, ST_YMax(g), 4326)
FROM (
    SELECT n * :areas / :places AS area, row_number() OVER same AS place,
           count(*) OVER (PARTITION BY n * :areas / :places) AS most
    FROM generate_series(0, :places - 1) AS n
    WINDOW same AS (PARTITION BY n * :areas / :places ORDER BY n)
) AS k
JOIN (
    SELECT storage_area_id, code, geojson_coordinates::geometry AS g,
           row_number() OVER (ORDER BY code) - 1 AS area
    FROM storage_areas WHERE code ~ '^N[0-9]{2}[NS]$'
) AS a ON a.area = k.area
"""
_PRODUCTS = """
INSERT INTO products (product_category_id, product_family_id, code, name, current_height_mm)
SELECT f.product_category_id, f.id, format('SUC-%s', to_char(n, 'FM00')),
       format('Suculenta %s', n), 40 + 5 * n
FROM generate_series(1, :products) AS n,
     (SELECT * FROM product_families ORDER BY id LIMIT 1) AS f
ON CONFLICT (code) DO NOTHING
"""
_CONFIG = """
INSERT INTO storage_location_config (storage_location_id, product_id, expected_product_state_id)
SELECT l.location_id, p.id, t.product_state_id
FROM (
    SELECT location_id, (row_number() OVER (ORDER BY location_id) - 1) / 2 AS pair
    FROM storage_locations WHERE code ~ '^N[0-9]{2}[NS]-C'
) AS l
JOIN products p ON p.code = format('SUC-%s', to_char(l.pair % :products + 1, 'FM00'))
JOIN product_states t ON t.name = 'SEEDLING'
"""
# Two to four bins a bed, the same for the same seed.
_BINS = """
WITH new_bins AS (
    INSERT INTO storage_bins (storage_location_id, storage_bin_type_id, code, label)
    SELECT l.location_id,
           (SELECT bin_type_id FROM storage_bin_types WHERE category = 'segment'
            ORDER BY bin_type_id LIMIT 1),
           format('%s-HAND-SEGMENT-%s', l.code, to_char(n, 'FM00')), format('Segmento %s', n)
    FROM storage_locations l
    CROSS JOIN LATERAL generate_series(1, 2 + abs(hashtext(l.code || CAST(:seed AS text))) % 3) AS n
    WHERE l.code ~ '^N[0-9]{2}[NS]-C'
    RETURNING bin_id, storage_location_id, code
)
SELECT b.bin_id, b.code, b.storage_location_id AS location_id, c.product_id
FROM new_bins b JOIN storage_location_config c USING (storage_location_id)
ORDER BY b.bin_id
"""
