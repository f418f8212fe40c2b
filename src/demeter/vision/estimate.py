"""Step 3: plants that detection could not separate, from what it left unexplained.

The residual of each of four bands is divided by the area that a plant of that height in
the container takes: the median part of a detected plant's ellipse that is foliage, times
that ellipse at the size fitted there, times the overlap of plants in a clump. Without
enough detections a density parameter takes their place, over the container's real size;
without either the answer is "unknown", with the reason.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.boxes import Boxes
from demeter.vision.geometry import Polygon
from demeter.vision.hints import DensityPrior, Hints
from demeter.vision.plantsize import SizeLine, fitted
from demeter.vision.residual import Residual, residual_of
from demeter.vision.scale import px_per_cm
from demeter.vision.values import Band, Container, Estimation, EstimationMethod

BANDS = 4
FEWEST_DETECTIONS = 5
_OVERLAP = 0.85


def estimated(
    rgb: NDArray[np.uint8],
    index: int,
    container: Container,
    boxes: Boxes,
    photo_plant_px: float | None,
    hints: Hints,
) -> tuple[Estimation, float]:
    """Estimate one container; ``boxes`` are those detected in it, in photo pixels.

    ``photo_plant_px`` is the median plant of the whole photo where enough were detected;
    it stands in where this container has too few of its own.

    Returns:
        The estimation, and the residual's share of the container's area.
    """
    plants = boxes.where(~boxes.is_empty)
    line = _size_line(container, plants, photo_plant_px)
    typical = None if line is None else float(line.diameter_px(0.5))
    if typical is None and len(plants):
        typical = float(np.median(plants.size_px))
    residual = residual_of(rgb, container, boxes, typical)
    share = float(residual.residual.sum()) / max(1, int(residual.inside.sum()))
    estimation = _estimation(index, container, residual, line, hints, len(plants))
    return estimation, round(share, 4)


def _size_line(
    container: Container, plants: Boxes, photo_plant_px: float | None
) -> SizeLine | None:
    if len(plants) >= FEWEST_DETECTIONS:
        top, height = _extent(container)
        v = (plants.centre_px[:, 1].astype(np.float64) - top) / height
        return fitted(v, plants.size_px.astype(np.float64))
    if photo_plant_px is not None:
        return SizeLine(math.log(photo_plant_px), 0.0, len(plants))
    return None


def _estimation(
    index: int,
    container: Container,
    residual: Residual,
    line: SizeLine | None,
    hints: Hints,
    plants: int,
) -> Estimation:
    prior = hints.prior_of(container.container_type)
    per_cm = px_per_cm(container, hints) or _per_cm_from_plants(line, prior)
    if line is not None:
        overlap = _OVERLAP if prior is None else prior.overlap_adjustment_factor
        method, area_of, reason = (
            EstimationMethod.BANDS,
            _area_by_line(line, residual, overlap),
            None,
        )
    else:
        method = EstimationMethod.DENSITY
        area_of, reason = _area_by_density(prior, per_cm)
    bands = _bands(container, residual, area_of)
    unknown = reason is not None and residual.area_px > 0
    confidence = residual.likeness * plants / (plants + FEWEST_DETECTIONS) if line else 0.3
    return Estimation(
        container=index,
        method=method,
        estimated=None if unknown else sum(b.estimated for b in bands),
        unknown_reason=reason if unknown else None,
        confidence=0.0 if unknown else round(confidence if residual.area_px else 1.0, 4),
        polygon_px=_hull(residual),
        residual_area_px=residual.area_px,
        residual_area_cm2=None if per_cm is None else round(residual.area_px / per_cm**2, 1),
        bands=bands,
        parameters=_parameters(residual, line, prior, per_cm),
        residual_polygons_px=_polygons(residual),
    )


class _AreaByLine:
    """Area of a plant, in square pixels of the photo, at vertical positions 0..1."""

    def __init__(self, line: SizeLine, per_ellipse: float) -> None:
        self._line, self._per_ellipse = line, per_ellipse

    def __call__(self, v: float) -> float:
        return float(math.pi / 4 * self._line.diameter_px(v) ** 2 * self._per_ellipse)


class _SameArea:
    def __init__(self, area_px: float) -> None:
        self._area_px = area_px

    def __call__(self, v: float) -> float:  # noqa: ARG002 - the same everywhere
        return self._area_px


def _area_by_line(line: SizeLine, residual: Residual, overlap: float) -> _AreaByLine:
    return _AreaByLine(line, residual.own_fill * overlap)


def _area_by_density(
    prior: DensityPrior | None, per_cm: float | None
) -> tuple[_SameArea, str | None]:
    """A plant's area from the density parameter, or why it cannot be had."""
    if prior is None or prior.area_per_plant_cm2 is None:
        reason = (
            f"Fewer than {FEWEST_DETECTIONS} plants were detected and no density parameter is set."
        )
        return _SameArea(math.inf), reason
    if per_cm is None:
        reason = "A density parameter is set, but the container's size in centimetres is not known."
        return _SameArea(math.inf), reason
    area_cm2 = prior.area_per_plant_cm2 * prior.overlap_adjustment_factor
    return _SameArea(area_cm2 * per_cm**2), None


