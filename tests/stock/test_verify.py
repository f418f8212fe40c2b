"""The ledger recomputed: what is sound passes, and corruption of each kind is found."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from demeter.cli import app
from demeter.core.checks import CheckResult, references, run
from demeter.core.db import transaction
from demeter.counts.checks import COUNTS
from demeter.periods import closing, service
from demeter.periods.checks import CLOSINGS
from demeter.photos import record
from demeter.stock import transfers
from demeter.stock.checks import LOTS, MOVES
from support.ledgersteps import (
    command,
    correct,
    count,
    day,
    die,
    plant,
    reverse,
    sell,
    source,
    supervisor,
    transplant,
    void,
)
from support.nursery import counted_session, location, photo_count, plant_nursery


def two_months(db: Session) -> None:
    """Every kind of movement and count, late ones too, two closings and a reopening."""
    plant_nursery(db)
    count(db, 1_000, 0)
    count(db, 400, 0, "A2")
    plant(db, 50, 5, new_lot=True)
    reverse(db, sell(db, 20, 6))
    die(db, 10, 7)
    sell(db, 15, 8)
    transplant(db, 100, 10)
    wrong = count(db, 700, 12)
    transfers.move(
        db,
        command(db, day(13)),
        source(db),
        30,
        conversion=transfers.Conversion(product_state_id=5),
    )
    correct(db, count(db, 850, 20), 860)
    die(db, 5, 11)
    void(db, wrong)
    counted_session_posted(db, 30, (500, 340))
    count(db, 480, 30, "A2")
    for code, end in (("P1", 30), ("P2", 60)):
        service.open_period(db, supervisor(db), code, day(end), 24)
    closing.close(db, "P1", supervisor(db))
    closing.reopen(db, "P1", supervisor(db), "a death was forgotten")
    die(db, 3, 25)
    closing.close(db, "P1", supervisor(db))
    sell(db, 40, 35)
    count(db, 790, 60)
    count(db, 480, 60, "A2")
    closing.close(db, "P2", supervisor(db))


def counted_session_posted(db: Session, when: float, plants: tuple[int, int]) -> None:
    photo_session = counted_session(
        db, photo_count((plants[0], 0), (plants[1], 0), width=8), at=day(when)
    )
    record.record_session(db, photo_session)
    if photo_session.posted_at is None:
        record.post_again(db, photo_session, confirmed=True)
    assert photo_session.posted_at is not None


@pytest.fixture(scope="module")
def ledger(engine: Engine) -> Iterator[Session]:
    """Two months, made once; undone after the module."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            two_months(session)
            session.commit()
            yield session
        outer.rollback()


@pytest.fixture
def db(ledger: Session) -> Iterator[Session]:
    """The same two months for each test; what it does to them is undone."""
    with ledger.begin_nested() as nested:
        yield ledger
        nested.rollback()


