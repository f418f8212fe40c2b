"""Marks that a person adds, removes or takes back, as rows beside the machine's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shapely.geometry import Point, Polygon
from sqlalchemy.orm import Session

from demeter.counts.models import ContainerCount, Count
from demeter.photos.models import Detection, Image, PhotoSession
from demeter.review import marks
from demeter.review.errors import CorrectionRefused
from demeter.review.models import CorrectionKind, DetectionCorrection
from demeter.stock.ledger import LedgerCommand


@dataclass(frozen=True, slots=True)
class NewMark:
    """A plant or empty container that was missed; ``xyxy_px`` of the upright image.

    ``container_index`` says which container it stands in; without it, the one whose outline
    in the image at ``position`` holds its centre.
    """

    xyxy_px: tuple[float, float, float, float]
    container_index: int | None = None
    position: int = 1
    is_empty_container: bool = False


def keep_marks(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    *,
    add: Sequence[NewMark],
    remove: Sequence[int],
    undo: Sequence[int],
) -> None:
    """Write the corrections of a session that is locked.

    Raises:
        CorrectionRefused: a box lies outside, or an id is none of this session's.
    """
    rows = [c for c in count.containers if c.container_index is not None]
    corrections = [
        *(_undoing(session, photo_session, count, row_id) for row_id in sorted(set(undo))),
        *(_removal(session, photo_session, count, row_id) for row_id in sorted(set(remove))),
        *(_addition(session, photo_session, rows, mark) for mark in add),
    ]
    for row in corrections:
        row.session_id, row.attempt = photo_session.id, count.attempt
        row.user_id, row.reason = command.user_id, command.reason
    session.add_all(corrections)
    session.flush()


def _addition(
    session: Session, photo_session: PhotoSession, rows: list[ContainerCount], mark: NewMark
) -> DetectionCorrection:
    container = _container(photo_session, rows, mark)
    assert container.image_id is not None
    image = session.get_one(Image, container.image_id)
    x1, y1, x2, y2 = mark.xyxy_px
    if not (0 <= x1 < x2 <= image.width_px and 0 <= y1 < y2 <= image.height_px):
        raise CorrectionRefused(
            f"the box {list(mark.xyxy_px)} is not within a picture of "
            f"{image.width_px} by {image.height_px}"
        )
    return DetectionCorrection(
        kind=CorrectionKind.ADDED,
        image_id=container.image_id,
        container_count_id=container.id,
        bbox_coordinates={"x1": x1, "y1": y1, "x2": x2, "y2": y2},
        is_empty_container=mark.is_empty_container,
    )


def _container(
    photo_session: PhotoSession, rows: list[ContainerCount], mark: NewMark
) -> ContainerCount:
    if mark.container_index is not None:
        for row in rows:
            if row.container_index == mark.container_index and row.image_id is not None:
                return row
        raise CorrectionRefused(f"there is no container {mark.container_index} in a photo")
    image_ids = {image.position: image.image_id for image in photo_session.images}
    x1, y1, x2, y2 = mark.xyxy_px
    centre = Point((x1 + x2) / 2, (y1 + y2) / 2)
    holding = [
        row
        for row in rows
        if row.segment
        and row.image_id == image_ids.get(mark.position)
        and Polygon(row.segment["polygon"]).buffer(0).covers(centre)
    ]
    if not holding:
        raise CorrectionRefused(
            f"the box {list(mark.xyxy_px)} lies in no container of photo {mark.position}"
        )
    return min(holding, key=lambda row: (row.segment or {}).get("area_pixels", 0))


def _removal(
    session: Session, photo_session: PhotoSession, count: Count, detection_id: int
) -> DetectionCorrection:
    detection = session.get(Detection, detection_id)
    if detection is None or (detection.session_id, detection.attempt) != (
        photo_session.id,
        count.attempt,
    ):
        raise CorrectionRefused(
            f"detection {detection_id} is none of session {photo_session.session_id}",
            detection_id=detection_id,
        )
    _require_not_removed(session, photo_session, count, detection_id)
    return DetectionCorrection(
        kind=CorrectionKind.REMOVED,
        image_id=detection.image_id,
        container_count_id=detection.container_count_id,
        detection_id=detection_id,
        is_empty_container=detection.is_empty_container,
    )


def _require_not_removed(
    session: Session, photo_session: PhotoSession, count: Count, detection_id: int
) -> None:
    rows = marks.corrections_of(session, photo_session, count.attempt)
    if any(r.detection_id == detection_id for r in marks.standing_corrections(rows)):
        raise CorrectionRefused(f"detection {detection_id} is removed already")


def _undoing(
    session: Session, photo_session: PhotoSession, count: Count, correction_id: int
) -> DetectionCorrection:
    rows = marks.corrections_of(session, photo_session, count.attempt)
    for row in marks.standing_corrections(rows):
        if row.id == correction_id:
            return DetectionCorrection(
                kind=CorrectionKind.UNDONE,
                image_id=row.image_id,
                container_count_id=row.container_count_id,
                undoes_id=row.id,
                is_empty_container=row.is_empty_container,
            )
    raise CorrectionRefused(
        f"correction {correction_id} is none of session {photo_session.session_id} that stands",
        correction_id=correction_id,
    )
