"""Counts that come late or were wrong: the later count always stands."""

from __future__ import annotations

import itertools
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.queries import find_user
from demeter.catalog.models import LocationConfig
from demeter.core.db import preview
from demeter.counts import service
from demeter.counts.errors import CountContradictsConfig, CountState, InvalidCount
from demeter.counts.hand_counts import HandCount
from demeter.counts.models import ContainerCount, Count, CountCorrection
from demeter.stock import bin_choice
from demeter.stock.errors import TooFewPlants
from demeter.stock.ledger import LedgerCommand
from demeter.stock.models import MovementType, SourceType, StockBatch, StockMovement
from demeter.vision.values import ContainerType
from support.ledgersteps import (
    assert_ledger_sound,
    command,
    correct,
    count,
    day,
    die,
    plant,
    reverse,
    sell,
    transplant,
    void,
)
from support.nursery import configure, location, on_hand, plant_nursery, product, stock_as_of


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    every_count_stands(session)
    assert_ledger_sound(session)


def every_count_stands(db: Session) -> None:
    """Stock as of each posted count equals that count."""
    for count_row in db.scalars(
        select(Count).where(Count.posted_at.is_not(None), Count.voided_at.is_(None))
    ):
        code = db.get_one(type(location(db)), count_row.storage_location_id).code
        assert stock_as_of(db, count_row.captured_at, code) == count_row.plants, count_row.id


def by_worker(db: Session, hand_count: HandCount, when: float = 0):
    rosa = find_user(db, "rosa")
    return service.count_by_hand(db, LedgerCommand(uuid4(), rosa.id, day(when)), rosa, hand_count)


def test_the_first_count_by_hand_starts_the_ledger(db: Session) -> None:
    first = count(db, 100, 0)
    assert [m.movement_type for m in first.movements] == [MovementType.MANUAL_INIT]
    later = count(db, 90, 1)
    assert [(m.movement_type, m.quantity) for m in later.movements] == [(MovementType.FOTO, -10)]
    assert {m.source_type for m in db.scalars(select(StockMovement))} == {SourceType.MANUAL}


def test_a_count_of_nothing_is_posted_too(db: Session) -> None:
    first = count(db, 0, 0)
    assert (first.movements, first.waits_for) == ([], None)
    assert db.get_one(Count, first.count_id).plants == 0
    count(db, 5, 1)
    count(db, 0, 2)
    assert on_hand(db) == 0


def test_the_whole_location_is_booked_where_its_plants_are(db: Session) -> None:
    plant(db, 10, 0)
    plant(db, 10, 0, new_lot=True)
    count(db, 13, 1)
    lots = [m.batch_after for m in count(db, 13, 2).movements]
    assert (lots, on_hand(db)) == ([], 13)


def test_bins_can_be_counted_one_by_one(db: Session) -> None:
    plant(db, 10, 0)
    bin_id = db.scalars(select(StockMovement.destination_bin_id)).one()
    hand_count = HandCount(location(db).location_id, by_bin=((bin_id, 8),))
    assert by_worker(db, hand_count, 1).waits_for is None
    assert on_hand(db) == 8
    row = db.scalars(select(ContainerCount)).one()
    assert (row.ledger_before, row.difference, row.machine_detected) == (10, -2, None)


@pytest.mark.parametrize(
    "said", [{}, {"plants": -1}, {"plants": 3, "by_bin": ((1, 3),)}, {"by_bin": ((10**9, 3),)}]
)
def test_a_count_without_sense_is_refused(db: Session, said) -> None:
    with pytest.raises(InvalidCount):
        by_worker(db, HandCount(location(db).location_id, **said))


def test_a_count_of_another_product_is_refused_with_both_named(db: Session) -> None:
    hand_count = HandCount(location(db).location_id, 5, product_id=product(db, "MAMMILLARIA-01").id)
    with pytest.raises(CountContradictsConfig, match=r"MAMMILLARIA-01.*ECHEVERIA-01"):
        by_worker(db, hand_count)


