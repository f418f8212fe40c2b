"""What is decided about a count, whether photos or a person made it: each to its own rules."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from demeter.counts import service
from demeter.counts.errors import CountNotFound, CountState
from demeter.counts.models import Count
from demeter.counts.schemas import CountMove
from demeter.photos.models import PhotoSession
from demeter.review import photo_counts
from demeter.stock import commands, lookup
from demeter.stock.changes import LedgerChange
from demeter.stock.own_reports import require_own
from demeter.stock.schemas import LedgerCommandCreate


def repost_count(session: Session, count_id: int, body: LedgerCommandCreate) -> LedgerChange:
    """Post a count again; it writes the net difference only.

    Raises:
        CountNotFound: there is none of this id.
    """
    session_uuid = _session_of(session, count_id)
    command = commands.command_from(session, body)
    if session_uuid is None:
        return service.repost(session, command, count_id)
    return photo_counts.repost(session, command, session_uuid)


def void_count(session: Session, count_id: int, body: LedgerCommandCreate) -> LedgerChange:
    """Take a count back.

    Raises:
        CountNotFound, CountState: there is none, or it is void already.
        NoLongerOwn: a worker may not, as `own_reports.require_own` says.
    """
    session_uuid = _standing(session, count_id)
    _require_own(session, count_id)
    command = commands.command_from(session, body)
    if session_uuid is None:
        return service.void(session, command, count_id)
    return photo_counts.void(session, command, session_uuid)


def move_count(session: Session, count_id: int, body: CountMove) -> LedgerChange:
    """The photos of a count show another location.

    Raises:
        CountNotFound, CountState: there is none, it is void, or it was made by hand.
        NoLongerOwn: as `void_count`.
    """
    session_uuid = _standing(session, count_id)
    if session_uuid is None:
        raise CountState(
            f"count {count_id} was made by hand: take it back and count the other location",
            count_id=count_id,
        )
    _require_own(session, count_id)
    location = lookup.location(session, body.location_code)
    return photo_counts.move(session, commands.command_from(session, body), session_uuid, location)


def _require_own(session: Session, count_id: int) -> None:
    count = session.get_one(Count, count_id)
    require_own(
        session,
        reporter_id=count.counted_by_user_id,
        reported_at=count.created_at,
        location_ids={count.storage_location_id},
        count_id=count.id,
    )


def _standing(session: Session, count_id: int) -> UUID | None:
    """As `_session_of`, of a count that was not taken back."""
    session_uuid = _session_of(session, count_id)
    if session.get_one(Count, count_id).voided_at is not None:
        raise CountState(f"count {count_id} is void", count_id=count_id)
    return session_uuid


def _session_of(session: Session, count_id: int) -> UUID | None:
    """The photo session of a count; ``None`` for a count by hand."""
    count = session.get(Count, count_id)
    if count is None:
        raise CountNotFound(f"there is no count {count_id}", count_id=count_id)
    if count.processing_session_id is None:
        return None
    return session.get_one(PhotoSession, count.processing_session_id).session_id
