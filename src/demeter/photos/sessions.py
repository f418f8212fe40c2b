"""Sessions: find them, lock them, bring them to an end that a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.core.notices import Notice
from demeter.photos.errors import SessionNotFound
from demeter.photos.models import PhotoSession, SessionStatus

log = logs.get(__name__)

VOIDED = "voided"  # the reason of a session whose count was taken back
UNEXPECTED = "Reprocess the session; if it fails again, show this message to an administrator."


def note_decision(
    photo_session: PhotoSession,
    kind: Literal["accepted", "changes"],
    user_id: int,
    entry: dict[str, Any],
) -> None:
    """Keep what a person decided about a session's numbers, and that the person looked at them."""
    now = datetime.now(UTC)
    adjustments = dict(photo_session.manual_adjustments or {})
    adjustments[kind] = [*adjustments.get(kind, []), entry | {"at": now.isoformat()}]
    photo_session.manual_adjustments = adjustments
    photo_session.validated = True
    photo_session.validated_by_user_id = user_id
    photo_session.validation_date = now


def wait_for(
    photo_session: PhotoSession,
    status: SessionStatus,
    reason: str,
    message: str,
    action: str,
    notices: Sequence[Notice] = (),
) -> None:
    """End the attempt in a state that a person resolves.

    ``message`` and ``action`` are English; ``notices`` say the same in any language.
    """
    photo_session.status = status
    photo_session.reason_code = reason
    photo_session.error_message = message
    photo_session.next_action = action
    photo_session.reason_notices = [notice.to_json() for notice in notices] or None


def clear_reason(photo_session: PhotoSession) -> None:
    """Nothing is left of why it waited or failed: it is under way again, or done."""
    photo_session.reason_code = photo_session.reason_notices = None
    photo_session.error_message = photo_session.next_action = None


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
    photo_session = session.scalar(
        select(PhotoSession)
        .where(PhotoSession.id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if photo_session is None or photo_session.attempt != attempt:
        log.info("job_outdated", current=photo_session.attempt if photo_session else None)
        return None
    return photo_session


def lock_by_uuid(session: Session, session_id: UUID) -> PhotoSession:
    """The session's row, locked.

    Raises:
        SessionNotFound: there is none.
    """
    photo_session = session.scalar(
        select(PhotoSession).where(PhotoSession.session_id == session_id).with_for_update()
    )
    if photo_session is None:
        raise SessionNotFound(f"no photo session has the id {session_id}")
    return photo_session


def lock_by_id(session: Session, session_id: int) -> PhotoSession:
    """The row of a session that exists, by its integer id, locked."""
    return session.get_one(PhotoSession, session_id, with_for_update=True, populate_existing=True)
