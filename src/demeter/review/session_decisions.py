"""What a person does about a session that waits: accept, confirm, place, reprocess."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.errors import Conflict
from demeter.counts.models import Count
from demeter.locations.models import StorageLocation
from demeter.photos import evidence, record
from demeter.photos.intake import start
from demeter.photos.models import (
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
)
from demeter.photos.sessions import VOIDED, locked

log = logs.get(__name__)


class SessionNotWaiting(Conflict):
    """The session is not in a state in which this can be done."""

    code = "session_not_waiting"
    title = "This cannot be done in the session's present state"
    next_action = "Look at the session: its state says what can be done."


class NotAcceptable(Conflict):
    """The session waits for something that acceptance cannot settle."""

    code = "not_acceptable"
    title = "Acceptance does not settle what this session waits for"


def accept(session: Session, session_id: UUID, user: User, note: str | None = None) -> PhotoSession:
    """Accept the count as it stands now, with whatever spoke against it; posts it, once.

    Raises:
        SessionNotWaiting: it is not waiting for a review.
        NotAcceptable: something else has to be settled first; says what.
    """
    found = locked(session, session_id)
    if found.status is SessionStatus.COMPLETED:
        return found
    _require(found, SessionStatus.NEEDS_REVIEW)
    before = found.reason_code
    if found.reason_code == VOIDED or not evidence.has_containers(found):
        raise NotAcceptable(found.error_message or "", reason_code=before)
    _note_acceptance(found, user, note)
    record.post_again(session, found)
    if found.status is not SessionStatus.COMPLETED and found.reason_code == before:
        log.info("acceptance_not_enough", session_id=found.id, reason=found.reason_code)
    return found


def confirm_empty(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """Say that the bed in a photo without containers is empty: posts zero.

    Raises:
        SessionNotWaiting: the session waits for something else.
    """
    found = locked(session, session_id)
    if found.status is SessionStatus.COMPLETED and found.reason_code is None:
        return found
    _require(found, SessionStatus.NEEDS_REVIEW, SessionStatus.NEEDS_CONFIG)
    if evidence.has_containers(found) or found.reason_code == "no_image_counted":
        raise SessionNotWaiting(
            f"session {session_id} is not a photo without containers: {found.error_message}",
            status=found.status,
            reason_code=found.reason_code,
        )
    _note_acceptance(found, user, "the bed is empty")
    record.confirm_empty(session, found)
    return found


def choose_location(
    session: Session, session_id: UUID, user: User, location: StorageLocation
) -> PhotoSession:
    """Say where a photo was taken; processing begins.

    Raises:
        SessionNotWaiting: the session has a location already.
        Conflict: the same photos are already a session of that location.
    """
    found = locked(session, session_id)
    _require(found, SessionStatus.NEEDS_LOCATION)
    same = session.scalar(
        select(PhotoSession.session_id).where(
            PhotoSession.requested_location_id == location.location_id,
            PhotoSession.content_key == found.content_key,
        )
    )
    if same is not None:
        raise Conflict(
            f"these photos are already session {same} of location {location.code}",
            session_id=str(same),
        )
    found.storage_location_id = found.requested_location_id = location.location_id
    found.requested_location_code = location.code
    _restart(session, found)
    log.info("location_chosen", session_id=found.id, location=location.code, user=user.username)
    return found


def reprocess(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """A new attempt from the stored originals; it never adds stock twice.

    Raises:
        SessionNotWaiting: it is being processed, or waits for its location.
    """
    found = locked(session, session_id)
    if not found.status.is_end or found.status is SessionStatus.NEEDS_LOCATION:
        raise SessionNotWaiting(f"session {session_id} is {found.status}", status=found.status)
    found.attempt += 1
    session.execute(
        update(SessionImage)
        .where(SessionImage.session_id == found.id)
        .values(
            status=SessionImageStatus.PENDING,
            attempt=found.attempt,
            result=None,
            error_code=None,
            error_message=None,
            progress=0,
        )
    )
    _restart(session, found)
    log.info("session_reprocessed", session_id=found.id, user=user.username)
    return found


def retry_posting(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """Post kept evidence again, without new inference: after a config was set, say.

    Raises:
        SessionNotWaiting: it does not wait for a config or a review, or kept no evidence.
    """
    found = locked(session, session_id)
    if found.status is SessionStatus.COMPLETED:
        return found
    _require(found, SessionStatus.NEEDS_CONFIG, SessionStatus.NEEDS_REVIEW)
    kept = select(Count.id).where(
        Count.processing_session_id == found.id, Count.voided_at.is_(None)
    )
    if session.scalar(kept) is None:
        raise SessionNotWaiting(
            f"session {session_id} has no count to post: {found.error_message}",
            reason_code=found.reason_code,
        )
    record.post_again(session, found)
    log.info("posting_retried", session_id=found.id, status=found.status, user=user.username)
    return found


def _require(found: PhotoSession, *states: SessionStatus) -> None:
    if found.status not in states:
        wanted = " or ".join(states)
        raise SessionNotWaiting(
            f"session {found.session_id} is {found.status}, not {wanted}", status=found.status
        )


def _note_acceptance(found: PhotoSession, user: User, note: str | None) -> None:
    now = datetime.now(UTC)
    noted = dict(found.manual_adjustments or {})
    entry = {
        "attempt": found.attempt,
        "reasons": noted.pop("waiting_for", []),
        "told": found.error_message,
        "by": user.username,
        "at": now.isoformat(),
        "note": note,
    }
    noted["accepted"] = [*noted.get("accepted", []), entry]
    found.manual_adjustments = noted
    found.validated = True
    found.validated_by_user_id = user.id
    found.validation_date = now


def _restart(session: Session, found: PhotoSession) -> None:
    found.status = SessionStatus.PENDING
    found.reason_code = found.error_message = found.next_action = None
    session.flush()
    start(session, found)
