"""Recording: what a session's answers become, all or nothing, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.core.errors import chain
from demeter.core.notices import Notice, read_notices
from demeter.core.wording import english, english_each
from demeter.counts.models import ContainerCount, Count
from demeter.locations.models import BinStatus, StorageBin, StorageBinType, StorageLocation
from demeter.photos import record
from demeter.photos.bins import CODE
from demeter.photos.errors import CannotCreateBins
from demeter.photos.models import Detection, Estimation, PhotoSession, SessionStatus
from demeter.review import session_decisions
from demeter.stock.models import MovementType, SourceType, StockBatch, StockMovement
from demeter.vision.values import PhotoCount
from support.nursery import (
    NOON,
    configure,
    counted_session,
    location,
    on_hand,
    photo_count,
    plant_nursery,
    product,
    stock_as_of,
    user,
)

DAY = timedelta(days=1)


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    return session


def rows(db: Session, table: type) -> int:
    return db.scalar(select(func.count()).select_from(table))


def recorded(db: Session, *answers, **facts) -> PhotoSession:
    made = counted_session(db, *answers, **facts)
    record.record_session(db, made)
    return made


def test_a_photo_becomes_stock(db: Session) -> None:
    made = recorded(db, photo_count((8, 2), (5, 0), empty=1))
    assert (made.status, made.reason_code) == (SessionStatus.COMPLETED, None)
    assert made.posted_at is not None
    assert (made.total_detected, made.total_estimated, made.total_empty_containers) == (13, 2, 2)
    bins = db.scalars(select(StorageBin).order_by(StorageBin.bin_id)).all()
    batches = db.scalars(select(StockBatch).order_by(StockBatch.id)).all()
    assert [b.current_storage_bin_id for b in batches] == [b.bin_id for b in bins]
    assert [b.quantity_current for b in batches] == [10, 5]
    assert [b.quantity_initial for b in batches] == [10, 5]
    assert [b.quantity_empty_containers for b in batches] == [1, 1]
    assert on_hand(db) == 15
    assert location(db).photo_session_id == made.id


def test_every_movement_of_a_count_says_who_when_and_why(db: Session) -> None:
    made = recorded(db, photo_count((8, 2)))
    (movement,) = db.scalars(select(StockMovement)).all()
    count = db.scalars(select(Count)).one()
    assert movement.movement_type is MovementType.FOTO
    assert movement.source_type is SourceType.IA
    assert movement.user_id == user(db).id
    assert movement.occurred_at == made.captured_at
    assert (movement.count_id, movement.processing_session_id) == (count.id, made.id)
    assert movement.destination_bin_id == db.scalars(select(StorageBin.bin_id)).one()
    assert movement.is_inbound


def test_detections_and_estimations_are_tied_to_their_movement(db: Session) -> None:
    made = recorded(db, photo_count((8, 2), empty=1))
    movement = db.scalars(select(StockMovement.id)).one()
    found = db.scalars(select(Detection)).all()
    assert len(found) == 9
    assert {d.stock_movement_id for d in found} == {movement}
    assert {d.session_id for d in found} == {made.id}
    assert all(d.classification_id for d in found)
    assert sum(d.is_empty_container for d in found) == 1
    assert found[0].area_px == found[0].width_px * found[0].height_px
    (made_up,) = db.scalars(select(Estimation)).all()
    assert (made_up.estimated_count, made_up.stock_movement_id) == (2, movement)


def test_a_bin_from_a_photo_says_where_it_comes_from(db: Session) -> None:
    made = recorded(db, photo_count((8, 2)))
    found = db.scalars(select(StorageBin)).one()
    stamp = f"{made.created_at:%Y%m%d%H%M%S%f}"
    assert found.code == f"A1-ML-SEGMENT1-{stamp}"
    assert CODE.match(found.code)
    assert found.label == "ML Segment #1"
    assert found.description == f"ML-detected segment from session {made.id} (confidence: 0.920)"
    kind = db.get_one(StorageBinType, found.storage_bin_type_id)
    assert (kind.code, kind.name, kind.is_grid) == (
        "ML_SEGMENT_DEFAULT",
        "ML-Detected Segment",
        False,
    )
    assert set(found.position_metadata or {}) == {
        "segmentation_mask",
        "bbox",
        "confidence",
        "ml_model_version",
        "detected_at",
        "container_type",
        "area_pixels",
        "session_id",
        "image_id",
        "image_width",
        "image_height",
    }
    assert (found.position_metadata or {})["session_id"] == made.id


def test_no_container_invents_no_bin(db: Session) -> None:
    made = recorded(db, photo_count())
    assert made.status is SessionStatus.NEEDS_REVIEW
    assert made.reason_code == "no_container_found"
    assert made.error_message == (
        f"No StorageBins created for session {made.id}. Cannot proceed without valid bin IDs."
    )
    assert made.next_action
    assert [rows(db, t) for t in (StorageBin, StockBatch, StockMovement, Count)] == [0, 0, 0, 0]


def test_a_person_confirms_that_the_bed_is_empty(db: Session) -> None:
    recorded(db, photo_count((8, 2)))
    made = recorded(db, photo_count(), at=NOON + DAY)
    session_decisions.confirm_empty(db, made.session_id, user(db))
    assert made.status is SessionStatus.COMPLETED
    assert (made.total_detected, made.total_estimated) == (0, 0)
    assert on_hand(db) == 0
    assert stock_as_of(db, NOON) == 10


def test_a_bed_with_plants_cannot_be_confirmed_empty(db: Session) -> None:
    made = recorded(db, photo_count((3, None), residual_share=0.5))
    with pytest.raises(session_decisions.SessionNotWaiting):
        session_decisions.confirm_empty(db, made.session_id, user(db))


def test_a_second_photo_writes_the_difference_and_keeps_the_bins(db: Session) -> None:
    recorded(db, photo_count((8, 2), (5, 0)))
    before = db.scalars(select(StorageBin.bin_id).order_by(StorageBin.bin_id)).all()
    made = recorded(db, photo_count((7, 2), (6, 0), at=[(20, 15), (262, 12)]), at=NOON + DAY)
    assert made.status is SessionStatus.COMPLETED
    assert db.scalars(select(StorageBin.bin_id).order_by(StorageBin.bin_id)).all() == before
    differences = db.scalars(
        select(StockMovement.quantity).where(StockMovement.processing_session_id == made.id)
    ).all()
    assert sorted(differences) == [-1, 1]
    assert on_hand(db) == 15
    assert stock_as_of(db, NOON) == 15


def test_an_unchanged_container_gets_no_movement_and_its_detections_none(db: Session) -> None:
    recorded(db, photo_count((8, 2)))
    made = recorded(db, photo_count((8, 2)), at=NOON + DAY)
    assert made.status is SessionStatus.COMPLETED
    assert rows(db, StockMovement) == 1
    later = db.scalars(select(Detection).where(Detection.session_id == made.id)).all()
    assert {d.stock_movement_id for d in later} == {None}
    row = db.scalars(
        select(ContainerCount).where(ContainerCount.processing_session_id == made.id)
    ).one()
    assert (row.ledger_before, row.difference, row.stock_movement_id) == (10, 0, None)


def test_a_bin_that_is_not_seen_goes_to_zero_and_retires_after_two_misses(db: Session) -> None:
    recorded(db, photo_count((8, 0), (2, 0)))
    recorded(db, photo_count((8, 0)), at=NOON + DAY)
    missed = db.scalars(select(StorageBin).order_by(StorageBin.bin_id.desc()).limit(1)).one()
    assert (on_hand(db), missed.status) == (8, BinStatus.ACTIVE)
    recorded(db, photo_count((8, 0)), at=NOON + 2 * DAY)
    db.refresh(missed)
    assert missed.status is BinStatus.RETIRED
    assert on_hand(db) == 8


def test_an_unknown_label_becomes_a_segment_with_a_warning(db: Session) -> None:
    unknown = Notice("unknown_label", {"label": "jardinera"})
    photo = replace(photo_count((4, 0), label="jardinera"), warnings=(unknown,))
    made = recorded(db, photo, photo)
    assert made.warnings == [unknown.to_json()]


def test_what_was_stored_as_a_sentence_stays_as_it_was_written(db: Session) -> None:
    photo = photo_count((4, 0)).to_json() | {"warnings": ["a pebble was left out"]}
    made = recorded(db, PhotoCount.from_json(photo))
    assert english_each(read_notices(made.warnings)) == ["a pebble was left out"]


def test_what_a_session_waits_for_is_kept_with_its_numbers(db: Session) -> None:
    made = recorded(db, photo_count((4, None), residual_share=0.4))
    (why,) = read_notices(made.reason_notices)
    assert (why.code, why.params["limit"]) == ("estimate_unknown", 0.1)
    (container,) = why.params["containers"]
    assert (container.params["index"], container.params["share"]) == (1, 0.4)
    assert english(why) == made.error_message


def test_without_a_config_evidence_is_kept_and_posted_later(db: Session) -> None:
    made = recorded(db, photo_count((4, 1)), code="A3")
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_CONFIG, "no_config")
    assert "A3" in (made.error_message or "")
    assert (rows(db, Detection), rows(db, StorageBin), rows(db, StockMovement)) == (4, 0, 0)
    configure(db, "A3", "ECHEVERIA-01")
    session_decisions.retry_posting(db, made.session_id, user(db))
    assert made.status is SessionStatus.COMPLETED
    assert on_hand(db, "A3") == 5
    assert rows(db, Detection) == 4


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([photo_count((4, 0)), None, None], "image_failed"),
        ([photo_count((4, 0)), photo_count((5, 0))], "photos_may_overlap"),
        ([photo_count((4, None), residual_share=0.2)], "estimate_unknown"),
    ],
)
def test_what_waits_says_why_and_posts_once_when_accepted(db: Session, answers, reason) -> None:
    made = recorded(db, *answers)
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_REVIEW, reason)
    assert made.next_action
    assert rows(db, StockMovement) == 0
    for _ in range(2):
        session_decisions.accept(db, made.session_id, user(db))
        assert made.status is SessionStatus.COMPLETED
    assert on_hand(db) == sum(a.detected for a in answers if a)
    assert made.validated_by_user_id == user(db).id


def test_a_little_unknown_is_posted_as_what_was_seen_and_stays_unknown(db: Session) -> None:
    made = recorded(db, photo_count((4, None), residual_share=0.05))
    assert made.status is SessionStatus.COMPLETED
    assert (made.total_detected, made.total_estimated, on_hand(db)) == (4, None, 4)


def test_when_no_image_could_be_read_there_is_nothing_to_accept(db: Session) -> None:
    made = recorded(db, None, None)
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_REVIEW, "no_image_counted")
    assert made.total_detected is None
    with pytest.raises(session_decisions.NotAcceptable):
        session_decisions.accept(db, made.session_id, user(db))


def test_an_implausible_change_waits(db: Session) -> None:
    recorded(db, photo_count((100, 0)))
    made = recorded(db, photo_count((30, 0)), at=NOON + DAY)
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_REVIEW, "implausible_change")
    assert on_hand(db) == 100
    session_decisions.accept(db, made.session_id, user(db))
    assert on_hand(db) == 30


def test_a_photo_that_may_show_no_plants_waits(db: Session) -> None:
    soil = replace(photo_count((12, 0)), plants_likelihood=0.1)
    made = recorded(db, soil)
    assert (made.status, made.reason_code) == (SessionStatus.NEEDS_REVIEW, "may_show_no_plants")
    assert on_hand(db) == 0
    session_decisions.accept(db, made.session_id, user(db))
    assert on_hand(db) == 12


@pytest.mark.parametrize(
    ("plants", "interval", "reason"),
    [(10, (4, 15), "interval_too_wide"), (10, (5, 15), None), (9, (0, 40), None)],
)
def test_an_interval_that_says_nothing_waits(
    db: Session, plants: int, interval: tuple[int, int], reason: str | None
) -> None:
    made = recorded(db, replace(photo_count((plants, 0)), interval_90=interval))
    assert made.reason_code == reason
    assert on_hand(db) == (0 if reason else plants)


def test_another_product_in_the_ledger_waits(db: Session) -> None:
    recorded(db, photo_count((10, 0)))
    db.execute(
        update(LocationConfig)
        .where(LocationConfig.storage_location_id == location(db).location_id)
        .values(product_id=product(db, "MAMMILLARIA-01").id)
    )
    made = recorded(db, photo_count((9, 0)), at=NOON + DAY)
    assert made.reason_code == "other_product"
    assert "ECHEVERIA-01" in (made.error_message or "")
    session_decisions.accept(db, made.session_id, user(db))
    by_product = dict(
        db.execute(
            text(
                "SELECT p.code, sum(quantity_current) FROM stock_batches b "
                "JOIN products p ON p.id = b.product_id GROUP BY p.code"
            )
        ).all()
    )
    assert by_product == {"ECHEVERIA-01": 0, "MAMMILLARIA-01": 9}


def test_an_older_photo_counts_at_its_moment_and_the_later_count_stands(db: Session) -> None:
    recorded(db, photo_count((10, 0)))
    older = recorded(db, photo_count((14, 0)), at=NOON - DAY)
    assert older.status is SessionStatus.COMPLETED
    assert (stock_as_of(db, NOON - DAY), stock_as_of(db, NOON), on_hand(db)) == (14, 10, 10)
    assert location(db).photo_session_id != older.id


def test_a_count_that_would_leave_less_than_nothing_waits(db: Session) -> None:
    recorded(db, photo_count((10, 0)))
    batch = db.scalars(select(StockBatch)).one()
    db.add(
        StockMovement(
            movement_id=db.scalar(select(func.gen_random_uuid())),
            batch_id=batch.id,
            movement_type=MovementType.VENTAS,
            quantity=-8,
            user_id=user(db).id,
            source_type=SourceType.MANUAL,
            is_inbound=False,
            occurred_at=NOON + 2 * DAY,
        )
    )
    db.flush()
    made = recorded(db, photo_count((6, 0), width=4), at=NOON + DAY)
    assert made.reason_code == "stock_would_be_negative"
    assert (on_hand(db), stock_as_of(db, NOON + DAY)) == (2, 10)


def test_reprocessing_writes_only_the_net_difference(db: Session) -> None:
    made = recorded(db, photo_count((10, 0)))
    made.attempt += 1
    made.status = SessionStatus.PROCESSING
    made.images[0].result = photo_count((9, 0)).to_json()
    db.flush()
    record.record_session(db, made)
    assert made.status is SessionStatus.COMPLETED
    assert on_hand(db) == 9
    assert db.scalars(select(StockMovement.quantity).order_by(StockMovement.id)).all() == [10, -1]
    assert rows(db, Count) == 1
    attempts = db.scalars(select(Detection.attempt).distinct().order_by(Detection.attempt)).all()
    assert attempts == [1, 2]


def test_a_location_that_is_gone_fails_and_names_it(db: Session) -> None:
    made = counted_session(db, photo_count((10, 0)), code="A2")
    gone = location(db, "A2")
    db.execute(delete(LocationConfig).where(LocationConfig.storage_location_id == gone.location_id))
    db.execute(delete(StorageLocation).where(StorageLocation.location_id == gone.location_id))
    db.expire_all()
    with pytest.raises(CannotCreateBins) as refused:
        record.record_session(db, made)
    told = chain(refused.value)
    assert str(gone.location_id) in told
    assert "A2" in told
    assert "LocationGone" in told
    assert [rows(db, t) for t in (StorageBin, StockBatch, StockMovement)] == [0, 0, 0]


def test_a_bin_that_cannot_be_made_chains_its_cause(db: Session) -> None:
    made = counted_session(db, photo_count((10, 0)))
    db.execute(text("ALTER TABLE storage_bins ADD CHECK (label <> 'ML Segment #1')"))
    with pytest.raises(CannotCreateBins, match="Cannot create StorageBins: ") as refused:
        record.record_session(db, made)
    assert refused.value.__cause__ is not None
