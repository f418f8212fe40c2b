"""One session with everything known about it, read from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from demeter.accounts.models import User
from demeter.core import blob_drops
from demeter.core.notices import read_notices
from demeter.core.settings import settings
from demeter.core.totals import known_sum
from demeter.core.wording import english_each
from demeter.counts.models import ContainerCount
from demeter.locations.models import StorageArea, StorageLocation
from demeter.photos import location_guess, redaction, session_counts, urls
from demeter.photos.errors import SessionNotFound
from demeter.photos.exif import Position
from demeter.photos.models import (
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
)
from demeter.photos.schemas import (
    ImageRead,
    LocationSuggestion,
    SessionLocation,
    SessionRead,
)

SUGGESTIONS = 8


def find(session: Session, session_id: UUID) -> PhotoSession:
    """The session with its images.

    Raises:
        SessionNotFound: there is none.
    """
    photo_session = session.scalar(
        select(PhotoSession)
        .where(PhotoSession.session_id == session_id)
        .options(selectinload(PhotoSession.images).joinedload(SessionImage.image))
    )
    if photo_session is None:
        raise SessionNotFound(f"no photo session has the id {session_id}")
    return photo_session


def answer(session: Session, photo_session: PhotoSession) -> SessionRead:
    """Everything known about a session."""
    counts = session_counts.counts_of(session, photo_session)
    rows = session_counts.containers_of(counts)
    movements = session_counts.movements_of(session, photo_session, counts)
    by_id = {m.id: m for m in movements}
    containers = [session_counts.container_answer(row, by_id) for row in rows]
    images = _images(session, photo_session)
    facts = {
        "uploaded_by": _username(session, photo_session.uploaded_by_user_id),
        "validated_by": _username(session, photo_session.validated_by_user_id),
        "location": _location(session, photo_session.storage_location_id),
        "suggestions": _suggestions(session, photo_session),
        "images": images,
        "containers": containers,
        "batches": session_counts.batches_of(session, containers, movements),
        "movements": movements,
        "unit": counts[0].unit if counts else None,
        "counts": [session_counts.count_answer(count) for count in counts],
        "models": session_counts.in_common(rows, "model_versions"),
        "parameters": session_counts.in_common(rows, "parameters"),
        "actions": [
            act
            for act in actions(photo_session)
            if act != "reprocess" or all(image.dropped_at is None for image in images)
        ],
    }
    numbers = _with_answers(totals(photo_session), rows)
    whole = SessionRead.model_validate(
        _facts(photo_session) | facts | numbers | urls.of_session(photo_session.session_id)
    )
    return redaction.of_session(session, photo_session, whole)


def progress(photo_session: PhotoSession) -> float:
    """How much of a session's photos is processed, 0 to 1."""
    if not photo_session.images or photo_session.status is SessionStatus.PENDING:
        return 0.0
    return sum(_share(row) for row in photo_session.images) / len(photo_session.images)


def totals(photo_session: PhotoSession) -> dict[str, Any]:
    """The session's numbers; ``None`` with a reason where they are not known."""
    reason = unknown_reason(photo_session)
    if reason == "no_container_found":
        detected = estimated = empty = None
    else:
        detected, estimated = photo_session.total_detected, photo_session.total_estimated
        empty = photo_session.total_empty_containers
    return {
        "total": None if reason == "image_failed" else known_sum([detected, estimated]).whole,
        "total_detected": detected,
        "total_estimated": estimated,
        "total_empty_containers": empty,
        "interval_90": None if reason is not None else session_counts.interval(photo_session),
        "unknown_reason": reason,
    }


def unknown_reason(photo_session: PhotoSession) -> str | None:
    """Why the totals are not known, as a code, or ``None`` where they are."""
    if photo_session.reason_code == "no_container_found":
        return "no_container_found"
    if photo_session.total_detected is None:
        return "not_counted" if _was_tried(photo_session) else "not_processed"
    if photo_session.total_estimated is None:
        return "estimate_unknown"
    # What a photo shows that could not be read is not known, until a person says that the
    # others show it all.
    is_partial = any(row.status is SessionImageStatus.FAILED for row in photo_session.images)
    return "image_failed" if is_partial and photo_session.posted_at is None else None


SETTLES = {
    "no_container_found": ["confirm-empty"],
    "may_show_no_plants": ["accept", "confirm-empty"],
    "stock_would_be_negative": ["post"],
    "no_image_counted": [],
    "blind_recount": ["blind-recount"],
}


def actions(photo_session: PhotoSession) -> list[str]:
    """What a person can do about a session now, the first that settles it first."""
    status = photo_session.status
    if not status.is_end:
        return []
    if status is SessionStatus.DISCARDED:
        return ["restore"]
    if status is SessionStatus.COMPLETED:
        return ["reprocess"] if photo_session.validated else ["accept", "reprocess"]
    # A location that was deleted leaves the photos, which another one can get.
    if photo_session.storage_location_id is None:
        return ["location", "discard"]
    possible = [*_settling(photo_session), "reprocess"]
    return possible if photo_session.posted_at is not None else [*possible, "discard"]


