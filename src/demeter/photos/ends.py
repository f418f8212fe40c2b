"""The ends of a session: each has a reason and a next action, and the original error."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.photos.models import PhotoSession, SessionStatus

log = logs.get(__name__)

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
