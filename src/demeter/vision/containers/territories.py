"""Which outline holds what: the smallest around a point, and the ground that each has alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, union_all
from shapely.geometry.base import BaseGeometry

from demeter.core.notices import Notice
from demeter.vision.geometry import Polygon as Corners

EDGE_SHARE = 0.004  # of the photo's longer side: so near an outline a plant still belongs to it
FEWEST_CORNERS = 3
LEAST_AREA_PX = 16.0


def outline_fault(
    outline_px: Corners, size_wh: tuple[int, int], index: int, photo: int
) -> Notice | None:
    """What is wrong with the outline that a person drew of this container of this photo."""
    width, height = size_wh
    if len(set(outline_px)) < FEWEST_CORNERS:
        return Notice("outline_too_few", {"index": index, "photo": photo})
    if any(not (0 <= x <= width and 0 <= y <= height) for x, y in outline_px):
        return Notice("outline_outside", {"index": index, "photo": photo})
    shape = Polygon(outline_px)
    is_flat = shape.convex_hull.area < LEAST_AREA_PX  # all corners in a line
    if not is_flat and not shape.is_valid:
        return Notice("outline_crosses_itself", {"index": index, "photo": photo})
    if is_flat or shape.area < LEAST_AREA_PX:
        return Notice("outline_too_small", {"index": index, "photo": photo})
    return None


@dataclass(frozen=True)
class Territories:
    """Outlines of one photo; where they overlap the smaller one has the ground.

    ``changed`` says of each whether it is other than before: what stood in an outline that
    did not change stays there, unless a changed one that is smaller lies around it.
    """

    outlines_px: tuple[Corners, ...]
    changed: tuple[bool, ...]
    edge_px: float

    @cached_property
    def shapes(self) -> tuple[BaseGeometry, ...]:
        """Each as a valid shape."""
        return tuple(_whole(outline) for outline in self.outlines_px)

    @cached_property
    def grounds(self) -> tuple[BaseGeometry, ...]:
        """What of each shape no smaller one has."""
        grounds: dict[int, BaseGeometry] = {}
        smaller: list[BaseGeometry] = []
        for i in self._by_size:
            over = [s for s in smaller if s.intersects(self.shapes[i])]
            grounds[i] = self.shapes[i].difference(union_all(over)) if over else self.shapes[i]
            smaller.append(self.shapes[i])
        return tuple(grounds[i] for i in range(len(self.shapes)))

    @cached_property
    def _by_size(self) -> list[int]:
        return sorted(range(len(self.shapes)), key=lambda i: (self.shapes[i].area, i))

    def holders(self, points: NDArray[np.float64], homes: Sequence[int | None]) -> list[int | None]:
        """The outline that each of ``points`` [n, 2] belongs to, ``None`` where it is in none.

        ``homes`` are the outlines in which they stood, where those did not change.
        """
        if not len(points):
            return []
        inside = self._cover(points)
        rank = {i: place for place, i in enumerate(self._by_size)}
        found: list[int | None] = []
        for n, home in enumerate(homes):
            around = np.flatnonzero(inside[:, n]).tolist()
            near = [i for i in around if self.changed[i]] + ([] if home is None else [home])
            found.append(min(near or around, key=rank.__getitem__, default=None))
        lost = [n for n, holder in enumerate(found) if holder is None]
        for n in lost:
            found[n] = self._nearest(points[n])
        return found

    def _cover(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which outline [m] is around which point [n]."""
        x, y = points.T
        return np.array([shapely.intersects_xy(shape, x, y) for shape in self.shapes]).reshape(
            len(self.shapes), len(points)
        )

    def _nearest(self, point: NDArray[np.float64]) -> int | None:
        at = shapely.Point(*point)
        away = [(shape.distance(at), i) for i, shape in enumerate(self.shapes)]
        distance, nearest = min(away, default=(np.inf, 0))
        return nearest if distance <= self.edge_px else None

    def overlapping_pair(self, points: NDArray[np.float64]) -> tuple[int, int] | None:
        """Two outlines that share plants though neither lies in the other; a changed one first."""
        if not len(points):
            return None
        x, y = points.T
        inside = [shapely.contains_xy(shape, x, y) for shape in self.shapes]  # no border is shared
        for i in (i for i, is_changed in enumerate(self.changed) if is_changed):
            for j in range(len(self.shapes)):
                if i != j and (inside[i] & inside[j]).any() and not self._is_nested(i, j):
                    return i, j
        return None

    def _is_nested(self, i: int, j: int) -> bool:
        smaller = min(self.shapes[i].area, self.shapes[j].area)
        return self.shapes[i].intersection(self.shapes[j]).area >= _NESTED * smaller


_NESTED = 0.9  # of the smaller one


def territories(
    outlines_px: Iterable[Corners], changed: Iterable[bool], size_wh: tuple[int, int]
) -> Territories:
    """For outlines of a photo of this size."""
    return Territories(tuple(outlines_px), tuple(changed), max(2.0, EDGE_SHARE * max(size_wh)))


def parts_of(shape: BaseGeometry) -> list[Polygon]:
    """The polygons of a shape that have an area."""
    return [g for g in getattr(shape, "geoms", (shape,)) if isinstance(g, Polygon) and g.area]


def corners_of(shape: Polygon) -> Corners:
    """Its corners in whole pixels, each once."""
    return tuple(dict.fromkeys((round(x), round(y)) for x, y in shape.exterior.coords))


def _whole(outline_px: Corners) -> BaseGeometry:
    """A valid shape, empty for what has no area."""
    if len(outline_px) < FEWEST_CORNERS:
        return MultiPolygon()
    return Polygon(outline_px).buffer(0)


shape_of = _whole
