"""Figures over many photos: overall and by scene, container type and plant size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from demeter.vision.metrics.figures import ContainerFigures, PhotoFigures, detections_of
from demeter.vision.metrics.matching import average_precision, hit_by_iou, precision_recall_f1

_GOOD_IOU = 0.85
_SIZES_PX = (0, 24, 48, 96, 192, 1_000_000)


@dataclass(frozen=True, slots=True)
class Summary:
    """Shares 0 to 1; ``None`` where there was nothing to judge.

    ``f1`` pools the hits of all photos. ``mape`` is the mean of |counted - marked| /
    marked over photos with marks, an unknown count taken as an error of 1; ``bias`` the
    mean of the signed error over known counts; ``mae`` in plants. ``false_plants`` is the mean
    count of the photos that show none, ``empties_posted`` the share of these whose plants would
    be posted unseen, ``posted`` that share of the others.
    """

    photos: int
    marked: int
    precision: float
    recall: float
    f1: float
    average_precision: float | None
    mae: float | None
    mape: float | None
    bias: float | None
    interval_coverage: float | None
    empties_f1: float | None
    without_plants: int
    false_plants: float | None
    empties_posted: float | None
    posted: float | None
    seconds: float


def summarise(figures: Iterable[PhotoFigures]) -> Summary:
    """Sum up photos; of none, everything countable is 0 and every share ``None`` or 1."""
    figures = list(figures)
    hits = sum(f.plants.hits for f in figures)
    alarms = sum(f.plants.false_alarms for f in figures)
    misses = sum(f.plants.misses for f in figures)
    precision, recall, f1 = precision_recall_f1(hits, alarms, misses)
    with_marks = [f for f in figures if f.plants.marks]
    without = [f for f in figures if f.shows_nothing]
    signed = [f.count_error for f in with_marks if f.count_error is not None]
    return Summary(
        photos=len(figures),
        marked=hits + misses,
        precision=precision,
        recall=recall,
        f1=f1,
        average_precision=_pooled_ap(figures),
        mae=_mean(abs(f.counted - f.plants.marks) for f in figures if f.counted is not None),
        mape=_mean(1.0 if f.count_error is None else abs(f.count_error) for f in with_marks),
        bias=_mean(signed),
        interval_coverage=_mean(float(f.is_covered) for f in figures if f.is_covered is not None),
        empties_f1=_empties_f1(figures),
        without_plants=len(without),
        false_plants=_mean(float(f.counted or 0) for f in without),
        empties_posted=_mean(float(f.posts_plants) for f in without),
        posted=_mean(float(f.posts_plants) for f in with_marks),
        seconds=sum(f.seconds for f in figures),
    )


def by_scene(figures: list[PhotoFigures]) -> dict[str, Summary]:
    """One summary a scene, where labels name scenes."""
    names = sorted({f.marked.scene for f in figures if f.marked.scene})
    return {n: summarise(f for f in figures if f.marked.scene == n) for n in names}


def recall_by_size(figures: list[PhotoFigures]) -> dict[str, tuple[int, float]]:
    """Marks and recall of plants by their diameter in pixels of the photo."""
    radius, hit = [], []
    for f in figures:
        was_hit = np.zeros(len(f.marked.plants), np.bool_)
        was_hit[f.plants.mark_of[f.plants.mark_of >= 0]] = True
        radius.append(f.marked.plants[:, 2])
        hit.append(was_hit)
    if not radius:
        return {}
    diameters, hits = 2 * np.concatenate(radius), np.concatenate(hit)
    table = {}
    for low, high in pairwise(_SIZES_PX):
        inside = (diameters >= low) & (diameters < high)
        if inside.any():
            name = f"{low}-{high}" if high < _SIZES_PX[-1] else f"{low}+"
            table[name] = (int(inside.sum()), float(hits[inside].mean()))
    return table


@dataclass(frozen=True, slots=True)
class ContainerSummary:
    """Marked containers of a type: outlines, types and counts."""

    containers: int
    iou_good: float
    type_right: float
    mape: float | None
    interval_coverage: float | None


def by_container_type(figures: list[PhotoFigures]) -> dict[str, ContainerSummary]:
    """One row a type and one for all, where containers are marked."""
    rows = [c for f in figures for c in f.containers]
    types = sorted({c.container_type.value for c in rows})
    table = {t: _container_summary([c for c in rows if c.container_type == t]) for t in types}
    return table | ({"all": _container_summary(rows)} if rows else {})


def _container_summary(rows: list[ContainerFigures]) -> ContainerSummary:
    counted = [(c.counted, c.marked) for c in rows if c.marked and c.counted is not None]
    judged = [(c.interval_90, c.marked) for c in rows if c.interval_90 and c.marked is not None]
    return ContainerSummary(
        containers=len(rows),
        iou_good=float(np.mean([c.iou >= _GOOD_IOU for c in rows])),
        type_right=float(np.mean([c.container_type == c.counted_type for c in rows])),
        mape=_mean(abs(n - m) / m for n, m in counted),
        interval_coverage=_mean(float(i[0] <= m <= i[1]) for i, m in judged),
    )


def calibration(figures: list[PhotoFigures], bins: int = 5) -> list[tuple[float, float, int]]:
    """(mean confidence, share that hit, detections) of equal parts of the confidences' range."""
    if not figures:
        return []
    confidence = np.concatenate([f.confidence for f in figures])
    hit = np.concatenate([f.hit for f in figures])
    edges = np.linspace(confidence.min(initial=1), 1, bins + 1)
    part = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    return [
        (float(confidence[part == b].mean()), float(hit[part == b].mean()), int((part == b).sum()))
        for b in range(bins)
        if (part == b).any()
    ]


def box_average_precision(figures: list[PhotoFigures]) -> tuple[float, float] | None:
    """AP at IoU 0.5, and its mean over 0.5, 0.55 … 0.95, where plants have boxes.

    Detections in regions that count neither way are left out, as everywhere.
    """
    boxed = [f for f in figures if f.marked.boxes is not None]
    if not boxed:
        return None
    thresholds = np.arange(0.5, 0.96, 0.05)
    values = [_box_ap(boxed, float(t)) for t in thresholds]
    return values[0], float(np.mean(values))


def _box_ap(figures: list[PhotoFigures], least_iou: float) -> float:
    hits, confidences, marks = [], [], 0
    for f in figures:
        assert f.marked.boxes is not None
        every, confidence, empty = detections_of(f.photo)
        is_known = f.plants.is_known
        boxes, confidence = every[~empty][is_known], confidence[~empty][is_known]
        hits.append(hit_by_iou(boxes, confidence, f.marked.boxes, least_iou))
        confidences.append(confidence)
        marks += len(f.marked.boxes)
    return average_precision(np.concatenate(hits), np.concatenate(confidences), marks)


def _pooled_ap(figures: list[PhotoFigures]) -> float | None:
    marks = sum(f.plants.marks for f in figures)
    if not marks:
        return None
    hit, confidence = [f.hit for f in figures], [f.confidence for f in figures]
    return average_precision(np.concatenate(hit), np.concatenate(confidence), marks)


def _empties_f1(figures: list[PhotoFigures]) -> float | None:
    judged = [f.empties for f in figures if f.empties is not None]
    if not judged:
        return None
    return precision_recall_f1(
        sum(m.hits for m in judged),
        sum(m.false_alarms for m in judged),
        sum(m.misses for m in judged),
    )[2]


def _mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return float(np.mean(values)) if values else None
