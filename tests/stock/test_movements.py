"""What people report, and what it does to the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from demeter.core.db import preview
from demeter.core.moments import HappenedInFuture, moment_of
from demeter.core.notices import Notice
from demeter.core.wording import english, read
from demeter.locations.errors import BinRetired, PlaceInactive
from demeter.locations.models import BinStatus, StorageBin, StorageLocation
from demeter.stock import movements, reversals, transfers
from demeter.stock.batches import LotKind
from demeter.stock.bin_choice import Destination
from demeter.stock.errors import (
    Ambiguous,
    MovementIdReused,
    NotUndoable,
    ReasonMissing,
    SamePlace,
    TooFewPlants,
    WrongSign,
)
from demeter.stock.models import MovementType, StockBatch, StockMovement
from demeter.vision.values import ContainerType
from support.ledgersteps import (
    assert_ledger_sound,
    command,
    count,
    day,
    die,
    echeveria,
    plant,
    reverse,
    sell,
    source,
    transplant,
)
from support.nursery import location, on_hand, plant_nursery, product, stock_as_of


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)


def rows(db: Session) -> list[tuple[str, int]]:
    return [
        (m.movement_type.value, m.quantity)
        for m in db.scalars(select(StockMovement).order_by(StockMovement.id))
    ]


def lots(db: Session) -> list[StockBatch]:
    return list(db.scalars(select(StockBatch).order_by(StockBatch.id)))


def test_planting_fills_a_lot_in_a_bin_made_by_hand(db: Session) -> None:
    change = plant(db, 30, 0)
    (lot,) = lots(db)
    assert (lot.quantity_current, lot.quantity_initial, lot.planting_date) == (
        30,
        30,
        day(0).date(),
    )
    assert lot.bin.code.startswith("A1-HAND-SEGMENT-")
    assert change.movements[0].batch_before == 0
    assert change.movements[0].batch_after == 30


def test_the_same_kind_is_found_and_another_is_opened(db: Session) -> None:
    plant(db, 30, 0)
    plant(db, 5, 1)
    movements.sow(
        db, command(db, day(2)), Destination(location(db).location_id), echeveria(db, state=1), 200
    )
    plant(db, 7, 3, new_lot=True)
    assert [lot.quantity_current for lot in lots(db)] == [35, 200, 7]
    assert len({lot.current_storage_bin_id for lot in lots(db)}) == 1
    assert [kind for kind, _ in rows(db)] == ["plantar", "plantar", "sembrar", "plantar"]


def test_a_sale_takes_the_oldest_lot_first_and_keeps_its_price(db: Session) -> None:
    plant(db, 10, 0)
    plant(db, 10, 1, new_lot=True)
    movements.sell(db, command(db, day(2)), source(db), 14, Decimal("2.50"))
    assert [lot.quantity_current for lot in lots(db)] == [0, 6]
    prices = db.scalars(
        select(StockMovement.total_price)
        .where(StockMovement.movement_type == MovementType.VENTAS)
        .order_by(StockMovement.id)
    ).all()
    assert prices == [Decimal("25.0000"), Decimal("10.0000")]


@pytest.mark.parametrize("report", [die, sell])
def test_more_than_there_is_is_refused_with_the_numbers(db: Session, report) -> None:
    plant(db, 10, 0)
    with pytest.raises(TooFewPlants) as refused:
        report(db, 11, 1)
    assert refused.value.context["available"] == 10
    assert refused.value.context["asked"] == 11
    assert on_hand(db) == 10


def test_nothing_comes_out_of_an_empty_place(db: Session) -> None:
    with pytest.raises(TooFewPlants):
        sell(db, 1, 0)


@pytest.mark.parametrize("quantity", [0, -3])
@pytest.mark.parametrize("report", [plant, die, sell, transplant])
def test_the_wrong_sign_is_refused(db: Session, report, quantity) -> None:
    with pytest.raises(WrongSign):
        report(db, quantity, 0)


def test_deaths_leave_empty_containers(db: Session) -> None:
    plant(db, 10, 0)
    died = die(db, 4, 1)
    (lot,) = lots(db)
    db.refresh(lot)
    assert (lot.quantity_current, lot.quantity_empty_containers) == (6, 4)
    reverse(db, died)
    db.refresh(lot)
    assert (lot.quantity_current, lot.quantity_empty_containers) == (10, 0)


def test_a_death_that_a_count_has_seen_leaves_no_empty_containers(db: Session) -> None:
    plant(db, 10, 0)
    count(db, 6, 2)
    die(db, 4, 1)
    assert lots(db)[0].quantity_empty_containers == 0
    assert (on_hand(db), stock_as_of(db, day(1)), stock_as_of(db, day(2))) == (6, 6, 6)


def test_the_same_key_again_answers_the_first_result(db: Session) -> None:
    key = uuid4()
    plant(db, 10, 0)
    first = movements.sell(db, command(db, day(1), key=key), source(db), 3)
    again = movements.sell(db, command(db, day(1), key=key), source(db), 3)
    assert again == first
    assert on_hand(db) == 7
    with pytest.raises(MovementIdReused):
        movements.sell(db, command(db, day(1), key=key), source(db), 4)
    assert first.movements[0].movement_id == key


def test_a_key_that_a_movement_has_by_other_means_is_refused(db: Session) -> None:
    plant(db, 10, 0)
    other = db.scalars(select(StockMovement.movement_id)).one()
    db.execute(
        StockMovement.__table__.insert().values(
            movement_id=(key := uuid4()),
            batch_id=lots(db)[0].id,
            movement_type=MovementType.VENTAS,
            quantity=-1,
            user_id=command(db, None).user_id,
        )
    )
    assert other != key
    with pytest.raises(MovementIdReused):
        movements.sell(db, command(db, day(1), key=key), source(db), 1)


def test_an_adjustment_says_why(db: Session) -> None:
    plant(db, 10, 0)
    with pytest.raises(ReasonMissing):
        movements.adjust(db, command(db, day(1)), source(db), -2)
    movements.adjust(db, command(db, day(1), "stolen"), source(db), -2)
    movements.adjust(db, command(db, day(2), "found again"), source(db), 1)
    assert rows(db)[1:] == [("ajuste", -2), ("ajuste", 1)]
    assert on_hand(db) == 9


def test_a_transplant_conserves_plants_and_dates_the_new_lot(db: Session) -> None:
    plant(db, 10, 0)
    transplant(db, 4, 1)
    assert (on_hand(db, "A1"), on_hand(db, "A2")) == (6, 4)
    assert rows(db)[1:] == [("transplante", 4), ("transplante", -4)]
    assert lots(db)[1].transplant_date == day(1).date()
    assert len(set(db.scalars(select(StockMovement.transfer_id).offset(1)).all())) == 1


def test_a_transplant_may_change_state_and_finds_its_bin_by_category(db: Session) -> None:
    plant(db, 10, 0)
    pots = Destination(location(db, "A2").location_id, category=ContainerType.POT)
    for _ in range(2):
        transfers.transplant(
            db, command(db, day(1)), source(db), pots, 2, transfers.Conversion(product_state_id=5)
        )
    new_lot = lots(db)[1]
    assert (new_lot.product_state_id, new_lot.quantity_current) == (5, 4)
    assert new_lot.bin.bin_type is not None
    assert new_lot.bin.bin_type.category is ContainerType.POT
    assert db.scalar(select(func.count()).select_from(StorageBin)) == 2


def test_a_transplant_within_one_location_is_refused(db: Session) -> None:
    plant(db, 10, 0)
    with pytest.raises(SamePlace):
        transplant(db, 4, 1, to="A1")


@pytest.mark.parametrize("report", [plant, die, sell])
def test_a_place_out_of_use_is_refused(db: Session, report) -> None:
    plant(db, 10, 0)
    db.execute(update(StorageLocation).where(StorageLocation.code == "A1").values(active=False))
    with pytest.raises(PlaceInactive):
        report(db, 1, 1)


def test_a_retired_bin_is_refused_but_takes_a_pair_that_a_count_cancels(db: Session) -> None:
    plant(db, 10, 0)
    lot = lots(db)[0]
    count(db, 0, 2)
    db.execute(update(StorageBin).values(status=BinStatus.RETIRED))
    db.expire_all()
    place = Destination(location(db).location_id, bin_id=lot.current_storage_bin_id)
    with pytest.raises(BinRetired):
        movements.plant(db, command(db, day(3)), place, echeveria(db), 5)
    die(db, 10, 1)
    assert (on_hand(db), stock_as_of(db, day(1))) == (0, 0)


def test_a_seedling_becomes_adult_within_its_bin(db: Session) -> None:
    plant(db, 10, 0)
    transfers.move(
        db, command(db, day(1)), source(db), 4, conversion=transfers.Conversion(product_state_id=5)
    )
    assert [(b.product_state_id, b.quantity_current) for b in lots(db)] == [(3, 6), (5, 4)]
    assert rows(db)[1:] == [("ajuste", 4), ("ajuste", -4)]


def test_a_lot_is_split_and_merged_again(db: Session) -> None:
    plant(db, 10, 0)
    first = lots(db)[0]
    transfers.move(db, command(db, day(1)), source(db), 4, new_lot=True)
    assert [b.quantity_current for b in lots(db)] == [6, 4]
    second = lots(db)[1]
    transfers.move(db, command(db, day(2)), source(db, batch_id=first.id), 6, to_batch_id=second.id)
    assert [b.quantity_current for b in lots(db)] == [0, 10]


def test_a_move_to_where_it_is_is_refused(db: Session) -> None:
    plant(db, 10, 0)
    with pytest.raises(SamePlace):
        transfers.move(db, command(db, day(1)), source(db), 4)


def test_two_products_in_one_place_have_to_be_told_apart(db: Session) -> None:
    plant(db, 10, 0)
    other = LotKind(product(db, "MAMMILLARIA-01").id, 3)
    movements.plant(db, command(db, day(0)), Destination(location(db).location_id), other, 5)
    with pytest.raises(Ambiguous):
        sell(db, 1, 1)
    sell(db, 5, 1, product_id=other.product_id)
    assert on_hand(db) == 10


def test_a_wrong_movement_is_undone_once_and_leaves_its_trace(db: Session) -> None:
    plant(db, 10, 0)
    sale = sell(db, 4, 1)
    undone = reverse(db, sale)
    assert on_hand(db) == 10
    assert undone.movements[0].reverses_movement_id == sale.movement_id
    assert undone.movements[0].occurred_at == day(1)
    with pytest.raises(NotUndoable):
        reverse(db, sale)
    with pytest.raises(NotUndoable):
        reverse(db, undone)
    with pytest.raises(ReasonMissing):
        reverse(db, sale, reason=" ")


def test_undoing_takes_back_every_lot_and_both_sides(db: Session) -> None:
    plant(db, 10, 0)
    plant(db, 10, 0, new_lot=True)
    transfer = transplant(db, 15, 1)
    reverse(db, transfer)
    assert (on_hand(db, "A1"), on_hand(db, "A2")) == (20, 0)


def test_what_is_gone_since_cannot_be_undone(db: Session) -> None:
    planted = plant(db, 10, 0)
    sell(db, 4, 1)
    with pytest.raises(TooFewPlants):
        reverse(db, planted)


def test_a_count_is_not_undone_by_a_reversal(db: Session) -> None:
    first = count(db, 10, 0)
    with pytest.raises(NotUndoable, match="correct or void"):
        reversals.undo(db, command(db, None, "wrong"), first.movements[0].movement_id)


def test_a_preview_says_what_would_be_written_and_writes_nothing(db: Session) -> None:
    plant(db, 10, 0)
    count(db, 9, 3)
    change = preview(db, lambda: die(db, 2, 1))
    assert [(m.movement_type.value, m.quantity) for m in change.movements] == [
        ("foto", 2),
        ("muerte", -2),
    ]
    assert "saw this already" in (change.movements[0].why or "")
    assert rows(db) == [("plantar", 10), ("foto", -1)]


def test_why_a_movement_was_written_is_kept_for_every_language(db: Session) -> None:
    count(db, 9, 3)
    planted = plant(db, 10, 0)
    kept = db.execute(
        select(StockMovement.reason_description, StockMovement.reason_notice)
        .where(StockMovement.fact_id == planted.movement_id)
        .order_by(StockMovement.id)
    ).all()
    assert [notice["code"] for _, notice in kept] == ["reported", "seen_by_count"]
    notices = [Notice.from_json(notice) for _, notice in kept]
    assert [english(notice) for notice in notices] == [sentence for sentence, _ in kept]
    assert [m.why_notice for m in planted.movements] == notices
    assert read("es").word(notices[0]) == "Plantado"


def test_a_person_s_reason_stands_as_it_was_given(db: Session) -> None:
    planted = plant(db, 10, 0)
    undone = reversals.undo(db, command(db, None, "typed twice"), planted.movements[0].movement_id)
    (row,) = db.scalars(select(StockMovement).where(StockMovement.fact_id == undone.movement_id))
    assert (row.reason_description, row.reason_notice) == ("typed twice", None)


def test_a_date_without_a_time_is_the_end_of_that_day_at_the_site() -> None:
    assert moment_of(date(2026, 3, 2)) == datetime(2026, 3, 3, 2, 59, 59, 999999, tzinfo=UTC)
    assert moment_of(datetime(2026, 3, 2, 9)) == datetime(2026, 3, 2, 12, tzinfo=UTC)  # noqa: DTZ001


def test_what_is_to_come_is_refused() -> None:
    with pytest.raises(HappenedInFuture):
        moment_of(datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(HappenedInFuture):
        moment_of(datetime.now(UTC).date() + timedelta(days=2))


def test_depleted_lots_stay(db: Session) -> None:
    plant(db, 10, 0)
    sell(db, 10, 1)
    assert [lot.quantity_current for lot in lots(db)] == [0]
