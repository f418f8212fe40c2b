"""The nursery itself: its name, language and time zone, one row that its admin writes."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base, ChangedRow
from demeter.core.errors import InvalidInput
from demeter.core.site import Site, keep_site

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


_read_at: dict[str, float] = {}


def refresh(session: Session, *, now: bool = False) -> None:
    """Read the row again where the last reading is older than `KEPT_S`, or at once.

    Edges call it (requests, commands, jobs); rules only ask `core.site`.
    """
    read_at = _read_at.get("nursery")
    if now or read_at is None or time.monotonic() - read_at > KEPT_S:
        row = session.scalar(select(Nursery))
        keep_site(Site(row.name, row.language, row.time_zone) if row else Site())
        _read_at["nursery"] = time.monotonic()
