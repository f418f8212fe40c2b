"""What became of looks for photos that the settings no longer keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import FetchedValue, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.core.site import last_time_of_hour


class RetentionRun(Base):
    """One look: its rules with their days, and what it let go; an audited act."""

    __tablename__ = "retention_runs"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    ended_at: Mapped[datetime | None]
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    photos: Mapped[int] = mapped_column(default=0)
    overlays: Mapped[int] = mapped_column(default=0)
    freed_bytes: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


def begin(session: Session, rules: dict[str, Any]) -> int:
    """A look begins; its number."""
    run = RetentionRun(rules=rules)
    session.add(run)
    session.flush()
    return run.id


def end(
    session: Session,
    run_id: int,
    *,
    photos: int,
    overlays: int,
    freed_bytes: int,
    failure: Notice | None = None,
) -> RetentionRun:
    """It ended: with all that was due, or for a failure."""
    run = session.get_one(RetentionRun, run_id)
    run.ended_at = datetime.now(UTC)
    run.photos, run.overlays, run.freed_bytes = photos, overlays, freed_bytes
    run.failure = failure.to_json() if failure else None
    return run


def is_due(session: Session, now: datetime) -> bool:
    """Whether there are rules and their hour has come; one that failed waits an hour."""
    configured = settings()
    if configured.photo_keep_days is None and configured.overlay_keep_days is None:
        return False
    due = last_time_of_hour(now, configured.retention_hour)
    ended_well = RetentionRun.ended_at.is_not(None) & RetentionRun.failure.is_(None)
    done = session.scalar(
        select(RetentionRun.id).where(ended_well, RetentionRun.started_at >= due).limit(1)
    )
    tried = session.scalar(
        select(RetentionRun.id).where(RetentionRun.started_at > now - timedelta(hours=1)).limit(1)
    )
    return done is None and tried is None
