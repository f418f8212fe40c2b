"""Containers that a person has reviewed, one value each, for learning how close plants stand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product
from demeter.counts.models import ContainerCount
from demeter.counts.queries import standing_count
from demeter.learning.ground_truth import accepted_ids
from demeter.locations.models import StorageBinType
from demeter.photos.models import Classification, Estimation, PhotoSession
from demeter.photos.pair_results import BEFORE
from demeter.review import marks as detections
from demeter.review.marks import Mark
from demeter.vision.values import EstimationMethod

DEFAULT_OVERLAP = 0.85


@dataclass(frozen=True, slots=True)
class ContainerKind:
    """A type of bin with a product in a packaging, by id and by name."""

    bin_type_id: int
    product_id: int
    packaging_catalog_id: int | None
    bin_type: str
    product: str
    packaging: str | None


@dataclass(frozen=True, slots=True)
class ReviewedContainer:
    """A reviewed container: its true plants, and what could be measured of it.

    ``area_cm2``, ``diameter_cm`` and ``foliage_share`` (of a plant's ellipse) are ``None``
    where the type has no size or no plant was marked. ``estimated`` is what the machine
    estimated by the plants' own size, with the factor ``overlap_used``; ``beyond_detected``
    is how many there really were beyond those marked.
    """

    kind: ContainerKind
    plants: int
    area_cm2: float | None
    diameter_cm: float | None
    foliage_share: float | None
    estimated: int
    overlap_used: float
    beyond_detected: int


def reviewed_containers(session: Session) -> Iterator[ReviewedContainer]:
    """Every container of every accepted session that stands in a bin of a known type.

    Those of a photo whose plants are counted in another one in part are left out: the plants
    of the row would be set against the area of the whole bed.
    """
    for session_id in accepted_ids(session):
        photo_session = session.get_one(PhotoSession, session_id)
        count = standing_count(session, session_id)
        assert count is not None  # what is accepted has one
        marks = detections.marks_of(session, photo_session, count.attempt)
        residuals = detections.residuals_of(session, photo_session)
        split_images = {i.image_id for i in photo_session.images if i.result and BEFORE in i.result}
        for row in count.containers:
            if row.image_id in split_images:
                continue
            estimation = _estimation(session, row)
            if row.seen and row.answer is not None and estimation is not None:
                kind = _container_kind(session, row, estimation)
                if kind is not None:
                    yield _reviewed_container(kind, row, estimation, marks, residuals)


def _reviewed_container(
    kind: tuple[ContainerKind, StorageBinType],
    row: ContainerCount,
    estimation: Estimation,
    marks: Sequence[Mark],
    residuals: detections.Residuals,
) -> ReviewedContainer:
    own_marks = [m for m in marks if m.container_count_id == row.id]
    plants = [m for m in own_marks if not m.is_empty_container and not m.removed]
    px_per_cm, area_cm2 = _scale(row, kind[1])
    sizes = [_size_px(m) for m in plants if not m.by_person]
    outside = len(plants) - detections.inside_estimate(plants, residuals)
    by_size = estimation.calculation_method is EstimationMethod.BANDS
    share = estimation.parameters.get("foliage_share_of_plant")
    return ReviewedContainer(
        kind=kind[0],
        plants=row.answer or 0,
        area_cm2=area_cm2,
        diameter_cm=median(sizes) / px_per_cm if sizes and px_per_cm else None,
        foliage_share=float(share) if share else None,
        estimated=(row.machine_estimated or 0) if by_size else 0,
        overlap_used=float(
            estimation.parameters.get("overlap_adjustment_factor") or DEFAULT_OVERLAP
        ),
        beyond_detected=max(0, (row.answer or 0) - outside),
    )


def _scale(row: ContainerCount, kind: StorageBinType) -> tuple[float | None, float | None]:
    """Pixels a centimetre, and the area in cm2; a frame that stands for the bed has neither."""
    segment = row.segment or {}
    if not kind.length_cm or not kind.width_cm or segment.get("whole_frame"):
        return None, None
    area_cm2 = float(kind.length_cm) * float(kind.width_cm)
    return math.sqrt(segment["area_pixels"] / area_cm2), area_cm2


def _size_px(mark: Mark) -> float:
    """A plant's size as the estimate takes it: the root of its box's area."""
    x1, y1, x2, y2 = mark.xyxy_px
    return math.sqrt(max(0.0, x2 - x1) * max(0.0, y2 - y1))


def _estimation(session: Session, row: ContainerCount) -> Estimation | None:
    return session.scalar(
        select(Estimation)
        .where(Estimation.container_count_id == row.id)
        .order_by(Estimation.id.desc())
        .limit(1)
    )


def _container_kind(
    session: Session, row: ContainerCount, estimation: Estimation
) -> tuple[ContainerKind, StorageBinType] | None:
    """``None`` where the bin has no type or nothing says what stood there."""
    bin_type = row.bin.bin_type if row.bin else None
    if bin_type is None or estimation.classification_id is None:
        return None
    classification = session.get_one(Classification, estimation.classification_id)
    packaging = classification.packaging_catalog_id
    return ContainerKind(
        bin_type.bin_type_id,
        classification.product_id,
        packaging,
        bin_type.code,
        session.get_one(Product, classification.product_id).code,
        session.get_one(Packaging, packaging).sku if packaging else None,
    ), bin_type
