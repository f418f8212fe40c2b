"""Where a photo lies in another photo of the same bed, or that nobody can say.

A homography is right for a flat bed seen from two places (Hartley and Zisserman 2004,
chapter 13). It is found by MAGSAC++ (Barath et al. 2020) on matches of features, and
believed only after every check in `Rule`: trays and beds repeat, so a photo moved by one
cell matches too, and a wrong answer would lose or double plants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.features import Features, Matches, features_of, matches_of
from demeter.vision.likeness import likeness, second_way
from demeter.vision.warp import Matrix, area_px, corners, inside, is_convex, mapped, scaled

REPROJECTION_PX = 5.0
MINIMUM_MATCHES = 4
NOTHING_IN_COMMON = "nothing_in_common"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a registration must show to be believed; pixels are of the reduced pictures.

    ``inliers`` matches at least, ``inlier_share`` of the clear matches that lie where both
    photos look; scale and its change over the overlap bounded; ``overlap_share`` of the
    smaller photo shared; grey values alike to ``likeness`` (correlation); and the next best
    way to lay one photo on the other at most ``second`` times as good by matches and
    ``second_likeness`` times by grey values, which trays bring near 1 by themselves. Photos
    of ``apart_points`` or more of which less than ``apart_share`` match clearly are apart.
    """

    inliers: int = 20
    inlier_share: float = 0.3
    scale: float = 2.5
    perspective: float = 2.5
    overlap_share: float = 0.08
    likeness: float = 0.25
    second: float = 0.5
    second_likeness: float = 0.9
    apart_points: int = 1500
    apart_share: float = 0.01


@dataclass(frozen=True, slots=True)
class Registration:
    """``homography`` (3 x 3, rows) takes pixels of photo a to pixels of photo b.

    ``likeness`` is the correlation of grey values over the overlap, ``second`` and
    ``second_likeness`` how good the next best way is against this one by matches and by
    grey values (0: there is none, 1: as good), ``overlap_share`` the part of the smaller
    photo that both show.
    """

    homography: tuple[tuple[float, float, float], ...]
    inliers: int
    inlier_share: float
    overlap_share: float
    likeness: float
    second: float
    second_likeness: float

    @property
    def matrix(self) -> Matrix:
        """The homography as an array [3, 3]."""
        return np.array(self.homography, np.float64)


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """Why it cannot be said how two photos lie: a code and the figures behind it.

    ``nothing_in_common`` says more: the photos look as pictures of two different things do.
    """

    reason: str
    facts: str = ""

    @property
    def is_apart(self) -> bool:
        """Whether they surely do not overlap."""
        return self.reason == NOTHING_IN_COMMON


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
    clear = int(matches.clear.sum())
    if _has_nothing_in_common(a, b, clear, rule):
        return NotRegistered(NOTHING_IN_COMMON, f"{clear} clear matches")
    small = _homography(matches)
    if small is None:
        return NotRegistered("too_few_matches", f"{clear} clear matches")
    return _shape_fault(small, a, b, rule) or _judged(small, matches, a, b, rule)


def first_registered(
    tries: Iterable[tuple[Features, Features]],
) -> Registration | NotRegistered:
    """The first of several descriptions of two photos that registers them; else the first's no.

    Photos that have nothing in common by the first are not tried again.
    """
    refused: NotRegistered | None = None
    for a, b in tries:
        found = register_features(a, b)
        if isinstance(found, Registration):
            return found
        refused = refused or found
        if refused.is_apart:
            break
    return refused or NotRegistered("untried")


def _judged(
    small: Matrix, matches: Matches, a: Features, b: Features, rule: Rule
) -> Registration | NotRegistered:
    """A homography of plausible shape, by what matches and by what the pictures show."""
    on = _on_it(small, matches)
    inliers = int((on & matches.clear).sum())
    seen = inside(mapped(small, matches.from_px), (b.grey.shape[1], b.grey.shape[0]))
    share = inliers / max(1, int((seen & matches.clear).sum()))
    if inliers < rule.inliers or share < rule.inlier_share:
        return NotRegistered("too_few_inliers", f"{inliers} inliers, {share:.0%} of the overlap")
    overlap = _overlap_share(small, a, b)
    alike = likeness(small, a.grey, b.grey)
    second = second_way(small, matches, on, REPROJECTION_PX)
    if alike.here < rule.likeness:
        return NotRegistered("looks_different", f"likeness {alike.here:.2f}")
    if second > rule.second or alike.second > rule.second_likeness:
        told = f"by matches {second:.0%}, by looks {alike.second:.0%} as good"
        return NotRegistered("ambiguous", f"another way is {told}")
    return Registration(
        homography=_rows(scaled(small, a.scale, b.scale)),
        inliers=inliers,
        inlier_share=round(share, 4),
        overlap_share=round(overlap, 4),
        likeness=round(alike.here, 4),
        second=round(second, 4),
        second_likeness=round(alike.second, 4),
    )


def _has_nothing_in_common(a: Features, b: Features, clear: int, rule: Rule) -> bool:
    """Far fewer clear matches than the least overlap leaves, in photos rich in points."""
    points = min(len(a.xy_px), len(b.xy_px))
    return points >= rule.apart_points and clear < rule.apart_share * points


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
