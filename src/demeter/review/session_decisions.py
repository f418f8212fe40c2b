"""What a person does about a session that waits: accept, confirm, place, reprocess."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.catalog.service import Growing, Setting, set_location_config
from demeter.core import blob_drops, logs
from demeter.core.errors import Conflict, InvalidInput
from demeter.counts import blind_recounts
from demeter.counts.models import BlindRecount
from demeter.counts.queries import standing_count
from demeter.locations import lock, retry_signal
from demeter.locations.errors import LocationGone
from demeter.locations.models import StorageLocation
from demeter.photos import evidence, record, sessions
from demeter.photos.intake import start
from demeter.photos.models import (
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
)
from demeter.photos.review_reasons import BLIND_RECOUNT, NO_PLANTS
from demeter.photos.sessions import VOIDED, lock_by_uuid
from demeter.review import corrections, photo_counts
from demeter.review.errors import NotAcceptable, SessionNotWaiting
from demeter.stock.ledger import LedgerCommand
from demeter.stock.own_reports import require_own

log = logs.get(__name__)


def accept(session: Session, session_id: UUID, user: User, note: str | None = None) -> PhotoSession:
    """Accept the count as it stands now, with whatever spoke against it; posts it, once.

    One that is posted already is marked as looked at, by the first who accepts it.

    Raises:
        SessionNotWaiting: it is not waiting for a review.
        BlindRecountFirst: a person counts it before the machine's answer is shown.
        NotAcceptable: something else has to be settled first; says what.
    """
    photo_session = lock_by_uuid(session, session_id)
    if photo_session.status is SessionStatus.COMPLETED:
        if not photo_session.validated:
            _note_acceptance(photo_session, user, note)
        return photo_session
    _require(photo_session, SessionStatus.NEEDS_REVIEW)
    blind_recounts.require_shown(session, photo_session.id)
    before = photo_session.reason_code
    if photo_session.reason_code == VOIDED or not evidence.has_containers(photo_session):
        raise NotAcceptable(photo_session.error_message or "", reason_code=before)
    _note_acceptance(photo_session, user, note)
    record.post_again(session, photo_session)
    if photo_session.status is not SessionStatus.COMPLETED and photo_session.reason_code == before:
        log.info("acceptance_not_enough", session_id=photo_session.id, reason=before)
    return photo_session


def confirm_empty(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """Say that the bed is empty in a photo without containers, or without plants: posts zero.

    Containers in which the machine saw plants that are none are corrected to zero.

    Raises:
        SessionNotWaiting: the session waits for something else.
        BlindRecountFirst: a person counts it before the machine's answer is shown.
    """
    photo_session = lock_by_uuid(session, session_id)
    if photo_session.status is SessionStatus.COMPLETED and photo_session.reason_code is None:
        return photo_session
    _require(photo_session, SessionStatus.NEEDS_REVIEW, SessionStatus.NEEDS_CONFIG)
    if photo_session.reason_code == NO_PLANTS:
        return _correct_to_none(session, photo_session, user)
    if evidence.has_containers(photo_session) or photo_session.reason_code == "no_image_counted":
        raise SessionNotWaiting(
            f"session {session_id} is not a photo without containers: "
            f"{photo_session.error_message}",
            status=photo_session.status,
            reason_code=photo_session.reason_code,
        )
    _note_acceptance(photo_session, user, "the bed is empty")
    record.confirm_empty(session, photo_session)
    return photo_session


def _correct_to_none(session: Session, photo_session: PhotoSession, user: User) -> PhotoSession:
    count = standing_count(session, photo_session.id)
    assert count is not None  # plants are doubted where containers were found
    command = LedgerCommand(uuid4(), user.id, None, None)
    none = {row.id: 0 for row in count.containers if row.seen}
    corrections.correct_count(session, command, count.id, corrections.Edits(none), accept=True)
    return photo_session


def choose_location(
    session: Session, session_id: UUID, user: User, location: StorageLocation
) -> PhotoSession:
    """Say where photos were taken, also where their location was deleted; processing begins.

    Raises:
        SessionNotWaiting: the session has a location already.
        Conflict: the same photos are already a session of that location.
    """
    photo_session = lock_by_uuid(session, session_id)
    sessions.require_not_discarded(photo_session)
    if photo_session.storage_location_id is not None or not photo_session.status.is_end:
        _require(photo_session, SessionStatus.NEEDS_LOCATION)
    same = session.scalar(
        select(PhotoSession.session_id).where(
            PhotoSession.id != photo_session.id,
            PhotoSession.requested_location_id == location.location_id,
            PhotoSession.content_key == photo_session.content_key,
        )
    )
    if same is not None:
        raise Conflict(
            f"these photos are already session {same} of location {location.code}",
            session_id=str(same),
        )
    photo_session.storage_location_id = photo_session.requested_location_id = location.location_id
    photo_session.requested_location_code = location.code
    if photo_session.status is not SessionStatus.NEEDS_LOCATION:
        _begin_attempt(session, photo_session)
    _restart(session, photo_session)
    log.info(
        "location_chosen", session_id=photo_session.id, location=location.code, user=user.username
    )
    return photo_session


def reprocess(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """A new attempt from the stored originals; it never adds stock twice.

    Raises:
        SessionNotWaiting: it is being processed, or waits for its location.
        SessionDiscarded: it was discarded.
        PhotoDropped: a photo of it is no longer kept.
    """
    photo_session = lock_by_uuid(session, session_id)
    sessions.require_not_discarded(photo_session)
    if not photo_session.status.is_end or photo_session.storage_location_id is None:
        raise SessionNotWaiting(
            f"session {session_id} is {photo_session.status} and has "
            f"{'no' if photo_session.storage_location_id is None else 'a'} location",
            status=photo_session.status,
        )
    _begin_attempt(session, photo_session)
    _restart(session, photo_session)
    log.info("session_reprocessed", session_id=photo_session.id, user=user.username)
    return photo_session


def retry_posting(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """Post kept evidence again, without new inference: after a config was set, say.

    Raises:
        SessionNotWaiting: it does not wait for a config or a review, or kept no evidence.
    """
    photo_session = lock_by_uuid(session, session_id)
    if photo_session.status is SessionStatus.COMPLETED:
        return photo_session
    _require(photo_session, SessionStatus.NEEDS_CONFIG, SessionStatus.NEEDS_REVIEW)
    if standing_count(session, photo_session.id) is None:
        raise SessionNotWaiting(
            f"session {session_id} has no count to post: {photo_session.error_message}",
            reason_code=photo_session.reason_code,
        )
    photo_counts.post_kept(session, photo_session)
    log.info(
        "posting_retried",
        session_id=photo_session.id,
        status=photo_session.status,
        user=user.username,
    )
    return photo_session


def configure(
    session: Session,
    session_id: UUID,
    user: User,
    growing: Growing,
    *,
    framed_whole: bool | None = None,
) -> PhotoSession:
    """Say what grows where the photos were taken; a count that waited for that is posted.

    Raises:
        SessionNotWaiting: the session does not wait for a configuration.
        LocationGone: its location was deleted.
    """
    photo_session = lock_by_uuid(session, session_id)
    _require(photo_session, SessionStatus.NEEDS_CONFIG)
    location = session.get(StorageLocation, photo_session.storage_location_id or 0)
    if location is None:
        raise LocationGone(f"the location of session {session_id} does not exist any more")
    set_location_config(session, location, growing, Setting(framed_whole=framed_whole))
    if standing_count(session, photo_session.id) is not None:
        photo_counts.post_kept(session, photo_session)
    log.info("session_configured", session_id=photo_session.id, user=user.username)
    return photo_session


def discard(session: Session, session_id: UUID, user: User, reason: str) -> PhotoSession:
    """Put a session aside that waits or failed: a wrong photo, say; its evidence stays.

    Raises:
        SessionNotWaiting: it is under way, or its count is posted: that is taken back first.
        InvalidInput: no reason is given.
        NoLongerOwn: a worker may not, as `own_reports.require_own` says.
    """
    photo_session = lock_by_uuid(session, session_id)
    _require_own(session, photo_session)
    if photo_session.status is SessionStatus.DISCARDED:
        return photo_session
    if not reason.strip():
        raise InvalidInput("discarding a session says its reason", field="reason")
    count = standing_count(session, photo_session.id)
    is_posted = photo_session.posted_at is not None or (count and count.posted_at is not None)
    if not photo_session.status.is_end or is_posted:
        raise SessionNotWaiting(
            f"session {session_id} is {photo_session.status}"
            + (" and its count is posted: take that back first" if is_posted else ""),
            status=photo_session.status,
        )
    sessions.put_aside(photo_session, user.username, reason)
    log.info("session_discarded", session_id=photo_session.id, user=user.username)
    return photo_session


def restore(session: Session, session_id: UUID, user: User) -> PhotoSession:
    """Take a discarded session back: it waits for what it waited for before.

    Raises:
        SessionNotWaiting: it was not discarded.
        NoLongerOwn: as `discard`.
    """
    photo_session = lock_by_uuid(session, session_id)
    _require_own(session, photo_session)
    _require(photo_session, SessionStatus.DISCARDED)
    sessions.take_back(photo_session, user.username)
    session.flush()
    if photo_session.storage_location_id is not None:  # what it waited for may have come
        retry_signal.retry_later(session, [photo_session.storage_location_id])
    log.info("session_restored", session_id=photo_session.id, user=user.username)
    return photo_session


def _require_own(session: Session, photo_session: PhotoSession) -> None:
    location_id = photo_session.storage_location_id
    require_own(
        session,
        reporter_id=photo_session.uploaded_by_user_id,
        reported_at=photo_session.created_at,
        location_ids=[] if location_id is None else [location_id],
    )


def recount_blind(
    session: Session,
    session_id: UUID,
    user: User,
    plants: int,
    containers: Mapping[int, int],
    note: str | None = None,
) -> BlindRecount:
    """Keep the number of a person who has not seen the machine's, and post the count.

    ``containers`` are numbers by the containers' index in the session.

    Raises:
        BlindRecountNotAsked: the session is not one of the share, or it was recounted already.
        InvalidCount: the containers' numbers do not add up, or there is no such one.
    """
    photo_session = lock_by_uuid(session, session_id)
    sessions.require_not_discarded(photo_session)
    count = standing_count(session, photo_session.id)
    if count is not None:
        lock.lock_locations(session, [count.storage_location_id])
    recount = blind_recounts.keep_recount(session, count, user.id, plants, containers, note)
    if photo_session.reason_code == BLIND_RECOUNT:
        photo_counts.post_kept(session, photo_session)
    return recount


def _begin_attempt(session: Session, photo_session: PhotoSession) -> None:
    """The next attempt, from the stored originals, as long as they are kept."""
    blob_drops.require_kept(session, [row.image.sha256 for row in photo_session.images])
    photo_session.attempt += 1
    session.execute(
        update(SessionImage)
        .where(SessionImage.session_id == photo_session.id)
        .values(
            status=SessionImageStatus.PENDING,
            attempt=photo_session.attempt,
            result=None,
            error_code=None,
            error_message=None,
            progress=0,
        )
    )


def _require(photo_session: PhotoSession, *states: SessionStatus) -> None:
    if photo_session.status not in states:
        wanted = " or ".join(states)
        raise SessionNotWaiting(
            f"session {photo_session.session_id} is {photo_session.status}, not {wanted}",
            status=photo_session.status,
        )


def _note_acceptance(photo_session: PhotoSession, user: User, note: str | None) -> None:
    adjustments = dict(photo_session.manual_adjustments or {})
    entry = {
        "attempt": photo_session.attempt,
        "reasons": adjustments.pop("waiting_for", []),
        "told": photo_session.error_message,
        "by": user.username,
        "note": note,
    }
    photo_session.manual_adjustments = adjustments
    sessions.note_decision(photo_session, "accepted", user.id, entry)


def _restart(session: Session, photo_session: PhotoSession) -> None:
    photo_session.status = SessionStatus.PENDING
    sessions.clear_reason(photo_session)
    session.flush()
    start(session, photo_session)
