"""What a person says about a session's plants: numbers, marks added, marks removed.

The machine's rows stay as they are. A posted session is posted again, which writes only the
net difference; one that waits is tried again with the corrected numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.counts import service
from demeter.counts.errors import CountState
from demeter.counts.models import ContainerCount, Count
from demeter.locations import lock
from demeter.photos import record, sessions
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import marks as detections
from demeter.review.errors import CorrectionRefused
from demeter.review.mark_edits import NewMark, keep_marks
from demeter.stock import request_keys
from demeter.stock.changes import Effect
from demeter.stock.ledger import Author, Told
from demeter.stock.models import SourceType
from demeter.stock.period_lock import require_open

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Edits:
    """All that a person changes at once.

    ``plants`` gives whole containers' numbers by their index; ``remove`` are ids of machine's
    detections, ``undo`` ids of corrections.
    """

    plants: Mapping[int, int] = field(default_factory=dict)
    add: tuple[NewMark, ...] = ()
    remove: tuple[int, ...] = ()
    undo: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the fact."""
        return {
            "plants": {str(k): v for k, v in sorted(self.plants.items())},
            "add": [asdict(m) | {"xyxy_px": list(m.xyxy_px)} for m in self.add],
            "remove": sorted(self.remove),
            "undo": sorted(self.undo),
        }


def correct_session(
    session: Session, told: Told, session_id: UUID, edits: Edits, *, accept: bool = False
) -> Effect:
    """Keep a person's corrections and post what they change.

    A container's number follows its marks until a person says another number. A session that
    waits is posted if nothing speaks against it any more, if numbers were said, or if
    ``accept`` says that the rest is right.

    Raises:
        SessionNotFound: there is no such session.
        CountState: it has no standing count, or is being processed.
        CorrectionRefused: a mark or an id makes no sense here.
        InvalidCount: there is no such container, or a number is negative.
        PeriodClosed: the count is at or before a closed period's closing count.
    """

    def act() -> Effect:
        found, count = _standing(session, session_id)
        require_open(session, count.storage_location_id, count.captured_at)
        numbers = _keep(session, told, found, count, edits)
        confirmed = accept or bool(edits.plants) or count.posted_at is not None
        if confirmed:
            _note(found, told, edits)
        author = Author(
            told.user_id, SourceType.MANUAL, told.reason or "corrected", told.movement_id
        )
        log.info("session_corrected", session_id=found.id, containers=len(numbers))
        effect = service.effect_on(
            session,
            told,
            "correct_session",
            count,
            lambda: record.post_again(session, found, author, confirmed=confirmed),
        )
        return _told_what_it_waits_for(effect, found)

    request = told.request(session_id=str(session_id), accept=accept, **edits.as_json())
    return request_keys.once(
        session, told.movement_id, "correct_session", request, told.user_id, act
    )


def _standing(session: Session, session_id: UUID) -> tuple[PhotoSession, Count]:
    """The session and its count, locked, with their location."""
    found = sessions.locked(session, session_id)
    count = session.scalar(
        select(Count).where(Count.processing_session_id == found.id, Count.voided_at.is_(None))
    )
    if count is None or not found.status.is_end:
        raise CountState(
            f"session {session_id} is {found.status} and has no count that can be corrected",
            session_id=str(session_id),
        )
    lock.lock(session, [count.storage_location_id])
    return found, session.get_one(Count, count.id, populate_existing=True)


def _keep(
    session: Session, told: Told, found: PhotoSession, count: Count, edits: Edits
) -> dict[int, int]:
    """Write the corrections; returns the numbers that changed, by container's id."""
    rows = {c.container_index: c for c in count.containers if c.container_index is not None}
    unknown = sorted(set(edits.plants) - set(rows))
    if unknown:
        raise CorrectionRefused(
            f"session {found.session_id} has the containers {sorted(rows)}, not {unknown}",
            unknown=unknown,
        )
    residuals = detections.residuals_of(session, found)
    before = _numbers(session, found, count, residuals)
    keep_marks(session, told, found, count, add=edits.add, remove=edits.remove, undo=edits.undo)
    after = _numbers(session, found, count, residuals)
    said = {rows[index].id: plants for index, plants in edits.plants.items()}
    followed = {
        row.id: after[row.id]
        for row in rows.values()
        if after[row.id] != before[row.id] and row.answer == before[row.id]
    }
    numbers = followed | said
    service.note_corrections(session, count, numbers, told.user_id, told.reason)
    return numbers


def _numbers(
    session: Session, found: PhotoSession, count: Count, residuals: detections.Residuals
) -> dict[int, int]:
    marks = detections.marks_of(session, found, count.attempt)
    rows: list[ContainerCount] = [c for c in count.containers if c.container_index is not None]
    return {row.id: detections.number_of(row, marks, residuals) for row in rows}


def _note(found: PhotoSession, told: Told, edits: Edits) -> None:
    now = datetime.now(UTC)
    noted = dict(found.manual_adjustments or {})
    entry = {
        "corrected": {str(k): v for k, v in sorted(edits.plants.items())},
        "added": len(edits.add),
        "removed": len(edits.remove),
        "undone": len(edits.undo),
        "by": told.user_id,
        "at": now.isoformat(),
        "reason": told.reason,
    }
    noted["changes"] = [*noted.get("changes", []), entry]
    found.manual_adjustments = noted
    found.validated, found.validated_by_user_id = True, told.user_id
    found.validation_date = now


def _told_what_it_waits_for(effect: Effect, found: PhotoSession) -> Effect:
    if found.status is SessionStatus.COMPLETED:
        return effect
    return effect.model_copy(
        update={
            "waits_for": found.reason_code,
            "message": found.error_message,
            "next_action": found.next_action,
        }
    )
