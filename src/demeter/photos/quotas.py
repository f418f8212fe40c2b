"""How many photos one person may send: a lost phone or a runaway script fills no disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.errors import DomainError
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.photos.models import Image

A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)


class UploadLimit(DomainError):
    """This person has sent as many photos as one person may for now."""

    status = 429
    code = "upload_limit"
    title = "Too many photos for now"
    next_action = "Wait as long as it says, then send them again; an administrator can raise it."


def require_quota(session: Session, user: User, photos: int, size_bytes: int) -> None:
    """See that a person may send so many photos now, of so many bytes together.

    Who sends at the same moment may come a little over it.

    Raises:
        UploadLimit: it would be more than a minute's or a day's; after how many seconds it
            goes on is in ``retry_after_s``.
    """
    limits = settings()
    now = datetime.now(UTC)
    sent = select(
        func.count().filter(Image.created_at > now - A_MINUTE),
        func.count(),
        func.coalesce(func.sum(Image.file_size_bytes), 0),
        func.min(Image.created_at),
    ).where(Image.uploaded_by_user_id == user.id, Image.created_at > now - A_DAY)
    in_minute, in_day, bytes_in_day, first = session.execute(sent).one()
    if in_minute and in_minute + photos > limits.photos_per_minute:
        raise _limit("photos_per_minute", limits.photos_per_minute, A_MINUTE)
    wait = A_DAY - (now - first) if first else A_DAY
    if in_day + photos > limits.photos_per_day:
        raise _limit("photos_per_day", limits.photos_per_day, wait)
    if bytes_in_day + size_bytes > limits.photo_bytes_per_day:
        raise _limit("photo_bytes_per_day", limits.photo_bytes_per_day, wait)


def _limit(kind: str, limit: int, wait: timedelta) -> UploadLimit:
    seconds = max(1, round(wait.total_seconds()))
    return UploadLimit(Notice(kind, {"limit": limit}), limit=limit, retry_after_s=seconds)
