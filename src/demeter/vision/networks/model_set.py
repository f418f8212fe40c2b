"""The networks that a count is made with, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from demeter.vision.containers.segmenter import Segmenter
from demeter.vision.interval.interval import ErrorModel
from demeter.vision.judgement.judge import Judge
from demeter.vision.plants.detector import Detector


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A detector, a segmenter, the error model that belongs to them, and a judge or none."""

    detector: Detector
    segmenter: Segmenter
    errors: ErrorModel
    judge: Judge | None = None
