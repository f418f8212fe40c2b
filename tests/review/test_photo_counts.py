"""A photo's count after the fact: corrected, posted again, taken back, moved."""

from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.core.errors import Conflict
from demeter.counts.errors import CountState, InvalidCount
from demeter.counts.models import ContainerCount, Count
from demeter.locations.models import StorageBin
from demeter.photos import record
from demeter.photos.models import Detection, PhotoSession, SessionStatus
from demeter.review import corrections, photo_counts, retry, session_decisions
from demeter.review.errors import CorrectionRefused
from demeter.stock.models import MovementType, SourceType, StockMovement
from support.corrections import correct_session
from support.ledgersteps import assert_ledger_sound, command, day, plant, sell
from support.nursery import (
    NOON,
    configure,
    counted_session,
    location,
    on_hand,
    photo_count,
    plant_nursery,
    stock_as_of,
    user,
)


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)


def recorded(db: Session, *answers, **facts) -> PhotoSession:
    made = counted_session(db, *answers, **facts)
    record.record_session(db, made)
    return made


def test_a_persons_number_stands_beside_the_machines(db: Session) -> None:
    made = recorded(db, photo_count((8, 2), (5, 0)))
    done = correct_session(db, command(db, None, "two were hidden"), made, {2: 7})
    assert [(m.quantity, m.why) for m in done.movements] == [(2, "two were hidden")]
    row = db.scalars(select(ContainerCount).where(ContainerCount.container_index == 2)).one()
    assert (row.machine_detected, row.human_corrected, row.answer) == (5, 7, 7)
    assert (row.ledger_before, row.difference) == (0, 7)
    assert (on_hand(db), made.status, made.reason_code) == (17, SessionStatus.COMPLETED, None)
    latest = db.scalars(select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert (latest.source_type, latest.movement_type) == (SourceType.MANUAL, MovementType.FOTO)
    assert db.scalar(select(func.count()).select_from(StorageBin)) == 2


def test_a_correction_settles_what_waited_for_review(db: Session) -> None:
    made = recorded(db, photo_count((4, None), residual_share=0.5))
    assert made.reason_code == "estimate_unknown"
    correct_session(db, command(db, None), made, {1: 30})
    assert (made.status, on_hand(db)) == (SessionStatus.COMPLETED, 30)


def test_a_bin_that_was_not_seen_can_be_corrected_too(db: Session) -> None:
    recorded(db, photo_count((8, 0), (5, 0)))
    recorded(db, photo_count((8, 0)), at=day(1))
    assert on_hand(db) == 8
    missed = db.scalars(select(ContainerCount).where(ContainerCount.seen.is_(False))).one()
    corrections.correct_count(
        db, command(db, None), missed.count_id, corrections.Edits({missed.id: 5})
    )
    assert on_hand(db) == 13


@pytest.mark.parametrize(
    ("answers", "error"), [({9: 1}, CorrectionRefused), ({1: -1}, InvalidCount)]
)
def test_a_correction_without_sense_is_refused(db: Session, answers, error) -> None:
    made = recorded(db, photo_count((8, 2)))
    with pytest.raises(error):
        correct_session(db, command(db, None), made, answers)


def test_a_void_session_keeps_its_evidence_and_can_be_posted_again(db: Session) -> None:
    recorded(db, photo_count((8, 0)))
    made = recorded(db, photo_count((5, 0)), at=day(1))
    photo_counts.void(db, command(db, None, "blurred"), made.session_id)
    assert (on_hand(db), made.reason_code, made.posted_at) == (8, "voided", None)
    assert location(db).photo_session_id != made.id
    assert db.scalar(select(func.count()).select_from(Detection)) == 13
    with pytest.raises(CountState):
        photo_counts.void(db, command(db, None, "again"), made.session_id)
    photo_counts.repost(db, command(db, None), made.session_id)
    assert (on_hand(db), made.reason_code) == (5, None)
    assert location(db).photo_session_id == made.id
    counted = db.scalars(
        select(Count.voided_at).where(Count.processing_session_id == made.id).order_by(Count.id)
    )
    assert [v is None for v in counted] == [False, True]


def test_a_session_moved_elsewhere_posts_there_and_not_here(db: Session) -> None:
    made = recorded(db, photo_count((8, 2)))
    photo_counts.move(db, command(db, None, "it is bed A2"), made.session_id, location(db, "A2"))
    assert (on_hand(db, "A1"), on_hand(db, "A2")) == (0, 10)
    assert (made.status, made.requested_location_code) == (SessionStatus.COMPLETED, "A2")
    bins = db.scalars(select(StorageBin.code).order_by(StorageBin.bin_id)).all()
    assert [code[:2] for code in bins] == ["A1", "A2"]
    with pytest.raises(Conflict):
        photo_counts.move(db, command(db, None, "again"), made.session_id, location(db, "A2"))


def test_a_session_that_waits_moves_with_its_count(db: Session) -> None:
    made = recorded(db, photo_count((4, 1)), code="A3")
    assert made.status is SessionStatus.NEEDS_CONFIG
    photo_counts.move(db, command(db, None, "wrong label"), made.session_id, location(db, "A2"))
    assert (made.status, on_hand(db, "A2")) == (SessionStatus.COMPLETED, 5)
    assert db.scalars(select(Count.storage_location_id)).all() == [location(db, "A2").location_id]


def test_a_changed_config_is_posted_again(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    old = location(db).location_id
    db.execute(delete(LocationConfig).where(LocationConfig.storage_location_id == old))
    configure(db, "A1", "MAMMILLARIA-01")
    photo_counts.repost(db, command(db, None), made.session_id)
    assert made.reason_code == "other_product"
    session_decisions.accept(db, made.session_id, user(db))
    assert (made.status, on_hand(db), stock_as_of(db, NOON)) == (SessionStatus.COMPLETED, 8, 8)


def test_a_key_used_twice_changes_once(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    told_once = command(db, None, "hidden", uuid4())
    first = correct_session(db, told_once, made, {1: 9})
    assert correct_session(db, told_once, made, {1: 9}) == first
    assert on_hand(db) == 9


@pytest.fixture
def retrying(db: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """The retry's own transactions, inside the test's."""

    @contextmanager
    def nested():
        with db.begin_nested():
            yield db

    monkeypatch.setattr(retry, "transaction", nested)
    return db


def test_a_session_that_waited_is_tried_again_when_a_fact_is_reported(retrying: Session) -> None:
    db = retrying
    recorded(db, photo_count((10, 0)))
    sell(db, 8, 2)
    made = recorded(db, photo_count((6, 0), width=4), at=day(1))
    assert made.reason_code == "stock_would_be_negative"
    plant(db, 5, 2)
    queued = db.connection().exec_driver_sql(
        "SELECT args ->> 'location_id' FROM procrastinate_jobs "
        "WHERE task_name = 'retry_waiting_counts'"
    )
    assert queued.scalars().all() == [str(location(db).location_id)]
    retry.retry_waiting_counts(location(db).location_id)
    assert (made.status, on_hand(db)) == (SessionStatus.COMPLETED, 3)


def test_a_voiding_that_waited_is_done_when_a_fact_is_reported(retrying: Session) -> None:
    db = retrying
    recorded(db, photo_count((10, 0)))
    made = recorded(db, photo_count((14, 0), width=14), at=day(1))
    sell(db, 12, 2)
    waits = photo_counts.void(db, command(db, None, "wrong bed"), made.session_id)
    assert waits.waits_for == "stock_would_be_negative"
    assert (made.status, on_hand(db)) == (SessionStatus.NEEDS_REVIEW, 2)
    plant(db, 2, 3)
    retry.retry_waiting_counts(location(db).location_id)
    assert (made.reason_code, on_hand(db)) == ("voided", 0)
