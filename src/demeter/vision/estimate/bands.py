"""Four strips of a container: how much each leaves unexplained and how many plants that is."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.estimate.residual import Residual
from demeter.vision.estimate.size_model import SizeLine
from demeter.vision.hints import DensityPrior
from demeter.vision.values import Band, Container

BANDS = 4
_ONE_PLANT = 1.5
PlantArea = Callable[[float], float]


def area_by_line(line: SizeLine, own_fill: float, overlap: float) -> PlantArea:
    """Area of a plant in square pixels of the photo at a vertical position 0..1.

    The ellipse of the fitted size, times the part of it that is foliage, times the part
    that a neighbour in the clump does not hide.
    """
    return lambda v: float(math.pi / 4 * line.diameter_px(v) ** 2 * own_fill * overlap)


def area_by_density(prior: DensityPrior, per_cm: float) -> PlantArea | None:
    """The area that the density parameter gives a plant, the same everywhere."""
    if prior.area_per_plant_cm2 is None:
        return None
    area_px = prior.area_per_plant_cm2 * prior.overlap_adjustment_factor * per_cm**2
    return lambda _: area_px


def bands_of(
    container: Container, residual: Residual, plant_area: PlantArea | None
) -> tuple[Band, ...]:
    """Strips of equal height from the container's top to its bottom.

    A part of the residual that is no larger than one and a half plants is one plant, a
    larger one as many as its area holds. Plants are whole in each strip and sum to the
    rounded sum; without a plant's area all are 0 and mean nothing.
    """
    top, height = extent_px(container)
    edges = [round(top + height * i / BANDS) for i in range(BANDS + 1)]
    rows_y = residual.offset_xy[1] + (np.arange(len(residual.residual)) + 0.5) / residual.scale
    band = np.clip(np.searchsorted(edges, rows_y, side="right") - 1, 0, BANDS - 1)
    areas = _sums(residual.residual.sum(axis=1), band) / residual.scale**2
    plant = [plant_area((b + 0.5) / BANDS) if plant_area else 0.0 for b in range(BANDS)]
    v = (rows_y - top) / height
    plants = _sums(_plants_by_row(residual, v, plant_area), band) if plant_area else areas * 0
    whole = whole_parts(plants.tolist())
    return tuple(
        Band(edges[b], edges[b + 1], round(float(areas[b])), round(plant[b], 1), whole[b])
        for b in range(BANDS)
    )


def no_bands(container: Container) -> tuple[Band, ...]:
    """The strips of a container in which nothing was left unexplained."""
    top, height = extent_px(container)
    edges = [round(top + height * i / BANDS) for i in range(BANDS + 1)]
    return tuple(Band(edges[b], edges[b + 1], 0, 0.0, 0) for b in range(BANDS))


def whole_parts(parts: list[float]) -> list[int]:
    """Parts as whole numbers whose sum is the rounded sum, by largest remainder."""
    floors = [math.floor(p) for p in parts]
    missing = round(sum(parts)) - sum(floors)
    by_remainder = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return floors


def extent_px(container: Container) -> tuple[int, int]:
    """Top and height of a container, height at least 1."""
    ys = [y for _, y in container.polygon_px]
    return min(ys), max(1, max(ys) - min(ys))


def _plants_by_row(
    residual: Residual, v: NDArray[np.float64], plant_area: PlantArea
) -> NDArray[np.float64]:
    """Plants that each row of the residual holds, ``v`` its vertical position."""
    if not residual.residual.any():
        return np.zeros(len(v))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(
        residual.residual.astype(np.uint8), connectivity=8
    )
    density = np.zeros(count)
    for part in range(1, count):
        area = float(stats[part, cv2.CC_STAT_AREA])
        middle = v[int(np.clip(round(float(centres[part][1])), 0, len(v) - 1))]
        plants = area / residual.scale**2 / plant_area(float(middle))
        density[part] = (1.0 if plants < _ONE_PLANT else plants) / area
    return np.take(density, np.asarray(labels, np.intp)).sum(axis=1)


def _sums(rows: NDArray[np.floating | np.integer], band: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.bincount(band, weights=rows, minlength=BANDS).astype(np.float64)
