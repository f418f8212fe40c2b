"""What detected plants are taken to be: the product and packaging of the location's config."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.counts.models import ContainerCount
from demeter.photos.models import Classification, Detection, Estimation


def classification_of(session: Session, config: LocationConfig, model_version: str) -> int:
    """The id of the classification for a config and model, found or made.

    Its confidences stay empty: nothing but the configuration says so.
    """
    packaging = config.packaging
    values = {
        "product_id": config.product_id,
        "packaging_catalog_id": config.packaging_catalog_id,
        "model_version": model_version,
        "name": " / ".join([config.product.name, *([packaging.name] if packaging else [])]),
    }
    session.execute(insert(Classification).values(values).on_conflict_do_nothing())
    return session.scalars(
        select(Classification.id).where(
            Classification.product_id == config.product_id,
            Classification.product_size_id.is_(None),
            Classification.packaging_catalog_id.is_not_distinct_from(config.packaging_catalog_id),
            Classification.model_version == model_version,
        )
    ).one()


def link_evidence(
    session: Session,
    config: LocationConfig,
    containers: Sequence[ContainerCount],
) -> None:
    """Tie detections and estimations to their classification and, where any, movement."""
    for row in containers:
        version = row.model_versions.get("detect", "unknown")
        tie = {
            "classification_id": classification_of(session, config, version),
            "stock_movement_id": row.stock_movement_id,
        }
        for table in (Detection, Estimation):
            session.execute(
                update(table)
                .where(table.container_count_id == row.id)
                .values(tie)
                .execution_options(synchronize_session=False)
            )
