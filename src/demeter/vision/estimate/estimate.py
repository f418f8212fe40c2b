"""Step 3: plants that detection could not separate, from what it left unexplained.

The residual of each of four bands is divided by the area that a plant takes at that height
of the container. Without enough detections to say that, a density parameter takes their
place, over the container's real size; without either the answer is "unknown", with the
reason. Without a residual there are zero more, however few were detected, unless much has a
plant's colours where detection saw nothing; and what would be many times the detected is no
estimate but a sign that detection did not see this kind of plant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.estimate.bands import (
    PlantArea,
    area_by_density,
    area_by_line,
    bands_of,
    extent_px,
    no_bands,
)
from demeter.vision.estimate.residual import Residual, hull_px, outlines_px, residual_of
from demeter.vision.estimate.size_model import SizeLine, fit_size_line
from demeter.vision.geometry import Polygon
from demeter.vision.hints import Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.scale_search import px_per_cm
from demeter.vision.values import Container, EstimationMethod, ResidualEstimate

FEWEST_DETECTIONS = 5
_OVERLAP = 0.85
MOST_PER_DETECTION = 10
MOST_UNSEEN = 0.25
_PRIOR_CONFIDENCE = 0.3


@dataclass(frozen=True, slots=True)
class _Basis:
    """What turns an area into plants: how, a plant's area, or why there is none."""

    method: EstimationMethod
    plant_area: PlantArea | None
    reason: Notice | None
    per_cm: float | None
    line: SizeLine | None


def estimate_container(
    rgb: NDArray[np.uint8],
    container: Container,
    boxes: Boxes,
    hints: Hints,
    *,
    index: int,
    photo_plant_px: float | None,
    faint: Boxes,
    usual_px: float | None = None,
    within: tuple[Polygon, ...] = (),
) -> tuple[ResidualEstimate, float]:
    """Estimate the ``index``-th container; ``boxes`` are those in it, in photo pixels.

    ``faint`` are the photo's boxes that detection was not sure of.

    ``photo_plant_px`` is the median plant of the whole photo where enough were detected;
    it stands in where this container has too few of its own. ``usual_px`` is about a plant's
    size where anything was detected in the photo, too little to estimate by but enough to say
    that detection knows what stands there. ``within`` are containers that stand in this one.

    Returns:
        The estimation, and the residual's share of the container's area.
    """
    plants = boxes.where(~boxes.is_empty)
    line = _size_line(container, plants, photo_plant_px)
    typical_px = _typical_px(line, plants) or usual_px
    residual = residual_of(rgb, container, boxes, typical_px, faint, within)
    basis = _basis(container, residual, line, hints)
    share = float(residual.residual.sum()) / max(1, int(residual.inside.sum()))
    return _estimation(index, container, residual, basis, hints), round(share, 4)


def no_estimate(index: int, container: Container) -> ResidualEstimate:
    """The estimate of the frame beside containers: what was detected there is all that counts.

    It is the ground around them; what has a plant's colours there says nothing.
    """
    return ResidualEstimate(
        container=index,
        method=EstimationMethod.BANDS,
        estimated=0,
        unknown_reason=None,
        confidence=1.0,
        polygon_px=(),
        residual_area_px=0,
        residual_area_cm2=None,
        bands=no_bands(container),
        parameters={"ground_around_containers": True},
        residual_polygons_px=(),
    )


def _size_line(
    container: Container, plants: Boxes, photo_plant_px: float | None
) -> SizeLine | None:
    if len(plants) >= FEWEST_DETECTIONS:
        top, height = extent_px(container)
        v = (plants.centre_px[:, 1].astype(np.float64) - top) / height
        return fit_size_line(v, plants.size_px.astype(np.float64))
    if photo_plant_px is not None:
        return SizeLine(math.log(photo_plant_px), 0.0, len(plants))
    return None


def _typical_px(line: SizeLine | None, plants: Boxes) -> float | None:
    if line is not None:
        return float(line.diameter_px(0.5))
    return float(np.median(plants.size_px)) if len(plants) else None


