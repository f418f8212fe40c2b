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
    rows = session.execute(text(_CONFIGS), {"place": place_code}).mappings()
    return [LocationConfigRead.model_validate(dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class GrowingChoices:
    """All that a person can choose from, in the order in which it is looked for."""

    products: Sequence[Product]
    states: Sequence[ProductState]
    packagings: Sequence[Packaging]


def growing_choices(session: Session) -> GrowingChoices:
    """The catalog, to choose from."""
    return GrowingChoices(
        session.scalars(select(Product).order_by(Product.name, Product.code)).all(),
        session.scalars(
            select(ProductState).order_by(ProductState.sort_order, ProductState.product_state_id)
        ).all(),
        session.scalars(select(Packaging).order_by(Packaging.name, Packaging.sku)).all(),
    )


_CONFIGS = """
SELECT l.code AS location_code, l.name, w.code AS warehouse_code, a.code AS area_code,
       p.code AS product_code, s.name AS state, k.sku AS packaging_sku, l.framed_whole,
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
WHERE l.active AND (CAST(:place AS text) IS NULL OR :place IN (w.code, a.code, l.code))
ORDER BY w.code, a.code, l.code
"""
