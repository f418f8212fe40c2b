"""Bytes that are no longer kept: what was let go, when and by which rule, and what came again.

Whoever keeps bytes shares the lock on their hash until its transaction ends; whoever lets them
go holds it alone. The row that says so is committed first, and the bytes go after it, so a
process that dies between the two leaves nothing unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base
from demeter.core.errors import DomainError
from demeter.core.notices import Notice

# Bytes that came again stay in the inbox, too, for so long: a process that was about to remove
# the object, and lost its lock with its connection, has ended by then.
KEPT_TWICE = "interval '1 hour'"


class DroppedKind(StrEnum):
    """What the bytes were."""

    PHOTO = "photo"
    OVERLAY = "overlay"


class DroppedBlob(Base):
    """One content that was let go; ``returned_at`` where it was taken in again since.

    ``removed_at`` is null until the object store has let go of it, too.
    """

    __tablename__ = "dropped_blobs"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    rule: Mapped[str]
    retention_run_id: Mapped[int] = mapped_column(ForeignKey("retention_runs.id"))
    size_bytes: Mapped[int | None]
    dropped_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]


class PhotoDropped(DomainError):
    """The photo, or a picture of it, was let go by the settings of retention."""

    status = 410
    code = "photo_dropped"
    title = "The photo is no longer kept"
    next_action = (
        "What was counted stays as it is. A backup from before may have the photo; "
        "for a new count take a new one."
    )


def share(session: Session, sha256: str) -> None:
    """Keep others from letting go of these bytes until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock_shared(hashtext('demeter.blob'), hashtext(:key))"),
        {"key": sha256},
    )


def hold_alone(session: Session, sha256: str) -> None:
    """Wait for all who keep these bytes, and keep others out until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('demeter.blob'), hashtext(:key))"),
        {"key": sha256},
    )


def note_return(session: Session, sha256: str) -> None:
    """These bytes are kept again; the caller shares their lock."""
    session.execute(
        update(DroppedBlob)
        .where(DroppedBlob.sha256 == sha256, DroppedBlob.returned_at.is_(None))
        .values(returned_at=func.clock_timestamp())
    )


def drop_times(session: Session, hashes: Iterable[str]) -> dict[str, datetime]:
    """Of these hashes those that are no longer kept, with the time since when."""
    rows = session.execute(
        select(DroppedBlob.sha256, DroppedBlob.dropped_at).where(
            DroppedBlob.sha256.in_(list(hashes)), DroppedBlob.returned_at.is_(None)
        )
    )
    return {row.sha256: row.dropped_at for row in rows}


def require_kept(session: Session, hashes: Iterable[str]) -> None:
    """Refuse what is no longer kept.

    Raises:
        PhotoDropped
    """
    for sha256, dropped_at in drop_times(session, hashes).items():
        raise PhotoDropped(
            Notice("photo_dropped", {"since": dropped_at.isoformat()}),
            sha256=sha256,
            dropped_at=dropped_at.isoformat(),
        )
