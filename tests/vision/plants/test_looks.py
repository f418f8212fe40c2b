"""What several looks agree on."""

from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.looks import fuse_looks, nearest_homes
from demeter.vision.plants.nms import MergeRule

PLANT, PEBBLE = (10.0, 10.0, 50.0, 50.0), (200.0, 200.0, 220.0, 220.0)


def one_look(*rows: tuple[tuple[float, ...], float], empty: bool = False) -> Boxes:
    return Boxes(
        np.array([xyxy for xyxy, _ in rows], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence in rows], np.float32),
        np.full(len(rows), empty),
    )


def test_what_all_looks_see_is_as_sure_as_they_and_what_one_sees_a_third():
    moved = tuple(v + 3 for v in PLANT)
    looks = [one_look((PLANT, 0.6), (PEBBLE, 0.6)), one_look((moved, 0.9)), one_look((PLANT, 0.3))]
    fused = fuse_looks(looks, MergeRule())
    assert fused.confidence == pytest.approx([0.6, 0.2])
    assert fused.xyxy_px[0] == pytest.approx([11.5, 11.5, 51.5, 51.5])
    assert fused.xyxy_px[1] == pytest.approx(PEBBLE)


def test_two_boxes_of_one_look_count_once_by_the_surer():
    inner = (12.0, 12.0, 50.0, 50.0)
    fused = fuse_looks([one_look((PLANT, 0.8), (inner, 0.4)), one_look()], MergeRule())
    assert fused.confidence == pytest.approx([0.4])


def test_an_empty_place_and_a_plant_stay_two():
    fused = fuse_looks([one_look((PLANT, 0.8)), one_look((PLANT, 0.5), empty=True)], MergeRule())
    assert sorted(fused.is_empty) == [False, True]


def test_looks_that_see_nothing_agree_on_nothing():
    assert len(fuse_looks([one_look(), one_look(), one_look()], MergeRule())) == 0


def test_a_mean_beyond_a_rim_stays_in_the_container_in_which_it_was_seen():
    moved = tuple(v + 30 for v in PLANT)
    seen = one_look((PLANT, 0.9), (moved, 0.5), (PEBBLE, 0.6))
    fused = one_look((tuple(v + 8 for v in PLANT), 0.7), (PEBBLE, 0.2))
    assert nearest_homes(fused, seen, np.array([3, 4, 5])).tolist() == [3, 5]
    assert nearest_homes(one_look(), seen, np.array([3, 4, 5])).tolist() == []
