"""The nursery itself: its name, language and time zone, one row that its admin writes."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core import db
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


_read_at: dict[str, float] = {}  # by database: a process of tests sees several


def follow() -> None:
    """Let this process know the nursery as it is: at its start, and within `KEPT_S` of a change."""
    db.before_each(_look)


def refresh(session: Session) -> None:
    """Read the row at once. Before the schema is there, nothing is known.

    Rules only ask `core.site`.
    """
    is_there = session.scalar(text("SELECT to_regclass('nursery') IS NOT NULL"))
    row = session.scalar(select(Nursery)) if is_there else None
    keep_site(Site(row.name, row.language, row.time_zone) if row else Site())
    _read_at.clear()
    _read_at[str(session.get_bind().engine.url)] = time.monotonic()


def _look(engine: Engine) -> None:
    read_at = _read_at.get(str(engine.url))
    if read_at is None or time.monotonic() - read_at > KEPT_S:
        with Session(engine) as session:
            refresh(session)
