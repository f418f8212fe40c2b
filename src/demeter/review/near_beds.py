"""Beds that a photo may show instead: those near its GPS position, else those beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.catalog import queries as catalog
from demeter.catalog.schemas import LocationConfigRead
from demeter.core.settings import settings
from demeter.locations.models import StorageArea, StorageLocation
from demeter.photos import location_guess, urls
from demeter.photos.exif import Position
from demeter.photos.models import PhotoSession, SessionImage

MOST = 5  # one for each of the keys 1 to 5


@dataclass(frozen=True, slots=True)
class NearBed:
    """A bed with what tells it from others; ``distance_m`` from the photo, where that is known."""

    code: str
    name: str
    place: str
    product: str | None
    distance_m: float | None
    thumbnail_url: str | None


def near_beds(session: Session, photo_session: PhotoSession) -> list[NearBed]:
    """Up to five beds, the likeliest first; never the one that the photo is booked to."""
    position = photo_position(session, photo_session)
    own_id = photo_session.storage_location_id
    if position is not None:
        near = location_guess.suggestions(session, position, MOST + 1)
        distances = {s.code: s.distance_m for s in near if s.location_id != own_id}
        codes = list(distances)[:MOST]
    else:
        distances = {}
        codes = _beside(session, own_id or _latest_location(session, photo_session), own_id)
    return _beds(session, codes, distances)


def photo_position(session: Session, photo_session: PhotoSession) -> Position | None:
    """Where the first of the photos that knows was taken."""
    for row in photo_session.images:
        point = row.image.gps_coordinates
        if point is not None:
            at = session.execute(select(point.ST_X(), point.ST_Y())).one()
            return Position(at[0], at[1], row.image.gps_error_m or settings().gps_error_m)
    return None


def distance_from_bed(session: Session, photo_session: PhotoSession) -> float | None:
    """How many metres from its bed a photo was taken, beyond what GPS is wrong by anyway."""
    position = photo_position(session, photo_session)
    if position is None or photo_session.storage_location_id is None:
        return None
    values = {
        "lon": position.longitude,
        "lat": position.latitude,
        "location": photo_session.storage_location_id,
    }
    distance = session.execute(text(_DISTANCE), values).scalar_one_or_none()
    return None if distance is None or distance <= position.error_m else distance


def growing_nearby(session: Session, location_id: int) -> list[LocationConfigRead]:
    """What grows in the beds around one, each kind once, the nearest first."""
    location = session.get_one(StorageLocation, location_id)
    area = session.get_one(StorageArea, location.storage_area_id)
    beds = catalog.location_configs(session, area.code)
    here = next((i for i, bed in enumerate(beds) if bed.location_code == location.code), 0)
    kinds: dict[tuple[str | None, ...], LocationConfigRead] = {}
    for _, bed in sorted(enumerate(beds), key=lambda pair: abs(pair[0] - here)):
        if bed.product_code is not None:
            kinds.setdefault((bed.product_code, bed.state, bed.packaging_sku), bed)
    return list(kinds.values())[:MOST]


def _latest_location(session: Session, photo_session: PhotoSession) -> int | None:
    """Where the same person's photo before this one was taken."""
    return session.scalar(
        select(PhotoSession.storage_location_id)
        .where(
            PhotoSession.uploaded_by_user_id == photo_session.uploaded_by_user_id,
            PhotoSession.storage_location_id.is_not(None),
            PhotoSession.id < photo_session.id,
        )
        .order_by(PhotoSession.id.desc())
        .limit(1)
    )


def _beside(session: Session, location_id: int | None, left_out: int | None) -> list[str]:
    """The codes of the beds around one in walking order, the next one first."""
    if location_id is None:
        return []
    rows = session.execute(text(_AREA), {"location": location_id}).all()
    here = next((i for i, row in enumerate(rows) if row.location_id == location_id), 0)
    by_distance = sorted(range(len(rows)), key=lambda i: (i == here, abs(i - here), i < here))
    return [rows[i].code for i in by_distance if rows[i].location_id != left_out][:MOST]


def _beds(session: Session, codes: Sequence[str], distances: dict[str, float]) -> list[NearBed]:
    rows = catalog.location_configs_of(session, codes) if codes else []
    by_code = {row.location_code: row for row in rows}
    pictures = _thumbnails(session, codes)
    return [
        NearBed(
            code,
            bed.name,
            f"{bed.warehouse_name} · {bed.area_name}",
            bed.product_name,
            distances.get(code),
            pictures.get(code),
        )
        for code in codes
        if (bed := by_code.get(code)) is not None
    ]


def _thumbnails(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """The last counted photo of each bed."""
    rows = session.execute(
        select(StorageLocation.code, SessionImage)
        .join(PhotoSession, PhotoSession.id == StorageLocation.photo_session_id)
        .join(SessionImage, SessionImage.session_id == PhotoSession.id)
        .where(StorageLocation.code.in_(codes), SessionImage.position == 1)
    )
    return {
        code: urls.of_image(row.image_id, "thumbnail", row.image.s3_key_thumbnail)
        for code, row in rows
    }


_DISTANCE = """
SELECT ST_Distance(geojson_coordinates::geography,
                   ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography)
FROM storage_locations WHERE location_id = :location
"""

_AREA = """
SELECT b.location_id, b.code FROM storage_locations a
JOIN storage_locations b ON b.storage_area_id = a.storage_area_id
WHERE a.location_id = :location AND (b.active OR b.location_id = :location)
ORDER BY b.walk_order NULLS LAST, b.code
"""
