"""Which points of two photos look alike: anywhere, or near where they should be.

Distances are sums of whole numbers below 2**24, exact in 32-bit floats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from demeter.vision.overlap.features import Features
from demeter.vision.overlap.homography import Matrix, map_points

RATIO, NEAR_RATIO = 0.85, 0.9
MOST_NEAR = 40
SAME_PLACE_PX = 4.0


@dataclass(frozen=True, slots=True)
class PointMatches:
    """Points of one photo and their nearest likeness in another, mutual ones only.

    ``clear`` [n] says which of them pass Lowe's ratio test: no other point there is nearly
    as alike.
    """

    from_px: NDArray[np.float64]
    to_px: NDArray[np.float64]
    clear: NDArray[np.bool_]


def container_and_all_matches(a: Features, b: Features) -> tuple[PointMatches, PointMatches]:
    """Matches of points in containers alone and of all, in the order of ``a``'s.

    Mutual nearest neighbours; both at once, since their distances are the same.
    """
    squares = _squared_distances(a.descriptors, b.descriptors)
    in_containers = _mutual_matches(
        a.xy_px[a.in_container], b.xy_px[b.in_container], squares[a.in_container][:, b.in_container]
    )
    return in_containers, _mutual_matches(a.xy_px, b.xy_px, squares)


def _mutual_matches(
    a_px: NDArray[np.float64], b_px: NDArray[np.float64], squares: NDArray[np.float32]
) -> PointMatches:
    """Of distances [a, b], which are overwritten."""
    if min(squares.shape) < 2:  # noqa: PLR2004 - the ratio needs a second
        return PointMatches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.bool_))
    forth, back = squares.argmin(axis=1), squares.argmin(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(forth)))
    columns = forth[rows]
    best = squares[rows, columns]
    squares[rows, columns] = np.inf
    second = np.minimum(squares[rows].min(axis=1), squares[:, columns].min(axis=0))
    return PointMatches(a_px[rows], b_px[columns], best < RATIO**2 * second)


def matches_near(
    matrix: Matrix, a: Features, b: Features, near_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a and of b, [n, 2] each, that are most alike within reach of each other.

    Of the points of b within ``near_px`` of where ``matrix`` takes a point of a, the one most
    alike, if none elsewhere in reach is nearly so; mutual ones only. Where a bed repeats
    itself these are many more than matches found anywhere.
    """
    at = map_points(matrix, a.xy_px)
    rows = np.flatnonzero(np.isfinite(at).all(axis=1))
    if not len(rows) or len(b.xy_px) < 2:  # noqa: PLR2004 - the ratio needs a second
        return np.zeros((0, 2)), np.zeros((0, 2))
    away, near = _nearest_points(b.xy_px, at[rows], near_px)
    some = np.isfinite(away).any(axis=1)
    rows, near, reached = rows[some], near[some], np.isfinite(away[some])
    squares = _squares_near(a.descriptors[rows], b.descriptors, near, reached)
    all_rows, first = np.arange(len(rows)), squares.argmin(axis=1)
    columns, best = near[all_rows, first], squares[all_rows, first]
    elsewhere = np.linalg.norm(b.xy_px[near] - b.xy_px[columns][:, None], axis=2) > SAME_PLACE_PX
    clear = best < NEAR_RATIO**2 * np.where(elsewhere, squares, np.inf).min(axis=1)
    is_best = clear & _is_first(columns, best)
    return a.xy_px[rows[is_best]], b.xy_px[columns[is_best]]


def _nearest_points(
    xy_px: NDArray[np.float64], at_px: NDArray[np.float64], near_px: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distances and indices [n, k] of the points nearest to places; infinite and 0 beyond reach."""
    k = min(MOST_NEAR, len(xy_px))
    nearest = KDTree(xy_px).query(at_px, k, distance_upper_bound=near_px)
    away, near = np.asarray(nearest[0], np.float64), np.asarray(nearest[1], np.intp)
    return away, np.where(np.isfinite(away), near, 0)


def _squares_near(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    near: NDArray[np.intp],
    reached: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Squared distances [n, k] of each description to those near it; infinite beyond reach."""
    squares = np.empty(near.shape, np.float32)
    for n in range(len(a)):  # by rows: all at once would be half a gigabyte
        rest = b[near[n]] - a[n]
        squares[n] = np.einsum("ij,ij->i", rest, rest)
    squares[~reached] = np.inf
    return squares


def _is_first(keys: NDArray[np.intp], values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows [n] have the least value of their key; the earliest where some are equal."""
    order = np.lexsort((np.arange(len(keys)), values, keys))
    is_new = np.ones(len(keys), np.bool_)
    is_new[1:] = np.diff(keys[order]) > 0
    first = np.zeros(len(keys), np.bool_)
    first[order[is_new]] = True
    return first


def _squared_distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = a @ b.T
    squares *= -2
    squares += (a * a).sum(axis=1)[:, None]
    squares += (b * b).sum(axis=1)[None]
    return squares
