"""What a camera wrote about time and place, as facts that may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image

from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.photos.models import CapturedAtSource

_IFD = ExifTags.IFD
_GPS = ExifTags.GPS
_FORMAT = "%Y:%m:%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Position:
    """Where the camera was: degrees in WGS 84, and the radius of its error circle."""

    longitude: float
    latitude: float
    error_m: float


@dataclass(frozen=True, slots=True)
class Moment:
    """When a photo was taken, who says so, and a warning where that was not the camera."""

    captured_at: datetime
    source: CapturedAtSource
    warning: Notice | None = None


def taken_at(exif: Image.Exif) -> datetime | None:
    """When the camera says it took the photo, in UTC.

    Without an offset of its own the time is the site's (setting ``time_zone``). ``None``
    where the camera wrote nothing or nothing that is a time.
    """
    block = exif.get_ifd(_IFD.Exif)
    raw = block.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    offset = block.get(ExifTags.Base.OffsetTimeOriginal) or block.get(ExifTags.Base.OffsetTime)
    try:
        local = datetime.strptime(_text(raw), _FORMAT)  # noqa: DTZ007  the zone comes next
    except ValueError:
        return None
    zone = _offset(offset) or ZoneInfo(settings().time_zone)
    return local.replace(tzinfo=zone).astimezone(UTC)


def position(exif: Image.Exif) -> Position | None:
    """Where the camera says it was, or ``None``; an unstated error is the setting's."""
    gps = exif.get_ifd(_IFD.GPSInfo)
    try:
        latitude = _degrees(gps[_GPS.GPSLatitude], gps[_GPS.GPSLatitudeRef], "S")
        longitude = _degrees(gps[_GPS.GPSLongitude], gps[_GPS.GPSLongitudeRef], "W")
        error_m = float(gps.get(_GPS.GPSHPositioningError) or settings().gps_error_m)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and error_m > 0):  # noqa: PLR2004
        return None
    if latitude == 0 == longitude:  # a receiver without a fix
        return None
    return Position(longitude, latitude, error_m)


def moment(exif_at: datetime | None, chosen: datetime | None, received: datetime) -> Moment:
    """SPEC §3.1: the person's time, else a credible EXIF time, else the time of receipt."""
    if chosen is not None:
        return Moment(chosen, CapturedAtSource.PERSON)
    if exif_at is None:
        return Moment(received, CapturedAtSource.RECEIVED)
    oldest = received - timedelta(days=settings().exif_max_age_days)
    if oldest <= exif_at <= received:
        return Moment(exif_at, CapturedAtSource.EXIF)
    return Moment(
        received,
        CapturedAtSource.RECEIVED,
        Notice(
            "camera_time_refused",
            {"taken_at": exif_at.isoformat(), "days": settings().exif_max_age_days},
        ),
    )


def as_json(exif: Image.Exif) -> dict[str, Any]:
    """The readable tags by name, as text; blocks of bytes are left out."""
    tags = dict(exif) | exif.get_ifd(_IFD.Exif)
    return {
        ExifTags.TAGS[tag]: _text(value)
        for tag, value in sorted(tags.items())
        if tag in ExifTags.TAGS and not isinstance(value, bytes | dict)
    }


def _text(value: object) -> str:
    """Without the NULs that cameras pad with and PostgreSQL refuses."""
    return str(value or "").replace("\x00", "").strip()


def _offset(raw: object) -> Any:
    try:
        return datetime.strptime(_text(raw), "%z").tzinfo
    except ValueError:
        return None


def _degrees(parts: Any, ref: str, negative: str) -> float:
    degrees, minutes, seconds = (float(p) for p in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if str(ref).upper().startswith(negative) else value
