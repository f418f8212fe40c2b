"""Which detection hits which mark, and what precision and recall follow.

The rule: a detection hits a mark when its centre is within 0.6 radius of it and its larger
side is between 0.35 and 2.2 of the mark's diameter. Detections choose in order of
confidence, each the nearest mark still free; each mark is hit once. What hits nothing and
has its centre in an ignored region counts neither way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demeter.vision.metrics.ignored_regions import IgnoredRegions

NEAR, SMALLEST, LARGEST = 0.6, 0.35, 2.2
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class MarkMatches:
    """Per detection the mark it hits, -1 for none, -2 for one in an ignored region."""

    mark_of: NDArray[np.intp]
    marks: int

    @property
    def hits(self) -> int:
        """Marks that were hit."""
        return int((self.mark_of >= 0).sum())

    @property
    def false_alarms(self) -> int:
        """Detections that hit nothing."""
        return int((self.mark_of == -1).sum())

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Per detection whether it counts: it lies in no ignored region, or hits a mark."""
        return self.mark_of != -2  # noqa: PLR2004

    @property
    def ignored_count(self) -> int:
        """Detections in regions that count neither way."""
        return int((~self.is_known).sum())

    @property
    def misses(self) -> int:
        """Marks that nothing hit."""
        return self.marks - self.hits


def match_detections(
    xyxy_px: NDArray[np.float64],
    confidence: NDArray[np.float64],
    marks: NDArray[np.float64],
    ignore: IgnoredRegions,
) -> MarkMatches:
    """Match detections [n, 4] with ``confidence`` [n] to discs ``marks`` [m, 3]."""
    xyxy_px = xyxy_px.reshape(-1, 4)
    mark_of = np.full(len(xyxy_px), -1, np.intp)
    free = np.ones(len(marks), np.bool_)
    order = np.argsort(-confidence, kind="stable")
    for begin in range(0, len(order), _CHUNK):
        part = order[begin : begin + _CHUNK]
        distances = _distances(xyxy_px[part], marks)
        for index, row in zip(part, distances, strict=True):
            open_row = np.where(free, row, np.inf)
            best = int(np.argmin(open_row)) if len(marks) else -1
            if best >= 0 and np.isfinite(open_row[best]):
                mark_of[index], free[best] = best, False
    stray = mark_of == -1
    mark_of[stray & ignore.holds((xyxy_px[:, :2] + xyxy_px[:, 2:]) / 2)] = -2
    return MarkMatches(mark_of, len(marks))


def _distances(boxes: NDArray[np.float64], marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances [n, m] in radii of the mark, infinite where the rule is not met."""
    centres = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    apart = np.linalg.norm(centres - marks[None, :, :2], axis=2) / np.maximum(marks[:, 2], 1e-9)
    side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)[:, None] / np.maximum(2 * marks[:, 2], 1e-9)
    fits = (apart <= NEAR) & (side >= SMALLEST) & (side <= LARGEST)
    return np.where(fits, apart, np.inf)


def precision_recall_f1(hits: int, false_alarms: int, misses: int) -> tuple[float, float, float]:
    """The three shares; of nothing marked and nothing found all are 1."""
    if hits + false_alarms + misses == 0:
        return 1.0, 1.0, 1.0
    precision = hits / max(1, hits + false_alarms)
    recall = hits / max(1, hits + misses)
    return precision, recall, 2 * hits / (2 * hits + false_alarms + misses)


def average_precision(hit: NDArray[np.bool_], confidence: NDArray[np.float64], marks: int) -> float:
    """Area under precision over recall at all its points, precision made monotone.

    As VOC 2010 has it, where each detection counts. COCO takes the mean of the same curve at 101
    recalls: on random orders of 3 to 1,000 detections that differed by up to .008 either way.
    """
    if marks == 0 or len(hit) == 0:
        return 0.0
    ordered = hit[np.argsort(-confidence, kind="stable")]
    true = np.cumsum(ordered)
    precision = true / np.arange(1, len(ordered) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0], true])) / marks
    return float((envelope * steps).sum())


def hit_by_iou(
    xyxy_px: NDArray[np.float64],
    confidence: NDArray[np.float64],
    boxes: NDArray[np.float64],
    least_iou: float,
) -> NDArray[np.bool_]:
    """Per detection whether it hits a box by IoU, most confident first, each box once."""
    hit, free = np.zeros(len(xyxy_px), np.bool_), np.ones(len(boxes), np.bool_)
    for index in np.argsort(-confidence, kind="stable"):
        if not free.any():
            break
        overlap = np.where(free, iou_with(xyxy_px[index], boxes), 0)
        best = int(np.argmax(overlap))
        if overlap[best] >= least_iou:
            hit[index], free[best] = True, False
    return hit


def iou_with(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box [4] with many [m, 4]."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(np.prod(box[2:] - box[:2]) + areas - shared, 1e-9)
