"""Figures of one photo: what was marked, what was counted, how well the two agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon as Shape

from demeter.vision.judgement.doubts import would_post
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.matching import MarkMatches, match_detections, precision_recall_f1
from demeter.vision.values import ContainerType, PhotoCount


@dataclass(frozen=True, slots=True)
class ContainerFigures:
    """A marked container against the one of the count that overlaps it most, if any does.

    ``container`` is that one's index in ``PhotoCount.containers``. ``marked`` and ``counted``
    are plants.
    """

    container_type: ContainerType
    counted_type: ContainerType | None
    iou: float
    marked: int | None
    counted: int | None
    interval_90: tuple[int, int] | None
    container: int | None = None


@dataclass(frozen=True, slots=True)
class PhotoFigures:
    """One photo. ``counted`` is ``None`` when the estimate is unknown.

    What was detected or estimated in regions that count neither way is taken off ``counted``
    and off the interval. ``confidence`` and ``hit`` [n] are of plants outside such regions.
    """

    marked: MarkedPhoto
    photo: PhotoCount
    plants: MarkMatches
    empties: MarkMatches | None
    counted: int | None
    interval_90: tuple[int, int] | None
    confidence: NDArray[np.float64]
    hit: NDArray[np.bool_]
    containers: tuple[ContainerFigures, ...]
    seconds: float

    @property
    def precision_recall_f1(self) -> tuple[float, float, float]:
        """Of plants, by the hit rule."""
        return precision_recall_f1(self.plants.hits, self.plants.false_alarms, self.plants.misses)

    @property
    def count_error(self) -> float | None:
        """(counted - marked) / marked; ``None`` when nothing is marked or known."""
        if self.plants.marks == 0 or self.counted is None:
            return None
        return (self.counted - self.plants.marks) / self.plants.marks

    @property
    def shows_nothing(self) -> bool:
        """Whether no plant is marked."""
        return self.plants.marks == 0

    @property
    def posts_plants(self) -> bool:
        """Whether plants of it would become stock unseen, in a bed that holds none yet."""
        return bool(self.counted) and would_post(self.photo)

    @property
    def is_covered(self) -> bool | None:
        """Whether the interval holds the marked number; ``None`` without an interval."""
        if self.interval_90 is None:
            return None
        return self.interval_90[0] <= self.plants.marks <= self.interval_90[1]


def figures_of(marked: MarkedPhoto, photo: PhotoCount, seconds: float) -> PhotoFigures:
    """Compare a photo's count with its marks."""
    boxes, confidence, empty = detections_of(photo)
    plants = match_detections(boxes[~empty], confidence[~empty], marked.plants, marked.ignore)
    is_known = plants.is_known
    ignored = plants.ignored_count + sum(ignored_estimates(photo, marked.ignore))
    return PhotoFigures(
        marked=marked,
        photo=photo,
        plants=plants,
        empties=None
        if marked.empties is None
        else match_detections(boxes[empty], confidence[empty], marked.empties, IgnoredRegions()),
        counted=_plants_counted(photo, ignored),
        interval_90=_lower_interval(photo.interval_90, ignored),
        confidence=confidence[~empty][is_known],
        hit=plants.mark_of[is_known] >= 0,
        containers=tuple(_containers(marked, photo)),
        seconds=seconds,
    )


def detections_of(
    photo: PhotoCount,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Boxes [n, 4], confidences [n] and whether empty [n] of a photo's detections."""
    boxes = np.array([d.xyxy_px for d in photo.detections], np.float64).reshape(-1, 4)
    confidence = np.array([d.confidence for d in photo.detections], np.float64)
    return boxes, confidence, np.array([d.is_empty_container for d in photo.detections], np.bool_)


def ignored_estimates(photo: PhotoCount, ignore: IgnoredRegions) -> list[int]:
    """Of each container's estimate, the plants in ``ignore``, as its residual's area is shared.

    0 where the estimate is unknown.
    """
    share = [0.0] * len(photo.counts)
    for estimation in photo.estimations:
        share[estimation.container] = ignore.share_of(
            estimation.residual_polygons_px or (estimation.polygon_px,)
        )
    return [round((c.estimated or 0) * share[c.container]) for c in photo.counts]


def _plants_counted(photo: PhotoCount, ignored: int) -> int | None:
    """Detected and estimated; 0 for a photo without containers, as nothing was counted."""
    if not photo.containers:
        return 0
    return None if photo.estimated is None else photo.detected + photo.estimated - ignored


def _lower_interval(interval: tuple[int, int] | None, ignored: int) -> tuple[int, int] | None:
    return None if interval is None else (max(0, interval[0] - ignored), interval[1] - ignored)


def _containers(marked: MarkedPhoto, photo: PhotoCount) -> list[ContainerFigures]:
    shapes = [_shape(c.polygon_px) for c in photo.containers]
    figures = []
    for truth in marked.containers or ():
        shape = _shape(truth.polygon_px)
        ious = [_iou(shape, other_shape) for other_shape in shapes]
        best = int(np.argmax(ious)) if ious else -1
        overlaps = best >= 0 and ious[best] > 0
        count = photo.counts[best] if overlaps else None
        figures.append(
            ContainerFigures(
                container_type=truth.container_type,
                counted_type=photo.containers[best].container_type if overlaps else None,
                iou=round(ious[best], 4) if overlaps else 0.0,
                marked=truth.plants,
                counted=None
                if count is None or count.estimated is None
                else count.detected + count.estimated,
                interval_90=None if count is None else count.interval_90,
                container=best if overlaps else None,
            )
        )
    return figures


def _shape(polygon: tuple[tuple[int, int], ...]) -> Shape:
    """A valid shape, empty for what has no area."""
    return Shape(polygon).buffer(0) if len(polygon) > 2 else Shape()  # noqa: PLR2004


def _iou(a: Shape, b: Shape) -> float:
    union = a.union(b).area
    return a.intersection(b).area / union if union else 0.0
