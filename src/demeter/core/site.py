"""The site: what it is called, and its days and hours, which people of the nursery live by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from demeter.core.settings import settings

INSTANT = timedelta(microseconds=1)  # the least by which two moments differ


@dataclass(frozen=True, slots=True)
class Site:
    """What pages and times need to know of the nursery, before its first day too."""

    name: str | None = None
    language: str = "es"
    time_zone: str = "America/Argentina/Mendoza"


_known: dict[str, Site] = {}


def site() -> Site:
    """The nursery as this process last read it (`core.nursery`); a set time zone overrides."""
    known = _known.get("site", Site())
    zone = settings().time_zone
    return replace(known, time_zone=zone) if zone else known


def keep_site(read: Site) -> None:
    """From now on the nursery is so."""
    _known["site"] = read


def site_zone() -> ZoneInfo:
    """The site's time zone."""
    return ZoneInfo(site().time_zone)


def day_at_site(moment: datetime) -> date:
    """The day on which a moment is at the site."""
    return moment.astimezone(site_zone()).date()


def start_of_day(day: date) -> datetime:
    """The first moment of a day at the site, in UTC."""
    return end_of_day(day - timedelta(days=1)) + INSTANT


def end_of_day(day: date) -> datetime:
    """The last moment of a day at the site, in UTC.

    Days have 23 or 25 hours where clocks change, and midnight may be there twice or not at
    all: of the readings of the next midnight the later one counts that still ends this day.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), site_zone())
    readings = [midnight.replace(fold=fold).astimezone(UTC) - INSTANT for fold in (0, 1)]
    # A day that was skipped as a whole ends where it would have begun.
    return max((end for end in readings if day_at_site(end) == day), default=max(readings))


def last_time_of_hour(now: datetime, hour: int) -> datetime:
    """When the site's clock last began this hour, in the site's time."""
    local = now.astimezone(site_zone())
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return at if at <= local else at - timedelta(days=1)


def is_unclear(local: datetime, zone: ZoneInfo) -> bool:
    """Whether a time without an offset is there twice on its day, or not at all."""
    earlier, later = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    return earlier.utcoffset() != later.utcoffset()
