from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.overlap.container_agreement import (
    ContainerPlaces,
    container_agreement,
    container_places,
)
from demeter.vision.overlap.homography import map_points

FRAME = (1400, 1000)
LAID = np.array([[0.95, 0.02, 30.0], [-0.02, 0.97, 20.0], [0.0, 0.0, 1.0]])
# From straight above, and tilted: far rows are closer together.
FLAT = np.eye(3)
TILTED = np.array([[1.0, 0.35, -100.0], [0.0, 1.1, 20.0], [0.0, 5e-4, 1.0]])


def outlines(columns: int, rows: int, pitch: float, side: float, at: float) -> list[np.ndarray]:
    """Squares of a bench, in its own plane."""
    x, y = np.meshgrid(at + pitch * np.arange(columns), at + pitch * np.arange(rows))
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    return [middle + half for middle in np.column_stack([x.ravel(), y.ravel()])]


def photographed(bench: list[np.ndarray], camera: np.ndarray) -> ContainerPlaces:
    """What a photo shows of it: what lies outside is not there, what is cut has no middle."""
    outlines_px = [np.clip(map_points(camera, o), 0, FRAME) for o in bench]
    return container_places([o for o in outlines_px if np.ptp(o, axis=0).min() > 3], 1.0, FRAME)


def registered_pair(
    bench: list[np.ndarray], camera: np.ndarray, off_by: tuple[float, float] = (0, 0)
):
    """Two photos of a bench, and the way from one to the other, wrong by a move of the bench."""
    wrong = np.array([[1, 0, off_by[0]], [0, 1, off_by[1]], [0, 0, 1.0]])
    later = LAID @ camera
    return (
        later @ wrong @ np.linalg.inv(camera),
        photographed(bench, camera),
        photographed(bench, later),
    )


@pytest.mark.parametrize("camera", [FLAT, TILTED])
@pytest.mark.parametrize("side", [90, 49])
def test_a_bench_that_ends_within_both_photos_stands_in_one_way_only(camera, side):
    result = container_agreement(*registered_pair(outlines(8, 5, 110, side, 230), camera))
    assert result.expected >= 35
    assert result.share > 0.95
    assert result.moved_share == pytest.approx(0.87, abs=0.06)


@pytest.mark.parametrize("camera", [FLAT, TILTED])
@pytest.mark.parametrize("side", [90, 49])
@pytest.mark.parametrize("off_by", [(0, 0), (110, 0), (0, 110)])
def test_a_bench_that_goes_on_beyond_both_photos_is_no_proof(camera, side, off_by):
    result = container_agreement(
        *registered_pair(outlines(60, 60, 110, side, -2000), camera, off_by)
    )
    assert result.expected >= 40
    assert result.share > 0.93
    assert result.moved_share > 0.95 * result.share


def test_a_way_that_is_off_by_a_pot_stands_better_elsewhere():
    result = container_agreement(
        *registered_pair(outlines(8, 5, 110, 90, 230), FLAT, off_by=(110, 0))
    )
    assert result.share < 0.93
    assert result.moved_share > 0.95


def test_without_containers_or_neighbours_nothing_is_said():
    nothing = container_places([], 1.0, FRAME)
    few = photographed(outlines(2, 1, 400, 200, 300), FLAT)
    for a, b in ((nothing, few), (few, nothing)):
        result = container_agreement(LAID, a, b)
        assert (result.expected, result.share, result.moved_share) == (0, 0.0, None)
    assert container_agreement(FLAT, few, few).moved_share is None


def test_middles_and_sizes_are_those_of_the_outlines_that_are_whole():
    (square,) = outlines(1, 1, 0, 200, 200)
    cut = square - (100, 0)
    places = container_places([square, cut], 0.5, FRAME)
    assert places.xy_px.tolist() == [[100.0, 100.0]]
    assert places.size_px.tolist() == [100.0]
