"""Regions of a photo that count neither way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from shapely import Point, Polygon, intersects_xy, make_valid, unary_union
from shapely.geometry.base import BaseGeometry

Outline = Sequence[tuple[float, float]]

_CORNERS = 3
_ARCS_A_QUARTER = 32  # a disc's area is then right to a thousandth


@dataclass(frozen=True, slots=True)
class IgnoredRegions:
    """Discs [n, 3] (x, y, radius) and polygons, in pixels of the photo; none at first."""

    discs: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    polygons_px: tuple[Outline, ...] = ()

    def __len__(self) -> int:
        return len(self.discs) + len(self.polygons_px)

    def holds(self, xy_px: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each of the points [n, 2] lies in a region or on its edge."""
        apart = np.linalg.norm(xy_px[:, None] - self.discs[None, :, :2], axis=2)
        inside = (apart <= self.discs[:, 2]).any(axis=1)
        if not self.polygons_px:
            return inside
        return inside | intersects_xy(_union(self.polygons_px), xy_px[:, 0], xy_px[:, 1])

    def share_of(self, outlines_px: Sequence[Outline]) -> float:
        """The part of the outlines' area that lies in the regions, 0 to 1; 0 of no area."""
        if not self:
            return 0.0
        whole = _union(outlines_px)
        return whole.intersection(self._shape()).area / whole.area if whole.area else 0.0

    def _shape(self) -> BaseGeometry:
        discs = [Point(x, y).buffer(r, quad_segs=_ARCS_A_QUARTER) for x, y, r in self.discs]
        return unary_union([*discs, _union(self.polygons_px)])


def _union(outlines: Sequence[Outline]) -> BaseGeometry:
    """The area of all; what has too few corners has none."""
    return unary_union([make_valid(Polygon(o)) for o in outlines if len(o) >= _CORNERS])
