"""What vision saw in a session's images, compact enough to draw thousands of plants on a phone."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from demeter.photos import redaction
from demeter.photos.models import PhotoSession, SessionImage
from demeter.photos.schemas import Drawn, DrawnContainer
from demeter.vision.values import Detection, PhotoCount


def drawn(session: Session, found: PhotoSession, position: int | None = None) -> list[Drawn]:
    """Each counted image's containers, plants, empties and residual, in order.

    With ``position`` only that image; empty where nothing has been counted yet.
    """
    rows = session.scalars(
        select(SessionImage)
        .where(SessionImage.session_id == found.id, SessionImage.result.is_not(None))
        .order_by(SessionImage.position)
        .options(undefer(SessionImage.result))
        .execution_options(populate_existing=True)
    )
    images: list[Drawn] = []
    first_index = 1
    for row in rows:
        photo = PhotoCount.from_json(row.result or {})
        if position in (None, row.position):
            images.append(_image(row, photo, first_index))
        first_index += len(photo.containers)
    return redaction.of_drawing(session, found, images)


def _image(row: SessionImage, photo: PhotoCount, first_index: int) -> Drawn:
    return Drawn(
        image_id=row.image_id,
        position=row.position,
        width_px=photo.width_px,
        height_px=photo.height_px,
        containers=[
            DrawnContainer(
                index=first_index + number,
                container_type=found.container_type.value,
                confidence=round(found.confidence, 3),
                polygon=list(found.polygon_px),
                whole_frame=found.whole_frame,
            )
            for number, found in enumerate(photo.containers)
        ],
        plants=[_row(d, first_index) for d in photo.detections if not d.is_empty_container],
        empties=[_row(d, first_index) for d in photo.detections if d.is_empty_container],
        residual=[list(part) for e in photo.estimations for part in e.residual_polygons_px],
    )


def _row(found: Detection, first_index: int) -> list[int]:
    x1, y1, x2, y2 = (round(value) for value in found.xyxy_px)
    return [x1, y1, x2, y2, round(found.confidence * 100), first_index + found.container]
