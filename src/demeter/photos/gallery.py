"""Photos as people look for them: by day, place, state, sender, product, or a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from demeter.accounts.models import User
from demeter.catalog.models import LocationConfig, Product
from demeter.core import blob_drops
from demeter.core.pagination import last_id, next_cursor
from demeter.core.site import end_of_day, start_of_day
from demeter.counts.models import Count
from demeter.locations.models import StorageArea, StorageLocation, Warehouse
from demeter.photos import urls
from demeter.photos.errors import ImageNotFound
from demeter.photos.models import Image, PhotoSession, SessionImage, SessionStatus
from demeter.photos.schemas import GalleryPage, GalleryPhoto, ImageDetail, ImageUse

CURSOR = "g"


@dataclass(frozen=True, slots=True)
class PhotoFilters:
    """What photos are wanted; what is ``None`` or empty takes all.

    Days are the site's, both included. ``place_code`` is a greenhouse's, an area's or a bed's.
    ``product_code`` is what was counted, or what grows at the bed.
    """

    from_day: date | None = None
    to_day: date | None = None
    place_code: str = ""
    status: SessionStatus | None = None
    username: str = ""
    product_code: str = ""
    text: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL, on the rows of `_rows`."""
        found: list[ColumnElement[bool]] = []
        if self.from_day is not None:
            found.append(PhotoSession.captured_at >= start_of_day(self.from_day))
        if self.to_day is not None:
            found.append(PhotoSession.captured_at <= end_of_day(self.to_day))
        if self.place_code:
            codes = (StorageLocation.code, StorageArea.code, Warehouse.code)
            wanted = self.place_code.upper()
            found.append(or_(*(func.upper(code) == wanted for code in codes)))
        if self.status is not None:
            found.append(PhotoSession.status == self.status)
        if self.username:
            found.append(User.username == self.username)
        if self.product_code:
            found.append(_of_product(self.product_code))
        if self.text:
            found.append(_holds(self.text))
        return found


def _of_product(code: str) -> ColumnElement[bool]:
    product_id = (
        select(Product.id).where(func.upper(Product.code) == code.upper()).scalar_subquery()
    )
    counted = select(Count.id).where(
        Count.processing_session_id == PhotoSession.id, Count.product_id == product_id
    )
    grows = select(LocationConfig.id).where(
        LocationConfig.storage_location_id == PhotoSession.storage_location_id,
        LocationConfig.active,
        LocationConfig.product_id == product_id,
    )
    return or_(counted.exists(), grows.exists())


def _holds(text: str) -> ColumnElement[bool]:
    columns = (
        StorageLocation.code,
        StorageLocation.name,
        PhotoSession.requested_location_code,
        PhotoSession.error_message,
        Image.original_filename,
    )
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def find_photos(
    session: Session, filters: PhotoFilters, *, limit: int, cursor: str | None = None
) -> GalleryPage:
    """A page of photos, last received first; one statement, whatever is asked for.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = _rows().where(*filters.conditions()).order_by(SessionImage.id.desc()).limit(limit + 1)
    before = last_id(cursor, CURSOR)
    if before is not None:
        query = query.where(SessionImage.id < before)
    rows = session.execute(query).all()
    return GalleryPage(
        items=[_photo(*row) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, CURSOR, lambda row: row[0].id),
    )


def _rows() -> Select[SessionImage, PhotoSession, Image, User, StorageLocation]:
    location = StorageLocation
    return (
        select(SessionImage, PhotoSession, Image, User, location)
        .join(PhotoSession, PhotoSession.id == SessionImage.session_id)
        .join(Image, Image.image_id == SessionImage.image_id)
        .join(User, User.id == PhotoSession.uploaded_by_user_id)
        .outerjoin(location, location.location_id == PhotoSession.storage_location_id)
        .outerjoin(StorageArea, StorageArea.storage_area_id == location.storage_area_id)
        .outerjoin(Warehouse, Warehouse.warehouse_id == StorageArea.warehouse_id)
    )


def _photo(
    row: SessionImage,
    photo_session: PhotoSession,
    image: Image,
    sender: User,
    location: StorageLocation | None,
) -> GalleryPhoto:
    return GalleryPhoto(
        image_id=image.image_id,
        session_id=photo_session.session_id,
        position=row.position,
        status=photo_session.status,
        reason_code=photo_session.reason_code,
        captured_at=photo_session.captured_at,
        sender=sender.full_name,
        location_code=location.code if location else photo_session.requested_location_code,
        location_name=location.name if location else None,
        thumbnail_url=urls.of_image(image.image_id, "thumbnail", image.s3_key_thumbnail),
    )


def image_detail(session: Session, image_id: UUID) -> ImageDetail:
    """A photo's file, what its camera wrote, where it was taken, and what became of it.

    Raises:
        ImageNotFound: there is none.
    """
    point = Image.gps_coordinates
    row = session.execute(
        select(Image, User, func.ST_Y(point), func.ST_X(point))
        .join(User, User.id == Image.uploaded_by_user_id)
        .where(Image.image_id == image_id)
    ).one_or_none()
    if row is None:
        raise ImageNotFound(f"no photo has the id {image_id}")
    image, sender, latitude, longitude = row
    return ImageDetail(
        image_id=image.image_id,
        filename=image.original_filename,
        content_type=image.content_type,
        size_bytes=image.file_size_bytes,
        width_px=image.width_px,
        height_px=image.height_px,
        sha256=image.sha256,
        captured_at=image.captured_at,
        received_at=image.created_at,
        upload_source=image.upload_source,
        sender=sender.full_name,
        latitude=latitude,
        longitude=longitude,
        position_error_m=image.gps_error_m,
        exif=image.exif_metadata or {},
        view_url=urls.of_image(image.image_id, "view"),
        screen_url=urls.of_image(image.image_id, "screen"),
        thumbnail_url=urls.of_image(image.image_id, "thumbnail", image.s3_key_thumbnail),
        dropped_at=blob_drops.drop_times(session, [image.sha256]).get(image.sha256),
        uses=_uses(session, image_id),
    )


def _uses(session: Session, image_id: UUID) -> list[ImageUse]:
    decider = aliased(User)
    rows = session.execute(
        select(PhotoSession, decider)
        .join(SessionImage, SessionImage.session_id == PhotoSession.id)
        .outerjoin(decider, decider.id == PhotoSession.validated_by_user_id)
        .where(SessionImage.image_id == image_id)
        .order_by(PhotoSession.id.desc())
    )
    return [
        ImageUse(
            session_id=photo_session.session_id,
            status=photo_session.status,
            reason_code=photo_session.reason_code,
            location_code=photo_session.requested_location_code,
            captured_at=photo_session.captured_at,
            attempt=photo_session.attempt,
            posted_at=photo_session.posted_at,
            decided_by=decider_row.full_name if decider_row else None,
            decided_at=photo_session.validation_date,
        )
        for photo_session, decider_row in rows
    ]
