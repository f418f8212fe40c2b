"""Homographies by which one photo may lie on another, before any is believed.

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

from demeter.vision.overlap.features import Features, PhotoFeatures
from demeter.vision.overlap.homography import Matrix, corners, map_points
from demeter.vision.overlap.matching import PointMatches, container_and_all_matches, matches_near

REPROJECTION_PX = 5.0
FEWEST = 6
REACHES_PX = (60.0, 30.0)
SAME_HOMOGRAPHY_PX = 8.0
PLANES = 2  # of one view: the ground and what stands on it

Pairs = Sequence[tuple[Features, Features]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """All matches between two photos in containers, and homographies worth checking.

    ``container_matches`` has one entry a description, ``pairs`` the features behind them.
    """

    pairs: Pairs
    container_matches: tuple[PointMatches, ...]
    homographies: tuple[Matrix, ...]


def find_candidates(a: PhotoFeatures, b: PhotoFeatures) -> Candidates:
    """Match two photos in both descriptions, in containers and all over."""
    descriptions = ((a.upright, b.upright), (a.turned, b.turned))
    pairs = [
        (features_a.of_containers, features_b.of_containers)
        for features_a, features_b in descriptions
    ]
    matches_by_description = [container_and_all_matches(*pair) for pair in descriptions]
    container_matches = tuple(matches for matches, _ in matches_by_description)
    homographies = [
        homography
        for matches in (*container_matches, *(m for _, m in matches_by_description))
        for homography in _planes(matches)
    ]
    return Candidates(pairs, container_matches, tuple(homographies))


def _planes(matches: PointMatches) -> Iterator[Matrix]:
    """The homography of most clear matches, and that of most of the rest."""
    a, b = matches.from_px[matches.clear], matches.to_px[matches.clear]
    for _ in range(PLANES):
        homography = fit_homography(a, b)
        if homography is None:
            return
        yield homography
        off = distances_px(homography, a, b) >= REPROJECTION_PX
        a, b = a[off], b[off]


def fit_homography(a: NDArray[np.float64], b: NDArray[np.float64]) -> Matrix | None:
    """The homography of most of these matches [n, 2]."""
    if len(a) < FEWEST:
        return None
    matrix, _ = cv2.findHomography(
        a, b, cv2.USAC_MAGSAC, REPROJECTION_PX, maxIters=3000, confidence=0.999
    )
    return None if matrix is None else np.asarray(matrix, np.float64)


def refine_homography(homography: Matrix, pairs: Pairs) -> Matrix:
    """The homography of the containers near a rough one: matched again within its reach."""
    for reach in REACHES_PX:
        a, b = near_matches(homography, pairs, reach)
        better = fit_homography(a, b)
        if better is None:
            break
        homography = better
    return homography


def near_matches(
    homography: Matrix, pairs: Pairs, reach_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matches of all descriptions within reach of a homography, [n, 2] each."""
    parts = [matches_near(homography, a, b, reach_px) for a, b in pairs]
    return np.concatenate([f for f, _ in parts]), np.concatenate([t for _, t in parts])


def distances_px(
    matrix: Matrix, a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far [n] matches are from a homography; infinite where it has no picture."""
    return np.linalg.norm(map_points(matrix, a) - b, axis=1)


def is_same_homography(
    first: Matrix,
    second: Matrix,
    a: PhotoFeatures,
    b: PhotoFeatures,
    near_px: float = SAME_HOMOGRAPHY_PX,
) -> bool:
    """Whether two homographies differ by less than this (median) where both photos show."""
    x, y = np.meshgrid(*(np.linspace(0, side, 9) for side in a.reduced_wh))
    at = np.column_stack([x.ravel(), y.ravel()])
    mapped = map_points(first, at)
    in_view = ((mapped >= 0) & (mapped <= corners(b.reduced_wh)[2])).all(axis=1)
    apart = np.linalg.norm(mapped[in_view] - map_points(second, at[in_view]), axis=1)
    return bool(in_view.any() and np.median(apart) < near_px)
