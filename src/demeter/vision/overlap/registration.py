"""Where a photo lies in another photo of the same bed, or that nobody can say.

A homography is right for a flat bed seen from two places (Hartley and Zisserman 2004,
chapter 13). Several are sought, and one is believed only after every check in `Rule`:
trays and beds repeat, so a photo moved by one cell matches too, and a wrong answer would
lose or double plants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.overlap.candidates import (
    REPROJECTION_PX,
    Sought,
    away_px,
    is_same_way,
    near_matches,
    refined,
    sought,
)
from demeter.vision.overlap.container_agreement import standing
from demeter.vision.overlap.correlation import likeness, second_near, second_way
from demeter.vision.overlap.features import Described, described
from demeter.vision.overlap.homography import Matrix, area_px, corners, is_convex, mapped, scaled

NOTHING_IN_COMMON = "nothing_in_common"
PLANTS_DISAGREE = "plants_disagree"
JUDGED_WITHIN_PX = 60.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a registration must show to be believed; pixels are of the reduced pictures.

    ``inliers`` matches in containers at least; scale and its change over the photo bounded;
    ``overlap_share`` of the smaller photo shared; grey values alike to ``likeness``
    (correlation). The next best way to lay one photo on the other may explain at most
    ``second`` times as many matches, and be ``second_likeness`` times as good by grey
    values, which trays bring near 1 by themselves. Grey values are not asked where photos share
    ``sure_overlap_share`` and no other way has ``sure`` of the matches: of a bench whose plants
    were sold little looks as before. Nor are they where ``standing_asked`` containers or more
    tell: ``standing`` of them stand on one another, and after a move by a neighbour at most
    ``standing_second`` times as many; then the next best way may explain ``second_standing``
    times as many matches. Photos of ``apart_points`` or more of
    which less than ``apart_share`` match clearly are apart.
    """

    inliers: int = 60
    scale: float = 2.5
    perspective: float = 2.5
    overlap_share: float = 0.08
    likeness: float = 0.1
    second: float = 0.5
    second_likeness: float = 0.9
    sure: float = 0.2
    sure_overlap_share: float = 0.5
    standing_asked: int = 20
    standing: float = 0.9
    standing_second: float = 0.93
    second_standing: float = 0.75
    apart_points: int = 1500
    apart_share: float = 0.01


