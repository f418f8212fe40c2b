"""The jobs of a photo: parent, one child an image, and the callback that records.

Every task may run again at any moment: it looks at the rows first, and does nothing when
its work is done or when a newer attempt has taken over.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from procrastinate import JobContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from demeter.core import jobs, logs, step_times, traces
from demeter.core.crash_points import step
from demeter.core.db import transaction
from demeter.core.errors import DomainError, Unavailable, chain
from demeter.core.retry import Backoff, may_pass
from demeter.photos import sessions
from demeter.photos.models import (
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
)
from demeter.photos.sessions import lock_session

log = logs.get(__name__)


@jobs.app.task(name="ml_parent_task", queue="cpu", retry=Backoff(), pass_context=True)
def ml_parent_task(context: JobContext, session_id: int, attempt: int) -> None:
    """Set the session processing and start one child an image, in one transaction."""
    with logs.bind(session_id=session_id, attempt=attempt), _end_on_failure(context):
        with transaction() as session:
            photo_session = lock_session(session, session_id, attempt)
            if photo_session is None or photo_session.status is not SessionStatus.PENDING:
                return
            photo_session.status = SessionStatus.PROCESSING
            for image in photo_session.images:
                jobs.enqueue(
                    session,
                    ml_child_task,
                    session_id=session_id,
                    session_image_id=image.id,
                    attempt=attempt,
                )
            step("parent.children_queued")
        step("parent.after_commit")
        log.info("session_processing")


@jobs.app.task(name="ml_child_task", queue="gpu", retry=Backoff())
def ml_child_task(session_id: int, session_image_id: int, attempt: int) -> None:
    """Count one image and keep the answer; the child that ends last queues the callback.

    An outage, of the object store say, is waited out: the image is tried again until it passes.
    """
    from demeter.photos import inference  # noqa: PLC0415  loads the vision runtime: workers only

    with logs.bind(session_id=session_id, image=session_image_id, attempt=attempt):
        if not _begin(session_image_id, attempt):
            return
        step("child.begun")
        begin = time.perf_counter()
        try:
            counted = inference.count_image(session_image_id)
            step("child.counted")
            with transaction() as session:
                if end_image(session, session_id, session_image_id, attempt, result=counted.result):
                    step("child.image_ended")
                    inference.keep_pictures(session, session_image_id, counted)
                step("child.before_commit")
            step("child.after_commit")
        except Exception as error:
            if may_pass(error):
                _note_wait(session_image_id, attempt, error)
                raise
            log.exception("image_failed", error=chain(error))
            with transaction() as session:
                end_image(session, session_id, session_image_id, attempt, error=error)
            step_times.note("count", time.perf_counter() - begin, "failed")
            return
        log.info("image_counted", **counted.facts)
        step_times.note("count", time.perf_counter() - begin)


# Before the photos of others: what is counted is not shown before it is recorded.
@jobs.app.task(
    name="ml_aggregation_callback", queue="cpu", retry=Backoff(), pass_context=True, priority=5
)
def ml_aggregation_callback(context: JobContext, session_id: int, attempt: int) -> None:
    """Record what the children found: everything or nothing, in one transaction.

    How photos overlap takes seconds to find, so it is found before. While an image is still
    to be counted nothing is recorded: its child queues another callback when it ends.
    """
    from demeter.photos.overlap import resolve_overlaps  # noqa: PLC0415  as below
    from demeter.photos.record import record_session  # noqa: PLC0415  record needs these rows

    with logs.bind(session_id=session_id, attempt=attempt), _end_on_failure(context):
        with step_times.measure("overlap"), traces.span("overlap"):
            step("callback.begun")
            resolve_overlaps(session_id, attempt)
        step("callback.overlaps_resolved")
        begin = time.perf_counter()
        with traces.span("record", session_id=session_id), transaction() as session:
            photo_session = lock_session(session, session_id, attempt)
            if photo_session is None or photo_session.status is not SessionStatus.PROCESSING:
                return
            if not photo_session.has_all_images_ended:
                log.warning("session_not_counted_yet")
                return
            record_session(session, photo_session)
            step("recording.before_commit")
        step("recording.after_commit")
        log.info("session_ended", status=photo_session.status, reason=photo_session.reason_code)
        step_times.note("record", time.perf_counter() - begin)
        _note_whole(photo_session)


def _note_whole(photo_session: PhotoSession) -> None:
    """From acceptance to the end, by the end; a repeated attempt began when a person asked."""
    if photo_session.attempt == 1:
        outcome = photo_session.reason_code or photo_session.status.value
        step_times.note_since("session", photo_session.created_at, outcome)


def end_image(
    session: Session,
    session_id: int,
    session_image_id: int,
    attempt: int,
    *,
    result: dict[str, Any] | None = None,
    error: BaseException | None = None,
) -> bool:
    """Write an image's end, and queue the callback when it was the last of its session.

    The session's row is locked first, so exactly one child sees that it is the last.
    Returns whether this call was the one that ended the image.
    """
    photo_session = lock_session(session, session_id, attempt)
    image = session.get(SessionImage, session_image_id)
    if photo_session is None or image is None or image.status.is_end:
        return False
    image.finished_at = datetime.now(UTC)
    if error is None:
        image.status, image.result, image.progress = SessionImageStatus.SUCCEEDED, result, 1.0
        image.error_code = image.error_message = None
    else:
        image.status = SessionImageStatus.FAILED
        image.error_code = error.code if isinstance(error, DomainError) else "vision_failed"
        image.error_message = chain(error)
    session.flush()
    if photo_session.has_all_images_ended:
        jobs.enqueue(session, ml_aggregation_callback, session_id=session_id, attempt=attempt)
    return True


def _begin(session_image_id: int, attempt: int) -> bool:
    """Mark an image as being worked on; false when it has ended or was taken over."""
    with transaction() as session:
        image = session.get(SessionImage, session_image_id, with_for_update=True)
        if image is None or image.status.is_end or image.attempt != attempt:
            log.info("job_outdated")
            return False
        waits_since = None if image.started_at else image.created_at
        image.status = SessionImageStatus.PROCESSING
        image.started_at = datetime.now(UTC)
        image.progress = 0.0
    if waits_since is not None:
        step_times.note_since("wait", waits_since)
    return True


def _note_wait(session_image_id: int, attempt: int, error: BaseException) -> None:
    """Say on the image's row what it waits for; where the database is away itself, nowhere."""
    log.warning("image_waits", error=chain(error))
    with suppress(DBAPIError, Unavailable), transaction() as session:
        image = session.get(SessionImage, session_image_id, with_for_update=True)
        if image is not None and not image.status.is_end and image.attempt == attempt:
            image.status = SessionImageStatus.PENDING
            image.error_code = error.code if isinstance(error, DomainError) else "unavailable"
            image.error_message = chain(error)


class _end_on_failure:  # noqa: N801  reads as the statement it is used as
    """Bring the session to its visible end when its job will not be tried again."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or may_pass(error):
            return
        job = self._context.job
        assert job is not None
        log.error("session_failed", error=chain(error), exc_info=error)
        session_id, attempt = job.task_kwargs["session_id"], job.task_kwargs["attempt"]
        assert isinstance(session_id, int)
        assert isinstance(attempt, int)
        with transaction() as session:
            sessions.fail(session, session_id, attempt, error)
