"""Photos that overlap, each plant counted in one of them.

Two photos show a plant if their detections of it lie on each other: mutual nearest
neighbours within a share of a plant's size. Of the two the one further from its photo's
border is kept. What only one of them detected where both look is kept on its own side of
the seam, the line where both borders are equally far. A container that one photo shows
whole and the other cuts is counted, with all in it, where it is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely import Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from demeter.vision.overlap.homography import Matrix, corners, map_points, margin
from demeter.vision.values import DetectedBox, PhotoCount

SAME_PLANT = 0.5  # of its size between two boxes of one plant
SAME_CONTAINER_IOU = 0.5
WHOLE_MARGIN = 0.004  # of the photo's shorter side between a whole container and the border
TIE = 1e-6  # of the shorter side
LEAST_COMMON = 0.02  # of the photo that a container's part seen by both must cover

Matrices = Mapping[tuple[int, int], Matrix]
Ref = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CountShare:
    """What a photo counts: masks over its detections [n] and its containers [c].

    ``undivided`` [c]: containers counted here or elsewhere as a whole, so that no seam runs
    through them.
    """

    detections: NDArray[np.bool_]
    containers: NDArray[np.bool_]
    undivided: NDArray[np.bool_]


@dataclass(slots=True)
class _Groups:
    """Which detections are one plant, or containers one container: a union of disjoint sets."""

    parent: dict[Ref, Ref] = field(default_factory=dict)

    def root(self, ref: Ref) -> Ref:
        while (above := self.parent.get(ref, ref)) != ref:
            ref = above
        return ref

    def join(self, first: Ref, second: Ref) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        self.parent[high] = low

    def members(self) -> dict[Ref, list[Ref]]:
        """The members of each group that has more than one, by its root."""
        members: dict[Ref, list[Ref]] = {}
        for ref in sorted({*self.parent, *self.parent.values()}):
            members.setdefault(self.root(ref), []).append(ref)
        return members


def divide_counts(photos: Sequence[PhotoCount], matrices: Matrices) -> list[CountShare]:
    """What each photo counts; ``matrices[i, j]`` takes pixels of photo i to those of j.

    Both directions of every registered pair are there; photos that are in none keep all.
    """
    whole = _whole_containers(photos, matrices)
    groups = _Groups()
    for i, j in sorted(matrices):
        if i < j:
            for k, m in same_plants(photos[i], photos[j], matrices[i, j]):
                groups.join((i, k), (j, m))
    best = _best_of_groups(photos, groups, whole)
    return [_share_of(i, photos, matrices, whole, groups, best) for i in range(len(photos))]


def same_plants(a: PhotoCount, b: PhotoCount, matrix: Matrix) -> list[tuple[int, int]]:
    """Detections of two photos that are one plant or one empty place, by index."""
    pairs = []
    for empty in (False, True):
        ia = [k for k, d in enumerate(a.detections) if d.is_empty_container is empty]
        ib = [k for k, d in enumerate(b.detections) if d.is_empty_container is empty]
        if not ia or not ib:
            continue
        at_a, size_a = map_boxes([a.detections[k] for k in ia], matrix)
        at_b, size_b = _boxes([b.detections[k] for k in ib])
        near, forth = (np.asarray(v) for v in KDTree(at_b).query(at_a))
        back = np.asarray(KDTree(at_a).query(at_b)[1])
        for k, (distance, m) in enumerate(zip(near.tolist(), forth.tolist(), strict=True)):
            if back[m] == k and distance < SAME_PLANT * min(size_a[k], size_b[m]):
                pairs.append((ia[k], ib[m]))
    return pairs


def margins(
    xy_px: NDArray[np.float64], photos: Sequence[PhotoCount], i: int, matrices: Matrices
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of points [n, 2] of photo i: how far from its border, and from the best other photo's.

    As shares of the shorter side; the second is below 0 where no other photo shows them.
    Where both are equal, as along a border that photos side by side share, the first wins.
    """
    own = margin(xy_px, _size(photos[i]))
    other = np.full(len(xy_px), -np.inf)
    for j in range(len(photos)):
        if (i, j) in matrices:
            margin_j = margin(map_points(matrices[i, j], xy_px), _size(photos[j]))
            other = np.maximum(other, margin_j + (TIE if j < i else -TIE))
    return own, other


def _share_of(
    i: int,
    photos: Sequence[PhotoCount],
    matrices: Matrices,
    whole: Mapping[Ref, bool],
    groups: _Groups,
    best: Mapping[Ref, Ref],
) -> CountShare:
    photo = photos[i]
    at, _ = _boxes(photo.detections)
    own, other = margins(at, photos, i, matrices)
    keep = np.ones(len(photo.detections), np.bool_)
    for k, detection in enumerate(photo.detections):
        root = groups.root((i, k))
        if (i, detection.container) in whole:
            keep[k] = whole[i, detection.container]
        elif root in best:
            keep[k] = best[root] == (i, k)
        else:
            keep[k] = other[k] < 0 or own[k] >= other[k]
    n = range(len(photo.containers))
    undivided = np.array([(i, c) in whole for c in n], np.bool_)
    return CountShare(keep, np.array([whole.get((i, c), True) for c in n], np.bool_), undivided)


