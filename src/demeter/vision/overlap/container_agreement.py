"""Whether containers stand where a registration lays them, and nowhere else.

A bench of pots repeats itself, and so do its plants and its picture; but it ends. Moved by a
pot, a row of pots lies where the other photo shows none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely import Polygon

from demeter.vision.geometry import Points
from demeter.vision.overlap.homography import Matrix, inside, inverse, map_points

_ON_IT = 0.5  # of a container's size: how near middles of one container are
_BORDER = 2.0  # a container nearer to the photo's border, in pixels, is cut off
# Moves, in distances from a container to its nearest neighbour: these far apart they are one,
# no move is shorter, and diagonals are the longest. Moves by half a bench leave photos that
# share half of it, which matches tell better.
_SAME_MOVE, _SHORTEST, _LONGEST = 0.3, 0.5, 1.6
_FEWEST_PAIRS = 8
_SINGULAR = 1e-9  # a determinant so near zero is of a matrix without inverse


@dataclass(frozen=True, slots=True)
class ContainerPlaces:
    """Where the containers of a photo are that it shows whole, in its reduced picture.

    ``xy_px`` [n, 2] are their middles, ``size_px`` [n] the roots of their areas; ``wh_px`` is
    the picture's width and height.
    """

    xy_px: Points
    size_px: NDArray[np.float64]
    wh_px: tuple[int, int]


def container_places(
    outlines: Sequence[Points], scale: float, wh_px: tuple[int, int]
) -> ContainerPlaces:
    """Containers of a photo, in the picture reduced to ``scale``, from their outlines."""
    whole = [o * scale for o in outlines if _is_whole(o * scale, wh_px)]
    shapes = [Polygon(outline).convex_hull for outline in whole]
    middles = np.array([(s.centroid.x, s.centroid.y) for s in shapes], np.float64)
    areas = np.array([s.area for s in shapes], np.float64)
    return ContainerPlaces(middles.reshape(-1, 2), np.sqrt(areas), wh_px)


def _is_whole(outline: Points, wh_px: tuple[int, int]) -> bool:
    low, high = outline.min(axis=0), outline.max(axis=0)
    return bool((low > _BORDER).all() and (high < np.array(wh_px) - _BORDER).all())


@dataclass(frozen=True, slots=True)
class ContainerAgreement:
    """How many containers both photos should show, and the share that stand on one another.

    ``share`` as registered, ``moved_share`` after the best move by a neighbour, ``None`` where
    none can be tried: twice the pairs against the containers that lie within the other photo,
    0 to 1.
    """

    expected: int
    share: float
    moved_share: float | None


def container_agreement(
    matrix: Matrix, a: ContainerPlaces, b: ContainerPlaces
) -> ContainerAgreement:
    """Compare the containers of two reduced pictures where ``matrix`` lays a on b."""
    if not len(a.xy_px) or not len(b.xy_px):
        return ContainerAgreement(0, 0.0, None)
    tree = KDTree(b.xy_px)
    expected, share = _share(matrix, a, b, tree)
    moved_shares = (
        _share(move @ matrix, a, b, tree) for move in _neighbour_moves(matrix, a, b, tree)
    )
    shares = [share for n, share in moved_shares if n >= expected / 2]
    return ContainerAgreement(expected // 2, share, max(shares, default=None))


def _share(
    matrix: Matrix, a: ContainerPlaces, b: ContainerPlaces, tree: KDTree
) -> tuple[int, float]:
    """How many containers both photos should show, and the share that stand on one another."""
    mapped, mapped_back = map_points(matrix, a.xy_px), map_points(inverse(matrix), b.xy_px)
    from_a = _within(mapped, float(np.median(b.size_px)), b.wh_px)
    from_b = _within(mapped_back, float(np.median(a.size_px)), a.wh_px)
    apart, nearest = _nearest(tree, np.where(np.isfinite(mapped), mapped, -1e9))
    on_it = from_a & (apart < _ON_IT * b.size_px[nearest]) & from_b[nearest]
    expected = int(from_a.sum() + from_b.sum())
    return expected, 2 * len(set(nearest[on_it].tolist())) / expected if expected else 0.0


def _nearest(tree: KDTree, points: Points) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """How far [n] the nearest container is from each point, and which one it is."""
    apart, nearest = tree.query(points)
    return np.asarray(apart, np.float64), np.asarray(nearest, np.intp)


def _within(middles: Points, size_px: float, wh_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Which containers lie whole in a picture."""
    half = size_px / 2 + _BORDER
    return inside(middles - half, wh_px) & inside(middles + half, wh_px)


def _neighbour_moves(
    matrix: Matrix, a: ContainerPlaces, b: ContainerPlaces, tree: KDTree
) -> Iterator[Matrix]:
    """Homographies of b onto itself that lay containers on their neighbours.

    A move in pixels says roughly where the neighbours are; what lies there gives the
    homography, for in a tilted photo no two rows are equally far apart.
    """
    if len(b.xy_px) < _FEWEST_PAIRS:
        return
    mapped = map_points(matrix, a.xy_px)
    mapped = mapped[np.isfinite(mapped).all(axis=1)]
    step = np.asarray(tree.query(b.xy_px, k=2)[0], np.float64)[:, 1]
    usual = float(np.median(step))
    for move in _moves(mapped, b.xy_px, usual):
        local = step[_nearest(tree, mapped)[1]] / usual
        apart, nearest = _nearest(tree, mapped + move * local[:, None])
        near = apart < _ON_IT * b.size_px[nearest]
        if near.sum() < _FEWEST_PAIRS:
            continue
        homography, _ = cv2.findHomography(
            mapped[near], b.xy_px[nearest[near]], cv2.RANSAC, _ON_IT / 2 * usual
        )
        if (
            homography is not None
            and np.isfinite(homography).all()
            and abs(np.linalg.det(homography)) > _SINGULAR
        ):
            yield np.asarray(homography, np.float64)


def _moves(mapped: Points, b_px: Points, usual_px: float) -> Points:
    """The moves that lay some container of one photo on a neighbour in the other, each once."""
    moves = (b_px[None] - mapped[:, None]).reshape(-1, 2)
    far = np.linalg.norm(moves, axis=1) / usual_px
    moves = moves[(far > _SHORTEST) & (far < _LONGEST)]
    cells = np.round(moves / (_SAME_MOVE * usual_px))
    _, first = np.unique(cells, axis=0, return_index=True)
    return moves[np.sort(first)]
