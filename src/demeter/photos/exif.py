"""What a camera wrote about time and place, as facts that may be missing.

The tags come by name, as `core.pixels.tags` reads them: texts, numbers, lists of numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.core.site import site_zone
from demeter.photos.models import CapturedAtSource

Tags = Mapping[str, Any]

# The time of the photo itself, of its digitising, of the file: in the order in which they count.
_TIMES = (
    ("DateTimeOriginal", "OffsetTimeOriginal", "SubsecTimeOriginal"),
    ("DateTimeDigitized", "OffsetTimeDigitized", "SubsecTimeDigitized"),
    ("DateTime", "OffsetTime", "SubsecTime"),
)
_OFFSETS = ("OffsetTime", "OffsetTimeOriginal", "OffsetTimeDigitized")
_MOMENT = re.compile(
    r"""(?P<year>\d{4})\D(?P<month>\d{1,2})\D(?P<day>\d{1,2})
        (?:\s*T\s*|\s+|[:_-])
        (?P<hour>\d{1,2})\D(?P<minute>\d{1,2})(?:\D(?P<second>\d{1,2})(?:[.,](?P<part>\d+))?)?
        \s*(?P<offset>Z|UTC|[+-]\s?\d{1,2}:?(?:\d{2})?)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_OFFSET = re.compile(r"([+-])\s?(\d{1,2}):?(\d{2})?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1900, 2999  # others are slips, and some have no UTC
_FARTHEST_ZONE = timedelta(hours=15)
# Clocks of phones and servers differ a little.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the camera was: degrees in WGS 84, and the radius of its error circle."""

    longitude: float
    latitude: float
    error_m: float


@dataclass(frozen=True, slots=True)
class CameraTime:
    """When a camera says it took a photo, in UTC; or the text that stands there instead."""

    at: datetime | None = None
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When photos were taken, who says so, and warnings about what cameras said."""

    captured_at: datetime
    source: CapturedAtSource
    warnings: tuple[Notice, ...] = ()


def camera_time(tags: Tags) -> CameraTime:
    """The first of three times that can be read, as leniently as people's own tools read it.

    Fractions, ``T``, dashes, an offset in the text and hour 24 are read; blanks and zeros count
    as absent. Without an offset in the text or in a tag of its own, or in another tag of offsets,
    the time is the site's (setting ``time_zone``).
    """
    unread = None
    for name, offset_name, part_name in _TIMES:
        text = _text(tags.get(name))
        if not text.strip(" 0:/.-TZ"):
            continue
        offsets = [tags.get(tag) for tag in (offset_name, *_OFFSETS)]
        at = _moment(text, offsets, _text(tags.get(part_name)))
        if at is not None:
            return CameraTime(at)
        unread = unread or text[:60]
    return CameraTime(unread=unread)


def _moment(text: str, offsets: Sequence[Any], part: str) -> datetime | None:
    match = _MOMENT.fullmatch(text)
    if match is None or not _FIRST_YEAR <= int(match["year"]) <= _LAST_YEAR:
        return None
    hour = int(match["hour"])
    try:
        local = datetime(  # noqa: DTZ001  the zone comes next
            int(match["year"]),
            int(match["month"]),
            int(match["day"]),
            0 if hour == 24 else hour,  # noqa: PLR2004  midnight, at the end of that day
            int(match["minute"]),
            min(int(match["second"] or 0), 59),  # a leap second
            _microseconds(match["part"] or part),
        )
    except ValueError:
        return None
    local += timedelta(days=hour == 24)  # noqa: PLR2004
    zones = (_zone(offset) for offset in (match["offset"], *offsets))
    zone = next((zone for zone in zones if zone), None) or site_zone()
    return local.replace(tzinfo=zone).astimezone(UTC)


def _microseconds(digits: str) -> int:
    return int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0


def _zone(raw: Any) -> timezone | None:
    text = _text(raw)
    if text.upper() in ("Z", "UTC"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if offset > _FARTHEST_ZONE:
        return None
    return timezone(-offset if match[1] == "-" else offset)


def moment(
    times: Sequence[tuple[str, CameraTime]], chosen: datetime | None, received: datetime
) -> Moment:
    """SPEC §3.1: the person's time, else the latest believable camera time, else of receipt.

    ``times`` are the photos' by file name. A time that cannot be read, is in the future or older
    than the setting ``exif_max_age_days`` is not believed, and a warning names its photo.
    """
    if chosen is not None:
        return Moment(chosen, CapturedAtSource.PERSON)
    oldest = received - timedelta(days=settings().exif_max_age_days)
    latest = received + CLOCK_TOLERANCE
    believable = [time.at for _, time in times if time.at and oldest <= time.at <= latest]
    instead = Notice("camera_time_of_another") if believable else Notice("camera_time_of_receipt")
    doubts = ((name, _doubt(time, oldest, latest)) for name, time in times)
    warnings = tuple(
        Notice("camera_time_of_photo", {"name": name, "why": why, "instead": instead})
        for name, why in doubts
        if why is not None
    )
    if not believable:
        return Moment(received, CapturedAtSource.RECEIVED, warnings)
    return Moment(min(max(believable), received), CapturedAtSource.EXIF, warnings)


def _doubt(time: CameraTime, oldest: datetime, latest: datetime) -> Notice | None:
    """Why a camera's time is not believed; ``None`` where it is, or where there is none."""
    if time.unread is not None:
        return Notice("camera_time_unread", {"text": time.unread})
    if time.at is None or oldest <= time.at <= latest:
        return None
    days = settings().exif_max_age_days
    return Notice("camera_time_refused", {"taken_at": time.at.isoformat(), "days": days})


def position(gps: Tags) -> Position | None:
    """Where the camera says it was, or ``None``; an unstated error is the setting's."""
    latitude = _degrees(gps.get("GPSLatitude"), gps.get("GPSLatitudeRef"), "N", "S")
    longitude = _degrees(gps.get("GPSLongitude"), gps.get("GPSLongitudeRef"), "E", "W")
    if latitude is None or longitude is None:
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004
        return None
    if latitude == 0 == longitude:  # a receiver without a fix
        return None
    stated = gps.get("GPSHPositioningError")
    if not isinstance(stated, int | float) or not math.isfinite(stated) or stated <= 0:
        return Position(longitude, latitude, settings().gps_error_m)
    return Position(longitude, latitude, float(stated))


def _degrees(raw: Any, ref: Any, positive: str, negative: str) -> float | None:
    """Degrees, minutes and seconds, or plain degrees; the letter and a sign say one thing once.

    ``None`` where a part is missing, or where sign and letter contradict each other.
    """
    parts = raw if isinstance(raw, list) else [raw]
    numbers = [float(p) for p in parts if isinstance(p, int | float) and math.isfinite(p)]
    if len(numbers) != len(parts) or not 1 <= len(numbers) <= 3:  # noqa: PLR2004
        return None
    is_minus = any(math.copysign(1, number) < 0 for number in numbers)
    degrees, minutes, seconds = [*map(abs, numbers), 0.0, 0.0][:3]
    if minutes > 60 or seconds > 60:  # noqa: PLR2004
        return None
    value = degrees + minutes / 60 + seconds / 3600
    letter = _text(ref).upper()[:1]
    if letter == negative:
        return -value
    if letter == positive:
        return None if is_minus else value
    return -value if is_minus and not letter else None


def as_json(tags: Tags) -> dict[str, str]:
    """The readable tags by name, as text."""
    return {name: _shown(value) for name, value in sorted(tags.items())}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(_shown(part) for part in value)})"
    return "" if value is None else str(value)


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("\x00", "").strip()
