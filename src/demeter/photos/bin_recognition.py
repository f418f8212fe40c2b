"""Which container of a new photo is which bin of before: pure geometry, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, box, make_valid
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from demeter.vision.values import ContainerType

Points = Sequence[Sequence[float]]


LEAST_COMMON = 0.25  # of a container that both photos must show to recognise it
ROUNDS = 4
FEWEST_PAIRS = 6
NEAR, CLOSE = 0.6, 0.2  # of a container's size: a neighbour, and one that agrees
AGREED = 0.5  # of the neighbours
FRAME = box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Outline:
    """A container's polygon in coordinates normalised to 0..1 by its image's size.

    ``view`` numbers the photo of a session that shows it, from 1: outlines of different
    views are never the same container.
    """

    category: ContainerType
    view: int
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class EarlierOutline:
    """A container of before as the views of the new session would show it.

    ``shapes`` and ``frames`` by view: its outline, and what its own photo showed at all.
    A view in which it was not found stays out. ``moved`` outlines were brought there by a
    registration.
    """

    category: ContainerType
    shapes: Mapping[int, BaseGeometry]
    frames: Mapping[int, BaseGeometry]
    moved: bool = False


def outline(
    category: ContainerType, view: int, polygon_px: Points, width_px: int, height_px: int
) -> Outline:
    """An outline from pixels of the upright image; a polygon that crosses itself is mended."""
    return Outline(category, view, _shape(np.array(polygon_px, np.float64) / (width_px, height_px)))


def in_same_view(outline: Outline) -> EarlierOutline:
    """As if the camera stood where it stood then."""
    return EarlierOutline(outline.category, {outline.view: outline.shape}, {outline.view: FRAME})


def through_homographies(
    outline: Outline, homographies: Mapping[int, NDArray[np.float64]]
) -> EarlierOutline:
    """As views show it into which its photo was registered.

    ``homographies`` by view take its normalised coordinates to those of the view.
    """
    shapes = {view: _map_shape(outline.shape, m) for view, m in homographies.items()}
    frames = {view: _map_shape(FRAME, m).intersection(FRAME) for view, m in homographies.items()}
    return EarlierOutline(outline.category, shapes, frames, moved=True)


def normalise_homography(
    homography: Points, from_wh: tuple[int, int], to_wh: tuple[int, int]
) -> NDArray[np.float64]:
    """A homography between pixels as one [3, 3] between coordinates normalised to 0..1."""
    matrix = np.array(homography, np.float64)
    return np.diag([1 / to_wh[0], 1 / to_wh[1], 1.0]) @ matrix @ np.diag([*from_wh, 1.0])


def align_outlines(
    seen: Sequence[Outline], known: Sequence[EarlierOutline]
) -> list[EarlierOutline]:
    """Registered outlines, moved together onto those seen where a registration is a little off.

    Containers stand higher than what was registered, or few points held it. Nearest
    neighbours among centres give an affine correction of all outlines of a view (iterated
    closest points, Besl and McKay 1992, with RANSAC); it is taken only where most of them
    agree, so that no correction can follow a few wrong neighbours.
    """
    aligned = list(known)
    for view in sorted({v for earlier in known if earlier.moved for v in earlier.shapes}):
        for _ in range(ROUNDS):
            correction = _correction(
                [o for o in seen if o.view == view],
                [k for k in aligned if k.moved and view in k.shapes],
                view,
            )
            if correction is None:
                break
            aligned = [_shift_outline(earlier, view, correction) for earlier in aligned]
    return aligned


def _correction(
    seen: Sequence[Outline], known: Sequence[EarlierOutline], view: int
) -> NDArray[np.float64] | None:
    """The affine [2, 3] from where known outlines are to where they are seen, or ``None``."""
    shapes = [k.shapes[view] for k in known if not k.shapes[view].is_empty]
    there = [o.shape for o in seen if not o.shape.is_empty]
    if min(len(shapes), len(there)) < FEWEST_PAIRS:
        return None
    at, to = (np.array([(s.centroid.x, s.centroid.y) for s in g]) for g in (shapes, there))
    size = float(np.median([s.area for s in there])) ** 0.5
    away = np.linalg.norm(at[:, None] - to[None], axis=2)
    forth, back = away.argmin(axis=1), away.argmin(axis=0)
    rows = np.flatnonzero(
        (back[forth] == np.arange(len(at))) & (away[np.arange(len(at)), forth] < NEAR * size)
    )
    if len(rows) < FEWEST_PAIRS:
        return None
    matrix, good = cv2.estimateAffine2D(
        at[rows], to[forth[rows]], ransacReprojThreshold=CLOSE * size
    )
    if matrix is None or good.mean() < AGREED:
        return None
    return np.asarray(matrix, np.float64)


def _shift_outline(
    earlier: EarlierOutline, view: int, matrix: NDArray[np.float64]
) -> EarlierOutline:
    if not earlier.moved or view not in earlier.shapes:
        return earlier
    (a, b, dx), (c, d, dy) = matrix.tolist()
    shape = affine_transform(earlier.shapes[view], (a, b, c, d, dx, dy))
    return replace(earlier, shapes={**earlier.shapes, view: shape})


def overlap(a: Outline, b: EarlierOutline) -> float:
    """Intersection over union of what both photos show; 0 where category or view differ."""
    if a.category is not b.category or a.view not in b.shapes:
        return 0.0
    frame = b.frames[a.view]
    seen, known = a.shape.intersection(frame), b.shapes[a.view].intersection(frame)
    if min(_part(seen, a.shape), _part(known, b.shapes[a.view])) < LEAST_COMMON:
        return 0.0
    union = seen.union(known).area
    return seen.intersection(known).area / union if union else 0.0


def _part(shown: BaseGeometry, whole: BaseGeometry) -> float:
    return shown.area / whole.area if whole.area else 0.0


def _map_shape(shape: BaseGeometry, matrix: NDArray[np.float64]) -> BaseGeometry:
    """A polygon after a homography; empty where a part has no picture."""
    polygons = [p for p in getattr(shape, "geoms", [shape]) if p.geom_type == "Polygon"]
    if not polygons or shape.is_empty:
        return Polygon()
    ring = np.array(max(polygons, key=lambda p: p.area).exterior.coords, np.float64)[:, :2]
    flat = np.column_stack([ring, np.ones(len(ring))]) @ matrix.T
    if (flat[:, 2] <= 0).any():
        return Polygon()
    return _shape(flat[:, :2] / flat[:, 2:])


def _shape(points: NDArray[np.float64]) -> BaseGeometry:
    return make_valid(Polygon(points)) if len(points) >= 3 else Polygon()  # noqa: PLR2004


def recognise(
    seen: Sequence[Outline], known: Sequence[EarlierOutline], least: float
) -> dict[int, int]:
    """Indices of ``seen`` to indices of ``known``: the assignment with the most overlap.

    Pairs that overlap less than ``least`` (intersection over union) are never made, nor do
    they push a good pair aside (Hungarian method on the overlaps that count).
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  slow to import

    if not seen or not known:
        return {}
    known = align_outlines(seen, known)
    scores = np.array([[overlap(a, b) for b in known] for a in seen])
    scores[scores < least] = 0.0
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if scores[row, column] > 0
    }
