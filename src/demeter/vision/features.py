"""Points of a photo that can be found again in another, and which of them look alike.

SIFT (Lowe 2004) on a reduced, contrast-equalised grey picture. Everything is sorted and
the distances are sums of whole numbers below 2**24, exact in 32-bit floats, so the same
two photos give the same matches on any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import resized

SIDE_PX = 1400
MOST_POINTS = 4000
CONTRAST_LIMIT, CONTRAST_GRID = 3.0, (8, 8)
RATIO = 0.85


@dataclass(frozen=True, slots=True)
class Features:
    """What registration needs of a photo.

    ``xy_px`` [n, 2] are points in pixels of the reduced picture ``grey`` [h, w], which is
    ``scale`` times as large as the photo; ``descriptors`` [n, 128] hold whole numbers.
    """

    size_wh: tuple[int, int]
    scale: float
    grey: NDArray[np.uint8]
    xy_px: NDArray[np.float64]
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matches:
    """Points of one photo and their nearest likeness in another, mutual ones only.

    ``clear`` [n] says which of them pass Lowe's ratio test: no other point there is nearly
    as alike.
    """

    from_px: NDArray[np.float64]
    to_px: NDArray[np.float64]
    clear: NDArray[np.bool_]


def features_of(
    rgb: NDArray[np.uint8],
    where: Sequence[Sequence[tuple[float, float]]] = (),
    *,
    turned: bool = True,
) -> Features:
    """The features of an upright photo [H, W, 3], sorted by strength, then place.

    ``where`` are outlines in pixels of the photo to which points are limited, none for all.
    With ``turned`` false points are described as the photo stands: plants that look alike
    but are turned are told apart, at the price that the photos must not be turned.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    small = resized(rgb, (max(1, round(width * scale)), max(1, round(height * scale))))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    even = cv2.createCLAHE(CONTRAST_LIMIT, CONTRAST_GRID).apply(grey)
    sift = cv2.SIFT.create(nfeatures=MOST_POINTS)
    points = sift.detect(even, _mask(where, scale, even.shape))
    points, descriptors = sift.compute(even, points if turned else _as_they_stand(points))
    if not points:
        return _without_points((width, height), scale, np.asarray(even, np.uint8))
    facts = np.array([(-p.response, p.pt[1], p.pt[0], p.size, p.angle) for p in points])
    order = np.lexsort(facts.T[::-1])[:MOST_POINTS]
    return Features(
        (width, height),
        scale,
        np.asarray(even, np.uint8),
        facts[order][:, [2, 1]] + 0.5,
        np.asarray(descriptors, np.float32)[order],
    )


def _as_they_stand(points: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """The points without their direction, each place and size once."""
    single = {(p.pt, p.size): p for p in points}
    for point in single.values():
        point.angle = 0.0
    return list(single.values())


def matches_of(a: Features, b: Features) -> Matches:
    """Mutual nearest neighbours of two photos' points, in the order of ``a``'s."""
    if len(a.xy_px) < 2 or len(b.xy_px) < 2:  # noqa: PLR2004 - the ratio needs a second
        return Matches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.bool_))
    squares = _squared_distances(a.descriptors, b.descriptors)
    forth, back = squares.argmin(axis=1), squares.argmin(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(forth)))
    columns = forth[rows]
    best = squares[rows, columns]
    clear = (best < RATIO**2 * _runner_up(squares[rows], columns)) & (
        best < RATIO**2 * _runner_up(squares.T[columns], rows)
    )
    return Matches(a.xy_px[rows], b.xy_px[columns], clear)


def _squared_distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * (a @ b.T)


def _runner_up(squares: NDArray[np.float32], best: NDArray[np.intp]) -> NDArray[np.float32]:
    others = squares.copy()
    others[np.arange(len(others)), best] = np.inf
    return others.min(axis=1)


def _mask(
    where: Sequence[Sequence[tuple[float, float]]], scale: float, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    if not where:
        return None
    mask = np.zeros(shape, np.uint8)
    for polygon in where:
        outline = np.rint(np.array(polygon, np.float64) * scale).astype(np.int32)
        cv2.fillPoly(mask, [outline], (255,))
    return mask


def _without_points(size_wh: tuple[int, int], scale: float, grey: NDArray[np.uint8]) -> Features:
    nothing = np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    return Features(size_wh, scale, np.asarray(grey, np.uint8), *nothing)
