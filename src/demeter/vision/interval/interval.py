"""Step 4: a 90 % interval for each container and for the photo.

A count's expected error has four parts: boxes that may be wrong one by one, by the sum of
c (1 - c) over their confidences; the same doubt where it errs in common, for a photo whose
boxes are all unsure is wrong all over; a share of everything detected, for plants that were
hidden or cut alike; and a share of what was only estimated. Their root sum of squares u is
a scale, not yet an interval. On validation photos with known truth the errors
(truth - count) / u were collected; the interval is count + u * [q05, q95] of them (split
conformal prediction: Vovk, Gammerman, Shafer 2005), rounded outward. A photo's sum has
shares and quantiles of its own: its containers err alike.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.3


@dataclass(frozen=True, slots=True)
class ErrorScale:
    """Shares of error and the quantiles of (truth - count) / u that go with them."""

    detected_share: float
    estimated_share: float
    doubt_share: float
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """How wrong one container and a whole photo may be; ``source`` says what it rests on."""

    container: ErrorScale
    total: ErrorScale
    source: str

    @classmethod
    def read(cls, body: dict[str, Any]) -> ErrorModel:
        """From what ``asdict`` gave."""
        return cls(ErrorScale(**body["container"]), ErrorScale(**body["total"]), body["source"])


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


def spread(evidence: Evidence, scale: ErrorScale) -> float:
    """The scale u of a count's error, in plants."""
    return math.sqrt(
        FLOOR**2
        + evidence.doubt
        + (scale.doubt_share * evidence.doubt) ** 2
        + (scale.detected_share * evidence.detected) ** 2
        + (scale.estimated_share * evidence.estimated) ** 2
    )


def container_interval(evidence: Evidence, model: ErrorModel) -> tuple[int, int]:
    """The 90 % interval of one container, inclusive, never below zero."""
    return _interval(evidence, model.container)


def total_interval(parts: list[Evidence], model: ErrorModel) -> tuple[int, int]:
    """The 90 % interval of a photo's sum; errors within a photo are alike, so u is of the sum."""
    return _interval(sum(parts, Evidence(0, 0, 0.0)), model.total)


@cache
def shipped_error_model() -> ErrorModel:
    """The error model that ships with Demeter; ``interval.json`` says where it comes from."""
    text = (files("demeter.vision.interval") / "interval.json").read_text(encoding="utf-8")
    return ErrorModel.read(json.loads(text))


def _interval(evidence: Evidence, scale: ErrorScale) -> tuple[int, int]:
    """Rounded outward; the count itself is always inside."""
    count = evidence.detected + evidence.estimated
    u = spread(evidence, scale)
    bottom = min(count, math.floor(count + scale.low * u))
    return max(0, bottom), max(count, math.ceil(count + scale.high * u))
