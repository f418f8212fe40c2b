"""Counts against their truth, as the intervals' error model is fitted on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from demeter.vision.interval.fit import Observation
from demeter.vision.interval.interval import Evidence, evidence_of
from demeter.vision.metrics.figures import PhotoFigures, ignored_estimates
from demeter.vision.values import DetectedBox

LEAST_IOU = 0.5  # from which a marked container is the counted one
NO_EVIDENCE = Evidence(0, 0, 0.0)


def photo_observation(figure: PhotoFigures) -> Observation | None:
    """One photo, outside ignored regions; ``None`` where its estimate is unknown."""
    if figure.photo.interval_90 is None:
        return None
    plants = [d for d in figure.photo.detections if not d.is_empty_container]
    known_plants = [d for d, counts in zip(plants, figure.plants.is_known, strict=True) if counts]
    ignored = ignored_estimates(figure.photo, figure.marked.ignore)
    estimated = [(c.estimated or 0) - n for c, n in zip(figure.photo.counts, ignored, strict=True)]
    return Observation(sum(_evidence(known_plants, estimated), NO_EVIDENCE), figure.plants.marks)


def container_observations(figure: PhotoFigures) -> Iterator[Observation]:
    """Marked containers that were counted and whose plants are known, with their evidence.

    A container is marked with the number of all its plants, so nothing is ignored in it.
    """
    plants = [d for d in figure.photo.detections if not d.is_empty_container]
    evidence = _evidence(plants, [c.estimated or 0 for c in figure.photo.counts])
    for row in figure.containers:
        if row.iou < LEAST_IOU or row.container is None or row.marked is None:
            continue
        if figure.photo.counts[row.container].estimated is not None:
            yield Observation(evidence[row.container], row.marked)


def _evidence(plants: Sequence[DetectedBox], estimated: Sequence[int]) -> list[Evidence]:
    """What each container's count rests on, in their order; an unknown estimate as 0."""
    confidences: list[list[float]] = [[] for _ in estimated]
    for plant in plants:
        confidences[plant.container].append(plant.confidence)
    return [
        evidence_of(np.array(c, np.float32), n) for c, n in zip(confidences, estimated, strict=True)
    ]
