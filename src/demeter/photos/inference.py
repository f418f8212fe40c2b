"""From an image's row to vision's answer: find the bytes, give the hints, keep pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import DensityParameter, LocationConfig
from demeter.catalog.queries import active_config
from demeter.core import blobs, traces
from demeter.core.blob_jobs import keep_picture
from demeter.core.db import engine, transaction
from demeter.core.pixels.files import read_pixels
from demeter.locations.models import BinStatus, StorageBin, StorageBinType, StorageLocation
from demeter.photos.models import ImageStatus, SessionImage
from demeter.vision import overlay, pipeline
from demeter.vision.hints import ContainerGrid, ContainerSize, DensityPrior, Hints
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.values import ContainerType, CountUnit
from demeter.vision_models import active

PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class CountedImage:
    """Vision's answer as JSON, its pictures (WebP), and the facts for the log."""

    result: dict[str, Any]
    overlay: bytes
    thumbnail: bytes
    facts: dict[str, Any]


def models() -> ModelSet:
    """The models at work; loaded once, and anew when others are put to work."""
    return active.models_at_work(engine())


def count_image(session_image_id: int) -> CountedImage:
    """Count one image; raises what blobs, decoding and vision raise."""
    with transaction() as session:
        row = session.get_one(SessionImage, session_image_id)
        sha256, name = row.image.sha256, row.image.original_filename or row.image.sha256
        hints = hints_for(session, row.session.storage_location_id)
    started = time.perf_counter()
    with traces.span("read photo", sha256=sha256):
        rgb, _ = read_pixels(blobs.read(engine(), sha256), name)
    with traces.span("vision") as span:
        counted = pipeline.count(rgb, models(), hints, on_progress=_reporter(session_image_id))
        if span is not None:
            span.set_attributes({"plants": counted.detected, "containers": len(counted.containers)})
    with traces.span("draw"):
        pictures = overlay.render(rgb, counted), overlay.thumbnail(rgb)
    return CountedImage(
        counted.to_json(),
        *pictures,
        facts={
            "containers": len(counted.containers),
            "detected": counted.detected,
            "estimated": counted.estimated,
            "seconds": round(time.perf_counter() - started, 2),
        },
    )


def keep_pictures(session: Session, session_image_id: int, counted: CountedImage) -> None:
    """Put overlay and thumbnail beside the original, by content, in this transaction."""
    image = session.get_one(SessionImage, session_image_id).image
    image.s3_key_processed = keep_picture(session, counted.overlay)
    image.s3_key_thumbnail = keep_picture(session, counted.thumbnail)
    image.status = ImageStatus.READY


def hints_for(session: Session, location_id: int | None) -> Hints:
    """What the location's row, config and density parameters say about its photos."""
    location = session.get(StorageLocation, location_id) if location_id else None
    if location is None:
        return Hints(count_unit=None)
    config = active_config(session, location.location_id)
    known = Hints(
        framed_whole=location.framed_whole,
        container_size_cm=_sizes(session, location),
        count_unit=None,
        container_grids=_grids(session, location),
    )
    if config is None:
        return known
    diameter = config.packaging.diameter_cm if config.packaging else None
    return replace(
        known,
        packaging_diameter_cm=float(diameter) if diameter else None,
        density=_density(session, config),
        count_unit=CountUnit(config.count_unit) if config.count_unit else None,
    )


def _sizes(session: Session, location: StorageLocation) -> tuple[ContainerSize, ...]:
    pairs = _agreed(session, location, StorageBinType.length_cm, StorageBinType.width_cm)
    return tuple(ContainerSize(kind, float(pair[0]), float(pair[1])) for kind, pair in pairs)


def _grids(session: Session, location: StorageLocation) -> tuple[ContainerGrid, ...]:
    pairs = _agreed(session, location, StorageBinType.rows, StorageBinType.columns)
    return tuple(ContainerGrid(kind, pair[0], pair[1]) for kind, pair in pairs)


def _agreed(
    session: Session, location: StorageLocation, first: Any, second: Any
) -> list[tuple[ContainerType, tuple[Any, Any]]]:
    """Two columns for each kind of container there, where the types of its active bins agree."""
    rows = session.execute(
        select(StorageBinType.category, first, second)
        .join(StorageBin, StorageBin.storage_bin_type_id == StorageBinType.bin_type_id)
        .where(
            StorageBin.storage_location_id == location.location_id,
            StorageBin.status == BinStatus.ACTIVE,
        )
        .distinct()
    ).all()
    kinds = [row[0] for row in rows]
    ordered = sorted(rows, key=lambda row: row[0].value)
    return [
        (kind, (one, other))
        for kind, one, other in ordered
        if one and other and kinds.count(kind) == 1
    ]


def _density(session: Session, config: LocationConfig) -> tuple[DensityPrior, ...]:
    """One prior a container type: the row for the config's packaging before the plain one."""
    rows = session.execute(
        select(StorageBinType.category, DensityParameter)
        .join(DensityParameter, DensityParameter.storage_bin_type_id == StorageBinType.bin_type_id)
        .where(
            DensityParameter.product_id == config.product_id,
            DensityParameter.packaging_catalog_id.is_(None)
            | (DensityParameter.packaging_catalog_id == config.packaging_catalog_id),
        )
        .order_by(DensityParameter.packaging_catalog_id.is_(None), DensityParameter.id)
    )
    priors: dict[ContainerType, DensityPrior] = {}
    for category, row in rows:
        priors.setdefault(
            category,
            DensityPrior(
                container_type=category,
                avg_area_per_plant_cm2=_number(row.avg_area_per_plant_cm2),
                plants_per_m2=_number(row.plants_per_m2),
                overlap_adjustment_factor=float(row.overlap_adjustment_factor),
                avg_diameter_cm=_number(row.avg_diameter_cm),
            ),
        )
    return tuple(priors.values())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _reporter(session_image_id: int) -> Any:
    """Writes progress for the page, at most every half second."""
    last = 0.0

    def report(share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < PROGRESS_EVERY_S:
            return
        last = now
        with transaction() as session:
            session.get_one(SessionImage, session_image_id).progress = min(share, 1.0)

    return report
