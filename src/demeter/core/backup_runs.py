"""What became of backups, for pages, `demeter doctor` and the schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base
from demeter.core.notices import Notice, read_notice
from demeter.core.settings import settings
from demeter.core.site import last_time_of_hour

OLD_AFTER = timedelta(hours=36)  # a day, and the hours in which a machine may be off
KEPT_ROWS = 1000


class BackupRun(Base):
    """One backup that was begun; it has a name once it is whole, or its failure as a notice."""

    __tablename__ = "backup_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    name: Mapped[str | None]
    blobs: Mapped[int | None]
    new_bytes: Mapped[int | None]
    missing: Mapped[int]
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


@dataclass(frozen=True, slots=True)
class BackupState:
    """The last whole backup, and what failed since; ``is_wanted`` where a place is set."""

    last: BackupRun | None
    failure: Notice | None
    failed_at: datetime | None
    is_wanted: bool

    @property
    def age(self) -> timedelta | None:
        """Since the last whole one began."""
        return datetime.now(UTC) - self.last.started_at if self.last else None

    @property
    def is_old(self) -> bool:
        """Whether one is wanted and none is of the last day."""
        return self.is_wanted and (self.age is None or self.age > OLD_AFTER)

    @property
    def needs_somebody(self) -> bool:
        """Whether a person has to look: it failed, is old, or could not have every photo."""
        return self.failure is not None or self.is_old or bool(self.last and self.last.missing)


def backup_state(session: Session) -> BackupState:
    """As it stands now."""
    last = session.scalars(
        select(BackupRun).where(BackupRun.name.is_not(None)).order_by(BackupRun.id.desc()).limit(1)
    ).first()
    failed = session.scalars(
        select(BackupRun)
        .where(BackupRun.failure.is_not(None), BackupRun.id > (last.id if last else 0))
        .order_by(BackupRun.id.desc())
        .limit(1)
    ).first()
    return BackupState(
        last=last,
        failure=read_notice(failed.failure) if failed else None,
        failed_at=failed.ended_at if failed else None,
        is_wanted=settings().backup_place is not None,
    )


def begin(session: Session, place: str) -> int | None:
    """A backup begins; its number. Rows beyond the last thousand go.

    ``None`` where the schema is of a time when nothing was written down: there, too, a backup
    comes before the upgrade.
    """
    if session.scalar(text("SELECT to_regclass('backup_runs')")) is None:
        return None
    run_id = session.execute(
        text("INSERT INTO backup_runs (place) VALUES (:place) RETURNING id"), {"place": place}
    ).scalar_one()
    session.execute(
        text("DELETE FROM backup_runs WHERE id <= :oldest"), {"oldest": run_id - KEPT_ROWS}
    )
    return run_id


def end_well(
    session: Session, run_id: int | None, name: str, *, blobs: int, new_bytes: int, missing: int
) -> None:
    """It is whole."""
    if run_id is None:
        return
    run = session.get_one(BackupRun, run_id)
    run.ended_at, run.name = datetime.now(UTC), name
    run.blobs, run.new_bytes, run.missing = blobs, new_bytes, missing


def end_badly(session: Session, run_id: int | None, failure: Notice) -> None:
    """It was given up."""
    if run_id is None:
        return
    run = session.get_one(BackupRun, run_id)
    run.ended_at, run.failure = datetime.now(UTC), failure.to_json()


def is_due(session: Session, now: datetime) -> bool:
    """Whether the hour has come and no backup was begun since; a failed one waits an hour."""
    configured = settings()
    if configured.backup_place is None:
        return False
    due = last_time_of_hour(now, configured.backup_hour)
    good = session.scalar(
        select(BackupRun.id)
        .where(
            BackupRun.name.is_not(None),
            BackupRun.started_at >= due,
            BackupRun.place == configured.backup_place,
        )
        .limit(1)
    )
    tried = session.scalar(
        select(BackupRun.id).where(BackupRun.started_at > now - timedelta(hours=1)).limit(1)
    )
    return good is None and tried is None