@dataclass(frozen=True, slots=True)
class Registration:
    """``homography`` (3 x 3, rows) takes pixels of photo a to pixels of photo b.

    ``inliers`` are matches on it in containers, ``inlier_share`` their share of those found
    near it; ``likeness`` is the correlation of grey values over the overlap; ``second`` and
    ``second_likeness`` tell how good the next best way is against this one by matches and by
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


@dataclass(frozen=True, slots=True)
class _Way:
    """A homography between reduced pictures, and how many of the matches near it are on it."""

    matrix: Matrix
    inliers: int
    near: int
    second_near: float


def register(
    a_rgb: NDArray[np.uint8], b_rgb: NDArray[np.uint8], rule: Rule | None = None
) -> Registration | NotRegistered:
    """Register two upright photos [H, W, 3] of one bed, or say why not."""
    return register_described(described(a_rgb), described(b_rgb), rule)


def register_described(
    a: Described,
    b: Described,
    rule: Rule | None = None,
    *,
    contradicted: Callable[[Matrix], str] | None = None,
) -> Registration | NotRegistered:
    """As `register`, for photos whose features are at hand, limited to their containers.

    ``contradicted`` is asked of homographies between photos in pixels and says what speaks
    against one, or nothing: a ground that repeats itself leaves two ways, and the plants of
    one photo stand where those of the other do in one of them only.
    """
    rule = rule or Rule()
    found = sought(a, b)
    ways, faults = _ways(found, a, b, rule)
    ways, told = _uncontradicted(ways, a, b, contradicted)
    if told and (not ways or ways[0].inliers < rule.inliers):
        return NotRegistered(PLANTS_DISAGREE, told)
    if not ways or ways[0].inliers < rule.inliers:
        if _has_nothing_in_common(found, rule):
            return NotRegistered(NOTHING_IN_COMMON, f"{_clear(found)} clear matches")
        if ways:
            return NotRegistered("too_few_inliers", f"{ways[0].inliers} inliers")
        return faults[0] if faults else NotRegistered("too_few_matches", f"{_clear(found)} clear")
    return _judged(ways, found, a, b, rule)


def _ways(
    found: Sought, a: Described, b: Described, rule: Rule
) -> tuple[list[_Way], list[NotRegistered]]:
    """The different homographies of plausible shape, best first; what was wrong with others."""
    begun: list[Matrix] = []
    ways: list[_Way] = []
    faults: list[NotRegistered] = []
    for rough in found.ways:
        fault = _shape_fault(rough, a, b, rule)
        if fault is None and not any(is_same_way(rough, one, a, b) for one in begun):
            begun.append(rough)
            matrix = refined(rough, found.pairs)
            fault = _shape_fault(matrix, a, b, rule)
            if fault is None and not any(is_same_way(matrix, w.matrix, a, b) for w in ways):
                ways.append(_way(matrix, found))
        faults += [fault] if fault else []
    return sorted(ways, key=lambda way: -way.inliers), faults


def _uncontradicted(
    ways: Sequence[_Way], a: Described, b: Described, contradicted: Callable[[Matrix], str] | None
) -> tuple[list[_Way], str]:
    """Those against which nothing speaks, and what speaks against the best of the others."""
    if contradicted is None:
        return list(ways), ""
    told = [contradicted(scaled(way.matrix, a.scale, b.scale)) for way in ways]
    kept = [way for way, against in zip(ways, told, strict=True) if not against]
    return kept, next(filter(None, told), "")


def _way(matrix: Matrix, found: Sought) -> _Way:
    a_px, b_px = near_matches(matrix, found.pairs, JUDGED_WITHIN_PX)
    away = b_px - mapped(matrix, a_px)
    on = int((np.linalg.norm(away, axis=1) < REPROJECTION_PX).sum())
    return _Way(matrix, on, len(away), second_near(away, REPROJECTION_PX))


def _judged(
    ways: Sequence[_Way], found: Sought, a: Described, b: Described, rule: Rule
) -> Registration | NotRegistered:
    """The best way, by what else the matches allow and by what the pictures show."""
    best = ways[0]
    second = max(best.second_near, _second_anywhere(best, found), _rival(ways, a, b))
    overlap = _overlap_share(best.matrix, a, b)
    alike = likeness(best.matrix, a.grey, b.grey)
    told = _stand_only_here(best.matrix, a, b, rule)
    looks_asked = not told and (second > rule.sure or overlap < rule.sure_overlap_share)
    if looks_asked and alike.here < rule.likeness:
        return NotRegistered("looks_different", f"likeness {alike.here:.2f}")
    most = rule.second_standing if told else rule.second
    if second > most or (looks_asked and alike.second > rule.second_likeness):
        facts = f"by matches {second:.0%}, by looks {alike.second:.0%} as good"
        return NotRegistered("ambiguous", f"another way is {facts}")
    return Registration(
        homography=_rows(scaled(best.matrix, a.scale, b.scale)),
        inliers=best.inliers,
        inlier_share=round(best.inliers / best.near, 4),
        overlap_share=round(overlap, 4),
        likeness=round(alike.here, 4),
        second=round(second, 4),
        second_likeness=round(alike.second, 4),
    )


def _stand_only_here(matrix: Matrix, a: Described, b: Described, rule: Rule) -> bool:
    found = standing(matrix, a.containers, b.containers)
    return (
        found.elsewhere is not None
        and found.asked >= rule.standing_asked
        and found.here >= rule.standing
        and found.elsewhere <= rule.standing_second * found.here
    )


def _second_anywhere(best: _Way, found: Sought) -> float:
    """How good another move is by matches from anywhere, in the description that tells best."""
    return min(
        second_way(
            best.matrix,
            matches,
            away_px(best.matrix, matches.from_px, matches.to_px) < REPROJECTION_PX,
            REPROJECTION_PX,
        )
        for matches in found.held
    )


def _rival(ways: Sequence[_Way], a: Described, b: Described) -> float:
    """How good the next way is; ways so near that they are planes of one view are no rivals."""
    best, *others = ways
    far = [
        way.inliers
        for way in others
        if not is_same_way(best.matrix, way.matrix, a, b, JUDGED_WITHIN_PX)
    ]
    return max(far, default=0) / best.inliers


def _clear(found: Sought) -> int:
    """Clear matches in containers, in the description that has more."""
    return max(int(matches.clear.sum()) for matches in found.held)


def _has_nothing_in_common(found: Sought, rule: Rule) -> bool:
    """Far fewer clear matches than the least overlap leaves, in photos rich in points."""
    points = min(len(one.xy_px) for pair in found.pairs for one in pair)
    return points >= rule.apart_points and _clear(found) < rule.apart_share * points


def _shape_fault(matrix: Matrix, a: Described, b: Described, rule: Rule) -> NotRegistered | None:
    frame = corners(a.reduced_wh)
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


def _overlap_share(matrix: Matrix, a: Described, b: Described) -> float:
    frame_b = corners(b.reduced_wh)
    quad = mapped(matrix, corners(a.reduced_wh))
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), frame_b.astype(np.float32))
    return float(shared / min(area_px(quad), area_px(frame_b)))


def _rows(matrix: Matrix) -> tuple[tuple[float, float, float], ...]:
    whole = matrix / matrix[2, 2]
    return tuple((float(r[0]), float(r[1]), float(r[2])) for r in whole)
