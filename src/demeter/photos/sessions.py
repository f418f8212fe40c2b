"""Sessions: find them, lock them, bring them to an end that a person sees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.core.notices import Notice
from demeter.core.wording import english, next_action
from demeter.locations.errors import LocationGone
from demeter.photos.errors import SessionDiscarded, SessionNotFound
from demeter.photos.models import PhotoSession, SessionStatus

log = logs.get(__name__)

VOIDED = "voided"  # the reason of a session whose count was taken back
DISCARDED = "discarded"
KEPT = ("status", "reason_code", "next_action", "error_message", "reason_notices")
UNEXPECTED = "Reprocess the session; if it fails again, show this message to an administrator."


def require_not_discarded(photo_session: PhotoSession) -> None:
    """Refuse to do anything with a session that was discarded.

    Raises:
        SessionDiscarded: it was.
    """
    if photo_session.status is SessionStatus.DISCARDED:
        raise SessionDiscarded(
            f"session {photo_session.session_id} was discarded",
            session_id=str(photo_session.session_id),
        )


def put_aside(photo_session: PhotoSession, user: str, reason: str) -> None:
    """End a session as discarded; what it waited for is kept, so that it can be taken back."""
    now = datetime.now(UTC).isoformat()
    kept = {name: getattr(photo_session, name) for name in KEPT}
    entry = {"by": user, "at": now, "reason": reason, "was": kept}
    adjustments = dict(photo_session.manual_adjustments or {})
    adjustments["discarded"] = [*adjustments.get("discarded", []), entry]
    photo_session.manual_adjustments = adjustments
    notice = Notice("discarded", {"user": user, "reason": reason})
    wait_for(
        photo_session,
        SessionStatus.DISCARDED,
        DISCARDED,
        english(notice),
        next_action(DISCARDED),
        [notice],
    )


def take_back(photo_session: PhotoSession, user: str) -> None:
    """A discarded session waits for what it waited for before."""
    adjustments = dict(photo_session.manual_adjustments or {})
    *earlier, last = adjustments["discarded"]
    back = {"taken_back_by": user, "taken_back_at": datetime.now(UTC).isoformat()}
    adjustments["discarded"] = [*earlier, last | back]
    photo_session.manual_adjustments = adjustments
    for name in KEPT[1:]:
        setattr(photo_session, name, last["was"][name])
    photo_session.status = SessionStatus(last["was"]["status"])


def note_decision(
    photo_session: PhotoSession,
    kind: Literal["accepted", "changes"],
    user_id: int,
    entry: dict[str, Any],
) -> None:
    """Keep what a person decided about a session's numbers, and that the person looked at them."""
    now = datetime.now(UTC)
    _keep_entry(photo_session, kind, entry | {"at": now.isoformat()})
    photo_session.validated = True
    photo_session.validated_by_user_id = user_id
    photo_session.validation_date = now


def note_redrawing(photo_session: PhotoSession, user_id: int, entry: dict[str, Any]) -> None:
    """Keep who drew the containers of a session anew; the numbers are not accepted by that."""
    now = datetime.now(UTC).isoformat()
    _keep_entry(photo_session, "redrawn", entry | {"by": user_id, "at": now})


def _keep_entry(photo_session: PhotoSession, kind: str, entry: dict[str, Any]) -> None:
    adjustments = dict(photo_session.manual_adjustments or {})
    adjustments[kind] = [*adjustments.get(kind, []), entry]
    photo_session.manual_adjustments = adjustments


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
    # Where the location is gone, that is what a person can do something about.
    known = error.__cause__ if isinstance(error.__cause__, LocationGone) else error
    action = known.next_action if isinstance(known, DomainError) else ""
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


def public_ids(session: Session, numbers: Collection[int]) -> dict[int, UUID]:
    """The ids by which sessions are known outside, by the numbers of their rows."""
    rows = session.execute(
        select(PhotoSession.id, PhotoSession.session_id).where(PhotoSession.id.in_(numbers))
    )
    return {row.id: row.session_id for row in rows}
