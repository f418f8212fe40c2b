"""What is configured to grow at a location."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig


def active_config(session: Session, location_id: int) -> LocationConfig | None:
    """The location's one active config."""
    return session.scalar(
        select(LocationConfig).where(
            LocationConfig.storage_location_id == location_id, LocationConfig.active
        )
    )
