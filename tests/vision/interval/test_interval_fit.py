from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.interval.fit import Observation, fit_error_model
from demeter.vision.interval.interval import Evidence, container_interval


def random_observations(count: int, seed: int) -> list[Observation]:
    """Counts that are a tenth off wherever something was detected, a third where estimated."""
    rng = np.random.default_rng(seed)
    observations = []
    for _ in range(count):
        detected, estimated = (int(v) for v in rng.integers(0, 400, 2) * (1, rng.integers(0, 2)))
        error = rng.normal(0, 0.5 + 0.08 * detected + 0.3 * estimated)
        truth = max(0, round(detected + estimated + error))
        observations.append(Observation(Evidence(detected, estimated, 0.05 * detected), truth))
    return observations


def test_intervals_fitted_on_some_photos_cover_others():
    model = fit_error_model(
        random_observations(300, 1), random_observations(300, 2), "drawn by chance"
    )
    fresh = random_observations(500, 3)
    inside = [
        low <= o.truth <= high
        for o in fresh
        for low, high in [container_interval(o.evidence, model)]
    ]
    assert 0.86 <= np.mean(inside) <= 0.95
    assert model.source == "drawn by chance"


def test_too_few_photos_fit_nothing():
    with pytest.raises(ValueError, match="fewer than"):
        fit_error_model(random_observations(5, 1), random_observations(300, 2), "")
