"""What grows at a location: said once, and said anew when it changes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.catalog.queries import active_config
from demeter.core import logs
from demeter.locations import lock, retry_signal, rules
from demeter.locations.models import StorageLocation

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Growing:
    """A product in a state, in a packaging or in none, by their ids."""

    product_id: int
    product_state_id: int
    packaging_catalog_id: int | None = None


def set_location_config(
    session: Session,
    location: StorageLocation,
    growing: Growing,
    *,
    framed_whole: bool | None = None,
) -> LocationConfig:
    """Say what grows at a location; what was said before stays as history, not active.

    ``framed_whole`` says whether its photos show the bed from edge to edge; ``None`` leaves
    that as it is. Counts that wait there are tried again, by a job.

    Raises:
        LocationGone: the location is not there any more.
        PlaceInactive: it is out of use.
    """
    location = lock.lock_locations(session, [location.location_id])[location.location_id]
    rules.require_active(location)
    if framed_whole is not None:
        location.framed_whole = framed_whole
    config = active_config(session, location.location_id)
    if config is None or _growing(config) != growing:
        config = _replace(session, location, config, growing)
    session.flush()
    retry_signal.retry_later(session, [location.location_id])
    log.info("location_configured", location=location.code, product_id=growing.product_id)
    return config


def _growing(config: LocationConfig) -> Growing:
    return Growing(config.product_id, config.expected_product_state_id, config.packaging_catalog_id)


def _replace(
    session: Session,
    location: StorageLocation,
    before: LocationConfig | None,
    growing: Growing,
) -> LocationConfig:
    if before is not None:
        before.active = False
        session.flush()  # at most one is active, also on the way
    config = LocationConfig(
        storage_location_id=location.location_id,
        product_id=growing.product_id,
        expected_product_state_id=growing.product_state_id,
        packaging_catalog_id=growing.packaging_catalog_id,
        area_cm2=before.area_cm2 if before is not None else None,
    )
    session.add(config)
    return config
