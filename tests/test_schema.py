"""The schema itself: plain SQL works, and the ledger cannot be broken even from psql."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from demeter import tables
from demeter.core import db
from demeter.core.db import Base
from demeter.photos.models import SessionStatus
from support.nursery import NURSERY_SQL, counted_session, photo_count, plant_nursery

DOMAIN = {
    "warehouses", "storage_areas", "storage_locations", "storage_bins", "storage_bin_types",
    "location_relationships", "product_categories", "product_families", "products",
    "product_states", "product_sizes", "packaging_types", "packaging_materials",
    "packaging_colors", "packaging_catalog", "price_list", "storage_location_config",
    "density_parameters", "users", "stock_batches", "stock_movements", "detections",
    "estimations", "classifications", "s3_images", "product_sample_images",
    "photo_processing_sessions", "photo_session_images",
}  # fmt: skip


@pytest.fixture
def psql(fresh_database: str):
    """A plain connection, as other people's scripts have it, on a nursery of one bin."""
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute(NURSERY_SQL)
        connection.execute("""
            INSERT INTO storage_bins (storage_location_id, code)
            SELECT location_id, 'A1-HAND-BOX-1' FROM storage_locations WHERE code = 'A1';
            INSERT INTO stock_batches
                (batch_code, current_storage_bin_id, product_id, product_state_id)
            SELECT 'LOT-' || n, b.bin_id, p.id, 3
            FROM storage_bins b, products p, generate_series(1, 2) AS n
            WHERE p.code = 'ECHEVERIA-01';
        """)
        yield connection


def move(psql, quantity: int, kind: str = "ajuste", lot: str = "LOT-1", extra: str = "") -> None:
    psql.execute(
        f"""INSERT INTO stock_movements (batch_id, movement_type, quantity, user_id, transfer_id)
        SELECT b.id, %s::movement_type, %s, u.id, {extra or "NULL"}
        FROM stock_batches b, users u WHERE b.batch_code = %s AND u.username = 'rosa'""",
        (kind, quantity, lot),
    )


def quantity(psql, lot: str = "LOT-1") -> int:
    return psql.execute(
        "SELECT quantity_current FROM stock_batches WHERE batch_code = %s", (lot,)
    ).fetchone()[0]


def test_all_28_tables_of_the_domain_are_there(engine) -> None:
    assert len(DOMAIN) == 28
    assert set(inspect(engine).get_table_names()) >= DOMAIN


def test_the_classes_know_only_columns_that_the_database_has(engine) -> None:
    assert tables.stock  # imported: every class is registered
    found = inspect(engine)
    for name, table in Base.metadata.tables.items():
        in_database = {c["name"]: c["nullable"] for c in found.get_columns(name)}
        for column in table.columns:
            assert column.name in in_database, f"{name}.{column.name}"
            if column.computed is None:
                assert column.nullable == in_database[column.name], f"{name}.{column.name}"


def test_the_migrations_run_down_and_up_again(fresh_database: str) -> None:
    engine = create_engine(fresh_database.replace("postgresql://", "postgresql+psycopg://"))
    db.migrate(engine, "base")
    assert not DOMAIN & set(inspect(engine).get_table_names())
    db.migrate(engine)
    assert set(inspect(engine).get_table_names()) >= DOMAIN
    engine.dispose()


def test_plain_sql_fills_a_fresh_database_and_first_ids_are_one(psql) -> None:
    for table, key in (
        ("warehouses", "warehouse_id"),
        ("storage_areas", "storage_area_id"),
        ("storage_locations", "location_id"),
        ("products", "id"),
    ):
        assert psql.execute(f"SELECT min({key}) FROM {table}").fetchone()[0] == 1
    area, x, y = psql.execute(
        "SELECT area_m2, ST_X(centroid), ST_Y(centroid) FROM storage_locations WHERE code = 'A1'"
    ).fetchone()
    assert (x, y) == (5, 55)
    assert area > 0


def test_sequences_stand_past_the_reference_rows(psql) -> None:
    psql.execute("INSERT INTO product_categories (code, name) VALUES ('FERN', 'Ferns')")
    psql.execute("INSERT INTO product_states (name) VALUES ('CUTTING')")
    assert psql.execute(
        "SELECT product_state_id FROM product_states WHERE name = 'CUTTING'"
    ).fetchone() == (12,)


def test_an_area_outside_its_warehouse_is_refused_with_how_far(psql) -> None:
    with pytest.raises(errors.CheckViolation, match=r"storage area OUT lies outside .* NAVE1 by"):
        psql.execute("""
            INSERT INTO storage_areas (warehouse_id, code, name, area_type, geojson_coordinates)
            SELECT warehouse_id, 'OUT', 'Out', 'greenhouse',
                ST_GeomFromText('POLYGON((90 0, 110 0, 110 10, 90 10, 90 0))', 4326)
            FROM warehouses""")


def test_an_import_may_accept_what_lies_outside(psql) -> None:
    with psql.transaction():
        psql.execute("SET LOCAL demeter.accept_outside = 'on'")
        psql.execute("""
            INSERT INTO storage_locations
                (storage_area_id, code, name, location_type, geojson_coordinates)
            SELECT storage_area_id, 'A9', 'Out', 'bench', ST_SetSRID(ST_MakePoint(5, 5), 4326)
            FROM storage_areas""")
    assert psql.execute("SELECT count(*) FROM storage_locations WHERE code='A9'").fetchone() == (1,)


