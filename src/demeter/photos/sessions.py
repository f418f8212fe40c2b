"""Sessions: find them, lock them, bring them to an end that a person sees."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.core.errors import DomainError, NotFound, chain
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.photos.tasks import log

UNEXPECTED = "Reprocess the session; if it fails again, show this message to an administrator."


def wait_for(
    photo_session: PhotoSession, status: SessionStatus, reason: str, message: str, action: str
) -> None:
    """End the attempt in a state that a person resolves."""
    photo_session.status = status
    photo_session.reason_code = reason
    photo_session.error_message = message
    photo_session.next_action = action


def fail(session: Session, session_id: int, attempt: int, error: BaseException) -> None:
    """End the attempt as failed with the whole chain of errors, unless it has ended."""
    photo_session = session.scalar(
        select(PhotoSession).where(PhotoSession.id == session_id).with_for_update()
    )
    if photo_session is None or photo_session.attempt != attempt or photo_session.status.is_end:
        return
    code = error.code if isinstance(error, DomainError) else "unexpected_error"
    action = error.next_action if isinstance(error, DomainError) else ""
    wait_for(photo_session, SessionStatus.FAILED, code, chain(error), action or UNEXPECTED)


def lock_session(session: Session, session_id: int, attempt: int) -> PhotoSession | None:
    """The session's row, locked; ``None`` when it is gone or at another attempt."""
    found = session.scalar(
        select(PhotoSession)
        .where(PhotoSession.id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or found.attempt != attempt:
        log.info("job_outdated", current=found.attempt if found else None)
        return None
    return found


VOIDED = "voided"  # the reason of a session whose count was taken back


class SessionNotFound(NotFound):
    """No photo session has this id."""

    code = "session_not_found"
    title = "No such photo session"
    next_action = "Check the session's id."


def locked(session: Session, session_id: UUID) -> PhotoSession:
    """The session's row, locked.

    Raises:
        SessionNotFound: there is none.
    """
    found = session.scalar(
        select(PhotoSession).where(PhotoSession.session_id == session_id).with_for_update()
    )
    if found is None:
        raise SessionNotFound(f"no photo session has the id {session_id}")
    return found
