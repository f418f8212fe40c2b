"""The photo sessions of one bed: those that wait for a person, those under way, the one to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from demeter.locations.models import StorageLocation
from demeter.photos import urls
from demeter.photos.models import Image, PhotoSession, SessionImage, SessionStatus

WAITS = (
    SessionStatus.NEEDS_REVIEW,
    SessionStatus.NEEDS_CONFIG,
    SessionStatus.FAILED,
)
UNDER_WAY = (SessionStatus.PENDING, SessionStatus.PROCESSING)
MOST = 50


@dataclass(frozen=True, slots=True)
class BedSessions:
    """Latest first; ``shown`` is the last posted one, or the latest where none is."""

    waiting: list[PhotoSession]
    under_way: list[PhotoSession]
    shown: PhotoSession | None


def bed_sessions(session: Session, bed: StorageLocation) -> BedSessions:
    """What photos say of a bed now."""
    unsettled = list(
        session.scalars(
            _of(bed)
            .where(PhotoSession.status.in_((*WAITS, *UNDER_WAY)))
            .order_by(PhotoSession.captured_at.desc(), PhotoSession.id.desc())
            .limit(MOST)
        )
    )
    shown = session.scalar(_of(bed).where(PhotoSession.id == (bed.photo_session_id or 0)))
    return BedSessions(
        [row for row in unsettled if row.status in WAITS],
        [row for row in unsettled if row.status in UNDER_WAY],
        shown or (unsettled[0] if unsettled else None),
    )


def _of(bed: StorageLocation) -> Select[PhotoSession]:
    return (
        select(PhotoSession)
        .where(PhotoSession.storage_location_id == bed.location_id)
        .options(selectinload(PhotoSession.images).joinedload(SessionImage.image))
    )


def bed_thumbnails(session: Session, location_ids: Sequence[int]) -> dict[int, str]:
    """The address of a small picture of each bed's last posted session, where it has one."""
    rows = session.execute(
        select(StorageLocation.location_id, Image.image_id, Image.s3_key_thumbnail)
        .join(PhotoSession, PhotoSession.id == StorageLocation.photo_session_id)
        .join(Image, Image.image_id == PhotoSession.original_image_id)
        .where(StorageLocation.location_id.in_(location_ids))
    )
    return {bed: urls.of_image(image, "thumbnail", key) for bed, image, key in rows}