def _settling(photo_session: PhotoSession) -> list[str]:
    match photo_session.status:
        case SessionStatus.NEEDS_CONFIG:
            return ["config", "post"]
        case SessionStatus.NEEDS_REVIEW:
            return SETTLES.get(photo_session.reason_code or "", ["accept"])
        case _:
            return []


def _with_answers(numbers: dict[str, Any], containers: list[ContainerCount]) -> dict[str, Any]:
    """A person's corrections change the total, not what the machine said."""
    if not any(c.human_corrected is not None for c in containers):
        return numbers
    return numbers | {"total": known_sum(c.whole_answer for c in containers).whole}


def _was_tried(photo_session: PhotoSession) -> bool:
    return photo_session.status is SessionStatus.FAILED or (
        photo_session.status.is_end and any(row.status.is_end for row in photo_session.images)
    )


def _share(row: SessionImage) -> float:
    return 1.0 if row.status.is_end else row.progress


def _facts(photo_session: PhotoSession) -> dict[str, Any]:
    names = (
        "session_id status reason_code next_action error_message attempt created_at "
        "captured_at captured_at_source posted_at requested_location_id "
        "requested_location_code avg_confidence validated validation_date"
    )
    facts = {name: getattr(photo_session, name) for name in names.split()}
    warnings = read_notices(photo_session.warnings)
    return facts | {
        "is_end": photo_session.status.is_end,
        "progress": progress(photo_session),
        "reasons": read_notices(photo_session.reason_notices),
        "warnings": english_each(warnings),
        "notices": warnings,
    }


def _username(session: Session, user_id: int | None) -> str | None:
    return session.get_one(User, user_id).username if user_id is not None else None


def _location(session: Session, location_id: int | None) -> SessionLocation | None:
    if location_id is None:
        return None
    location = session.get_one(
        StorageLocation,
        location_id,
        options=[joinedload(StorageLocation.area).joinedload(StorageArea.warehouse)],
    )
    return SessionLocation(
        location_id=location.location_id,
        code=location.code,
        name=location.name,
        area_code=location.area.code,
        warehouse_code=location.area.warehouse.code,
    )


def _suggestions(session: Session, photo_session: PhotoSession) -> list[LocationSuggestion]:
    if photo_session.status is not SessionStatus.NEEDS_LOCATION:
        return []
    at = next((p for row in photo_session.images if (p := _position(session, row))), None)
    near = location_guess.suggestions(session, at, SUGGESTIONS) if at else []
    return [LocationSuggestion.model_validate(s) for s in near]


def _position(session: Session, row: SessionImage) -> Position | None:
    point = row.image.gps_coordinates
    if point is None:
        return None
    at = session.execute(select(point.ST_X(), point.ST_Y())).one()
    return Position(at[0], at[1], row.image.gps_error_m or settings().gps_error_m)


def _images(session: Session, photo_session: PhotoSession) -> list[ImageRead]:
    """Each with whether it is still kept: the photo, and the picture that was drawn of it."""
    rows = photo_session.images
    names = [name for row in rows for name in (row.image.sha256, _drawn_name(row)) if name]
    dropped = blob_drops.drop_times(session, names)
    return [_image(row, dropped) for row in rows]


def _drawn_name(row: SessionImage) -> str | None:
    key = row.image.s3_key_processed
    return key.rsplit("/", 1)[-1] if key else None


def _image(row: SessionImage, dropped: Mapping[str, datetime]) -> ImageRead:
    image = row.image
    drawn_name = _drawn_name(row)
    drawn_key = image.s3_key_processed if drawn_name not in dropped else None
    counted = row.status is SessionImageStatus.SUCCEEDED

    def at(variant: str, key: str | None = None) -> str:
        return urls.of_image(image.image_id, variant, key)

    poll = urls.of_session(row.session.session_id)["poll_url"]
    return ImageRead(
        image_id=image.image_id,
        position=row.position,
        filename=image.original_filename,
        content_type=image.content_type,
        width_px=image.width_px,
        height_px=image.height_px,
        upload_source=image.upload_source,
        state=row.status,
        progress=_share(row),
        error_code=row.error_code,
        error_message=row.error_message,
        original_url=at("original"),
        view_url=at("view"),
        screen_url=at("screen"),
        processed_url=at("processed", drawn_key) if drawn_key else None,
        dropped_at=dropped.get(image.sha256),
        thumbnail_url=at("thumbnail", image.s3_key_thumbnail),
        detections_url=f"{poll}/detections?position={row.position}" if counted else None,
    )
