"""All marks of a session's photos, in containers or in none, on their way into an attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.counts.models import ContainerCount, Count
from demeter.photos import person_edits
from demeter.photos.models import Detection, PhotoSession
from demeter.review import marks
from demeter.review.errors import CorrectionRefused
from demeter.review.marks import Box
from demeter.review.models import CorrectionKind, DetectionCorrection


@dataclass(frozen=True, slots=True)
class MarkHand:
    """Whose correction a mark is, when and why."""

    user_id: int
    at: datetime | None
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        at = self.at.isoformat() if self.at else None
        return {"user_id": self.user_id, "at": at, "reason": self.reason}

    @classmethod
    def from_json(cls, body: Mapping[str, Any] | None) -> Self | None:
        """The inverse of `to_json`."""
        if body is None:
            return None
        at = datetime.fromisoformat(body["at"]) if body["at"] else None
        return cls(body["user_id"], at, body["reason"])


@dataclass(frozen=True, slots=True)
class PooledMark:
    """A plant or empty place of the photo at ``position``, whichever container it stands in.

    ``home`` is the index of its container in the attempt before, ``None`` outside of all.
    The machine's have a ``confidence``, those that a person added are ``added``.
    """

    position: int
    xyxy_px: Box
    is_empty_container: bool
    home: int | None
    confidence: float | None = None
    added: MarkHand | None = None
    removed: MarkHand | None = None
    detection_id: int | None = None
    correction_id: int | None = None

    @property
    def is_plant(self) -> bool:
        """Whether it counts as a plant."""
        return not self.is_empty_container and self.removed is None

    @property
    def is_new(self) -> bool:
        """Whether a person adds it just now."""
        return self.added is not None and self.added.at is None

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of its box."""
        x1, y1, x2, y2 = self.xyxy_px
        return (x1 + x2) / 2, (y1 + y2) / 2

    def to_json(self) -> dict[str, Any]:
        """As it is kept where it stands in no container."""
        return {
            "xyxy_px": list(self.xyxy_px),
            "is_empty_container": self.is_empty_container,
            "confidence": self.confidence,
            "added": self.added.to_json() if self.added else None,
            "removed": self.removed.to_json() if self.removed else None,
        }


def pool_of(session: Session, photo_session: PhotoSession, count: Count) -> list[PooledMark]:
    """The marks of the present attempt, and those that stand outside of its containers."""
    rows = {row.id: row for row in count.containers if row.container_index is not None}
    positions = {image.image_id: image.position for image in photo_session.images}
    corrections = marks.corrections_of(session, photo_session, count.attempt)
    hands = {c.id: MarkHand(c.user_id, c.created_at, c.reason) for c in corrections}
    inside = [
        PooledMark(
            position=positions[mark.image_id],
            xyxy_px=mark.xyxy_px,
            is_empty_container=mark.is_empty_container,
            home=rows[mark.container_count_id].container_index,
            confidence=mark.confidence,
            added=hands[mark.correction_id or 0] if mark.by_person else None,
            removed=hands[mark.correction_id or 0] if mark.removed else None,
            detection_id=mark.detection_id,
            correction_id=mark.correction_id,
        )
        for mark in marks.marks_of(session, photo_session, count.attempt)
    ]
    return inside + marks_outside(photo_session)


def marks_outside(photo_session: PhotoSession) -> list[PooledMark]:
    """Those that a person's outlines left out of every container."""
    return [
        PooledMark(
            position=row.position,
            xyxy_px=(body["xyxy_px"][0], *body["xyxy_px"][1:]),
            is_empty_container=body["is_empty_container"],
            home=None,
            confidence=body["confidence"],
            added=MarkHand.from_json(body["added"]),
            removed=MarkHand.from_json(body["removed"]),
        )
        for row in photo_session.images
        if (edit := person_edits.edit_of(row)) is not None
        for body in edit.marks
    ]


def change_pool(
    pool: Sequence[PooledMark], hand: MarkHand, *, remove: Iterable[int], undo: Iterable[int]
) -> list[PooledMark]:
    """The pool after a person removed detections and took corrections back, by their ids.

    Raises:
        CorrectionRefused: an id is none of the pool's, or a detection is removed already.
    """
    removals, takings_back = set(remove), set(undo)
    _require_known("detection", removals, (m.detection_id for m in pool if m.removed is None))
    _require_known("correction", takings_back, (m.correction_id for m in pool))
    left = [m for m in pool if not (m.added and m.correction_id in takings_back)]
    return [
        replace(mark, removed=hand)
        if mark.detection_id in removals
        else replace(mark, removed=None, correction_id=None)
        if mark.correction_id in takings_back
        else mark
        for mark in left
    ]


def _require_known(what: str, ids: set[int], known: Iterable[int | None]) -> None:
    unknown = sorted(ids - set(known))
    if unknown:
        raise CorrectionRefused(f"{what} {unknown[0]} is none that stands", unknown=unknown)


def keep_corrections(
    session: Session,
    photo_session: PhotoSession,
    count: Count,
    sorted_marks: Sequence[tuple[PooledMark, int]],
) -> None:
    """Write what people said of marks for the attempt's new rows; who said it stays.

    ``sorted_marks`` are marks with the index of the container that each stands in now.
    """
    rows = {row.container_index: row for row in count.containers if row.container_index}
    ids = _detection_ids(session, photo_session, count)
    corrections = [
        _correction(mark, rows[index], ids)
        for mark, index in sorted_marks
        if mark.added or mark.removed
    ]
    for row in corrections:
        row.session_id, row.attempt = photo_session.id, count.attempt
    session.add_all(corrections)
    session.flush()


def _correction(
    mark: PooledMark, row: ContainerCount, ids: dict[tuple[UUID, Box, bool], list[int]]
) -> DetectionCorrection:
    assert row.image_id is not None
    hand = mark.added or mark.removed
    assert hand is not None
    x1, y1, x2, y2 = mark.xyxy_px
    made = DetectionCorrection(
        kind=CorrectionKind.ADDED if mark.added else CorrectionKind.REMOVED,
        image_id=row.image_id,
        container_count_id=row.id,
        is_empty_container=mark.is_empty_container,
        user_id=hand.user_id,
        reason=hand.reason,
    )
    if hand.at is not None:
        made.created_at = hand.at
    if mark.added:
        made.bbox_coordinates = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    else:
        made.detection_id = ids[row.image_id, mark.xyxy_px, mark.is_empty_container].pop(0)
    return made


def _detection_ids(
    session: Session, photo_session: PhotoSession, count: Count
) -> dict[tuple[UUID, Box, bool], list[int]]:
    """The attempt's detections by where they are; two may be at one place."""
    ids: dict[tuple[UUID, Box, bool], list[int]] = defaultdict(list)
    for row in session.scalars(
        select(Detection)
        .where(Detection.session_id == photo_session.id, Detection.attempt == count.attempt)
        .order_by(Detection.id)
    ):
        corners = row.bbox_coordinates
        box = corners["x1"], corners["y1"], corners["x2"], corners["y2"]
        ids[row.image_id, box, row.is_empty_container].append(row.id)
    return ids
