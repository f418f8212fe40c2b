"""The lock of a location: whoever changes its stock takes it first."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.locations.errors import LocationGone
from demeter.locations.models import StorageLocation


def lock_location(session: Session, location_id: int) -> StorageLocation | None:
    """The location's row, locked against other writers of its stock; ``None`` if gone."""
    return session.scalar(
        select(StorageLocation)
        .where(StorageLocation.location_id == location_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def lock_locations(session: Session, location_ids: Iterable[int]) -> dict[int, StorageLocation]:
    """Lock locations in one order, whoever asks, so that nobody waits in a circle.

    Raises:
        LocationGone: one of them is not there.
    """
    locations = {}
    for location_id in sorted(set(location_ids)):
        location = lock_location(session, location_id)
        if location is None:
            raise LocationGone(f"location {location_id} does not exist", location_id=location_id)
        locations[location_id] = location
    return locations
