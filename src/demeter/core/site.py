"""The nursery itself: its name, language and time zone, one row that its admin writes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base, ChangedRow
from demeter.core.errors import InvalidInput
from demeter.core.settings import settings

DEFAULT_TIME_ZONE = "America/Argentina/Mendoza"
KEPT_S = 10.0  # other processes learn of a change by then


class TimeZoneUnknown(InvalidInput):
    """No time zone has this name."""

    code = "time_zone_unknown"
    title = "No such time zone"
    next_action = "Give a name such as America/Argentina/Mendoza."


class Nursery(ChangedRow, Base):
    """The one installation; no row before its first day."""

    __tablename__ = "nursery"
    is_audited = True

    is_only: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    name: Mapped[str]
    language: Mapped[str]
    time_zone: Mapped[str]


@dataclass(frozen=True, slots=True)
class Site:
    """What pages and times need to know of the nursery."""

    name: str | None
    language: str
    time_zone: str


def name_nursery(session: Session, name: str, language: str, time_zone: str) -> Nursery:
    """Name the nursery, or name it anew.

    Raises:
        TimeZoneUnknown: no time zone is called that.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeZoneUnknown(f"no time zone is called {time_zone!r}", field="time_zone") from error
    row = session.scalar(select(Nursery)) or Nursery()
    row.name, row.language, row.time_zone = name.strip(), language, time_zone
    session.add(row)
    session.flush()
    return row


_kept: dict[str, tuple[float, Site]] = {}


def site() -> Site:
    """The nursery as it was last read; a setting of the time zone overrides."""
    kept = _kept.get("site")
    known = kept[1] if kept else Site(None, "es", DEFAULT_TIME_ZONE)
    zone = settings().time_zone
    return Site(known.name, known.language, zone) if zone else known


def refresh(session: Session, *, now: bool = False) -> Site:
    """Read the row again where the last reading is older than `KEPT_S`, or at once.

    Edges call it (requests, commands, jobs); rules only ask `site`.
    """
    kept = _kept.get("site")
    if now or kept is None or time.monotonic() - kept[0] > KEPT_S:
        row = session.scalar(select(Nursery))
        read = (
            Site(row.name, row.language, row.time_zone)
            if row
            else Site(None, "es", DEFAULT_TIME_ZONE)
        )
        _kept["site"] = (time.monotonic(), read)
    return site()
