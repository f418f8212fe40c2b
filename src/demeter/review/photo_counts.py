"""What is done to a photo's count after the fact: posted again, taken back, moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import Conflict
from demeter.core.notices import Notice, read_notices
from demeter.core.wording import english, next_action
from demeter.counts import service, voiding
from demeter.counts.errors import CountState
from demeter.counts.models import Count
from demeter.counts.queries import standing_count
from demeter.locations import lock
from demeter.locations.models import StorageLocation
from demeter.photos import evidence, record, sessions
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.stock import changes, request_keys
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import StockWouldBeNegative
from demeter.stock.ledger import Author, LedgerCommand
from demeter.stock.models import SourceType
from demeter.stock.period_lock import require_open

log = logs.get(__name__)


def repost(session: Session, command: LedgerCommand, session_id: UUID) -> LedgerChange:
    """Post a session's count again: after the configuration changed, or after it was void.

    Raises:
        CountState: the session kept no count.
        PeriodClosed: the count is at or before a closed period's closing count.
    """

    def act() -> LedgerChange:
        photo_session = sessions.lock_by_uuid(session, session_id)
        sessions.require_not_discarded(photo_session)
        if _is_void(session, photo_session):
            return _anew(session, command, "repost", photo_session)
        count = _count(session, photo_session)
        require_open(session, count.storage_location_id, count.captured_at)
        author = Author(
            command.user_id,
            SourceType.MANUAL,
            command.reason or Notice("posted_again"),
            command.movement_id,
        )
        return effect_on(
            session,
            command,
            "repost",
            photo_session,
            count,
            lambda: record.post_again(session, photo_session, author),
        )

    request = command.request(session_id=str(session_id))
    return request_keys.answer_once(
        session, command.movement_id, "repost", request, command.user_id, act
    )


def void(session: Session, command: LedgerCommand, session_id: UUID) -> LedgerChange:
    """Take a session's posted count back; the evidence stays.

    Where stock today would become negative the session waits as `needs_review` and is taken
    back when a fact makes that possible.

    Raises:
        CountState: it is not posted, or void already.
        PeriodClosed: it is at or before a closed period's closing count.
        InvalidCount: no reason is given.
    """
    service.require_reason(command)

    def act() -> LedgerChange:
        photo_session, count = _standing(session, session_id)
        author = Author(
            command.user_id, SourceType.MANUAL, command.reason or "", command.movement_id
        )
        return effect_on(
            session,
            command,
            "void",
            photo_session,
            count,
            lambda: _void_or_wait(session, photo_session, count, author),
        )

    request = command.request(session_id=str(session_id))
    return request_keys.answer_once(
        session, command.movement_id, "void", request, command.user_id, act
    )


def move(
    session: Session, command: LedgerCommand, session_id: UUID, location: StorageLocation
) -> LedgerChange:
    """The photos show another location: taken back where they were posted, posted anew there.

    Raises:
        Conflict: the same photos are already a session of that location.
        StockWouldBeNegative: the count cannot be taken back yet.
        PeriodClosed: the count is at or before a closed period's closing count.
    """
    service.require_reason(command)

    def act() -> LedgerChange:
        photo_session = sessions.lock_by_uuid(session, session_id)
        sessions.require_not_discarded(photo_session)
        _require_new_there(session, photo_session, location)
        old = photo_session.storage_location_id
        lock.lock_locations(session, {location.location_id, *([old] if old is not None else [])})
        if not _is_void(session, photo_session):
            count = _count(session, photo_session)
            if count.posted_at is None:
                count.storage_location_id = location.location_id
            else:
                author = Author(
                    command.user_id, SourceType.MANUAL, command.reason or "", command.movement_id
                )
                voiding.void(session, session.get_one(StorageLocation, old), count, author)
                _renew_latest(session, old)
        photo_session.storage_location_id = photo_session.requested_location_id = (
            location.location_id
        )
        photo_session.requested_location_code = location.code
        return _anew(session, command, "move_session", photo_session)

    request = command.request(session_id=str(session_id), location_id=location.location_id)
    return request_keys.answer_once(
        session, command.movement_id, "move_session", request, command.user_id, act
    )


def finish_void(session: Session, photo_session: PhotoSession) -> bool:
    """Take back a count whose taking back waits; false where none does."""
    count = standing_count(session, photo_session.id)
    if count is None or count.pending_void is None:
        return False
    lock.lock_locations(session, [count.storage_location_id])
    pending_void = count.pending_void
    fact = UUID(pending_void["fact_id"]) if pending_void["fact_id"] else None
    author = Author(pending_void["user_id"], SourceType.MANUAL, pending_void["reason"], fact)
    _void_or_wait(session, photo_session, count, author)
    return True


def post_kept(session: Session, photo_session: PhotoSession) -> None:
    """Try a waiting session again, by the authority it was last tried with."""
    count = standing_count(session, photo_session.id)
    corrected = [c for c in count.containers if c.human_corrected is not None] if count else []
    if not corrected:
        # A count without containers is a person's word that the bed is empty.
        is_empty = count is not None and not any(c.seen for c in count.containers)
        record.post_again(session, photo_session, confirmed=is_empty)
        return
    latest = max(corrected, key=lambda row: row.corrected_at or row.updated_at or row.created_at)
    assert latest.corrected_by_user_id is not None
    author = Author(latest.corrected_by_user_id, SourceType.MANUAL, "corrected")
    record.post_again(session, photo_session, author, confirmed=True)


def _void_or_wait(
    session: Session, photo_session: PhotoSession, count: Count, author: Author
) -> None:
    location = session.get_one(StorageLocation, count.storage_location_id)
    try:
        with session.begin_nested():
            voiding.void(session, location, count, author)
    except StockWouldBeNegative as error:
        session.expire_all()
        service.note_pending_void(count, author, error)
        _wait(photo_session, error.notice)
        session.flush()
        return
    _renew_latest(session, location.location_id)
    photo_session.posted_at = None
    _wait(photo_session, Notice("voided", {"reason": author.reason}))
    session.flush()
    log.info("session_void", session_id=photo_session.id, count_id=count.id)


def _wait(photo_session: PhotoSession, why: Notice) -> None:
    sessions.wait_for(
        photo_session,
        SessionStatus.NEEDS_REVIEW,
        why.code,
        english(why),
        next_action(why.code),
        [why],
    )


def _anew(
    session: Session, command: LedgerCommand, kind: str, photo_session: PhotoSession
) -> LedgerChange:
    """A new attempt from the answers that were kept; no new inference."""
    photo_session.attempt += 1
    session.execute(
        update(SessionImage)
        .where(SessionImage.session_id == photo_session.id)
        .values(attempt=photo_session.attempt)
    )
    photo_session.status = SessionStatus.PROCESSING
    sessions.clear_reason(photo_session)
    sessions.note_decision(
        photo_session,
        "changes",
        command.user_id,
        {"posted_anew": kind, "by": command.user_id, "reason": command.reason},
    )
    session.flush()
    session.expire_all()
    assert photo_session.storage_location_id is not None
    lock.lock_locations(session, [photo_session.storage_location_id])
    mark = changes.latest_movement_id(session)
    record.persist_ml_results(session, photo_session, evidence.results_of(photo_session))
    count = standing_count(session, photo_session.id)
    return LedgerChange(
        movement_id=command.movement_id,
        kind=kind,
        movements=changes.movements_since(session, mark, photo_session.storage_location_id),
        count_id=count.id if count else None,
        waits_for=photo_session.reason_code,
        message=photo_session.error_message,
        next_action=photo_session.next_action,
        reasons=read_notices(photo_session.reason_notices),
    )


def effect_on(
    session: Session,
    command: LedgerCommand,
    kind: str,
    photo_session: PhotoSession,
    count: Count,
    act: Callable[[], Any],
) -> LedgerChange:
    """What ``act`` wrote for a photo's count, and what its session waits for, if it does."""
    effect = service.ledger_change_by(session, command, kind, count, act)
    if photo_session.reason_code in (None, sessions.VOIDED):
        return effect
    return effect.model_copy(
        update={
            "waits_for": photo_session.reason_code,
            "message": photo_session.error_message,
            "next_action": photo_session.next_action,
            "reasons": read_notices(photo_session.reason_notices),
        }
    )


def _standing(session: Session, session_id: UUID) -> tuple[PhotoSession, Count]:
    photo_session = sessions.lock_by_uuid(session, session_id)
    sessions.require_not_discarded(photo_session)
    count = _count(session, photo_session)
    lock.lock_locations(session, [count.storage_location_id])
    return photo_session, session.get_one(Count, count.id, populate_existing=True)


def _count(session: Session, photo_session: PhotoSession) -> Count:
    count = standing_count(session, photo_session.id)
    if count is None:
        raise CountState(
            f"session {photo_session.session_id} has no standing count",
            session_id=str(photo_session.session_id),
        )
    return count


def _is_void(session: Session, photo_session: PhotoSession) -> bool:
    return standing_count(session, photo_session.id) is None and bool(
        session.scalar(
            select(Count.id).where(Count.processing_session_id == photo_session.id).limit(1)
        )
    )


def _require_new_there(
    session: Session, photo_session: PhotoSession, location: StorageLocation
) -> None:
    same = session.scalar(
        select(PhotoSession.session_id).where(
            PhotoSession.requested_location_id == location.location_id,
            PhotoSession.content_key == photo_session.content_key,
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
