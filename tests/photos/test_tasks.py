"""The jobs of a photo: what may pass is tried again, what cannot ends visibly, once."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from demeter.core import retry
from demeter.core.blobs import BlobMissing, ObjectStoreUnavailable
from demeter.core.db import transaction
from demeter.photos import inference, recovery, tasks
from demeter.photos.models import PhotoSession, SessionImageStatus, SessionStatus
from support.nursery import counted_session, on_hand, photo_count, plant_nursery


@pytest.fixture
def ready(fresh_database: str) -> tuple[int, list[int]]:
    """A session of three images that wait to be counted: its id and theirs."""
    with transaction() as db:
        plant_nursery(db)
        made = counted_session(db, photo_count((4, 0)), photo_count(), photo_count())
        for image in made.images:
            image.status, image.result = SessionImageStatus.PENDING, None
        made.status = SessionStatus.PENDING
        return made.id, [i.id for i in made.images]


def context(**arguments: int) -> SimpleNamespace:
    return SimpleNamespace(job=SimpleNamespace(task_kwargs=arguments))


def answering(monkeypatch: pytest.MonkeyPatch, *answers) -> None:
    """Vision's place is taken by answers, one an image in turn; an error is raised."""
    told = iter(answers)

    def count_image(_: int) -> inference.CountedImage:
        answer = next(told)
        if isinstance(answer, Exception):
            raise answer
        return inference.CountedImage(answer.to_json(), b"overlay", b"thumbnail", {})

    monkeypatch.setattr(inference, "count_image", count_image)


def child(session_id: int, image_id: int) -> None:
    tasks.ml_child_task.func(session_id=session_id, session_image_id=image_id, attempt=1)


def parent(session_id: int) -> None:
    tasks.ml_parent_task.func(context(session_id=session_id, attempt=1), session_id, 1)


def callback(session_id: int) -> None:
    arguments = {"session_id": session_id, "attempt": 1}
    tasks.ml_aggregation_callback.func(context(**arguments), **arguments)


def waiting(task: str) -> int:
    with transaction() as db:
        return db.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :t"), {"t": task}
        ).scalar_one()


def found(session_id: int) -> PhotoSession:
    with transaction() as db:
        made = db.get_one(PhotoSession, session_id)
        _ = made.images
        return made