def _bands(
    container: Container, residual: Residual, area_of: _AreaByLine | _SameArea
) -> tuple[Band, ...]:
    """Four strips from the container's top to its bottom; whole plants that sum rightly."""
    top, height = _extent(container)
    edges = [round(top + height * i / BANDS) for i in range(BANDS + 1)]
    rows = residual.residual.sum(axis=1)
    y = residual.offset_xy[1] + (np.arange(len(rows)) + 0.5) / residual.scale
    band_of = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, BANDS - 1)
    areas = [float(rows[band_of == b].sum()) / residual.scale**2 for b in range(BANDS)]
    plant = [area_of((b + 0.5) / BANDS) for b in range(BANDS)]
    whole = _whole([a / p if p > 0 else 0.0 for a, p in zip(areas, plant, strict=True)])
    return tuple(
        Band(edges[b], edges[b + 1], round(areas[b]), _finite(plant[b]), whole[b])
        for b in range(BANDS)
    )


def _whole(parts: list[float]) -> list[int]:
    """Parts as whole numbers whose sum is the rounded sum, by largest remainder."""
    floors = [math.floor(p) for p in parts]
    missing = round(sum(parts)) - sum(floors)
    by_remainder = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return floors


def _finite(area: float) -> float:
    return round(area, 1) if math.isfinite(area) else 0.0


def _extent(container: Container) -> tuple[int, int]:
    """Top and height of a container, height at least 1."""
    ys = [y for _, y in container.polygon_px]
    return min(ys), max(1, max(ys) - min(ys))


def _per_cm_from_plants(line: SizeLine | None, prior: DensityPrior | None) -> float | None:
    """Pixels a centimetre from how wide the plants are said to be."""
    if line is None or prior is None or not prior.avg_diameter_cm:
        return None
    return float(line.diameter_px(0.5)) / prior.avg_diameter_cm


def _parts(residual: Residual) -> list[NDArray[np.float64]]:
    contours, _ = cv2.findContours(
        residual.residual.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return [
        (c.reshape(-1, 2) + 0.5) / residual.scale + np.array(residual.offset_xy) for c in contours
    ]


def _polygons(residual: Residual) -> tuple[Polygon, ...]:
    """Outlines of the residual's parts, in reading order."""
    simple = (
        cv2.approxPolyDP(p.astype(np.float32), 1.5 / residual.scale, closed=True).reshape(-1, 2)
        for p in _parts(residual)
    )
    whole = (tuple((int(x), int(y)) for x, y in np.rint(s)) for s in simple if len(s) > 2)  # noqa: PLR2004
    return tuple(sorted(whole, key=lambda p: (min(y for _, y in p), min(x for x, _ in p), p)))


def _hull(residual: Residual) -> Polygon:
    """Convex hull of the residual, empty where there is none."""
    parts = _parts(residual)
    if not parts:
        return ()
    hull = cv2.convexHull(np.concatenate(parts).astype(np.float32)).reshape(-1, 2)
    return tuple((int(x), int(y)) for x, y in np.rint(hull))


def _parameters(
    residual: Residual, line: SizeLine | None, prior: DensityPrior | None, per_cm: float | None
) -> dict[str, object]:
    found: dict[str, object] = {
        "foliage_cut": residual.cut,
        "foliage_share_of_plant": round(residual.own_fill, 4),
        "px_per_cm": None if per_cm is None else round(per_cm, 3),
    }
    if line is not None:
        found["plant_px"] = round(float(line.diameter_px(0.5)), 1)
        found["plant_slope"] = round(line.slope, 4)
        found["plants_fitted"] = line.plants
    if prior is not None:
        found["area_per_plant_cm2"] = prior.area_per_plant_cm2
        found["overlap_adjustment_factor"] = prior.overlap_adjustment_factor
    return found