def test_a_workers_count_waits_where_no_config_says_what_grows(db: Session) -> None:
    here = location(db, "A3").location_id
    first = by_worker(db, HandCount(here, 5, product_id=product(db, "ECHEVERIA-01").id))
    assert (first.waits_for, first.movements) == ("needs_config", [])
    configure(db, "A3", "ECHEVERIA-01")
    posted = service.repost(db, command(db, None), first.count_id)
    assert (posted.waits_for, on_hand(db, "A3")) == (None, 5)


def test_a_supervisors_count_makes_the_config(db: Session) -> None:
    parts = {"product_id": product(db, "ECHEVERIA-01").id}
    with pytest.raises(InvalidCount, match="state"):
        count(db, 5, 0, "A3", **parts)
    first = count(db, 5, 0, "A3", **parts, product_state_id=3)
    assert first.waits_for is None
    here = location(db, "A3").location_id
    config = db.scalars(
        select(LocationConfig).where(LocationConfig.storage_location_id == here)
    ).one()
    assert (config.product_id, config.expected_product_state_id) == (parts["product_id"], 3)


@pytest.mark.parametrize("reported_first", [True, False])
def test_mondays_count_and_tuesdays_sale_agree_whichever_is_late_count(
    db: Session, reported_first: bool
) -> None:
    count(db, 80, -7)
    if reported_first:
        sell(db, 50, 1)
        count(db, 100, 0)
    else:
        count(db, 100, 0)
        sell(db, 50, 1)
    assert on_hand(db) == 50
    die(db, 5, -1)
    assert (on_hand(db), stock_as_of(db, day(0))) == (50, 100)


def test_a_sale_is_possible_once_the_count_has_come(db: Session) -> None:
    count(db, 30, -7)
    with pytest.raises(TooFewPlants):
        sell(db, 50, 1)
    count(db, 100, 0)
    sell(db, 50, 1)
    assert on_hand(db) == 50


def test_a_count_waits_while_the_ledger_holds_too_few_and_is_tried_again(db: Session) -> None:
    count(db, 120, -7)
    sell(db, 110, 1)
    first = count(db, 100, 0)
    assert first.waits_for == "stock_would_be_negative"
    assert (on_hand(db), first.movements) == (10, [])
    plant(db, 30, 2)
    assert service.waiting_hand_counts(db, location(db).location_id) == [first.count_id]
    assert service.try_again(db, first.count_id).waits_for is None
    assert on_hand(db) == 20


def test_a_death_told_last_leaves_every_count_as_it_is(db: Session) -> None:
    for plants, when in ((100, 0), (90, 1), (90, 2)):
        count(db, plants, when)
    die(db, 5, 0.5)
    assert [stock_as_of(db, day(d)) for d in (0, 0.5, 1, 2)] == [100, 95, 90, 90]


def test_a_void_count_is_as_if_it_had_not_been(db: Session) -> None:
    count(db, 100, 0)
    second = count(db, 80, 1)
    count(db, 80, 2)
    void(db, second)
    assert [stock_as_of(db, day(d)) for d in (0, 1, 2)] == [100, 100, 80]
    assert on_hand(db) == 80


def test_the_last_count_void_gives_the_stock_before_back(db: Session) -> None:
    count(db, 100, 0)
    second = count(db, 80, 1)
    die(db, 5, 0.5)
    void(db, second)
    assert on_hand(db) == 95
    with pytest.raises(CountState, match="void"):
        void(db, second)


def test_a_voiding_that_would_leave_less_than_nothing_waits(db: Session) -> None:
    count(db, 10, 0)
    second = count(db, 100, 1)
    sell(db, 60, 2)
    waits = void(db, second)
    assert (waits.waits_for, waits.movements, on_hand(db)) == ("stock_would_be_negative", [], 40)
    plant(db, 60, 3)
    assert service.try_again(db, second.count_id).voided_at is not None
    assert on_hand(db) == 10


