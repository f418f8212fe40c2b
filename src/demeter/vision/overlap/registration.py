"""Where a photo lies in another photo of the same bed, or that nobody can say.

A homography is right for a flat bed seen from two places (Hartley and Zisserman 2004,
chapter 13). Several are tried, and one is believed only after every check in
`RegistrationRule`: trays and beds repeat, so a photo moved by one cell matches too, and a
wrong answer would lose or double plants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from demeter.core.notices import Notice
from demeter.vision.overlap.candidates import (
    REPROJECTION_PX,
    Candidates,
    distances_px,
    find_candidates,
    is_same_homography,
    near_matches,
    refine_homography,
)
from demeter.vision.overlap.container_agreement import container_agreement
from demeter.vision.overlap.correlation import likeness, second_near, second_way
from demeter.vision.overlap.features import PhotoFeatures
from demeter.vision.overlap.homography import (
    Matrix,
    area_px,
    corners,
    is_convex,
    map_points,
    rescale,
)

NOTHING_IN_COMMON = "nothing_in_common"
JUDGED_WITHIN_PX = 60.0


@dataclass(frozen=True, slots=True)
class RegistrationRule:
    """What a registration must show to be believed; pixels are of the reduced pictures.

    ``inliers`` matches in containers at least; scale and its change over the photo bounded;
    ``overlap_share`` of the smaller photo shared; grey values alike to ``likeness``
    (correlation). The next best way to lay one photo on the other may explain at most
    ``second`` times as many matches, and be ``second_likeness`` times as good by grey
    values, which trays bring near 1 by themselves. Grey values do not count where photos share
    ``sure_overlap_share`` and no other way has ``sure`` of the matches: of a bench whose plants
    were sold little looks as before. Nor do they where ``fewest_containers`` or more tell:
    ``container_share`` of them stand on one another, and after a move by a neighbour at most
    ``container_second`` times as many; then the next best way may explain
    ``second_with_containers`` times as many matches. Photos of ``apart_points`` or more of
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
    fewest_containers: int = 20
    container_share: float = 0.9
    container_second: float = 0.93
    second_with_containers: float = 0.75
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
    """Why nobody can say how two photos overlap, with the figures behind it.

    ``nothing_in_common`` says more: the photos look as pictures of two different things do.
    """

    why: Notice

    @property
    def is_apart(self) -> bool:
        """Whether they surely do not overlap."""
        return self.why.code == NOTHING_IN_COMMON


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A homography between reduced pictures, and how many of the matches near it are on it."""

    matrix: Matrix
    inliers: int
    near: int
    second_near: float


def register(
    a: PhotoFeatures,
    b: PhotoFeatures,
    rule: RegistrationRule | None = None,
    *,
    objection: Callable[[Matrix], Notice | None] | None = None,
) -> Registration | NotRegistered:
    """Register two photos of one bed by their features, or say why not.

    ``objection`` takes a homography between the photos in pixels and says what speaks against
    it, or nothing: a ground that repeats itself leaves two ways, and the plants of one photo
    stand where those of the other do in one of them only.
    """
    rule = rule or RegistrationRule()
    candidates = find_candidates(a, b)
    ways, faults = _plausible_ways(candidates, a, b, rule)
    ways, against = _without_objection(ways, a, b, objection)
    if against and (not ways or ways[0].inliers < rule.inliers):
        return NotRegistered(against)
    if not ways or ways[0].inliers < rule.inliers:
        clear = _clear_matches(candidates)
        if _has_nothing_in_common(candidates, rule):
            return NotRegistered(Notice("nothing_in_common", {"clear": clear}))
        if ways:
            return NotRegistered(Notice("too_few_inliers", {"inliers": ways[0].inliers}))
        too_few = NotRegistered(Notice("too_few_matches", {"clear": clear}))
        return faults[0] if faults else too_few
    return _judge(ways, candidates, a, b, rule)


def _plausible_ways(
    candidates: Candidates, a: PhotoFeatures, b: PhotoFeatures, rule: RegistrationRule
) -> tuple[list[_Candidate], list[NotRegistered]]:
    """The different homographies of plausible shape, best first; what was wrong with others."""
    tried: list[Matrix] = []
    ways: list[_Candidate] = []
    faults: list[NotRegistered] = []
    for rough in candidates.homographies:
        fault = _shape_fault(rough, a, b, rule)
        if fault is None and not any(is_same_homography(rough, earlier, a, b) for earlier in tried):
            tried.append(rough)
            matrix = refine_homography(rough, candidates.pairs)
            fault = _shape_fault(matrix, a, b, rule)
            if fault is None and not any(is_same_homography(matrix, w.matrix, a, b) for w in ways):
                ways.append(_way(matrix, candidates))
        faults += [fault] if fault else []
    return sorted(ways, key=lambda way: -way.inliers), faults


def _without_objection(
    ways: Sequence[_Candidate],
    a: PhotoFeatures,
    b: PhotoFeatures,
    objection: Callable[[Matrix], Notice | None] | None,
) -> tuple[list[_Candidate], Notice | None]:
    """Those against which nothing speaks, and what speaks against the best of the others."""
    if objection is None:
        return list(ways), None
    objections = [objection(rescale(way.matrix, a.scale, b.scale)) for way in ways]
    accepted = [way for way, against in zip(ways, objections, strict=True) if not against]
    return accepted, next(filter(None, objections), None)


def _way(matrix: Matrix, candidates: Candidates) -> _Candidate:
    a_px, b_px = near_matches(matrix, candidates.pairs, JUDGED_WITHIN_PX)
    away = b_px - map_points(matrix, a_px)
    on = int((np.linalg.norm(away, axis=1) < REPROJECTION_PX).sum())
    return _Candidate(matrix, on, len(away), second_near(away, REPROJECTION_PX))


def _judge(
    ways: Sequence[_Candidate],
    candidates: Candidates,
    a: PhotoFeatures,
    b: PhotoFeatures,
    rule: RegistrationRule,
) -> Registration | NotRegistered:
    """The best way, by what else the matches allow and by what the pictures show."""
    best = ways[0]
    second = max(best.second_near, _second_anywhere(best, candidates), _rival_share(ways, a, b))
    overlap = _overlap_share(best.matrix, a, b)
    similarity = likeness(best.matrix, a.grey, b.grey)
    containers_agree = _containers_agree(best.matrix, a, b, rule)
    needs_likeness = not containers_agree and (
        second > rule.sure or overlap < rule.sure_overlap_share
    )
    if needs_likeness and similarity.correlation < rule.likeness:
        return NotRegistered(
            Notice("looks_different", {"likeness": round(float(similarity.correlation), 2)})
        )
    most = rule.second_with_containers if containers_agree else rule.second
    if second > most or (needs_likeness and similarity.second > rule.second_likeness):
        return NotRegistered(
            Notice("ambiguous", {"matches": _share(second), "looks": _share(similarity.second)})
        )
    return Registration(
        homography=_rows(rescale(best.matrix, a.scale, b.scale)),
        inliers=best.inliers,
        inlier_share=round(best.inliers / best.near, 4),
        overlap_share=round(overlap, 4),
        likeness=round(similarity.correlation, 4),
        second=round(second, 4),
        second_likeness=round(similarity.second, 4),
    )


def _containers_agree(
    matrix: Matrix, a: PhotoFeatures, b: PhotoFeatures, rule: RegistrationRule
) -> bool:
    agreement = container_agreement(matrix, a.containers, b.containers)
    return (
        agreement.moved_share is not None
        and agreement.expected >= rule.fewest_containers
        and agreement.share >= rule.container_share
        and agreement.moved_share <= rule.container_second * agreement.share
    )


def _second_anywhere(best: _Candidate, candidates: Candidates) -> float:
    """How good another move is by matches from anywhere, in the description that tells best."""
    return min(
        second_way(
            best.matrix,
            matches,
            distances_px(best.matrix, matches.from_px, matches.to_px) < REPROJECTION_PX,
            REPROJECTION_PX,
        )
        for matches in candidates.container_matches
    )


def _rival_share(ways: Sequence[_Candidate], a: PhotoFeatures, b: PhotoFeatures) -> float:
    """How good the next way is; ways so near that they are planes of one view are no rivals."""
    best, *others = ways
    far = [
        way.inliers
        for way in others
        if not is_same_homography(best.matrix, way.matrix, a, b, JUDGED_WITHIN_PX)
    ]
    return max(far, default=0) / best.inliers


def _clear_matches(candidates: Candidates) -> int:
    """Clear matches in containers, in the description that has more."""
    return max(int(matches.clear.sum()) for matches in candidates.container_matches)


def _has_nothing_in_common(candidates: Candidates, rule: RegistrationRule) -> bool:
    """Far fewer clear matches than the least overlap leaves, in photos rich in points."""
    points = min(len(features.xy_px) for pair in candidates.pairs for features in pair)
    return points >= rule.apart_points and _clear_matches(candidates) < rule.apart_share * points


def _shape_fault(
    matrix: Matrix, a: PhotoFeatures, b: PhotoFeatures, rule: RegistrationRule
) -> NotRegistered | None:
    frame = corners(a.reduced_wh)
    quad = map_points(matrix, frame)
    if not np.isfinite(quad).all() or not is_convex(quad):
        return NotRegistered(Notice("folded"))
    overlap = _overlap_share(matrix, a, b)
    if overlap < rule.overlap_share:
        return NotRegistered(Notice("too_little_overlap", {"share": _share(overlap)}))
    scale = np.sqrt(area_px(quad) / area_px(frame)) * a.scale / b.scale
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    skew = max(sides[0] / sides[2], sides[2] / sides[0], sides[1] / sides[3], sides[3] / sides[1])
    if not 1 / rule.scale < scale < rule.scale or skew > rule.perspective:
        return NotRegistered(
            Notice(
                "implausible_shape",
                {"scale": round(float(scale), 2), "perspective": round(float(skew), 2)},
            )
        )
    return None


def _overlap_share(matrix: Matrix, a: PhotoFeatures, b: PhotoFeatures) -> float:
    frame_b = corners(b.reduced_wh)
    quad = map_points(matrix, corners(a.reduced_wh))
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), frame_b.astype(np.float32))
    return float(shared / min(area_px(quad), area_px(frame_b)))


def _share(share: float) -> float:
    return round(float(share), 4)


def _rows(matrix: Matrix) -> tuple[tuple[float, float, float], ...]:
    whole = matrix / matrix[2, 2]
    return tuple((float(r[0]), float(r[1]), float(r[2])) for r in whole)
