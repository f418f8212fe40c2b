from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demeter.vision.interval.interval import (
    ErrorScale,
    Evidence,
    container_interval,
    evidence_of,
    shipped_error_model,
    total_interval,
)

MODEL = shipped_error_model()
evidence = st.builds(
    Evidence, st.integers(0, 5000), st.integers(0, 5000), st.floats(0, 1000, allow_nan=False)
)


@given(evidence)
def test_the_count_lies_in_its_interval_and_nothing_is_negative(part):
    low, high = container_interval(part, MODEL)
    assert 0 <= low <= part.detected + part.estimated <= high


@given(st.lists(evidence, max_size=8))
def test_the_sums_interval_holds_the_sum(parts):
    low, high = total_interval(parts, MODEL)
    assert 0 <= low <= sum(p.detected + p.estimated for p in parts) <= high


@given(st.integers(1, 2000))
def test_what_is_estimated_is_less_sure_than_what_is_detected(plants):
    detected = container_interval(Evidence(plants, 0, 0.0), MODEL)
    estimated = container_interval(Evidence(0, plants, 0.0), MODEL)
    assert estimated[1] - estimated[0] >= detected[1] - detected[0]


def test_doubtful_boxes_widen_the_interval():
    sure = container_interval(evidence_of(np.full(100, 0.99, np.float32), 0), MODEL)
    unsure = container_interval(evidence_of(np.full(100, 0.5, np.float32), 0), MODEL)
    assert unsure[1] - unsure[0] > sure[1] - sure[0]


def test_of_no_containers_the_least_doubt_is_left_above_nothing():
    total = ErrorScale(0.0, 1.0, 0.25, low=-2.0, high=5.0)
    assert total_interval([], replace(MODEL, total=total)) == (0, 2)  # 5 times FLOOR, rounded up
