"""What is done to a photo's count after the fact: corrected, posted again, taken back, moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import Conflict
from demeter.counts import hand_counts, service, voiding
from demeter.counts.errors import CountState
from demeter.counts.models import Count
from demeter.locations import lock
from demeter.locations.models import StorageLocation
from demeter.photos import evidence, record, sessions
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.stock import changes, request_keys
from demeter.stock.changes import Effect
from demeter.stock.errors import StockWouldBeNegative
from demeter.stock.ledger import Author, Told
from demeter.stock.models import SourceType
from demeter.stock.period_lock import require_open

log = logs.get(__name__)

AFTER_VOID = "Post it again or move it to the location that it shows, if it is worth it."


def correct(session: Session, told: Told, session_id: UUID, answers: Mapping[int, int]) -> Effect:
    """Say how many plants containers really hold, by their index in the session.

    The machine's answer stays beside it. A posted count is posted again, which writes the net
    difference as `foto` of source `manual`; one that waits is posted with the correction.

    Raises:
        CountState: the session has no standing count.
        PeriodClosed: the count is at or before a closed period's closing count.
        InvalidCount: there is no such container, or a number is negative.
    """

    def act() -> Effect:
        found, count = _standing(session, session_id)
        require_open(session, count.storage_location_id, count.captured_at)
        ids = {row.container_index or -row.id: row.id for row in count.containers}
        by_id = {ids.get(index, -index): plants for index, plants in answers.items()}
        service.note_corrections(session, count, by_id, told.user_id, told.reason)
        _note(session, found, told, {"corrected": {str(k): v for k, v in sorted(answers.items())}})
        author = Author(
            told.user_id, SourceType.MANUAL, told.reason or "corrected", told.movement_id
        )
        return _effect(
            session,
            told,
            "correct",
            found,
            count,
            lambda: record.post_again(session, found, author, confirmed=True),
        )

    request = told.request(
        session_id=str(session_id), answers={str(k): v for k, v in sorted(answers.items())}
    )
    return request_keys.once(session, told.movement_id, "correct", request, told.user_id, act)


def repost(session: Session, told: Told, session_id: UUID) -> Effect:
    """Post a session's count again: after the configuration changed, or after it was void.

    Raises:
        CountState: the session kept no count.
        PeriodClosed: the count is at or before a closed period's closing count.
    """

    def act() -> Effect:
        found = sessions.locked(session, session_id)
        if _is_void(session, found):
            return _anew(session, told, "repost", found)
        count = _count(session, found)
        require_open(session, count.storage_location_id, count.captured_at)
        author = Author(
            told.user_id, SourceType.MANUAL, told.reason or "posted again", told.movement_id
        )
        return _effect(
            session, told, "repost", found, count, lambda: record.post_again(session, found, author)
        )

    request = told.request(session_id=str(session_id))
    return request_keys.once(session, told.movement_id, "repost", request, told.user_id, act)


def void(session: Session, told: Told, session_id: UUID) -> Effect:
    """Take a session's posted count back; the evidence stays.

    Where stock today would become negative the session waits as `needs_review` and is taken
    back when a fact makes that possible.

    Raises:
        CountState: it is not posted, or void already.
        PeriodClosed: it is at or before a closed period's closing count.
        InvalidCount: no reason is given.
    """
    service.require_reason(told)

    def act() -> Effect:
        found, count = _standing(session, session_id)
        author = Author(told.user_id, SourceType.MANUAL, told.reason or "", told.movement_id)
        return _effect(
            session,
            told,
            "void",
            found,
            count,
            lambda: _void_or_wait(session, found, count, author),
        )

    request = told.request(session_id=str(session_id))
    return request_keys.once(session, told.movement_id, "void", request, told.user_id, act)


def move(session: Session, told: Told, session_id: UUID, location: StorageLocation) -> Effect:
    """The photos show another location: taken back where they were posted, posted anew there.

    Raises:
        Conflict: the same photos are already a session of that location.
        StockWouldBeNegative: the count cannot be taken back yet.
        PeriodClosed: the count is at or before a closed period's closing count.
    """
    service.require_reason(told)

    def act() -> Effect:
        found = sessions.locked(session, session_id)
        _require_new_there(session, found, location)
        old = found.storage_location_id
        lock.lock(session, {location.location_id, *([old] if old is not None else [])})
        if not _is_void(session, found):
            count = _count(session, found)
            if count.posted_at is None:
                count.storage_location_id = location.location_id
            else:
                author = Author(
                    told.user_id, SourceType.MANUAL, told.reason or "", told.movement_id
                )
                voiding.void(session, session.get_one(StorageLocation, old), count, author)
                _renew_latest(session, old)
        found.storage_location_id = found.requested_location_id = location.location_id
        found.requested_location_code = location.code
        return _anew(session, told, "move_session", found)

    request = told.request(session_id=str(session_id), location_id=location.location_id)
    return request_keys.once(session, told.movement_id, "move_session", request, told.user_id, act)


def finish_void(session: Session, found: PhotoSession) -> bool:
    """Take back a count whose taking back waits; false where none does."""
    count = session.scalar(_counts(found))
    if count is None or count.pending_void is None:
        return False
    lock.lock(session, [count.storage_location_id])
    asked = count.pending_void
    fact = UUID(asked["fact_id"]) if asked["fact_id"] else None
    author = Author(asked["user_id"], SourceType.MANUAL, asked["reason"], fact)
    _void_or_wait(session, found, count, author)
    return True


def post_kept(session: Session, found: PhotoSession) -> None:
    """Try a waiting session again, by the authority it was last tried with."""
    count = session.scalar(_counts(found))
    corrected = [c for c in count.containers if c.human_corrected is not None] if count else []
    if not corrected:
        record.post_again(session, found)
        return
    latest = max(corrected, key=lambda row: row.corrected_at or row.updated_at)
    assert latest.corrected_by_user_id is not None
    author = Author(latest.corrected_by_user_id, SourceType.MANUAL, "corrected")
    record.post_again(session, found, author, confirmed=True)


def _void_or_wait(session: Session, found: PhotoSession, count: Count, author: Author) -> None:
    location = session.get_one(StorageLocation, count.storage_location_id)
    try:
        with session.begin_nested():
            voiding.void(session, location, count, author)
    except StockWouldBeNegative as error:
        session.expire_all()
        service.note_pending_void(count, author, error)
        found.status = SessionStatus.NEEDS_REVIEW
        found.reason_code, found.error_message = error.code, error.message
        found.next_action = error.next_action
        session.flush()
        return
    _renew_latest(session, location.location_id)
    found.posted_at = None
    found.status, found.reason_code = SessionStatus.NEEDS_REVIEW, sessions.VOIDED
    found.error_message, found.next_action = f"taken back: {author.reason}", AFTER_VOID
    session.flush()
    log.info("session_void", session_id=found.id, count_id=count.id)


def _anew(session: Session, told: Told, kind: str, found: PhotoSession) -> Effect:
    """A new attempt from the answers that were kept; no new inference."""
    found.attempt += 1
    session.execute(
        update(SessionImage)
        .where(SessionImage.session_id == found.id)
        .values(attempt=found.attempt)
    )
    found.status, found.reason_code = SessionStatus.PROCESSING, None
    found.error_message = found.next_action = None
    _note(session, found, told, {"posted_anew": kind})
    session.flush()
    session.expire_all()
    assert found.storage_location_id is not None
    lock.lock(session, [found.storage_location_id])
    mark = changes.latest_movement(session)
    record.persist_ml_results(session, found, evidence.results_of(found))
    count = session.scalar(_counts(found))
    return Effect(
        movement_id=told.movement_id,
        kind=kind,
        movements=changes.written_since(session, mark, found.storage_location_id),
        count_id=count.id if count else None,
        waits_for=found.reason_code,
        message=found.error_message,
        next_action=found.next_action,
    )


def _effect(
    session: Session, told: Told, kind: str, found: PhotoSession, count: Count, act: Any
) -> Effect:
    made = service.effect_on(session, told, kind, count, act)
    if found.reason_code in (None, sessions.VOIDED):
        return made
    return made.model_copy(
        update={
            "waits_for": found.reason_code,
            "message": found.error_message,
            "next_action": found.next_action or hand_counts.NEXT.get(found.reason_code or ""),
        }
    )


def _standing(session: Session, session_id: UUID) -> tuple[PhotoSession, Count]:
    found = sessions.locked(session, session_id)
    count = _count(session, found)
    lock.lock(session, [count.storage_location_id])
    return found, session.get_one(Count, count.id, populate_existing=True)


def _count(session: Session, found: PhotoSession) -> Count:
    count = session.scalar(_counts(found))
    if count is None:
        raise CountState(
            f"session {found.session_id} has no standing count", session_id=str(found.session_id)
        )
    return count


def _counts(found: PhotoSession) -> Any:
    return select(Count).where(Count.processing_session_id == found.id, Count.voided_at.is_(None))


def _is_void(session: Session, found: PhotoSession) -> bool:
    return session.scalar(_counts(found)) is None and bool(
        session.scalar(select(Count.id).where(Count.processing_session_id == found.id).limit(1))
    )


def _require_new_there(session: Session, found: PhotoSession, location: StorageLocation) -> None:
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


def _renew_latest(session: Session, location_id: int | None) -> None:
    """The location's latest posted session, now that one was taken back."""
    location = session.get_one(StorageLocation, location_id)
    location.photo_session_id = session.scalar(
        select(Count.processing_session_id)
        .where(
            Count.storage_location_id == location_id,
            Count.processing_session_id.is_not(None),
            Count.posted_at.is_not(None),
            Count.voided_at.is_(None),
        )
        .order_by(Count.captured_at.desc(), Count.id.desc())
        .limit(1)
    )
    session.flush()


def _note(session: Session, found: PhotoSession, told: Told, what: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    noted = dict(found.manual_adjustments or {})
    entry = what | {"by": told.user_id, "at": now.isoformat(), "reason": told.reason}
    noted["changes"] = [*noted.get("changes", []), entry]
    found.manual_adjustments = noted
    found.validated, found.validated_by_user_id = True, told.user_id
    found.validation_date = now
    session.flush()