@pytest.mark.parametrize("code", ["a1", "A 1", "", "Ñ1", "A" * 51])
def test_a_location_code_has_its_form(psql, code: str) -> None:
    with pytest.raises((errors.CheckViolation, errors.StringDataRightTruncation)):
        psql.execute("UPDATE storage_locations SET code = %s WHERE code = 'A1'", (code,))


def test_a_bin_that_is_retired_stays_retired(psql) -> None:
    for status in ("maintenance", "active", "retired"):
        psql.execute("UPDATE storage_bins SET status = %s::bin_status", (status,))
    with pytest.raises(errors.CheckViolation, match="is retired and cannot become active"):
        psql.execute("UPDATE storage_bins SET status = 'active'")


def test_a_movement_changes_its_batch_in_the_same_statement(psql) -> None:
    move(psql, 10, "plantar")
    assert quantity(psql) == 10
    move(psql, -4, "ventas")
    assert quantity(psql) == 6
    assert psql.execute(
        "SELECT quantity_initial FROM stock_batches WHERE batch_code = 'LOT-1'"
    ).fetchone() == (10,)


def test_nothing_goes_below_zero_and_the_refusal_has_the_numbers(psql) -> None:
    move(psql, 3, "plantar")
    with pytest.raises(errors.CheckViolation, match="LOT-1 has 3 plants, 4 were asked for"):
        move(psql, -4, "ventas")
    assert quantity(psql) == 3


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("plantar", -1), ("sembrar", -1), ("manual_init", -1), ("muerte", 1), ("ventas", 1)],
)
def test_a_wrong_sign_is_refused(psql, kind: str, wrong: int) -> None:
    move(psql, 5, "plantar")
    with pytest.raises(errors.CheckViolation, match="ck_stock_movements_sign"):
        move(psql, wrong, kind)
    assert quantity(psql) == 5


def test_a_movement_of_nothing_is_refused(psql) -> None:
    with pytest.raises(errors.CheckViolation, match="ck_stock_movements_quantity"):
        move(psql, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_movements SET quantity = 99",
        "DELETE FROM stock_movements",
        "TRUNCATE stock_movements CASCADE",
        "UPDATE stock_batches SET quantity_current = 99",
        """INSERT INTO stock_batches (batch_code, current_storage_bin_id, product_id,
        product_state_id, quantity_current) SELECT 'X', bin_id, 1, 3, 5 FROM storage_bins""",
    ],
)
def test_the_ledger_refuses_every_way_around_a_movement(psql, statement: str) -> None:
    move(psql, 10, "plantar")
    with pytest.raises(errors.RestrictViolation):
        psql.execute(statement)
    assert quantity(psql) == 10


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM stock_batches WHERE batch_code = 'LOT-1'",
        "DELETE FROM storage_bins",
        "DELETE FROM storage_locations WHERE code = 'A1'",
        "DELETE FROM products",
        "DELETE FROM users WHERE username = 'rosa'",
        "DELETE FROM warehouses",
    ],
)
def test_what_carries_history_is_not_deleted(psql, statement: str) -> None:
    move(psql, 10, "plantar")
    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute(statement)


def test_a_transfer_that_does_not_balance_fails_at_commit(psql) -> None:
    move(psql, 10, "plantar")
    transfer = "'7d0f3f6c-8ab1-4ee0-9d39-1a9e54f0f3c1'::uuid"

    def unbalanced() -> None:
        with psql.transaction():
            move(psql, -5, "transplante", "LOT-1", transfer)
            move(psql, 4, "transplante", "LOT-2", transfer)

    with pytest.raises(errors.CheckViolation, match="sum to -1, not to 0"):
        unbalanced()
    assert (quantity(psql, "LOT-1"), quantity(psql, "LOT-2")) == (10, 0)
    with psql.transaction():
        move(psql, -5, "transplante", "LOT-1", transfer)
        move(psql, 5, "transplante", "LOT-2", transfer)
    assert (quantity(psql, "LOT-1"), quantity(psql, "LOT-2")) == (5, 5)


def test_a_reversal_is_the_opposite_and_happens_once(psql) -> None:
    move(psql, 10, "plantar")
    undo = """INSERT INTO stock_movements
        (batch_id, movement_type, quantity, user_id, reverses_movement_id)
        SELECT batch_id, movement_type, %s, user_id, id FROM stock_movements LIMIT 1"""
    with pytest.raises(errors.CheckViolation, match="opposite quantity"):
        psql.execute(undo, (-9,))
    psql.execute(undo, (-10,))
    assert quantity(psql) == 0
    move(psql, 20, "plantar")
    with pytest.raises(errors.UniqueViolation):
        psql.execute(
            undo.replace("FROM stock_movements LIMIT 1", "FROM stock_movements WHERE id = 1"),
            (-10,),
        )


def test_an_end_that_is_not_completed_says_why(session: Session) -> None:
    plant_nursery(session)
    made = counted_session(session, photo_count((1, 0)))
    made.status = SessionStatus.NEEDS_REVIEW
    with pytest.raises(IntegrityError, match="ck_photo_processing_sessions_reason"):
        session.flush()
