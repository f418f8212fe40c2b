"""Where a photo lies in another photo of the same bed, or that nobody can say.

A homography is right for a flat bed seen from two places (Hartley and Zisserman 2004,
chapter 13). It is found by MAGSAC++ (Barath et al. 2020) on matches of features, and
believed only after every check in `Rule`: trays and beds repeat, so a photo moved by one
cell matches too, and a wrong answer would lose or double plants.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.features import Features, Matches, features_of, matches_of
from demeter.vision.likeness import likeness, second_way
from demeter.vision.warp import Matrix, area_px, corners, inside, is_convex, mapped, scaled

REPROJECTION_PX = 5.0
MINIMUM_MATCHES = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What a registration must show to be believed; pixels are of the reduced pictures.

    ``inliers`` matches at least, ``inlier_share`` of the clear matches that lie where both
    photos look; scale and its change over the overlap bounded; ``overlap_share`` of the
    smaller photo shared; grey values alike to ``likeness`` (correlation) and the next best
    way to lay one photo on the other at most ``second`` times as good.
    """

    inliers: int = 25
    inlier_share: float = 0.25
    scale: float = 2.0
    perspective: float = 2.5
    overlap_share: float = 0.04
    likeness: float = 0.25
    second: float = 0.6


@dataclass(frozen=True, slots=True)
class Registration:
    """``homography`` (3 x 3, rows) takes pixels of photo a to pixels of photo b.

    ``likeness`` is the correlation of grey values over the overlap, ``second`` how good the
    next best way is against this one (0: there is none, 1: as good), ``overlap_share`` the
    part of the smaller photo that both show.
    """

    homography: tuple[tuple[float, float, float], ...]
    inliers: int
    inlier_share: float
    overlap_share: float
    likeness: float
    second: float

    @property
    def matrix(self) -> Matrix:
        """The homography as an array [3, 3]."""
        return np.array(self.homography, np.float64)


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """Why it cannot be said how two photos lie: a code and the figures behind it."""

    reason: str
    facts: str = ""


def register(
    a_rgb: NDArray[np.uint8], b_rgb: NDArray[np.uint8], rule: Rule | None = None
) -> Registration | NotRegistered:
    """Register two upright photos [H, W, 3] of one bed, or say why not."""
    return register_features(features_of(a_rgb), features_of(b_rgb), rule)


def register_features(
    a: Features, b: Features, rule: Rule | None = None
) -> Registration | NotRegistered:
    """As `register`, for photos whose features are at hand."""
    rule = rule or Rule()
    matches = matches_of(a, b)
    small = _homography(matches)
    if small is None:
        return NotRegistered("too_few_matches", f"{int(matches.clear.sum())} clear matches")
    shape = _shape_fault(small, a, b, rule)
    if shape is not None:
        return shape
    on = _on_it(small, matches)
    inliers = int((on & matches.clear).sum())
    seen = inside(mapped(small, matches.from_px), (b.grey.shape[1], b.grey.shape[0]))
    share = inliers / max(1, int((seen & matches.clear).sum()))
    if inliers < rule.inliers or share < rule.inlier_share:
        return NotRegistered("too_few_inliers", f"{inliers} inliers, {share:.0%} of the overlap")
    overlap = _overlap_share(small, a, b)
    alike = likeness(small, a.grey, b.grey)
    second = max(second_way(small, matches, on, REPROJECTION_PX), alike.second)
    if alike.here < rule.likeness:
        return NotRegistered("looks_different", f"likeness {alike.here:.2f}")
    if second > rule.second:
        return NotRegistered("ambiguous", f"another way is {second:.0%} as good")
    return Registration(
        homography=_rows(scaled(small, a.scale, b.scale)),
        inliers=inliers,
        inlier_share=round(share, 4),
        overlap_share=round(overlap, 4),
        likeness=round(alike.here, 4),
        second=round(second, 4),
    )


def _homography(matches: Matches) -> Matrix | None:
    """From the clear matches first; where the bed repeats itself too much, from all."""
    a, b = matches.from_px[matches.clear], matches.to_px[matches.clear]
    if len(a) < MINIMUM_MATCHES:
        return None
    found, _ = cv2.findHomography(
        a, b, cv2.USAC_MAGSAC, REPROJECTION_PX, maxIters=5000, confidence=0.9999
    )
    return None if found is None else np.asarray(found, np.float64)


def _on_it(matrix: Matrix, matches: Matches) -> NDArray[np.bool_]:
    away = np.linalg.norm(mapped(matrix, matches.from_px) - matches.to_px, axis=1)
    return away < REPROJECTION_PX


def _shape_fault(matrix: Matrix, a: Features, b: Features, rule: Rule) -> NotRegistered | None:
    frame = corners((a.grey.shape[1], a.grey.shape[0]))
    quad = mapped(matrix, frame)
    if not np.isfinite(quad).all() or not is_convex(quad):
        return NotRegistered("implausible_shape", "mirrored, folded or not convex")
    overlap = _overlap_share(matrix, a, b)
    if overlap < rule.overlap_share:
        return NotRegistered("too_little_overlap", f"{overlap:.1%} of the photo")
    scale = np.sqrt(area_px(quad) / area_px(frame)) * a.scale / b.scale
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    skew = max(sides[0] / sides[2], sides[2] / sides[0], sides[1] / sides[3], sides[3] / sides[1])
    if not 1 / rule.scale < scale < rule.scale or skew > rule.perspective:
        return NotRegistered("implausible_shape", f"scale {scale:.2f}, perspective {skew:.2f}")
    return None


def _overlap_share(matrix: Matrix, a: Features, b: Features) -> float:
    frame_b = corners((b.grey.shape[1], b.grey.shape[0]))
    quad = mapped(matrix, corners((a.grey.shape[1], a.grey.shape[0])))
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), frame_b.astype(np.float32))
    return float(shared / min(area_px(quad), area_px(frame_b)))


def _rows(matrix: Matrix) -> tuple[tuple[float, float, float], ...]:
    whole = matrix / matrix[2, 2]
    return tuple((float(r[0]), float(r[1]), float(r[2])) for r in whole)
