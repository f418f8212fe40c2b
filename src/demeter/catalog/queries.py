"""What is configured to grow at a location, and what could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig, Packaging, Product, ProductState
from demeter.catalog.schemas import LocationConfigRead


def active_config(session: Session, location_id: int) -> LocationConfig | None:
    """The location's one active config."""
    return session.scalar(
        select(LocationConfig).where(
            LocationConfig.storage_location_id == location_id, LocationConfig.active
        )
    )


def location_configs(session: Session, place_code: str | None = None) -> list[LocationConfigRead]:
    """Locations in use with what grows there, of a greenhouse, an area, one, or all."""
    return location_configs_of(session, None if place_code is None else [place_code])


def location_configs_of(
    session: Session, place_codes: Sequence[str] | None
) -> list[LocationConfigRead]:
    """The same of several places; of all where ``None`` is given."""
    places = None if place_codes is None else list(place_codes)
    rows = session.execute(text(_CONFIGS), {"places": places}).mappings()
    return [LocationConfigRead.model_validate(dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class GrowingChoices:
    """All that a person can choose from, in the order in which it is looked for."""

    products: Sequence[Product]
    states: Sequence[ProductState]
    packagings: Sequence[Packaging]


def growing_choices(session: Session) -> GrowingChoices:
    """The catalog, to choose from: what is in use of it."""
    products = select(Product).where(Product.active).order_by(Product.name, Product.code)
    states = select(ProductState).where(ProductState.active)
    states = states.order_by(ProductState.sort_order, ProductState.product_state_id)
    packagings = select(Packaging).where(Packaging.active).order_by(Packaging.name, Packaging.sku)
    return GrowingChoices(
        session.scalars(products).all(),
        session.scalars(states).all(),
        session.scalars(packagings).all(),
    )


_CONFIGS = """
SELECT l.code AS location_code, l.name, w.code AS warehouse_code, w.name AS warehouse_name,
       a.code AS area_code, a.name AS area_name, p.code AS product_code, p.name AS product_name,
       s.name AS state, k.sku AS packaging_sku, c.count_unit, l.framed_whole,
       (SELECT count(*) FROM photo_processing_sessions f
        WHERE f.storage_location_id = l.location_id AND f.status = 'needs_config')
       + (SELECT count(*) FROM counts n
          WHERE n.storage_location_id = l.location_id AND n.waits_for = 'needs_config') AS waiting
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config c
    ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN product_states s ON s.product_state_id = c.expected_product_state_id
LEFT JOIN packaging_catalog k ON k.id = c.packaging_catalog_id
WHERE l.active AND (CAST(:places AS text[]) IS NULL
                    OR w.code = ANY(:places) OR a.code = ANY(:places) OR l.code = ANY(:places))
ORDER BY w.code, a.code, l.walk_order NULLS LAST, l.code
"""
