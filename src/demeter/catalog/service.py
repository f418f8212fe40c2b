"""What grows at a location: said once, and said anew when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from demeter.catalog.errors import CatalogInactive
from demeter.catalog.models import LocationConfig, Packaging, Product, ProductState
from demeter.catalog.queries import active_config
from demeter.core import logs
from demeter.locations import lock, retry_signal, rules
from demeter.locations.models import StorageLocation
from demeter.vision.values import CountUnit

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Growing:
    """A product in a state, in a packaging or in none, by their ids."""

    product_id: int
    product_state_id: int
    packaging_catalog_id: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What is said about locations beside what grows there; ``None`` leaves it as it is.

    ``framed_whole``: their photos show the bed from edge to edge. ``names_unit``: what is
    counted there is ``count_unit``, of which ``None`` is by category of the container.
    """

    framed_whole: bool | None = None
    names_unit: bool = False
    count_unit: CountUnit | None = None


def set_location_config(
    session: Session,
    location: StorageLocation,
    growing: Growing,
    setting: Setting | None = None,
) -> LocationConfig:
    """Say what grows at a location; what was said before stays as history, not active.

    Counts that wait there are tried again, by a job.

    Raises:
        LocationGone: the location is not there any more.
        PlaceInactive: it is out of use.
        CatalogInactive: the product, its state or the packaging is.
    """
    (config,) = set_location_configs(session, [location], growing, setting)
    return config


def set_location_configs(
    session: Session,
    locations: Sequence[StorageLocation],
    growing: Growing,
    setting: Setting | None = None,
) -> list[LocationConfig]:
    """Say what grows at several locations, all of them or none.

    Raises:
        LocationGone, PlaceInactive, CatalogInactive: as `set_location_config`.
    """
    ids = [location.location_id for location in locations]
    rows = lock.lock_locations(session, ids)
    configs = [_configure(session, row, growing, setting or Setting()) for row in rows.values()]
    session.flush()
    retry_signal.retry_later(session, ids)
    log.info("locations_configured", locations=len(ids), product_id=growing.product_id)
    return configs


def clear_location_config(session: Session, location: StorageLocation) -> None:
    """Nothing is said any more about what grows at a location; what was said stays as history.

    Raises:
        LocationGone: the location is not there any more.
    """
    lock.lock_locations(session, [location.location_id])
    config = active_config(session, location.location_id)
    if config is not None:
        config.active = False
    session.flush()


def _configure(
    session: Session, location: StorageLocation, growing: Growing, setting: Setting
) -> LocationConfig:
    rules.require_active(location)
    if setting.framed_whole is not None:
        location.framed_whole = setting.framed_whole
    config = active_config(session, location.location_id)
    if config is None or _growing(config) != growing:
        _require_in_use(session, growing)
        config = _replace(session, location, config, growing)
    if setting.names_unit:
        config.count_unit = setting.count_unit
    return config


def _require_in_use(session: Session, growing: Growing) -> None:
    for kind, number in (
        (Product, growing.product_id),
        (ProductState, growing.product_state_id),
        (Packaging, growing.packaging_catalog_id),
    ):
        row = session.get_one(kind, number) if number is not None else None
        if row is not None and not row.active:
            raise CatalogInactive(f"{row.name} is out of use", name=row.name)


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
