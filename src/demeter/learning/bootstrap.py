"""Two models on the same marked photos: differences with intervals, by paired bootstrap.

Photos are drawn with replacement, each with the figures of both models, and the difference is
taken each time; the interval holds the middle 95 % of such differences (Efron and Tibshirani
1993, ch. 13). Photos of one place are alike, so whole places are drawn where there are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.summary import summarise

DRAWS = 4000
FEWEST_PHOTOS = 5
FEWEST_PLACES = 8
_TAIL = 2.5


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of both models, and candidate less incumbent with its 95 % interval."""

    incumbent: float
    candidate: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """Candidate less incumbent."""
        return self.candidate - self.incumbent


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """F1 of plants (more is better) and the mean absolute error of counts (less is better).

    ``planted`` of the ``photos`` show marked plants.
    """

    photos: int
    planted: int
    places: int
    f1: Difference
    mape: Difference
    drawn: str

    def passes(self, margin: float) -> bool:
        """Whether the candidate is not worse on either figure, as far as can be told.

        Either neither can be worse by more than ``margin`` within its interval, or one is
        better within its interval and the other is no worse: on few photos counts differ too
        much from one to the next to bound their error, while each plant found speaks for F1.
        Never on fewer than five photos with plants: their interval says nothing, and on
        photos without any a blind model is as good as one that sees.
        """
        if self.planted < FEWEST_PHOTOS:
            return False
        bounded = self.f1.low >= -margin and self.mape.high <= margin
        better = self.f1.low > 0 or self.mape.high < 0
        no_worse = self.f1.value >= 0 and self.mape.value <= 0
        return bounded or (better and no_worse)

    def as_json(self) -> dict[str, Any]:
        """As plain values, differences included."""
        body = asdict(self)
        for name in ("f1", "mape"):
            body[name]["difference"] = getattr(self, name).value
        return body


def compare_figures(
    incumbent: Sequence[PhotoFigures], candidate: Sequence[PhotoFigures], seed: int = 0
) -> PairedComparison:
    """Compare figures of the same photos in the same order; of none, all is equal."""
    places = _place_numbers(incumbent)
    incumbent_sums, candidate_sums = (
        _sums_by_place(incumbent, places),
        _sums_by_place(candidate, places),
    )
    count = len(incumbent_sums)
    draws = np.random.default_rng(seed).integers(0, max(1, count), (DRAWS, count))
    by_place = len({f.marked.scene for f in incumbent}) >= FEWEST_PLACES
    incumbent_summary, candidate_summary = summarise(incumbent), summarise(candidate)
    return PairedComparison(
        photos=len(incumbent),
        planted=sum(f.plants.marks > 0 for f in incumbent),
        places=count,
        f1=_difference(
            incumbent_summary.f1,
            candidate_summary.f1,
            _f1(candidate_sums, draws) - _f1(incumbent_sums, draws),
        ),
        mape=_difference(
            incumbent_summary.mape or 0.0,
            candidate_summary.mape or 0.0,
            _mape(candidate_sums, draws) - _mape(incumbent_sums, draws),
        ),
        drawn="places" if by_place else "photos",
    )


def _place_numbers(figures: Sequence[PhotoFigures]) -> NDArray[np.intp]:
    """Which unit of drawing each photo belongs to, as numbers from 0."""
    scenes = [f.marked.scene for f in figures]
    if len(set(scenes)) < FEWEST_PLACES:
        return np.arange(len(scenes))
    return np.unique(scenes, return_inverse=True)[1]


def _sums_by_place(
    figures: Sequence[PhotoFigures], places: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sums a place [places, 5]: hits, false alarms, misses, errors of counts, photos with marks."""
    sums = np.zeros((int(places.max(initial=-1)) + 1, 5))
    for figure, place in zip(figures, places, strict=True):
        plants = figure.plants
        error = 1.0 if figure.count_error is None else abs(figure.count_error)
        marked = plants.marks > 0
        row = (plants.hits, plants.false_alarms, plants.misses, error * marked, marked)
        sums[place] += row
    return sums


def _f1(sums: NDArray[np.float64], draws: NDArray[np.intp]) -> NDArray[np.float64]:
    total = sums[draws].sum(axis=1)
    whole = 2 * total[:, 0] + total[:, 1] + total[:, 2]
    return np.where(whole > 0, 2 * total[:, 0] / np.maximum(whole, 1), 1.0)


def _mape(sums: NDArray[np.float64], draws: NDArray[np.intp]) -> NDArray[np.float64]:
    total = sums[draws].sum(axis=1)
    return total[:, 3] / np.maximum(total[:, 4], 1)


def _difference(incumbent: float, candidate: float, differences: NDArray[np.float64]) -> Difference:
    low, high = np.percentile(differences, [_TAIL, 100 - _TAIL])
    return Difference(*(round(float(v), 5) for v in (incumbent, candidate, low, high)))
