"""Corrections by a person: the machine's rows stay, the ledger gets the net difference."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from demeter.counts.errors import CountState
from demeter.counts.models import ContainerCount
from demeter.photos import record
from demeter.photos.models import Detection, PhotoSession, SessionStatus
from demeter.review import session_decisions
from demeter.review.errors import CorrectionRefused
from demeter.review.mark_edits import NewMark
from demeter.review.marks import marks_of
from demeter.review.models import DetectionCorrection
from demeter.stock.models import MovementType, SourceType, StockMovement
from support.corrections import correct_session
from support.ledgersteps import assert_ledger_sound, command
from support.nursery import counted_session, on_hand, photo_count, plant_nursery, user

MISSED = NewMark((100.0, 100.0, 120.0, 120.0))


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)


def recorded(db: Session, *answers, **facts) -> PhotoSession:
    made = counted_session(db, *answers, **facts)
    record.record_session(db, made)
    return made


def detection_ids(db: Session, *, empty: bool = False) -> list[int]:
    found = select(Detection.id).where(Detection.is_empty_container == empty)
    return list(db.scalars(found.order_by(Detection.id)))


def edited(db: Session, made: PhotoSession, *, accept: bool = False, **edits):
    said = command(db, None, "looked again")
    return correct_session(db, said, made, accept=accept, **edits)


def test_an_added_plant_is_one_more_in_the_ledger(db: Session) -> None:
    made = recorded(db, photo_count((8, 0), (5, 0)))
    done = correct_session(db, command(db, None), made, add=(MISSED,))
    assert [m.quantity for m in done.movements] == [1]
    assert on_hand(db) == 14
    row = db.scalars(select(ContainerCount).where(ContainerCount.container_index == 1)).one()
    assert (row.machine_detected, row.human_corrected, row.answer) == (8, 9, 9)
    last = db.scalars(select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert (last.movement_type, last.source_type) == (MovementType.FOTO, SourceType.MANUAL)


def test_a_removed_detection_stays_in_its_table_and_leaves_the_ledger(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    first = detection_ids(db)[0]
    correct_session(db, command(db, None, "a stone"), made, remove=(first,))
    assert on_hand(db) == 7
    assert db.scalar(select(func.count()).select_from(Detection)) == 8
    kept = db.scalars(select(DetectionCorrection)).one()
    assert (kept.detection_id, kept.reason, kept.user_id) == (
        first,
        "a stone",
        command(db, None).user_id,
    )
    marks = marks_of(db, made, made.attempt)
    assert [m.removed for m in marks] == [True] + [False] * 7


def test_a_correction_is_taken_back_by_another_row(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    edited(db, made, remove=(detection_ids(db)[0],), add=(MISSED, MISSED))
    assert on_hand(db) == 9
    ids = db.scalars(select(DetectionCorrection.id).order_by(DetectionCorrection.id)).all()
    edited(db, made, undo=tuple(ids))
    assert on_hand(db) == 8
    assert db.scalar(select(func.count()).select_from(DetectionCorrection)) == 6
    with pytest.raises(CorrectionRefused, match="none of session"):
        edited(db, made, undo=(ids[0],))


def test_many_marks_at_once_are_one_difference(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    done = edited(db, made, add=(MISSED,) * 5, remove=tuple(detection_ids(db)[:2]))
    assert [m.quantity for m in done.movements] == [3]
    assert on_hand(db) == 11


def test_marks_of_what_was_estimated_replace_the_estimate(db: Session) -> None:
    answer = photo_count((8, 3)).to_json()
    answer["estimations"][0]["residual_polygons_px"] = [
        [[90, 90], [150, 90], [150, 150], [90, 150]]
    ]
    made = counted_session(db, photo_count((8, 3)))
    made.images[0].result = answer
    record.record_session(db, made)
    edited(db, made, add=(MISSED, MISSED))
    assert on_hand(db) == 11
    edited(db, made, add=(MISSED, MISSED))
    assert on_hand(db) == 12
    edited(db, made, add=(NewMark((30.0, 30.0, 40.0, 40.0)),))
    assert on_hand(db) == 13


def test_a_number_that_a_person_said_is_not_changed_by_marks(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    correct_session(db, command(db, None), made, plants={1: 10})
    edited(db, made, add=(MISSED, MISSED))
    assert on_hand(db) == 10


def test_an_added_empty_container_changes_no_number(db: Session) -> None:
    made = recorded(db, photo_count((8, 0), empty=1))
    done = edited(db, made, add=(NewMark((100.0, 100.0, 120.0, 120.0), is_empty_container=True),))
    assert (done.movements, on_hand(db)) == ([], 8)
    edited(db, made, remove=(detection_ids(db, empty=True)[0],))
    assert on_hand(db) == 8


def test_marks_in_a_session_that_waits_are_kept_until_it_is_accepted(db: Session) -> None:
    made = recorded(db, photo_count((4, 0), (6, None), residual_share=0.5))
    assert made.reason_code == "estimate_unknown"
    waits = edited(db, made, add=(MISSED,))
    assert (waits.waits_for, on_hand(db), made.validated) == ("estimate_unknown", 0, False)
    session_decisions.accept(db, made.session_id, user(db))
    assert (made.status, on_hand(db)) == (SessionStatus.COMPLETED, 11)


def test_a_session_is_posted_when_the_marks_settle_what_it_waited_for(db: Session) -> None:
    recorded(db, photo_count((10, 0)))
    made = recorded(db, photo_count((3, 0), width=1))
    assert made.reason_code == "implausible_change"
    edited(db, made, add=(MISSED,) * 6)
    assert (made.status, on_hand(db)) == (SessionStatus.COMPLETED, 9)


def test_accepting_with_the_marks_posts_at_once(db: Session) -> None:
    made = recorded(db, photo_count((4, None), residual_share=0.5))
    edited(db, made, add=(MISSED,), accept=True)
    assert (made.status, made.validated, on_hand(db)) == (SessionStatus.COMPLETED, True, 5)


def test_no_edit_at_all_changes_nothing(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    assert edited(db, made).movements == []
    assert on_hand(db) == 8


@pytest.mark.parametrize(
    "edits",
    [
        {"add": (NewMark((900.0, 900.0, 950.0, 950.0)),)},
        {"add": (NewMark((100.0, 100.0, 100.0, 120.0), container_index=1),)},
        {"add": (NewMark((100.0, 100.0, 2000.0, 120.0), container_index=1),)},
        {"add": (NewMark((100.0, 100.0, 120.0, 120.0), container_index=7),)},
        {"remove": (999_999,)},
        {"undo": (999_999,)},
        {"plants": {7: 1}},
    ],
)
def test_what_makes_no_sense_is_refused(db: Session, edits) -> None:
    made = recorded(db, photo_count((8, 0)))
    with pytest.raises(CorrectionRefused):
        edited(db, made, **edits)
    assert on_hand(db) == 8


def test_a_detection_of_another_session_is_refused(db: Session) -> None:
    other = recorded(db, photo_count((8, 0)))
    made = recorded(db, photo_count((5, 0)), code="A2")
    with pytest.raises(CorrectionRefused, match="none of session"):
        edited(db, made, remove=(detection_ids(db)[0],))
    assert other.status is SessionStatus.COMPLETED


def test_a_detection_is_removed_once(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    first = detection_ids(db)[0]
    edited(db, made, remove=(first,))
    with pytest.raises(CorrectionRefused, match="removed already"):
        edited(db, made, remove=(first,))


def test_a_session_without_a_count_has_nothing_to_correct(db: Session) -> None:
    made = recorded(db, photo_count())
    with pytest.raises(CountState):
        edited(db, made, add=(MISSED,))


def test_the_same_correction_sent_twice_happens_once(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    said = command(db, None, "missed", uuid4())
    first = correct_session(db, said, made, add=(MISSED,))
    assert correct_session(db, said, made, add=(MISSED,)) == first
    assert on_hand(db) == 9


def test_corrections_are_never_changed_even_from_psql(db: Session) -> None:
    made = recorded(db, photo_count((8, 0)))
    edited(db, made, add=(MISSED,))
    with pytest.raises(DBAPIError, match="never changed or removed"), db.begin_nested():
        db.connection().exec_driver_sql("DELETE FROM detection_corrections")
