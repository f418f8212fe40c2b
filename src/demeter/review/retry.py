"""Counts that wait for a fact, or for a period to be reopened: tried again when it comes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from demeter.core import jobs, logs
from demeter.core.db import transaction
from demeter.core.retry import Backoff
from demeter.counts import service
from demeter.locations import retry_signal
from demeter.photos import sessions
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import photo_counts

log = logs.get(__name__)


@jobs.app.task(name=retry_signal.TASK, queue="cpu", retry=Backoff())
def retry_waiting_counts(location_id: int) -> None:
    """Try every waiting count of a location, oldest first, until none gets further."""
    while _retry_sessions(location_id) or _retry_counts(location_id):
        continue


def _retry_sessions(location_id: int) -> bool:
    with transaction() as session:
        waiting_ids = session.scalars(
            select(PhotoSession.session_id)
            .where(
                PhotoSession.storage_location_id == location_id,
                PhotoSession.status.in_([SessionStatus.NEEDS_REVIEW, SessionStatus.NEEDS_CONFIG]),
                PhotoSession.reason_code.in_(retry_signal.RETRIED_REASONS),
            )
            .order_by(PhotoSession.captured_at, PhotoSession.id)
        ).all()
    further = [_retry_session(one) for one in waiting_ids]  # each is tried
    return any(further)


def _retry_session(session_id: UUID) -> bool:
    """One session in its own transaction; whether it got further."""
    with transaction() as session:
        photo_session = sessions.lock_by_uuid(session, session_id)
        if photo_session.reason_code not in retry_signal.RETRIED_REASONS:
            return False
        if not photo_counts.finish_void(session, photo_session):
            photo_counts.post_kept(session, photo_session)
        log.info("session_retried", session_id=photo_session.id, status=photo_session.status)
        return photo_session.reason_code not in retry_signal.RETRIED_REASONS


def _retry_counts(location_id: int) -> bool:
    with transaction() as session:
        ids = service.waiting_hand_counts(session, location_id)
    done = []
    for count_id in ids:
        with transaction() as session:
            done.append(service.try_again(session, count_id).waits_for is None)
    return any(done)
