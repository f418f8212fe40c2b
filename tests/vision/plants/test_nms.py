from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.nms import consistent_boxes, merge_boxes


def boxes(rows, confidence=None, empty=None) -> Boxes:
    xyxy = np.array(rows, np.float32).reshape(-1, 4)
    n = len(xyxy)
    return Boxes(
        xyxy,
        np.full(n, 0.8, np.float32) if confidence is None else np.array(confidence, np.float32),
        np.zeros(n, bool) if empty is None else np.array(empty),
    )


def dense_tray(columns=40, rows=30) -> Boxes:
    """Rosettes that touch and overlap a little, as in a full tray."""
    rng, pitch, size, jitter = np.random.default_rng(0), 40.0, 44.0, 3.0
    x, y = np.meshgrid(np.arange(columns) * pitch + 50, np.arange(rows) * pitch + 50)
    centre = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-jitter, jitter, (x.size, 2))
    half = rng.uniform(0.85, 1.15, (x.size, 1)) * size / 2
    confidence = rng.uniform(0.4, 0.95, x.size)
    return boxes(np.hstack([centre - half, centre + half]), confidence)


def seen_again(tray: Boxes, share: float, jitter: float, seed=1) -> Boxes:
    """The boxes that a second tile saw, a little elsewhere and of another size."""
    rng = np.random.default_rng(seed)
    again = tray.where(rng.random(len(tray)) < share)
    moved = again.xyxy_px + rng.normal(0, jitter, again.xyxy_px.shape).astype(np.float32)
    return Boxes(moved, again.confidence * np.float32(0.9), again.is_empty)


@pytest.mark.parametrize("rows", [[], [[0, 0, 9, 9]]])
def test_none_and_one_stay_as_they_are(rows):
    assert merge_boxes(boxes(rows)).xyxy_px.tolist() == boxes(rows).xyxy_px.tolist()


def test_touching_plants_of_a_dense_tray_all_stay():
    tray = dense_tray()
    assert len(merge_boxes(tray)) == len(tray) == 1200


def test_plants_of_a_dense_tray_seen_twice_are_counted_once():
    tray = dense_tray()
    twice = Boxes.join([tray, seen_again(tray, 0.4, jitter=2.5)])
    assert len(merge_boxes(twice)) == len(tray)


def test_a_small_plant_beside_a_large_one_stays():
    assert len(merge_boxes(boxes([[0, 0, 100, 100], [60, 60, 105, 105]]))) == 2


def test_a_part_of_a_plant_around_its_own_centre_goes():
    assert len(merge_boxes(boxes([[0, 0, 100, 100], [25, 25, 75, 75]], [0.9, 0.6]))) == 1


def test_a_plant_in_an_empty_places_box_is_another_thing():
    assert len(merge_boxes(boxes([[0, 0, 50, 50]] * 2, [0.9, 0.8], [False, True]))) == 2


def test_the_surer_box_stays():
    boxes_left = merge_boxes(boxes([[0, 0, 50, 50], [2, 2, 52, 52]], [0.5, 0.7]))
    assert boxes_left.xyxy_px.tolist() == [[2, 2, 52, 52]]


@given(st.randoms(use_true_random=False))
def test_the_order_of_boxes_changes_nothing(random):
    tray = dense_tray(8, 6)
    twice = Boxes.join([tray, seen_again(tray, 0.5, 2.0)])
    order = list(range(len(twice)))
    random.shuffle(order)
    shuffled = twice.where(np.array(order))
    assert merge_boxes(shuffled).xyxy_px.tolist() == merge_boxes(twice).xyxy_px.tolist()


@pytest.mark.parametrize(
    ("plant", "place", "stays"),
    [
        (0.9, 0.6, [True, False]),
        (0.5, 0.8, [False, True]),
        (0.7, 0.7, [True, False]),
    ],
)
def test_a_place_is_empty_or_planted_as_the_surer_box_says(plant, place, stays):
    cell = boxes([[20, 20, 60, 60], [10, 10, 70, 70]], [plant, place], [False, True])
    assert consistent_boxes(cell).tolist() == stays
    turned = cell.where(np.array([1, 0]))
    assert consistent_boxes(turned).tolist() == stays[::-1]


def test_a_plant_beside_an_empty_place_and_a_speck_in_one_contradict_nothing():
    beside = boxes([[0, 0, 40, 40], [36, 0, 80, 40]], [0.4, 0.9], [False, True])
    assert consistent_boxes(beside).all()
    speck = boxes([[20, 20, 26, 26], [0, 0, 60, 60]], [0.4, 0.9], [False, True])
    assert consistent_boxes(speck).all()
    under_a_large_plant = boxes([[0, 0, 90, 90], [30, 30, 60, 60]], [0.9, 0.5], [False, True])
    assert consistent_boxes(under_a_large_plant).tolist() == [True, False]


@pytest.mark.parametrize("empty", [[], [False, False], [True, True]])
def test_boxes_of_one_kind_contradict_nothing(empty):
    assert consistent_boxes(boxes([[0, 0, 9, 9]] * len(empty), empty=empty)).all()
