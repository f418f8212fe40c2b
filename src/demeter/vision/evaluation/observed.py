"""Counts against their truth, as the intervals' error model is fitted on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from demeter.vision.evaluation.figures import PhotoFigures
from demeter.vision.interval import Evidence, evidence_of
from demeter.vision.interval_fit import Observed
from demeter.vision.values import PhotoCount

FOUND_IOU = 0.5


def photos_observed(figures: Sequence[PhotoFigures]) -> list[Observed]:
    """Photos as a sum; those with an unknown estimate have no interval and are left out."""
    return [o for f in figures if (o := photo_observed(f)) is not None]


def photo_observed(figure: PhotoFigures) -> Observed | None:
    """One photo; ``None`` where its estimate is unknown."""
    if figure.photo.interval_90 is None:
        return None
    return Observed(sum(evidence_by_container(figure.photo), NOTHING), figure.plants.marks)


def containers_observed(figure: PhotoFigures) -> Iterator[Observed]:
    """Marked containers that were found and whose plants are known, with their evidence."""
    evidence = evidence_by_container(figure.photo)
    for row in figure.containers:
        if row.iou < FOUND_IOU or row.found is None or row.marked is None:
            continue
        if figure.photo.counts[row.found].estimated is not None:
            yield Observed(evidence[row.found], row.marked)


NOTHING = Evidence(0, 0, 0.0)


def evidence_by_container(photo: PhotoCount) -> list[Evidence]:
    """What each container's count rests on, in their order; an unknown estimate as 0."""
    confidences: list[list[float]] = [[] for _ in photo.containers]
    for detection in photo.detections:
        if not detection.is_empty_container:
            confidences[detection.container].append(detection.confidence)
    return [
        evidence_of(np.array(c, np.float32), photo.counts[i].estimated or 0)
        for i, c in enumerate(confidences)
    ]
