"""Until when a location is closed: the closing counts of its closed periods."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.notices import Notice
from demeter.stock.errors import PeriodClosed


def closed_until(
    session: Session, location_id: int, product_id: int | None = None
) -> datetime | None:
    """The moment of the latest closing count, of any product or of one; ``None``: all is open."""
    return session.execute(
        text("""
        SELECT max(c.captured_at) FROM period_closings p
        JOIN counts c ON c.id = p.closing_count_id
        WHERE p.storage_location_id = :location AND p.reopened_at IS NULL
          AND (CAST(:product AS bigint) IS NULL OR p.product_id = :product)
        """),
        {"location": location_id, "product": product_id},
    ).scalar()


def closed_notice(at: datetime, until: datetime) -> Notice:
    """That a moment lies in a closed period, which ends at ``until``."""
    return Notice(
        "period_closed", {"happened_at": at.isoformat(), "closed_until": until.isoformat()}
    )


def require_open(
    session: Session, location_id: int, at: datetime, product_id: int | None = None
) -> None:
    """Refuse what happened at or before a closed period's closing count.

    Raises:
        PeriodClosed: it names both moments.
    """
    until = closed_until(session, location_id, product_id)
    if until is not None and at <= until:
        raise PeriodClosed(
            closed_notice(at, until),
            happened_at=at.isoformat(),
            closed_until=until.isoformat(),
            location_id=location_id,
        )
