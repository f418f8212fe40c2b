"""Counts against their truth, as the intervals' error model is fitted on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from demeter.vision.interval.fit import Observed
from demeter.vision.interval.interval import Evidence, evidence_of
from demeter.vision.metrics.figures import PhotoFigures, estimated_in
from demeter.vision.values import Detection

FOUND_IOU = 0.5


def photos_observed(figures: Sequence[PhotoFigures]) -> list[Observed]:
    """Photos as a sum; those with an unknown estimate have no interval and are left out."""
    return [o for f in figures if (o := photo_observed(f)) is not None]


def photo_observed(figure: PhotoFigures) -> Observed | None:
    """One photo, outside ignored regions; ``None`` where its estimate is unknown."""
    if figure.photo.interval_90 is None:
        return None
    plants = [d for d in figure.photo.detections if not d.is_empty_container]
    known = [d for d, counts in zip(plants, figure.plants.is_known, strict=True) if counts]
    ignored = estimated_in(figure.photo, figure.marked.ignore)
    estimated = [(c.estimated or 0) - n for c, n in zip(figure.photo.counts, ignored, strict=True)]
    return Observed(sum(_evidence(known, estimated), NOTHING), figure.plants.marks)


def containers_observed(figure: PhotoFigures) -> Iterator[Observed]:
    """Marked containers that were found and whose plants are known, with their evidence.

    The number told of a container is of all its plants, so nothing is ignored in it.
    """
    plants = [d for d in figure.photo.detections if not d.is_empty_container]
    evidence = _evidence(plants, [c.estimated or 0 for c in figure.photo.counts])
    for row in figure.containers:
        if row.iou < FOUND_IOU or row.found is None or row.marked is None:
            continue
        if figure.photo.counts[row.found].estimated is not None:
            yield Observed(evidence[row.found], row.marked)


NOTHING = Evidence(0, 0, 0.0)


def _evidence(plants: Sequence[Detection], estimated: Sequence[int]) -> list[Evidence]:
    """What each container's count rests on, in their order; an unknown estimate as 0."""
    confidences: list[list[float]] = [[] for _ in estimated]
    for plant in plants:
        confidences[plant.container].append(plant.confidence)
    return [
        evidence_of(np.array(c, np.float32), n) for c, n in zip(confidences, estimated, strict=True)
    ]