def test_a_voiding_settles_lots_that_would_be_short(db: Session) -> None:
    count(db, 10, 0)
    young = plant(db, 20, 0.5, new_lot=True).movements[0].batch_id
    second = count(db, 100, 1)
    sell(db, 25, 2, batch_id=young)
    change = void(db, second)
    assert change.waits_for is None
    assert sorted(m.quantity for m in change.movements) == [-70, -5, 5]
    assert on_hand(db) == 5


def test_a_voiding_settles_with_plants_that_it_gives_back_itself(db: Session) -> None:
    first = plant(db, 10, 0).movements[0].batch_id
    plant(db, 1, 0, new_lot=True)
    here = location(db).location_id
    first_bin = db.get_one(StockBatch, first).current_storage_bin_id
    second_bin = bin_choice.make_bin(db, location(db), ContainerType.POT).bin_id
    late_count = by_worker(db, HandCount(here, by_bin=((first_bin, 0), (second_bin, 11))), 1)
    sell(db, 8, 2)
    void(db, late_count)
    assert on_hand(db) == 3


def test_a_correction_writes_only_the_net_difference(db: Session) -> None:
    first = count(db, 100, 0)
    changed = correct(db, first, 97)
    assert [(m.movement_type, m.quantity) for m in changed.movements] == [(MovementType.FOTO, -3)]
    assert on_hand(db) == 97
    correction = db.scalars(select(CountCorrection)).one()
    assert (correction.answer_before, correction.answer_after) == (100, 97)
    assert service.repost(db, command(db, None), first.count_id).movements == []


def test_a_correction_of_an_older_count_leaves_the_later_one(db: Session) -> None:
    first = count(db, 100, 0)
    count(db, 90, 1)
    change = preview(db, lambda: correct(db, first, 95))
    assert sorted(m.quantity for m in change.movements) == [-5, 5]
    correct(db, first, 95)
    assert (stock_as_of(db, day(0)), stock_as_of(db, day(1)), on_hand(db)) == (95, 90, 90)


def test_counts_in_any_order_give_the_same_stock(session: Session) -> None:
    plant_nursery(session)
    facts = [lambda n=n, d=d: count(session, n, d) for n, d in ((50, 0), (70, 1), (60, 2))]
    for order in itertools.permutations(facts):
        nested = session.begin_nested()
        for fact in order:
            fact()
        assert [stock_as_of(session, day(d)) for d in (0, 1, 2)] == [50, 70, 60]
        assert on_hand(session) == 60
        nested.rollback()
        session.expire_all()


def test_a_transplant_is_judged_by_each_side(db: Session) -> None:
    count(db, 100, 0)
    count(db, 40, 0, "A2")
    count(db, 70, 2)
    transplant(db, 30, 1)
    assert (on_hand(db), on_hand(db, "A2")) == (70, 70)
    assert (stock_as_of(db, day(1)), stock_as_of(db, day(1), "A2")) == (70, 70)


def test_what_was_sold_by_hand_and_counted_otherwise_is_undone(db: Session) -> None:
    count(db, 100, 0)
    sale = sell(db, 20, 1)
    count(db, 85, 2)
    reverse(db, sale)
    assert (on_hand(db), stock_as_of(db, day(1))) == (85, 100)


def test_a_fact_at_the_moment_of_a_count_is_before_it(db: Session) -> None:
    count(db, 100, 0)
    die(db, 5, 0)
    assert on_hand(db) == 100


def test_two_counts_of_one_moment_and_the_second_void(db: Session) -> None:
    count(db, 100, 0)
    second = count(db, 90, 0)
    die(db, 7, -1)
    assert on_hand(db) == 90
    void(db, second)
    assert on_hand(db) == 100