def wrong(db: Session) -> dict[str, CheckResult]:
    db.flush()
    checks = [references(db), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
    return {result.code: result for result in run(db, checks) if result.wrong}


def test_a_ledger_of_everything_is_sound(db: Session) -> None:
    assert wrong(db) == {}
    assert len(references(db).queries) > 60


def test_an_empty_ledger_is_sound(session: Session) -> None:
    assert wrong(session) == {}


# What a person with a superuser's rights and the triggers off could do, and who notices.
CORRUPTIONS = {
    "a lot's quantity is raised": (
        "UPDATE stock_batches SET quantity_current = quantity_current + 7 WHERE id = :lot",
        {"lot_quantity"},
    ),
    "a lot's first quantity is changed": (
        "UPDATE stock_batches SET quantity_initial = quantity_initial + 1 WHERE id = :lot",
        {"lot_initial"},
    ),
    "a sale is removed": (
        (
            "DELETE FROM stock_movements WHERE id = (SELECT min(id) FROM stock_movements"
            " WHERE movement_type = 'ventas' AND closing_id IS NULL AND occurred_at > '2026-04-02')"
        ),
        {"lot_quantity", "count_stands", "closing_figures"},
    ),
    "a death is made smaller and the lot with it": (
        (
            "WITH m AS (UPDATE stock_movements SET quantity = quantity + 2 WHERE id"
            " = (SELECT max(id)"
            " FROM stock_movements WHERE movement_type = 'muerte') RETURNING batch_id)"
            " UPDATE stock_batches SET quantity_current = quantity_current + 2"
            " WHERE id = (SELECT batch_id FROM m)"
        ),
        {"count_stands", "closing_figures"},
    ),
    "a planting is written past the trigger": (
        (
            "INSERT INTO stock_movements (batch_id, movement_type, quantity, user_id, is_inbound,"
            " destination_bin_id, occurred_at) SELECT id, 'plantar', 5, (SELECT"
            " min(id) FROM users),"
            " true, current_storage_bin_id, now() FROM stock_batches WHERE id = :lot"
        ),
        {"lot_quantity"},
    ),
    "plants are lost on the way": (
        (
            "WITH m AS (UPDATE stock_movements SET quantity = quantity - 1 WHERE id"
            " = (SELECT max(id)"
            " FROM stock_movements WHERE movement_type = 'transplante' AND quantity > 0)"
            " RETURNING batch_id) UPDATE stock_batches SET quantity_current = quantity_current - 1"
            " WHERE id = (SELECT batch_id FROM m)"
        ),
        {"transfer_sum", "count_stands", "closing_figures"},
    ),
    "a transplant becomes one within its location": (
        "UPDATE stock_movements SET movement_type = 'ajuste' WHERE movement_type = 'transplante'",
        {"transfer_places", "closing_figures"},
    ),
    "a reversal takes back more": (
        (
            "WITH m AS (UPDATE stock_movements SET quantity = quantity + 1 WHERE id"
            " = (SELECT max(id)"
            " FROM stock_movements WHERE reverses_movement_id IS NOT NULL AND quantity > 1"
            " AND count_id IS NULL AND closing_id IS NULL) RETURNING batch_id)"
            " UPDATE stock_batches SET quantity_current = quantity_current + 1"
            " WHERE id = (SELECT batch_id FROM m)"
        ),
        {"reversal", "count_stands", "closing_figures"},
    ),
    "a movement goes to another bin": (
        (
            "UPDATE stock_movements SET destination_bin_id = (SELECT max(bin_id) FROM storage_bins)"
            " WHERE id = (SELECT min(id) FROM stock_movements)"
        ),
        {"movement_bin"},
    ),
    "a movement says in and means out": (
        (
            "UPDATE stock_movements SET is_inbound = NOT is_inbound"
            " WHERE id = (SELECT max(id) FROM stock_movements)"
        ),
        {"movement_bin"},
    ),
    "a lot is carried to another bin": (
        (
            "UPDATE stock_batches SET current_storage_bin_id = (SELECT max(bin_id)"
            " FROM storage_bins)"
            " WHERE id = :lot"
        ),
        {"movement_bin"},
    ),
    "a lot is in a bin that was invented": (
        "UPDATE stock_batches SET current_storage_bin_id = 999999 WHERE id = :lot",
        {"references", "movement_bin"},
    ),
    "a movement is of a lot that was invented": (
        (
            "UPDATE stock_movements SET batch_id = 999999"
            " WHERE id = (SELECT min(id) FROM stock_movements)"
        ),
        {"references", "lot_quantity"},
    ),
    "a user is gone": (
        "DELETE FROM users WHERE username = 'julia'",
        {"references"},
    ),
    "a count says another number": (
        "UPDATE counts SET plants = plants + 1 WHERE id = (SELECT max(id) FROM counts)",
        {"count_stands", "count_plants"},
    ),
    "a count is moved to another day": (
        "UPDATE counts SET captured_at = captured_at - interval '33 days' WHERE plants = 790",
        {"count_stands", "count_rows"},
    ),
    "a difference belongs to no count": (
        (
            "UPDATE stock_movements SET count_id = NULL WHERE id = (SELECT max(id)"
            " FROM stock_movements WHERE movement_type = 'foto')"
        ),
        {"count_rows"},
    ),
    "a difference belongs to a count of elsewhere": (
        (
            "UPDATE stock_movements SET count_id = (SELECT max(id) FROM counts WHERE"
            " storage_location_id <> :location) WHERE id = (SELECT max(m.id) FROM stock_movements m"
            " JOIN counts c ON c.id = m.count_id WHERE c.storage_location_id = :location)"
        ),
        {"count_rows"},
    ),
    "a void count stands again": (
        (
            "UPDATE counts SET voided_at = NULL, voided_by_user_id = NULL, void_reason = NULL"
            " WHERE voided_at IS NOT NULL"
        ),
        {"count_stands"},
    ),
    "a standing count is called void": (
        (
            "UPDATE counts SET voided_at = now(), voided_by_user_id = posted_by_user_id,"
            " void_reason = 'x' WHERE id = (SELECT max(id) FROM counts WHERE plants = 860)"
        ),
        {"count_void"},
    ),
    "a container says another number": (
        (
            "UPDATE container_counts SET human_corrected = 1, corrected_by_user_id ="
            " (SELECT min(id) FROM users) WHERE id = (SELECT max(id) FROM"
            " container_counts WHERE seen)"
        ),
        {"count_plants", "container_difference"},
    ),
    "a container's difference is changed": (
        (
            "UPDATE container_counts SET difference = difference + 1"
            " WHERE id = (SELECT max(id) FROM container_counts)"
        ),
        {"container_difference"},
    ),
    "a session is completed with nothing posted": (
        (
            "UPDATE counts SET posted_at = NULL, posted_by_user_id = NULL"
            " WHERE processing_session_id IS NOT NULL"
        ),
        {"session_end"},
    ),
    "a closing's deaths and plantings are changed": (
        (
            "UPDATE period_closings SET dead = dead + 3, planted = planted + 3"
            " WHERE id = (SELECT max(id) FROM period_closings)"
        ),
        {"closing_figures"},
    ),
    "a closing's opening is changed": (
        (
            "UPDATE period_closings SET opening_plants = opening_plants + 1,"
            " closing_plants = closing_plants + 1 WHERE id = (SELECT max(id) FROM period_closings)"
        ),
        {"closing_figures"},
    ),
    "half of a pair is gone": (
        (
            "WITH m AS (DELETE FROM stock_movements WHERE id = (SELECT max(id) FROM stock_movements"
            " WHERE closing_id IS NOT NULL AND movement_type = 'ventas')"
            " RETURNING batch_id, quantity) UPDATE stock_batches b SET quantity_current ="
            " b.quantity_current - m.quantity FROM m WHERE b.id = m.batch_id"
        ),
        {"closing_pairs", "closing_sales", "count_stands", "closing_figures"},
    ),
    "a whole pair is gone": (
        (
            "DELETE FROM stock_movements WHERE closing_id ="
            " (SELECT max(closing_id) FROM stock_movements)"
        ),
        {"closing_sales"},
    ),
    "a closed period is called open": (
        "UPDATE periods SET status = 'open', closed_at = NULL WHERE code = 'P2'",
        {"closing_of_closed"},
    ),
}


@pytest.mark.parametrize("deed", CORRUPTIONS)
def test_corruption_is_found(db: Session, deed: str) -> None:
    sql, noticed = CORRUPTIONS[deed]
    lot = db.scalar(text("SELECT min(id) FROM stock_batches"))
    db.execute(text("SET LOCAL session_replication_role = replica"))
    done = db.execute(text(sql), {"lot": lot, "location": location(db).location_id})
    assert done.rowcount > 0, "the corruption changed nothing"
    results = wrong(db)
    assert noticed <= set(results)
    assert all(result.examples for result in results.values())


def test_a_movement_of_the_wrong_sign_is_found(db: Session) -> None:
    db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # nothing pends on the table
    db.execute(text("ALTER TABLE stock_movements DROP CONSTRAINT ck_stock_movements_sign"))
    db.execute(text("SET LOCAL session_replication_role = replica"))
    db.execute(text("UPDATE stock_movements SET movement_type = 'ventas' WHERE quantity = 50"))
    assert "movement_sign" in wrong(db)


def test_examples_are_few_and_the_number_is_whole(db: Session) -> None:
    db.execute(text("SET LOCAL session_replication_role = replica"))
    db.execute(text("UPDATE stock_movements SET is_inbound = NOT is_inbound"))
    number = db.scalar(text("SELECT count(*) FROM stock_movements"))
    result = wrong(db)["movement_bin"]
    assert (result.wrong, len(result.examples)) == (number, 20)


def test_the_command_says_so_by_its_status(fresh_database: str) -> None:
    del fresh_database
    with transaction() as session:
        two_months(session)
    sound = CliRunner().invoke(app, ["verify", "--json"])
    assert (sound.exit_code, json.loads(sound.stdout)["sound"]) == (0, True)
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE stock_batches SET quantity_current = quantity_current + 1"))
    broken = CliRunner().invoke(app, ["verify", "--json"])
    document = json.loads(broken.stdout)
    assert (broken.exit_code, document["sound"]) == (1, False)
    assert [c["code"] for c in document["checks"] if c["wrong"]] == ["lot_quantity"]
    read = CliRunner().invoke(app, ["verify"])
    assert read.exit_code == 1
    assert "a lot's quantity is the sum of its movements" in read.stdout
