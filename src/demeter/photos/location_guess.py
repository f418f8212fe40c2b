"""Which location a photo shows: a person's word, a Demeter label in it, or its GPS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select, text
from sqlalchemy.orm import Session

from demeter.core.errors import InvalidInput, NotFound
from demeter.locations.models import StorageLocation
from demeter.photos.exif import Position

# A label that fills this much of the frame was photographed for its own sake.
LABEL_ALONE_SHARE = 0.04


class LocationNotFound(NotFound):
    """No location has this id or code."""

    code = "location_not_found"
    title = "No such location"
    next_action = "Choose a location that exists."


class LocationInactive(InvalidInput):
    """The location is no longer used."""

    code = "location_inactive"
    title = "This location is not active"
    next_action = "Choose an active location, or activate this one."


@dataclass(frozen=True, slots=True)
class Label:
    """A QR code in a photo: its text, and the share of the frame that it fills (0 to 1)."""

    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A location near the photo's position, and how far away its edge is in metres."""

    location_id: int
    code: str
    distance_m: float


def by_code(session: Session, code: str) -> StorageLocation:
    """The active location of this code.

    Raises:
        LocationNotFound: none is called that.
        LocationInactive: it is there, and out of use.
    """
    location = session.scalar(select(StorageLocation).where(StorageLocation.code == code))
    return _usable(location, f"no location has the code {code!r}", code=code)


def by_id(session: Session, location_id: int) -> StorageLocation:
    """The active location of this id; raises as `by_code` does."""
    location = session.get(StorageLocation, location_id)
    return _usable(location, f"no location has the id {location_id}", location_id=location_id)


def _usable(
    location: StorageLocation | None, sentence: str, **context: str | int
) -> StorageLocation:
    if location is None:
        raise LocationNotFound(sentence, **context)
    if not location.active:
        raise LocationInactive(f"location {location.code} is not active", **context)
    return location


def by_labels(session: Session, labels: Sequence[Label]) -> list[StorageLocation]:
    """The active locations whose ``qr_code`` is among the labels, by code.

    A location without one has its code on its label.
    """
    texts = [label.text for label in labels]
    if not texts:
        return []
    return list(
        session.scalars(
            select(StorageLocation)
            .where(
                or_(
                    StorageLocation.qr_code.in_(texts),
                    and_(StorageLocation.qr_code.is_(None), StorageLocation.code.in_(texts)),
                ),
                StorageLocation.active,
            )
            .order_by(StorageLocation.code)
        )
    )


def suggestions(session: Session, at: Position, most: int = 8) -> list[Suggestion]:
    """Active locations by distance from a position, nearest first."""
    rows = session.execute(
        text("""
        SELECT location_id, code,
               ST_Distance(geojson_coordinates::geography, here.point) AS distance_m
        FROM storage_locations,
             (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography AS point) AS here
        WHERE active AND ST_DWithin(geojson_coordinates::geography, here.point, 1000)
        ORDER BY distance_m, code LIMIT :most
        """),
        {"lon": at.longitude, "lat": at.latitude, "most": most},
    )
    return [Suggestion(r.location_id, r.code, r.distance_m) for r in rows]


def by_position(session: Session, at: Position) -> StorageLocation | None:
    """The location that the error circle meets, if it meets exactly one."""
    met = [s for s in suggestions(session, at, most=2) if s.distance_m <= at.error_m]
    return session.get(StorageLocation, met[0].location_id) if len(met) == 1 else None
