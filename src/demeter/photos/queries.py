"""Sessions page by page, latest first, by keyset: a page stays right while others arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session, selectinload, undefer

from demeter.accounts.models import User
from demeter.core.pagination import last_id, next_cursor
from demeter.photos import redaction, session_detail, urls
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.photos.schemas import ContainerOutline, ImageDetections, SessionPage, SessionSummary
from demeter.vision.values import DetectedBox, PhotoCount

NEEDS_A_PERSON = (
    SessionStatus.NEEDS_LOCATION,
    SessionStatus.NEEDS_CONFIG,
    SessionStatus.NEEDS_REVIEW,
    SessionStatus.FAILED,
)


def page(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    status: Sequence[SessionStatus] = (),
    location_code: str | None = None,
) -> SessionPage:
    """A page of sessions, latest first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = _all().order_by(PhotoSession.id.desc()).limit(limit + 1)
    before = last_id(cursor, "s")
    if before is not None:
        query = query.where(PhotoSession.id < before)
    if status:
        query = query.where(PhotoSession.status.in_(status))
    if location_code is not None:
        query = query.where(PhotoSession.requested_location_code == location_code)
    rows = list(session.scalars(query))
    return SessionPage(
        items=[redaction.in_list(session, row, summary(row)) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, "s", lambda row: row.id),
    )


def for_a_person(session: Session, limit: int) -> list[SessionSummary]:
    """What waits for a person first, then what is under way, then the rest, latest first."""
    rank = case(
        (PhotoSession.status.in_(NEEDS_A_PERSON), 0),
        (PhotoSession.status.in_([SessionStatus.COMPLETED, SessionStatus.DISCARDED]), 2),
        else_=1,
    )
    query = _all().order_by(rank, PhotoSession.id.desc()).limit(limit)
    return [redaction.in_list(session, row, summary(row)) for row in session.scalars(query)]


def own_since(
    session: Session, user: User, since: datetime, limit: int = 60
) -> list[SessionSummary]:
    """What a person sent since a moment, latest first."""
    query = _all().where(
        PhotoSession.uploaded_by_user_id == user.id, PhotoSession.created_at >= since
    )
    rows = session.scalars(query.order_by(PhotoSession.id.desc()).limit(limit))
    return [redaction.in_list(session, row, summary(row)) for row in rows]


def summary(photo_session: PhotoSession) -> SessionSummary:
    """A session in a few words."""
    names = "session_id status reason_code next_action attempt created_at captured_at posted_at"
    links = urls.of_session(photo_session.session_id)
    numbers = session_detail.totals(photo_session)
    del numbers["unknown_reason"]
    return SessionSummary.model_validate(
        {name: getattr(photo_session, name) for name in names.split()}
        | numbers
        | {
            "progress": session_detail.progress(photo_session),
            "location_code": photo_session.requested_location_code,
            "photos": len(photo_session.images),
            "thumbnail_url": _thumbnail(photo_session),
            "poll_url": links["poll_url"],
            "page_url": links["page_url"],
        }
    )


def _thumbnail(photo_session: PhotoSession) -> str | None:
    if not photo_session.images:
        return None
    first = photo_session.images[0].image
    return urls.of_image(first.image_id, "thumbnail", first.s3_key_thumbnail)


def _all() -> Select[PhotoSession]:
    return select(PhotoSession).options(
        selectinload(PhotoSession.images).joinedload(SessionImage.image)
    )


def image_detections(
    session: Session, photo_session: PhotoSession, position: int | None = None
) -> list[ImageDetections]:
    """Each counted image's containers, plants, empties and residual, in order.

    With ``position`` only that image; empty where nothing has been counted yet.
    """
    rows = session.scalars(
        select(SessionImage)
        .where(SessionImage.session_id == photo_session.id, SessionImage.result.is_not(None))
        .order_by(SessionImage.position)
        .options(undefer(SessionImage.result))
        .execution_options(populate_existing=True)
    )
    images: list[ImageDetections] = []
    first_index = 1
    for row in rows:
        photo = PhotoCount.from_json(row.result or {})
        if position in (None, row.position):
            images.append(_image(row, photo, first_index))
        first_index += len(photo.containers)
    return redaction.of_drawing(session, photo_session, images)


def _image(row: SessionImage, photo: PhotoCount, first_index: int) -> ImageDetections:
    return ImageDetections(
        image_id=row.image_id,
        position=row.position,
        width_px=photo.width_px,
        height_px=photo.height_px,
        containers=[
            ContainerOutline(
                index=first_index + number,
                container_type=container.container_type.value,
                confidence=round(container.confidence, 3),
                polygon=list(container.polygon_px),
                whole_frame=container.whole_frame,
            )
            for number, container in enumerate(photo.containers)
        ],
        plants=[_row(d, first_index) for d in photo.detections if not d.is_empty_container],
        empties=[_row(d, first_index) for d in photo.detections if d.is_empty_container],
        residual=[list(part) for e in photo.estimations for part in e.residual_polygons_px],
    )


def _row(detection: DetectedBox, first_index: int) -> list[int]:
    x1, y1, x2, y2 = (round(value) for value in detection.xyxy_px)
    return [x1, y1, x2, y2, round(detection.confidence * 100), first_index + detection.container]