def _best_of_groups(
    photos: Sequence[PhotoCount], groups: _Groups, whole: Mapping[Ref, bool]
) -> dict[Ref, Ref]:
    """By root: the member that counts. One in a container that is counted whole comes first."""
    own = [margin(_boxes(p.detections)[0], _size(p)) for p in photos]

    def rank(ref: Ref) -> tuple[int, float, Ref]:
        place = (ref[0], photos[ref[0]].detections[ref[1]].container)
        first = {True: 0, None: 1, False: 2}[whole.get(place)]
        return first, -float(own[ref[0]][ref[1]]), ref

    return {root: min(refs, key=rank) for root, refs in groups.members().items()}


def _whole_containers(photos: Sequence[PhotoCount], matrices: Matrices) -> dict[Ref, bool]:
    """Containers that two photos show and one shows whole: whether this photo counts them."""
    shapes = [[_shape(c.polygon_px) for c in p.containers] for p in photos]
    counts_here: dict[Ref, bool] = {}
    groups = _Groups()
    for i, j in sorted(matrices):
        if i < j:
            for c, d in _same_containers(photos, shapes, i, j, matrices[i, j]):
                groups.join((i, c), (j, d))
    for group in groups.members().values():
        room = {ref: _room(photos[ref[0]], ref[1]) for ref in group}
        best = max(group, key=lambda ref: (room[ref], -ref[0]))
        if room[best] >= WHOLE_MARGIN:
            counts_here.update({ref: ref == best for ref in group})
    return counts_here


def _same_containers(
    photos: Sequence[PhotoCount],
    shapes: Sequence[Sequence[BaseGeometry]],
    i: int,
    j: int,
    matrix: Matrix,
) -> list[tuple[int, int]]:
    """One to one, by the overlap of what both photos can show of them."""
    frame = common_frame(matrix, _size(photos[i]), _size(photos[j]))
    least = LEAST_COMMON * photos[j].width_px * photos[j].height_px
    rows = []
    for c, shape in enumerate(shapes[i]):
        shape_a = map_shape(shape, matrix).intersection(frame)
        for d, other in enumerate(shapes[j]):
            if photos[i].containers[c].container_type is photos[j].containers[d].container_type:
                shape_b = other.intersection(frame)
                union = shape_a.union(shape_b).area
                score = shape_a.intersection(shape_b).area / union if union else 0.0
                if score >= SAME_CONTAINER_IOU and max(shape_a.area, shape_b.area) >= min(
                    least, shape.area / 4
                ):
                    rows.append((score, c, d))
    taken_c: set[int] = set()
    taken_d: set[int] = set()
    pairs = []
    for _, c, d in sorted(rows, reverse=True):
        if c not in taken_c and d not in taken_d:
            taken_c.add(c)
            taken_d.add(d)
            pairs.append((c, d))
    return pairs


def common_frame(matrix: Matrix, a_wh: tuple[int, int], b_wh: tuple[int, int]) -> BaseGeometry:
    """What both photos show, in pixels of the second."""
    return map_shape(_shape(corners(a_wh)), matrix).intersection(_shape(corners(b_wh)))


def map_shape(shape: BaseGeometry, matrix: Matrix) -> BaseGeometry:
    """A polygon after a homography; empty where a corner has no picture."""
    if shape.geom_type != "Polygon" or shape.is_empty:
        return Polygon()
    ring = np.array(shape.exterior.coords, np.float64)[:, :2]  # type: ignore[union-attr]
    mapped = map_points(matrix, ring)
    return _shape(mapped) if np.isfinite(mapped).all() else Polygon()


def _shape(points: Sequence[Sequence[float]] | NDArray[np.float64]) -> BaseGeometry:
    shape = make_valid(Polygon(points)) if len(points) >= 3 else Polygon()  # noqa: PLR2004
    if shape.geom_type == "Polygon":
        return shape
    parts = [p for p in getattr(shape, "geoms", ()) if p.geom_type == "Polygon"]
    return max(parts, key=lambda p: p.area) if parts else Polygon()


def _room(photo: PhotoCount, container: int) -> float:
    """How far a container stays from its photo's border; the frame itself is never whole."""
    shown = photo.containers[container]
    if shown.whole_frame:
        return -1.0
    return float(margin(np.array(shown.polygon_px, np.float64), _size(photo)).min())


def _size(photo: PhotoCount) -> tuple[int, int]:
    return photo.width_px, photo.height_px


def _boxes(rows: Sequence[DetectedBox]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres [n, 2] and sizes [n], the geometric mean of width and height."""
    boxes = np.array([d.xyxy_px for d in rows], np.float64).reshape(-1, 4)
    wh = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.sqrt(wh.prod(axis=1)).astype(np.float64)


def map_boxes(
    rows: Sequence[DetectedBox], matrix: Matrix
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and sizes as the other photo shows them; far outside where it does not."""
    at, size = _boxes(rows)
    half = np.column_stack([size / 2, np.zeros(len(size))])
    mapped, aside = map_points(matrix, at), map_points(matrix, at + half)
    with np.errstate(invalid="ignore"):  # both may lie behind the camera
        grown = 2 * np.linalg.norm(aside - mapped, axis=1)
    good = np.isfinite(mapped).all(axis=1) & np.isfinite(grown)
    return np.where(good[:, None], mapped, -1e9), np.where(good, grown, 0.0)
