"""A session's containers, marks and corrections, read from their rows."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.counts.errors import CountState
from demeter.counts.models import ContainerCount, Count, CountCorrection
from demeter.photos.models import PhotoSession
from demeter.review import mark_edits
from demeter.review import marks as detections
from demeter.review.schemas import ContainerNow, CorrectionMade, MarkNow, SessionMarks


def standing_count(session: Session, found: PhotoSession) -> Count:
    """The session's count that is not void.

    Raises:
        CountState: there is none.
    """
    count = session.scalar(
        select(Count).where(Count.processing_session_id == found.id, Count.voided_at.is_(None))
    )
    if count is None:
        raise CountState(
            f"session {found.session_id} has no standing count", session_id=str(found.session_id)
        )
    return count


def marks(session: Session, found: PhotoSession) -> SessionMarks:
    """Everything that can be corrected, as it stands.

    Raises:
        CountState: the session has no standing count.
    """
    count = standing_count(session, found)
    positions = {image.image_id: image.position for image in found.images}
    rows = {c.id: c for c in count.containers if c.container_index is not None}
    all_marks = detections.marks_of(session, found, count.attempt)
    residuals = detections.residuals_of(session, found)
    index = {row.id: row.container_index or 0 for row in rows.values()}
    return SessionMarks(
        session_id=found.session_id,
        status=found.status,
        attempt=count.attempt,
        containers=[
            _container(row, positions, detections.number_of(row, all_marks, residuals))
            for row in rows.values()
        ],
        marks=[_mark(m, index[m.container_count_id], positions[m.image_id]) for m in all_marks],
        corrections=_history(session, found, count, index),
    )


def etag(session: Session, found: PhotoSession) -> str:
    """Changes whenever something does that a correction rests on."""
    number = (
        select(CountCorrection.id)
        .join(ContainerCount, ContainerCount.id == CountCorrection.container_count_id)
        .where(ContainerCount.processing_session_id == found.id)
        .order_by(CountCorrection.id.desc())
        .limit(1)
    )
    facts = (
        found.session_id,
        found.attempt,
        found.status,
        found.posted_at,
        mark_edits.latest_change(session, found),
        session.scalar(number),
    )
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


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


def _mark(mark: detections.Mark, index: int, position: int) -> MarkNow:
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
    session: Session, found: PhotoSession, count: Count, index: dict[int, int]
) -> list[CorrectionMade]:
    rows = detections.corrections_of(session, found, count.attempt)
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
