from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.standing import Stood, standing, stood
from demeter.vision.warp import inside, mapped

FRAME = (1400, 1000)
LAID = np.array([[0.95, 0.02, 30.0], [-0.02, 0.97, 20.0], [0.0, 0.0, 1.0]])


def bench(columns: int, rows: int, pitch: float = 100, at: float = 120) -> Stood:
    x, y = np.meshgrid(at + pitch * np.arange(columns), at + pitch * np.arange(rows))
    middles = np.column_stack([x.ravel(), y.ravel()]).astype(np.float64)
    return Stood(middles, np.full(len(middles), 0.7 * pitch))


def within_the_photo(a: Stood) -> Stood:
    seen = inside(a.xy_px, FRAME)
    return Stood(a.xy_px[seen], a.size_px[seen])


def photographed_again(a: Stood, matrix: np.ndarray) -> Stood:
    return within_the_photo(Stood(mapped(matrix, a.xy_px), a.size_px * 0.96))


def test_a_bench_that_ends_within_both_photos_stands_in_one_way_only():
    a = bench(10, 7)
    found = standing(LAID, a, photographed_again(a, LAID), FRAME, FRAME)
    assert found.asked == 70
    assert found.here == 1.0
    assert found.elsewhere == pytest.approx(0.9, abs=0.05)


def test_a_bench_that_goes_on_beyond_both_photos_stands_as_well_a_pot_further():
    a = bench(20, 16, at=-250)
    found = standing(LAID, within_the_photo(a), photographed_again(a, LAID), FRAME, FRAME)
    assert found.here > 0.95
    assert found.elsewhere > 0.95


def test_a_way_that_is_off_by_a_pot_stands_better_elsewhere():
    a = bench(10, 7)
    off = LAID.copy()
    off[0, 2] += 95
    found = standing(off, a, photographed_again(a, LAID), FRAME, FRAME)
    assert found.here < 0.95
    assert found.elsewhere > found.here


def test_without_containers_nothing_is_said():
    nothing = stood([], 1.0)
    found = standing(LAID, nothing, bench(3, 2), FRAME, FRAME)
    assert (found.asked, found.here, found.elsewhere) == (0, 0.0, 0.0)
    found = standing(LAID, bench(3, 2), nothing, FRAME, FRAME)
    assert found.here == 0.0


def test_middles_and_sizes_are_those_of_the_outlines():
    square = np.array([[100, 100], [300, 100], [300, 300], [100, 300]], np.float64)
    found = stood([square], 0.5)
    assert found.xy_px.tolist() == [[100.0, 100.0]]
    assert found.size_px.tolist() == [100.0]
