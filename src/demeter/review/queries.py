"""A session's containers, marks and corrections, read from their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.totals import known_sum
from demeter.counts import blind_recounts
from demeter.counts.errors import CountState
from demeter.counts.models import ContainerCount, Count, CountCorrection
from demeter.counts.queries import standing_count
from demeter.photos.models import PhotoSession
from demeter.review import marks
from demeter.review.errors import CorrectionRefused, CountChanged
from demeter.review.models import DetectionCorrection
from demeter.review.schemas import (
    ContainerNow,
    CorrectionDone,
    CorrectionMade,
    MarkNow,
    SessionMarks,
)
from demeter.stock.changes import LedgerChange


def session_marks(session: Session, photo_session: PhotoSession) -> SessionMarks:
    """Everything that can be corrected, as it stands.

    Raises:
        CountState: the session has no standing count.
        BlindRecountFirst: a person counts it before the machine's answer is shown.
    """
    count = require_count(session, photo_session)
    blind_recounts.require_not_blind(count)
    positions = {image.image_id: image.position for image in photo_session.images}
    rows = {c.id: c for c in count.containers if c.container_index is not None}
    all_marks = marks.marks_of(session, photo_session, count.attempt)
    residuals = marks.residuals_of(session, photo_session)
    index = {row.id: row.container_index or 0 for row in rows.values()}
    return SessionMarks(
        session_id=photo_session.session_id,
        status=photo_session.status,
        attempt=count.attempt,
        containers=[
            _container(row, positions, marks.number_of(row, all_marks, residuals))
            for row in rows.values()
        ],
        marks=[_mark(m, index[m.container_count_id], positions[m.image_id]) for m in all_marks],
        corrections=_history(session, photo_session, count, index),
    )


def require_count(session: Session, photo_session: PhotoSession) -> Count:
    """The session's count that is not void.

    Raises:
        CountState: there is none.
    """
    count = standing_count(session, photo_session.id)
    if count is None:
        raise CountState(
            f"session {photo_session.session_id} is {photo_session.status} and has no count "
            "that can be corrected",
            session_id=str(photo_session.session_id),
        )
    return count


def last_count_id(session: Session, photo_session: PhotoSession) -> int:
    """The id of the session's latest count, void or not.

    Raises:
        CountState: it never had one.
    """
    count_id = session.scalar(
        select(Count.id)
        .where(Count.processing_session_id == photo_session.id)
        .order_by(Count.id.desc())
        .limit(1)
    )
    if count_id is None:
        raise CountState(
            f"session {photo_session.session_id} has no count",
            session_id=str(photo_session.session_id),
        )
    return count_id


def by_container_id(count: Count, by_index: Mapping[int, int]) -> dict[int, int]:
    """Numbers by the containers' id, from those by their index in the session.

    Raises:
        CorrectionRefused: there is no container of such an index.
    """
    ids = {c.container_index: c.id for c in count.containers if c.container_index is not None}
    unknown = sorted(set(by_index) - set(ids))
    if unknown:
        raise CorrectionRefused(
            f"count {count.id} has the containers {sorted(ids)}, not {unknown}", unknown=unknown
        )
    return {ids[index]: plants for index, plants in by_index.items()}


def correction_done(
    session: Session, photo_session: PhotoSession, effect: LedgerChange
) -> CorrectionDone:
    """What a correction changed, with the session as it stands then."""
    session.flush()
    session.expire_all()
    count = require_count(session, photo_session)
    return CorrectionDone(
        session_id=photo_session.session_id,
        status=photo_session.status,
        ledger_difference=sum(m.quantity for m in effect.movements if m.movement_type == "foto"),
        answer=known_sum(c.whole_answer for c in count.containers if c.seen).whole,
        waits_for=effect.waits_for,
        message=effect.message,
        next_action=effect.next_action,
    )


def count_etag(session: Session, count: Count) -> str:
    """Changes whenever something does that a correction of a count rests on."""
    last_number = (
        select(CountCorrection.id)
        .join(ContainerCount, ContainerCount.id == CountCorrection.container_count_id)
        .where(ContainerCount.count_id == count.id)
        .order_by(CountCorrection.id.desc())
        .limit(1)
    )
    session_id = count.processing_session_id
    photo_session = session.get(PhotoSession, session_id) if session_id is not None else None
    facts = (
        count.id,
        count.attempt,
        count.posted_at,
        photo_session.status.value if photo_session else count.waits_for,
        _last_mark_correction(session, session_id) if session_id is not None else 0,
        session.scalar(last_number),
    )
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


def require_unchanged(session: Session, count: Count, if_match: str | None) -> None:
    """Refuse a change of what is no longer as the person has seen it.

    Raises:
        CountChanged: none of the ETags in ``if_match`` is the count's now.
    """
    if if_match is None or if_match.strip() == "*":
        return
    now = count_etag(session, count)
    if now not in {tag.strip() for tag in if_match.split(",")}:
        raise CountChanged(f"count {count.id} has changed since it was read", etag=now)


def _last_mark_correction(session: Session, session_id: int) -> int:
    """The id of the session's last correction of a mark, 0 before the first."""
    newest = (
        select(DetectionCorrection.id)
        .where(DetectionCorrection.session_id == session_id)
        .order_by(DetectionCorrection.id.desc())
        .limit(1)
    )
    return session.scalar(newest) or 0


def _container(row: ContainerCount, positions: dict[UUID, int], by_marks: int) -> ContainerNow:
    return ContainerNow(
        index=row.container_index or 0,
        position=positions.get(row.image_id) if row.image_id else None,
        machine_detected=row.machine_detected,
        machine_estimated=row.machine_estimated,
        human_corrected=row.human_corrected,
        answer=row.answer,
        by_marks=by_marks,
    )


def _mark(mark: marks.Mark, index: int, position: int) -> MarkNow:
    return MarkNow(
        detection_id=mark.detection_id,
        correction_id=mark.correction_id,
        container_index=index,
        position=position,
        box=mark.xyxy_px,
        confidence=mark.confidence,
        is_empty_container=mark.is_empty_container,
        removed=mark.removed,
    )


def _history(
    session: Session, photo_session: PhotoSession, count: Count, index: dict[int, int]
) -> list[CorrectionMade]:
    rows = marks.corrections_of(session, photo_session, count.attempt)
    ids = {row.user_id for row in rows}
    names = {u.id: u.username for u in session.scalars(select(User).where(User.id.in_(ids)))}
    return [
        CorrectionMade(
            correction_id=row.id,
            kind=row.kind,
            container_index=index[row.container_count_id],
            detection_id=row.detection_id,
            undoes_id=row.undoes_id,
            by=names[row.user_id],
            at=row.created_at,
            reason=row.reason,
        )
        for row in rows
    ]
