"""Step 4: a 90 % interval for each container and for the photo.

A count's expected error has three independent parts: boxes that may be wrong, by the sum
of c (1 - c) over their confidences; a share of everything detected, for plants that were
hidden or cut alike all over a photo; and a share of what was only estimated. Their root
sum of squares u is a scale, not yet an interval. On validation photos with known truth
the errors (truth - count) / u were collected; the interval is count + u * [q05, q95] of
them (split conformal prediction: Vovk, Gammerman, Shafer 2005), rounded outward.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Shares of error and quantiles of (truth - count) / u; ``source`` says what they rest on."""

    detected_share: float
    estimated_share: float
    floor: float
    container_low: float
    container_high: float
    total_low: float
    total_high: float
    source: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the interval of one container (or of a sum of them) rests on."""

    detected: int
    estimated: int
    doubt: float

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.detected + other.detected,
            self.estimated + other.estimated,
            self.doubt + other.doubt,
        )


def evidence_of(confidences: NDArray[np.float32], estimated: int) -> Evidence:
    """Evidence of plants detected with ``confidences`` [n] and of those estimated."""
    c = confidences.astype(np.float64)
    return Evidence(len(c), estimated, round(float((c * (1 - c)).sum()), 6))


def spread(evidence: Evidence, model: ErrorModel) -> float:
    """The scale u of a count's error, in plants."""
    return math.sqrt(
        model.floor**2
        + evidence.doubt
        + (model.detected_share * evidence.detected) ** 2
        + (model.estimated_share * evidence.estimated) ** 2
    )


def container_interval(evidence: Evidence, model: ErrorModel) -> tuple[int, int]:
    """The 90 % interval of one container, inclusive, never below zero."""
    return _interval(evidence, model, model.container_low, model.container_high)


def total_interval(parts: list[Evidence], model: ErrorModel) -> tuple[int, int]:
    """The 90 % interval of a photo's sum; errors within a photo are alike, so u is of the sum."""
    total = sum(parts, Evidence(0, 0, 0.0))
    return _interval(total, model, model.total_low, model.total_high)


@cache
def shipped_error_model() -> ErrorModel:
    """The error model that ships with Demeter; ``interval.json`` says where it comes from."""
    text = (files("demeter.vision") / "interval.json").read_text(encoding="utf-8")
    return ErrorModel(**json.loads(text))


def _interval(evidence: Evidence, model: ErrorModel, low: float, high: float) -> tuple[int, int]:
    """Rounded outward; the count itself is always inside."""
    count = evidence.detected + evidence.estimated
    u = spread(evidence, model)
    bottom = min(count, math.floor(count + low * u))
    return max(0, bottom), max(count, math.ceil(count + high * u))
