"""Fitting the error model of intervals on photos whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from demeter.vision.interval.interval import ErrorModel, ErrorScale, Evidence, spread

_TAIL = 0.05
_SHARES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.36, 0.5, 0.7, 1.0)
_DOUBTS = (0.0, 0.25, 0.5, 1.0, 2.0)
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Observation:
    """A count and its truth: what it rested on and how many plants there were."""

    evidence: Evidence
    truth: int

    @property
    def error(self) -> int:
        """Truth less count."""
        return self.truth - self.evidence.detected - self.evidence.estimated


def fit_error_model(
    containers: Sequence[Observation], photos: Sequence[Observation], source: str
) -> ErrorModel:
    """For containers and photos, the shares that make errors most alike, and their quantiles.

    The shares minimise the mean of log u + |error| / u, the negative logarithm of a Laplace
    likelihood, which large errors do not rule as they would squares. Quantiles are
    conformal: of n errors the (n + 1) * 0.95-th.

    Raises:
        ValueError: there are too few to say anything about tails.
    """
    if min(len(containers), len(photos)) < _FEWEST:
        raise ValueError(f"fewer than {_FEWEST} containers or photos to fit on")
    return ErrorModel(_fit_scale(containers), _fit_scale(photos), source)


def _fit_scale(observed: Sequence[Observation]) -> ErrorScale:
    grid = (ErrorScale(*shares) for shares in product(_SHARES, _SHARES, _DOUBTS))
    best = min(grid, key=lambda scale: _misfit(observed, scale))
    low, high = _quantiles(observed, best)
    return replace(best, low=low, high=high)


def _misfit(observed: Sequence[Observation], shape: ErrorScale) -> float:
    u = np.array([spread(o.evidence, shape) for o in observed])
    error = np.abs([o.error for o in observed])
    scale = float(np.mean(error / u))  # the quantiles will set it; only the shape counts
    return float(np.mean(np.log(u))) + float(np.log(max(scale, 1e-9)))


def _quantiles(observed: Sequence[Observation], shape: ErrorScale) -> tuple[float, float]:
    scores = np.sort([o.error / spread(o.evidence, shape) for o in observed])
    n = len(scores)
    rank = min(n - 1, int(np.ceil((n + 1) * (1 - _TAIL))) - 1)
    return round(float(scores[n - 1 - rank]), 4), round(float(scores[rank]), 4)
