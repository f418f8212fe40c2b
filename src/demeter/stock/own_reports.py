"""Their own reports people take back themselves: for a day, and until the bed is counted again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.errors import NotAllowed
from demeter.core.permissions import Permission

FOR = timedelta(hours=24)


class NoLongerOwn(NotAllowed):
    """Somebody else reported it, or it is a day old, or the bed was counted since."""

    code = "no_longer_own"
    title = "Only a supervisor can take this back now"
    next_action = "Ask a supervisor to do it."


def require_own(
    session: Session,
    *,
    reporter_id: int,
    reported_at: datetime,
    location_ids: Collection[int],
    count_id: int | None = None,
) -> None:
    """Who may decide may always; others what they reported themselves, while it is fresh.

    ``count_id`` is the count that the report itself is, where it is one.

    Raises:
        NoLongerOwn: it is somebody else's, over 24 hours old, or a later count of one of the
            locations is posted.
    """
    if identity.has(Permission.DECIDE):
        return
    acting = identity.current()
    if acting is None or acting.user_id != reporter_id:
        raise NoLongerOwn("somebody else reported it")
    if datetime.now(UTC) - reported_at > FOR:
        raise NoLongerOwn("it was reported over 24 hours ago", reported_at=reported_at.isoformat())
    if _is_counted_since(session, location_ids, reported_at, count_id):
        raise NoLongerOwn("the bed was counted since")


def is_own(reporter_id: int, reported_at: datetime, *, is_counted_since: bool) -> bool:
    """What `require_own` lets pass, for a list: whether its last count is later is known there."""
    acting = identity.current()
    is_fresh = datetime.now(UTC) - reported_at <= FOR and not is_counted_since
    return identity.has(Permission.DECIDE) or (
        acting is not None and acting.user_id == reporter_id and is_fresh
    )


def _is_counted_since(
    session: Session, location_ids: Collection[int], since: datetime, count_id: int | None
) -> bool:
    query = text("""
        SELECT EXISTS (
            SELECT FROM counts
            WHERE storage_location_id = ANY(:locations) AND posted_at > :since
              AND voided_at IS NULL AND id IS DISTINCT FROM :count_id
        )
    """)
    values = {"locations": list(location_ids), "since": since, "count_id": count_id}
    return bool(session.scalar(query, values))
