"""The detections of a session as they stand now: the machine's, less and plus a person's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shapely.geometry import Point, Polygon
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from demeter.counts.models import ContainerCount
from demeter.photos.models import Detection, PhotoSession, SessionImage
from demeter.review.models import CorrectionKind, DetectionCorrection

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One plant or empty container of a photo, ``xyxy_px`` in pixels of the upright image.

    A machine's mark has a ``detection_id``, a person's none. ``correction_id`` is that of the
    row which added or removed it.
    """

    container_count_id: int
    image_id: UUID
    xyxy_px: Box
    is_empty_container: bool
    detection_id: int | None
    confidence: float | None
    correction_id: int | None
    removed: bool

    @property
    def by_person(self) -> bool:
        """Whether a person added it."""
        return self.detection_id is None


def marks_of(session: Session, photo_session: PhotoSession, attempt: int) -> list[Mark]:
    """All marks of an attempt, the removed ones among them; the machine's first, by id."""
    machine = session.scalars(
        select(Detection)
        .where(Detection.session_id == photo_session.id, Detection.attempt == attempt)
        .order_by(Detection.id)
    ).all()
    standing = standing_corrections(corrections_of(session, photo_session, attempt))
    removed = {c.detection_id: c.id for c in standing if c.kind is CorrectionKind.REMOVED}
    added = [c for c in standing if c.kind is CorrectionKind.ADDED]
    return [_of_machine(d, removed) for d in machine] + [_of_person(c) for c in added]


def corrections_of(
    session: Session, photo_session: PhotoSession, attempt: int
) -> Sequence[DetectionCorrection]:
    """Every correction of an attempt's detections, oldest first."""
    return session.scalars(
        select(DetectionCorrection)
        .where(
            DetectionCorrection.session_id == photo_session.id,
            DetectionCorrection.attempt == attempt,
        )
        .order_by(DetectionCorrection.id)
    ).all()


def standing_corrections(rows: Iterable[DetectionCorrection]) -> list[DetectionCorrection]:
    """Those that add or remove and were not taken back."""
    rows = list(rows)
    undone = {row.undoes_id for row in rows}
    return [r for r in rows if r.kind is not CorrectionKind.UNDONE and r.id not in undone]


Residuals = Mapping[UUID, list[Polygon]]


def residuals_of(session: Session, photo_session: PhotoSession) -> Residuals:
    """By image, the outlines that the machine's estimate stands for."""
    rows = session.scalars(
        select(SessionImage)
        .where(SessionImage.session_id == photo_session.id, SessionImage.result.is_not(None))
        .options(undefer(SessionImage.result))
    )
    return {row.image_id: list(_polygons(row.result or {})) for row in rows}


def _polygons(result: dict[str, Any]) -> Iterable[Polygon]:
    for estimation in result.get("estimations", ()):
        for part in estimation.get("residual_polygons_px") or ():
            if len(part) > 2:  # noqa: PLR2004
                yield Polygon(part).buffer(0)


def number_of(row: ContainerCount, marks: Iterable[Mark], residuals: Residuals) -> int:
    """How many plants a container holds by its marks.

    A mark that a person adds inside what was only estimated stands for one of the estimated
    plants; one added elsewhere is one more.
    """
    plants = [m for m in marks if m.container_count_id == row.id and not m.is_empty_container]
    machine = sum(not m.removed for m in plants if not m.by_person)
    added = [m for m in plants if m.by_person]
    inside = inside_estimate(added, residuals)
    return machine + len(added) + max(0, (row.machine_estimated or 0) - inside)


def inside_estimate(marks: Iterable[Mark], residuals: Residuals) -> int:
    """How many of a person's marks stand in what the machine only estimated."""
    return sum(_inside(m, residuals.get(m.image_id, [])) for m in marks if m.by_person)


def _inside(mark: Mark, polygons: list[Polygon]) -> bool:
    x1, y1, x2, y2 = mark.xyxy_px
    centre = Point((x1 + x2) / 2, (y1 + y2) / 2)
    return any(p.covers(centre) for p in polygons)


def _of_machine(detection: Detection, removed: Mapping[int | None, int]) -> Mark:
    return Mark(
        container_count_id=detection.container_count_id,
        image_id=detection.image_id,
        xyxy_px=_box(detection.bbox_coordinates),
        is_empty_container=detection.is_empty_container,
        detection_id=detection.id,
        confidence=detection.detection_confidence,
        correction_id=removed.get(detection.id),
        removed=detection.id in removed,
    )


def _of_person(row: DetectionCorrection) -> Mark:
    return Mark(
        container_count_id=row.container_count_id,
        image_id=row.image_id,
        xyxy_px=_box(row.bbox_coordinates or {}),
        is_empty_container=row.is_empty_container,
        detection_id=None,
        confidence=None,
        correction_id=row.id,
        removed=False,
    )


def _box(corners: Mapping[str, float]) -> Box:
    return corners["x1"], corners["y1"], corners["x2"], corners["y2"]