def _basis(container: Container, residual: Residual, line: SizeLine | None, hints: Hints) -> _Basis:
    prior = hints.prior_of(container.container_type)
    per_cm = px_per_cm(container, hints)
    if line is not None:
        if per_cm is None and prior is not None and prior.avg_diameter_cm:
            per_cm = float(line.diameter_px(0.5)) / prior.avg_diameter_cm
        overlap = _OVERLAP if prior is None else prior.overlap_adjustment_factor
        area = area_by_line(line, residual.own_fill, overlap)
        return _Basis(EstimationMethod.BANDS, area, None, per_cm, line)
    density = EstimationMethod.DENSITY
    if prior is None or prior.area_per_plant_cm2 is None:
        reason = Notice("too_few_detected", {"fewest": FEWEST_DETECTIONS})
        return _Basis(density, None, reason, per_cm, None)
    if per_cm is None:
        reason = Notice("container_size_missing")
        return _Basis(density, None, reason, None, None)
    return _Basis(density, area_by_density(prior, per_cm), None, per_cm, None)


def _estimation(
    index: int, container: Container, residual: Residual, basis: _Basis, hints: Hints
) -> ResidualEstimate:
    bands = bands_of(container, residual, basis.plant_area)
    reason = _doubt(container, residual, basis)
    unknown, per_cm = reason is not None, basis.per_cm
    return ResidualEstimate(
        container=index,
        method=basis.method,
        estimated=None if unknown else sum(b.estimated for b in bands),
        unknown_reason=reason,
        confidence=0.0 if unknown else _confidence(residual, basis.line),
        polygon_px=hull_px(residual),
        residual_area_px=residual.area_px,
        residual_area_cm2=None if per_cm is None else round(residual.area_px / per_cm**2, 1),
        bands=bands,
        parameters=_parameters(container, residual, basis, hints),
        residual_polygons_px=outlines_px(residual),
    )


def _doubt(container: Container, residual: Residual, basis: _Basis) -> Notice | None:
    """Why the residual cannot be given in plants, or ``None``.

    What has plants' colours where detection saw nothing is mostly moss or gravel; where it
    would hold many times the detected, it may be a kind that detection does not know.
    """
    if basis.line is None:
        unseen = float(residual.unseen.sum()) / max(1, int(residual.inside.sum()))
        return basis.reason if residual.area_px or unseen > MOST_UNSEEN else None
    if not residual.unseen.any() and not residual.area_px:
        return None
    whole = replace(residual, residual=residual.residual | residual.unseen)
    plants = sum(b.estimated for b in bands_of(container, whole, basis.plant_area))
    if plants > MOST_PER_DETECTION * max(1, basis.line.plants):
        return Notice("rest_too_large", {"plants": plants, "detected": basis.line.plants})
    return None


def _confidence(residual: Residual, line: SizeLine | None) -> float:
    """How plant-like the residual is, less where few plants say what a plant is."""
    if residual.area_px == 0:
        return 1.0
    if line is None:
        return _PRIOR_CONFIDENCE
    return round(residual.likeness * line.plants / (line.plants + FEWEST_DETECTIONS), 4)


def _parameters(
    container: Container, residual: Residual, basis: _Basis, hints: Hints
) -> dict[str, object]:
    parameters: dict[str, object] = {
        "foliage_cut": residual.cut,
        "foliage_share_of_plant": round(residual.own_fill, 4),
        "px_per_cm": None if basis.per_cm is None else round(basis.per_cm, 3),
    }
    if basis.line is not None:
        parameters["plant_px"] = round(float(basis.line.diameter_px(0.5)), 1)
        parameters["plant_slope"] = round(basis.line.slope, 4)
        parameters["plants_fitted"] = basis.line.plants
    prior = hints.prior_of(container.container_type)
    if prior is not None:
        parameters["area_per_plant_cm2"] = prior.area_per_plant_cm2
        parameters["overlap_adjustment_factor"] = prior.overlap_adjustment_factor
    return parameters
