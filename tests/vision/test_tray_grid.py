"""Trays whose cells are known by arithmetic, and things that stand anyhow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from demeter.vision.plants.tray_grid import TrayGrid, find_grid

SQUARE = ((100, 100), (1000, 100), (1000, 1000), (100, 1000))
SHAPES = [(3, 4), (5, 8), (7, 14), (18, 10), (10, 18)]


@dataclass(frozen=True)
class Tray:
    """A tray in a photo: its outline, and what stands in which of its cells."""

    outline: tuple[tuple[int, int], ...]
    centres: np.ndarray  # [n, 2] x, y
    cells: np.ndarray  # [n, 2] row, column


def tray(
    shape: tuple[int, int],
    seed: int = 1,
    *,
    jitter: float = 0.08,
    empty: float = 0.0,
    twice: float = 0.0,
    tilt: float = 0.0,
    margin: float = 0.3,
) -> Tray:
    """A tray whose pitch is 1, seen so that its longer side takes 900 px.

    ``jitter`` and ``margin`` are in cells; ``empty`` and ``twice`` are shares of cells of which
    nothing or two plants are seen; ``tilt`` is how much narrower the far side is.
    """
    rng = np.random.default_rng(seed)
    rows, columns = shape
    points, cells = [], []
    for row, column in np.ndindex(rows, columns):
        if rng.random() < empty:
            continue
        centre = np.array([column + 0.5, row + 0.5]) + margin
        away = np.zeros(2)
        if rng.random() < twice:
            turn = rng.uniform(0, 2 * np.pi)
            away = 0.2 * np.array([np.cos(turn), np.sin(turn)])
            points.append(centre - away + rng.normal(0, jitter / 2, 2))
            cells.append((row, column))
        points.append(centre + away + rng.normal(0, jitter, 2))
        cells.append((row, column))
    size = np.array([columns, rows]) + 2 * margin
    flat = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * size
    seen = flat * 900 / size.max() + 100
    seen[:2, 0] += np.array([tilt, -0.7 * tilt]) * 900 * size[0] / size.max()
    seen = seen.astype(np.float32)
    to_photo = cv2.getPerspectiveTransform(flat.astype(np.float32), seen)
    centres = cv2.perspectiveTransform(np.array(points)[None], to_photo)[0]
    return Tray(
        tuple((round(float(x)), round(float(y))) for x, y in seen), centres, np.array(cells)
    )


def assert_right(grid: TrayGrid | None, shape: tuple[int, int], seen: Tray) -> None:
    assert grid is not None
    assert (grid.rows, grid.columns) == shape
    wrong = (grid.cells_of(seen.centres) != seen.cells).any(axis=1)
    assert wrong.mean() <= 0.01  # jitter takes one over its cell's edge now and then


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "seen",
    [{}, {"jitter": 0.12}, {"tilt": 0.15}, {"margin": 0.1}, {"margin": 0.55}],
    ids=["from above", "jitter", "perspective", "narrow rim", "wide rim"],
)
def test_rows_columns_and_each_cell_are_found(shape, seen):
    shown = tray(shape, **seen)
    assert_right(find_grid(shown.outline, shown.centres), shape, shown)


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("empty", [0.3, 0.5])
def test_cells_in_which_nothing_is_seen_are_cells(shape, empty):
    shown = tray(shape, empty=empty, tilt=0.1)
    assert len(shown.cells) < 0.8 * shape[0] * shape[1]
    assert_right(find_grid(shown.outline, shown.centres), shape, shown)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_two_plants_of_a_cell_stand_in_one_cell(shape):
    shown = tray(shape, twice=0.4, empty=0.1)
    assert len(np.unique(shown.cells, axis=0)) < 0.85 * len(shown.cells)
    grid = find_grid(shown.outline, shown.centres)
    assert grid is not None
    assert (grid.rows, grid.columns) == shape
    assert (grid.cells_of(shown.centres) == shown.cells).all(axis=1).mean() > 0.95


def test_a_fine_grid_is_found_in_an_outline_that_is_a_little_wrong():
    shown = tray((10, 18))
    bent = tuple(
        (x + dx, y + dy)
        for (x, y), (dx, dy) in zip(shown.outline, [(8, -7), (-9, 6), (7, 8), (9, -8)], strict=True)
    )
    assert_right(find_grid(bent, shown.centres), (10, 18), shown)


@pytest.mark.parametrize("corners", [12, 40])
def test_the_corners_of_an_outline_may_be_round(corners):
    shown = tray((5, 8), tilt=0.1)
    (x1, y1), (x2, y2) = np.min(shown.outline, axis=0), np.max(shown.outline, axis=0)
    turn = np.linspace(0, 2 * np.pi, corners * 4, endpoint=False)
    superellipse = np.column_stack(
        [
            np.sign(np.cos(turn)) * abs(np.cos(turn)) ** 0.1,
            np.sign(np.sin(turn)) * abs(np.sin(turn)) ** 0.1,
        ]
    )
    to_photo = cv2.getPerspectiveTransform(
        np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32),
        np.array(shown.outline, np.float32),
    )
    rounded = cv2.perspectiveTransform(superellipse[None], to_photo)[0]
    assert x1 < rounded[:, 0].mean() < x2
    assert y1 < rounded[:, 1].mean() < y2
    outline = tuple((round(float(x)), round(float(y))) for x, y in rounded)
    assert_right(find_grid(outline, shown.centres), (5, 8), shown)


def anyhow(seed: int) -> np.ndarray:
    """Plants without rows: by themselves, or in tufts."""
    rng = np.random.default_rng(seed)
    number = int(np.exp(rng.uniform(np.log(4), np.log(250))))
    if seed % 2:
        return rng.uniform(110, 990, (number, 2))
    tufts = rng.uniform(150, 950, (max(1, number // 6), 1, 2))
    plants = tufts + rng.normal(0, 40, (len(tufts), 6, 2))
    return np.clip(plants.reshape(-1, 2), 100, 1000)


def test_plants_that_stand_anyhow_have_no_grid():
    grids = [find_grid(SQUARE, anyhow(seed)) for seed in range(120)]
    assert sum(g is not None for g in grids) <= 2  # a hundredth is taken for one by chance


def test_plants_that_stand_anyhow_have_no_known_grid_either():
    grids = [find_grid(SQUARE, anyhow(seed), (6, 12)) for seed in range(120)]
    assert sum(g is not None for g in grids) <= 4


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), *SHAPES])
@pytest.mark.parametrize("is_turned", [False, True])
def test_of_a_known_grid_the_way_it_lies_is_found(shape, is_turned):
    shown = tray(shape, jitter=0.06)
    known = shape[::-1] if is_turned else shape
    assert_right(find_grid(shown.outline, shown.centres, known), shape, shown)


def test_a_known_grid_is_found_by_fewer_plants():
    shown = tray((5, 8), seed=3, empty=0.8)
    assert len(shown.cells) < 10
    assert find_grid(shown.outline, shown.centres) is None
    assert_right(find_grid(shown.outline, shown.centres, (8, 5)), (5, 8), shown)


@pytest.mark.parametrize("points", [0, 1, 2, 3])
@pytest.mark.parametrize("known", [None, (3, 4)])
def test_too_few_plants_have_no_grid(points, known):
    assert find_grid(SQUARE, np.linspace(300, 700, 2 * points).reshape(-1, 2), known) is None


@pytest.mark.parametrize(
    "outline",
    [(), ((0, 0),), ((0, 0), (9, 9)), ((0, 0), (9, 0), (0, 9)), ((0, 0), (5, 5), (9, 9), (7, 7))],
)
def test_an_outline_without_four_sides_has_no_grid(outline):
    assert find_grid(outline, tray((5, 8)).centres) is None


def test_a_cell_has_its_centre_and_outline_in_the_photo():
    shown = tray((3, 5), jitter=0.0, margin=0.0)
    grid = find_grid(shown.outline, shown.centres)
    assert grid is not None
    assert grid.cells == 15
    assert grid.agreement > 0.999
    centres = grid.centres_px()
    assert centres.shape == (3, 5, 2)
    assert np.abs(centres.reshape(-1, 2) - shown.centres).max() < 1
    corners = grid.outline_px(1, 2)
    assert np.abs(corners - (np.array([(460, 280), (640, 280), (640, 460), (460, 460)]))).max() < 1


def test_a_plant_that_leans_over_the_rim_belongs_to_the_nearest_cell():
    shown = tray((3, 5))
    grid = find_grid(shown.outline, shown.centres)
    assert grid is not None
    beyond = np.array([(90.0, 105.0), (1010.0, 1010.0)])
    assert grid.cells_of(beyond).tolist() == [[0, 0], [2, 4]]
    assert grid.cells_of(np.zeros((0, 2))).shape == (0, 2)


def test_the_same_centres_in_another_order_give_the_same_grid():
    shown = tray((7, 14), empty=0.2)
    first = find_grid(shown.outline, shown.centres)
    again = find_grid(shown.outline, shown.centres[::-1])
    assert first is not None
    assert again is not None
    assert np.allclose(first.to_px, again.to_px, atol=0.05)
    assert (first.rows, first.columns) == (again.rows, again.columns)
