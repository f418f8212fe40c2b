"""Ways in which one photo may lie on another, sought before any is believed.

Points of all of the photo find the ground or the bench; the containers stand higher, on a
plane of their own, and are found from there by matching again only near where they should
be. Homographies by MAGSAC++ (Barath et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.overlap.features import Described, Features
from demeter.vision.overlap.homography import Matrix, corners, mapped
from demeter.vision.overlap.matching import Matches, matches_held_and_all, matches_near

REPROJECTION_PX = 5.0
FEWEST = 6
REACHES_PX = (60.0, 30.0)
SAME_WAY_PX = 8.0
PLANES = 2  # of one view: the ground and what stands on it

Pairs = Sequence[tuple[Features, Features]]


@dataclass(frozen=True, slots=True)
class Sought:
    """All matches between two photos in containers, and homographies worth a look.

    ``held`` has one row of matches a description, ``pairs`` the features behind them.
    """

    pairs: Pairs
    held: tuple[Matches, ...]
    ways: tuple[Matrix, ...]


def sought(a: Described, b: Described) -> Sought:
    """Match two photos in both descriptions, in containers and all over."""
    both = ((a.upright, b.upright), (a.turned, b.turned))
    pairs = [(one.of_containers, other.of_containers) for one, other in both]
    found = [matches_held_and_all(*pair) for pair in both]
    held = tuple(matches for matches, _ in found)
    ways = [way for matches in (*held, *(m for _, m in found)) for way in _planes(matches)]
    return Sought(pairs, held, tuple(ways))


def _planes(matches: Matches) -> Iterator[Matrix]:
    """The homography of most clear matches, and that of most of the rest."""
    a, b = matches.from_px[matches.clear], matches.to_px[matches.clear]
    for _ in range(PLANES):
        found = fitted(a, b)
        if found is None:
            return
        yield found
        off = away_px(found, a, b) >= REPROJECTION_PX
        a, b = a[off], b[off]


def fitted(a: NDArray[np.float64], b: NDArray[np.float64]) -> Matrix | None:
    """The homography of most of these matches [n, 2]."""
    if len(a) < FEWEST:
        return None
    found, _ = cv2.findHomography(
        a, b, cv2.USAC_MAGSAC, REPROJECTION_PX, maxIters=3000, confidence=0.999
    )
    return None if found is None else np.asarray(found, np.float64)


def refined(way: Matrix, pairs: Pairs) -> Matrix:
    """The homography of the containers near ``way``: matched again within its reach."""
    for reach in REACHES_PX:
        a, b = near_matches(way, pairs, reach)
        better = fitted(a, b)
        if better is None:
            break
        way = better
    return way


def near_matches(
    way: Matrix, pairs: Pairs, reach_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matches of all descriptions within reach of a homography, [n, 2] each."""
    found = [matches_near(way, a, b, reach_px) for a, b in pairs]
    return np.concatenate([f for f, _ in found]), np.concatenate([t for _, t in found])


def away_px(matrix: Matrix, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far [n] matches are from a homography; infinite where it has no picture."""
    return np.linalg.norm(mapped(matrix, a) - b, axis=1)


def is_same_way(
    one: Matrix, other: Matrix, a: Described, b: Described, near_px: float = SAME_WAY_PX
) -> bool:
    """Whether two homographies differ by less than this (median) where both photos look."""
    x, y = np.meshgrid(*(np.linspace(0, side, 9) for side in a.reduced_wh))
    at = np.column_stack([x.ravel(), y.ravel()])
    there = mapped(one, at)
    seen = ((there >= 0) & (there <= corners(b.reduced_wh)[2])).all(axis=1)
    apart = np.linalg.norm(there[seen] - mapped(other, at[seen]), axis=1)
    return bool(seen.any() and np.median(apart) < near_px)