def test_a_session_runs_from_parent_to_its_end(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    assert (found(session_id).status, waiting("ml_child_task")) == ("processing", 3)
    answering(monkeypatch, photo_count((4, 0)), photo_count(), photo_count())
    for image in images:
        assert waiting("ml_aggregation_callback") == 0
        child(session_id, image)
    assert waiting("ml_aggregation_callback") == 1
    callback(session_id)
    assert found(session_id).status is SessionStatus.COMPLETED
    with transaction() as db:
        assert on_hand(db) == 4


def test_every_task_may_run_again_and_changes_nothing(ready, monkeypatch) -> None:
    session_id, images = ready
    answering(monkeypatch, photo_count((4, 0)), photo_count(), photo_count())
    for _ in range(2):
        parent(session_id)
        for image in images:
            child(session_id, image)
        callback(session_id)
    assert waiting("ml_child_task") == 3
    assert waiting("ml_aggregation_callback") == 1
    with transaction() as db:
        assert on_hand(db) == 4
        assert db.execute(text("SELECT count(*) FROM stock_movements")).scalar_one() == 1


def test_a_callback_that_comes_too_early_records_nothing(ready, monkeypatch) -> None:
    """Found by a fault run: it ended a session as one in which no photo could be counted."""
    session_id, images = ready
    parent(session_id)
    answering(monkeypatch, photo_count((4, 0)), photo_count(), photo_count())
    callback(session_id)
    for image in images:
        assert found(session_id).status is SessionStatus.PROCESSING
        child(session_id, image)
        if image != images[-1]:
            callback(session_id)
    callback(session_id)
    assert found(session_id).status is SessionStatus.COMPLETED
    with transaction() as db:
        assert on_hand(db) == 4


def test_an_image_that_fails_for_good_leaves_the_session_to_a_person(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    answering(monkeypatch, photo_count((4, 0)), BlobMissing("no place holds it"), photo_count())
    for image in images:
        child(session_id, image)
    callback(session_id)
    ended = found(session_id)
    assert (ended.status, ended.reason_code) == (SessionStatus.NEEDS_REVIEW, "image_failed")
    assert "BlobMissing: no place holds it" in (ended.error_message or "")
    assert [i.status for i in ended.images] == ["succeeded", "failed", "succeeded"]


def test_an_outage_is_waited_out_however_long_it_lasts(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    outage = ObjectStoreUnavailable("it does not answer")
    answering(monkeypatch, *[outage] * 30, photo_count((4, 0)))
    for _ in range(30):
        with pytest.raises(ObjectStoreUnavailable):
            child(session_id, images[0])
    waiting_image = found(session_id).images[0]
    assert waiting_image.status is SessionImageStatus.PENDING
    assert waiting_image.error_code == "object_store_unavailable"
    child(session_id, images[0])
    image = found(session_id).images[0]
    assert (image.status, image.error_code) == (SessionImageStatus.SUCCEEDED, None)


@pytest.mark.parametrize("attempts", [0, 3, 50, 5000])
def test_a_job_that_waits_for_an_outage_is_never_given_up(attempts: int) -> None:
    job = SimpleNamespace(attempts=attempts)
    decide = retry.Backoff().get_retry_decision
    assert decide(exception=ObjectStoreUnavailable("down"), job=job) is not None
    assert decide(exception=ValueError("a mistake"), job=job) is None


def test_images_that_an_outage_had_failed_are_counted_when_it_is_over(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    answering(monkeypatch, photo_count((4, 0)), BlobMissing("as before"), photo_count())
    for image in images:
        child(session_id, image)
    callback(session_id)
    with transaction() as db:
        assert recovery.retry_after_outage(db) == 0  # it failed for good
        db.execute(text("UPDATE photo_session_images SET error_code = 'object_store_unavailable'"))
        assert recovery.retry_after_outage(db) == 1
        assert recovery.retry_after_outage(db) == 0
    under_way = found(session_id)
    assert (under_way.status, under_way.attempt) == (SessionStatus.PROCESSING, 2)
    answering(monkeypatch, photo_count((2, 0)))
    tasks.ml_child_task.func(session_id=session_id, session_image_id=images[1], attempt=2)
    tasks.ml_aggregation_callback.func(context(), session_id, 2)
    ended = found(session_id)
    assert ended.status.is_end
    assert {i.status for i in ended.images} == {SessionImageStatus.SUCCEEDED}


def test_an_answer_that_cannot_be_stored_ends_the_image(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    broken = inference.CountedImage({"note": "a NUL \x00 in it"}, b"o", b"t", {})
    monkeypatch.setattr(inference, "count_image", lambda _: broken)
    child(session_id, images[0])
    image = found(session_id).images[0]
    assert image.status is SessionImageStatus.FAILED
    assert image.error_message


def test_a_job_of_an_older_attempt_does_nothing(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    with transaction() as db:
        db.get_one(PhotoSession, session_id).attempt = 2
    answering(monkeypatch, photo_count((4, 0)))
    child(session_id, images[0])
    callback(session_id)
    assert found(session_id).status is SessionStatus.PROCESSING


def test_an_error_in_recording_fails_the_session_with_its_whole_chain(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    answering(monkeypatch, photo_count((4, 0)), photo_count(), photo_count())
    for image in images:
        child(session_id, image)
    with transaction() as db:
        db.execute(text("ALTER TABLE detections ADD CHECK (detection_confidence > 2)"))
    with pytest.raises(Exception, match="violates check constraint"):
        callback(session_id)
    ended = found(session_id)
    assert (ended.status, ended.reason_code) == (SessionStatus.FAILED, "unexpected_error")
    assert "CheckViolation" in (ended.error_message or "")
    assert ended.next_action
    with transaction() as db:
        for table in ("storage_bins", "stock_batches", "stock_movements", "counts"):
            assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        ("ml_parent_task", {}),
        ("ml_aggregation_callback", {}),
    ],
)
def test_a_job_that_kills_every_worker_fails_its_session(ready, task, arguments) -> None:
    session_id, _ = ready
    with transaction() as db:
        recovery.give_up(db, task, {"session_id": session_id, "attempt": 1} | arguments)
    ended = found(session_id)
    assert (ended.status, ended.reason_code) == (SessionStatus.FAILED, "worker_died")


def test_a_child_that_kills_every_worker_fails_its_image_only(ready, monkeypatch) -> None:
    session_id, images = ready
    parent(session_id)
    arguments = {"session_id": session_id, "session_image_id": images[0], "attempt": 1}
    with transaction() as db:
        recovery.give_up(db, "ml_child_task", arguments)
    answering(monkeypatch, photo_count((4, 0)), photo_count())
    for image in images[1:]:
        child(session_id, image)
    callback(session_id)
    assert found(session_id).reason_code == "image_failed"


def because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ObjectStoreUnavailable("down"), True),
        (OperationalError("x", None, psycopg.OperationalError("gone")), True),
        (OperationalError("x", None, psycopg.errors.DeadlockDetected()), True),
        (ProgrammingError("x", None, psycopg.errors.UndefinedTable()), False),
        (BlobMissing("gone"), False),
        (ValueError("a mistake"), False),
        (
            because(ValueError("bins"), OperationalError("x", None, psycopg.OperationalError())),
            True,
        ),
        (because(ValueError("bins"), ValueError("a mistake")), False),
    ],
)
def test_only_what_can_pass_is_tried_again(error: Exception, passes: bool) -> None:
    assert retry.may_pass(error) is passes
