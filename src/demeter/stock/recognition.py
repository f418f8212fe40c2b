"""Which container of a new photo is which bin of before: pure geometry, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from shapely import Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from demeter.locations.models import BinCategory

Points = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Outline:
    """A container's polygon in coordinates normalised to 0..1 by its image's size.

    ``view`` numbers the photo of a session that shows it, from 1: outlines of different
    views are never the same container.
    """

    category: BinCategory
    view: int
    shape: BaseGeometry


def outline(
    category: BinCategory, view: int, polygon_px: Points, width_px: int, height_px: int
) -> Outline:
    """An outline from pixels of the upright image; a polygon that crosses itself is mended."""
    points = [(x / width_px, y / height_px) for x, y in polygon_px]
    shape = make_valid(Polygon(points)) if len(points) >= 3 else Polygon()  # noqa: PLR2004
    return Outline(category, view, shape)


def overlap(a: Outline, b: Outline) -> float:
    """Intersection over union, 0 where category or view differ."""
    if a.category is not b.category or a.view != b.view:
        return 0.0
    union = a.shape.union(b.shape).area
    return a.shape.intersection(b.shape).area / union if union else 0.0


def recognise(seen: Sequence[Outline], known: Sequence[Outline], least: float) -> dict[int, int]:
    """Indices of ``seen`` to indices of ``known``: the assignment with the most overlap.

    Pairs that overlap less than ``least`` (intersection over union) are never made, nor do
    they push a good pair aside (Hungarian method on the overlaps that count).
    """
    if not seen or not known:
        return {}
    scores = np.array([[overlap(a, b) for b in known] for a in seen])
    scores[scores < least] = 0.0
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if scores[row, column] > 0
    }
