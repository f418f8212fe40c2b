"""What a count counts: plants or occupied places, said with each count, never mixed unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.core.wording import LANGUAGES, read
from demeter.counts import service
from demeter.counts.errors import CountContradictsConfig
from demeter.counts.models import Count
from demeter.learning.ground_truth import accepted_ids
from demeter.locations.models import StorageBin, StorageBinType
from demeter.photos import session_detail
from demeter.photos.inference import hints_for
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.photos.record import record_session
from demeter.review import session_decisions
from demeter.stock.count_units import unit_of_stock, unit_to_count_in
from demeter.stock.errors import UnitsDiffer
from demeter.vision.hints import ContainerGrid
from demeter.vision.values import ContainerType, CountUnit, PhotoCount
from support.ledgersteps import DAY, assert_ledger_sound, count, plant, transplant
from support.nursery import (
    NOON,
    configure,
    counted_session,
    location,
    on_hand,
    photo_count,
    plant_nursery,
    user,
)

PLANTS, PLACES = CountUnit.PLANTS, CountUnit.CONTAINERS


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)


def places(*containers: tuple[int, int | None]) -> PhotoCount:
    """An answer of vision in occupied places."""
    return replace(photo_count(*containers), unit=PLACES)


def recorded(db: Session, *answers: PhotoCount, days: int = 0) -> PhotoSession:
    made = counted_session(db, *answers, at=NOON + days * DAY)
    record_session(db, made)
    return made


def last_count(db: Session) -> Count:
    return db.scalars(select(Count).order_by(Count.id.desc())).first()


def set_unit(db: Session, unit: CountUnit | None, code: str = "A1") -> None:
    db.execute(
        update(LocationConfig)
        .where(LocationConfig.storage_location_id == location(db, code).location_id)
        .values(count_unit=unit)
    )


@pytest.mark.parametrize("unit", list(CountUnit))
def test_a_count_stores_its_unit_and_answers_say_it(db: Session, unit: CountUnit) -> None:
    made = recorded(db, replace(photo_count((4, 0)), unit=unit))
    assert made.status is SessionStatus.COMPLETED
    assert last_count(db).unit == unit
    answer = session_detail.answer(db, made)
    assert (answer.unit, answer.counts[0].unit) == (unit, unit)
    assert unit_of_stock(db, location(db).location_id) is unit


@pytest.mark.parametrize(("first", "then"), [(PLANTS, PLACES), (PLACES, PLANTS)])
def test_another_unit_than_the_last_count_waits_and_posts_once_accepted(
    db: Session, first: CountUnit, then: CountUnit
) -> None:
    recorded(db, replace(photo_count((12, 0)), unit=first))
    made = recorded(db, replace(photo_count((10, 0)), unit=then), days=1)
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_REVIEW, "unit_not_as_last")
    assert on_hand(db) == 12
    assert unit_of_stock(db, location(db).location_id) is first
    session_decisions.accept(db, made.session_id, user(db))
    assert on_hand(db) == 10
    again = recorded(db, replace(photo_count((10, 0)), unit=then), days=2)
    assert again.status is SessionStatus.COMPLETED


def test_another_unit_than_is_set_waits(db: Session) -> None:
    set_unit(db, PLACES)
    made = recorded(db, photo_count((12, 0)))
    assert (made.reason_code, on_hand(db)) == ("unit_not_as_set", 0)
    set_unit(db, PLANTS)
    session_decisions.retry_posting(db, made.session_id, user(db))
    assert (made.status, on_hand(db)) == (SessionStatus.COMPLETED, 12)


def test_photos_that_count_different_things_wait(db: Session) -> None:
    made = recorded(db, photo_count((12, 0)), places((5, 0)), photo_count((1, 0)))
    (reason,) = [r for r in made.reason_notices if r["code"] == "units_of_photos_differ"]
    assert reason["params"] == {"plants": "1, 3", "containers": "2"}
    assert last_count(db).unit == PLANTS


def test_a_photo_without_containers_has_no_unit_to_differ_in(db: Session) -> None:
    nothing = replace(photo_count(), unit=PLANTS)
    made = recorded(db, places((5, 0)), nothing)
    assert "unit" not in (made.reason_code or "")
    assert last_count(db).unit == PLACES


def test_an_empty_bed_that_a_person_confirms_is_in_no_unit(db: Session) -> None:
    recorded(db, places((5, 0)))
    made = recorded(db, photo_count(), days=1)
    session_decisions.confirm_empty(db, made.session_id, user(db))
    assert (last_count(db).unit, on_hand(db)) == (None, 0)
    again = recorded(db, places((5, 0)), days=2)
    assert again.status is SessionStatus.COMPLETED


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_wait_is_worded_with_its_units(db: Session, language: str) -> None:
    recorded(db, photo_count((12, 0)))
    made = recorded(db, places((12, 0)), days=1)
    words = read(language)
    sentence = words.word(made.reason_notices[0])
    assert words("unit.plants") in sentence
    assert words("unit.containers") in sentence


def test_a_person_counts_as_is_set_else_as_was_counted_last(db: Session) -> None:
    here = location(db).location_id
    count(db, 5, -1)
    assert last_count(db).unit is None
    assert unit_to_count_in(db, here) is None
    made = recorded(db, places((5, 0)))
    assert made.status is SessionStatus.COMPLETED  # nobody had said otherwise
    count(db, 6, 1)
    assert last_count(db).unit == PLACES
    set_unit(db, PLANTS)
    count(db, 7, 2)
    assert last_count(db).unit == PLANTS
    with pytest.raises(CountContradictsConfig):
        count(db, 7, 3, unit=PLACES)
    set_unit(db, None)
    count(db, 7, 4, unit=PLACES)
    assert last_count(db).unit == PLACES


def test_a_hand_count_that_waited_does_not_post_in_another_unit_than_is_set_since(
    db: Session,
) -> None:
    change = count(db, 7, 1, "A3", unit=PLACES)
    waiting = db.get_one(Count, change.count_id)
    assert waiting.waits_for == "needs_config"
    configure(db, "A3", "ECHEVERIA-01").count_unit = PLANTS
    db.flush()
    service.try_again(db, waiting.id)
    assert (waiting.waits_for, on_hand(db, "A3")) == ("count_contradicts_config", 0)
    assert read("es").word(waiting.wait_notices[0]).count("plantas") == 1
    set_unit(db, None, "A3")
    service.try_again(db, waiting.id)
    assert (waiting.waits_for, on_hand(db, "A3")) == (None, 7)


def test_a_transplant_between_units_is_refused_by_name(db: Session) -> None:
    recorded(db, places((5, 0)))
    plant(db, 10, 0, "A2")
    count(db, 10, 0.5, "A2")
    transplant(db, 1, 1)  # nothing says what A2's stock counts
    count(db, 11, 2, "A2", unit=PLANTS)
    with pytest.raises(UnitsDiffer) as refused:
        transplant(db, 1, 3)
    assert refused.value.context["units"] == {"A1": "containers", "A2": "plants"}
    assert (on_hand(db), on_hand(db, "A2")) == (4, 11)
    count(db, 11, 4, "A2", unit=PLACES)
    transplant(db, 1, 5)
    assert (on_hand(db), on_hand(db, "A2")) == (3, 12)


def test_a_setting_says_the_unit_of_stock_that_nobody_counted(db: Session) -> None:
    plant(db, 10, 0)
    plant(db, 10, 0, "A2")
    set_unit(db, PLACES)
    set_unit(db, PLANTS, "A2")
    with pytest.raises(UnitsDiffer):
        transplant(db, 1, 1)


def test_occupied_places_are_not_learnt_from_as_plants(db: Session) -> None:
    for unit, days in ((PLANTS, 0), (PLACES, 1)):
        made = recorded(db, replace(photo_count((5, 0)), unit=unit), days=days)
        session_decisions.accept(db, made.session_id, user(db))
        db.flush()
        assert (made.id in accepted_ids(db)) is (unit is PLANTS)


def test_vision_is_told_the_unit_and_the_grid_of_the_beds_bins(db: Session) -> None:
    here = location(db)
    hints = hints_for(db, here.location_id)
    assert (hints.count_unit, hints.container_grids) == (None, ())
    set_unit(db, PLACES)
    kind = StorageBinType(
        code="TRAY-72",
        name="Tray of 72",
        category=ContainerType.SEEDLING_TRAY,
        is_grid=True,
        rows=6,
        columns=12,
    )
    db.add(kind)
    db.flush()
    db.add(
        StorageBin(
            storage_location_id=here.location_id,
            storage_bin_type_id=kind.bin_type_id,
            code="NAVE1-NORTH-A1-TRAY1",
            label="Tray",
        )
    )
    db.flush()
    hints = hints_for(db, here.location_id)
    assert hints.count_unit is PLACES
    assert hints.container_grids == (ContainerGrid(ContainerType.SEEDLING_TRAY, 6, 12),)
