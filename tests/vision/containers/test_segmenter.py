from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.containers.find import containers_of
from demeter.vision.containers.segmenter import (
    Region,
    SeedRule,
    container_masks,
    usual_width_px,
    zoom_factor,
)

RULE = SeedRule()


def maps(*boxes: tuple[int, int, int, int], size=(100, 120)) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and depth of containers with corners x1, y1, x2, y2."""
    shares, depth = np.zeros((6, *size), np.float32), np.zeros(size, np.float32)
    shares[0] = 1
    y, x = np.mgrid[: size[0], : size[1]]
    for x1, y1, x2, y2 in boxes:
        shares[:, y1:y2, x1:x2] = 0.0
        shares[2, y1:y2, x1:x2] = 1.0
        inner = np.minimum.reduce([x - x1 + 1, x2 - x, y - y1 + 1, y2 - y])
        depth = np.maximum(depth, np.clip(inner / (min(x2 - x1, y2 - y1) / 2), 0, 1))
    return shares, depth.astype(np.float32)


def extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def test_no_container_gives_no_mask():
    assert container_masks(*maps(), RULE) == []


def test_containers_apart_are_one_mask_each():
    boxes = [(5, 5, 40, 60), (50, 10, 110, 90)]
    assert [extent(m) for m in container_masks(*maps(*boxes), RULE)] == boxes


def test_touching_containers_are_told_apart_by_their_depths():
    boxes = [(5, 5, 60, 90), (60, 5, 115, 90)]
    extents = [extent(m) for m in container_masks(*maps(*boxes), RULE)]
    assert extents == [pytest.approx(b, abs=2) for b in boxes]


def test_a_hole_in_a_container_belongs_to_it():
    shares, depth = maps((10, 10, 90, 90))
    shares[:, 40:50, 60:70] = 0
    shares[0, 40:50, 60:70] = 1
    (mask,) = container_masks(shares, depth, RULE)
    assert mask[45, 65]


def test_crumbs_are_no_containers():
    assert container_masks(*maps((3, 3, 6, 6)), RULE) == []


def test_a_container_without_any_depth_is_still_one():
    shares, depth = maps((10, 10, 90, 20))
    (mask,) = container_masks(shares, depth * 0, RULE)
    assert extent(mask) == (10, 10, 90, 20)


def test_containers_come_in_reading_order_whatever_order_they_were_found_in():
    low = Region("pot", ((0, 50), (10, 50), (10, 60)), 0.9)
    high = Region("cajon", ((30, 5), (40, 5), (40, 20)), 0.8)
    for order in ((low, high), (high, low)):
        containers, warnings = containers_of(
            np.zeros((100, 100, 3), np.uint8), lambda _, o=order: o, framed_whole=True
        )
        assert [c.label for c in containers] == ["cajon", "pot"]
        assert warnings == ()


POTS = [(x, y, x + 20, y + 20) for x in range(4, 110, 24) for y in range(4, 90, 24)]
SMALL_POTS = [(x, y, x + 12, y + 12) for x in range(4, 110, 16) for y in range(4, 90, 16)]


@pytest.mark.parametrize(
    ("boxes", "times"),
    [
        ([], 2),
        (POTS, 3),
        (SMALL_POTS, 4),
        ([(5, 5, 60, 90), (60, 5, 115, 90)], 2),
        # A bed and crumbs beside it, and a bed among pots: the larger part of the area says.
        ([(5, 5, 90, 90), *((100, y, 108, y + 8) for y in range(5, 90, 12))], 2),
        ([(0, 0, 120, 40), *(b for b in POTS if b[1] > 40)], 2),
    ],
)
def test_small_containers_are_looked_at_from_nearer(boxes, times):
    assert zoom_factor(*maps(*boxes), RULE) == times


def test_the_usual_width_is_of_the_container_that_a_pixel_is_in():
    assert usual_width_px([]) is None
    assert usual_width_px([400]) == 20
    assert usual_width_px([4, 4, 4, 4, 4, 4, 900]) == 30
    assert usual_width_px([100, 100, 100, 144]) == 10
