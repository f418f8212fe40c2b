from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.interval.fit import Observed, fitted_error_model
from demeter.vision.interval.interval import Evidence, container_interval


def observed(count: int, seed: int) -> list[Observed]:
    """Counts that are a tenth off wherever something was detected, a third where estimated."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        detected, estimated = (int(v) for v in rng.integers(0, 400, 2) * (1, rng.integers(0, 2)))
        error = rng.normal(0, 0.5 + 0.08 * detected + 0.3 * estimated)
        truth = max(0, round(detected + estimated + error))
        found.append(Observed(Evidence(detected, estimated, 0.05 * detected), truth))
    return found


def test_intervals_fitted_on_some_photos_cover_others():
    model = fitted_error_model(observed(300, 1), observed(300, 2), "drawn by chance")
    fresh = observed(500, 3)
    inside = [
        low <= o.truth <= high
        for o in fresh
        for low, high in [container_interval(o.evidence, model)]
    ]
    assert 0.86 <= np.mean(inside) <= 0.95
    assert model.source == "drawn by chance"


def test_too_few_photos_fit_nothing():
    with pytest.raises(ValueError, match="fewer than"):
        fitted_error_model(observed(5, 1), observed(300, 2), "")
