from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.vision.geometry import (
    area_px,
    close_and_fill,
    fine_outline,
    frame_polygon,
    letterbox,
    outline,
    polygon_map,
    simplify,
)
from demeter.vision.plants.boxes import Boxes

sides = st.integers(1, 400)


@given(sides, sides, st.booleans(), st.integers(32, 512))
def test_points_return_from_the_letterbox_to_where_they_were(width, height, centred, side):
    fitted = letterbox(np.zeros((height, width, 3), np.uint8), side, centred=centred)
    points = np.array([[0.0, 0.0], [width, height], [width / 3, height / 2]])
    in_square = points * fitted.scale + np.array(fitted.offset_xy)
    assert np.allclose(fitted.to_picture(in_square), points)
    assert fitted.square.shape == (side, side, 3)


@given(st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_boxes_return_from_a_scaled_part_to_where_they_were(scale, x, y):
    boxes = Boxes(np.array([[3, 4, 50, 60]], np.float32), np.ones(1, np.float32), np.zeros(1, bool))
    back = boxes.transform(scale, (x, y)).transform(1 / scale, (-x / scale, -y / scale))
    assert np.allclose(back.xyxy_px, boxes.xyxy_px, atol=0.01)


def test_holes_are_filled_and_gaps_closed():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    mask[20:35, 15:25] = False  # a hole
    mask[12:50, 29:31] = False  # a crack through it
    whole = np.zeros_like(mask)
    whole[10:50, 10:50] = True
    closed = close_and_fill(mask, 2)
    assert (closed[:46] == whole[:46]).all()
    assert not closed[50:].any()


@pytest.mark.parametrize("times", [1, 4, 7.5])
def test_a_masks_outline_scaled_up_has_the_masks_area(times):
    mask = np.zeros((100, 120), bool)
    mask[20:80, 30:90] = True
    size_wh = (round(120 * times), round(100 * times))
    polygon = simplify(outline(mask) * times, times / 2, size_wh)
    assert area_px(polygon) == pytest.approx(3600 * times**2, rel=0.05)


def test_no_mask_has_no_outline():
    none = np.zeros((5, 5), bool)
    assert outline(none).shape == (0, 2)
    assert fine_outline(none, none.astype(np.float32), none).shape == (0, 2)


def disc(radius, size=60):
    """A disc's share of each pixel, [size, size]."""
    y, x = np.mgrid[: size * 8, : size * 8] / 8 + 1 / 16
    inside = np.hypot(x - size / 2, y - size / 2) <= radius
    return inside.reshape(size, 8, size, 8).mean(axis=(1, 3)).astype(np.float32)


def shoelace(corners):
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@pytest.mark.parametrize("radius", [5.3, 9.0, 20.6])
def test_a_fine_outline_has_the_area_that_shares_say(radius):
    share = disc(radius)
    mask = share > 0.5
    fine = shoelace(fine_outline(mask, share, np.zeros_like(mask)))
    assert fine == pytest.approx(np.pi * radius**2, rel=0.06)
    assert abs(fine - np.pi * radius**2) < abs(shoelace(outline(mask)) - np.pi * radius**2)


def test_a_fine_outline_ends_where_another_begins():
    share = np.ones((40, 60), np.float32)
    left_half = np.zeros((40, 60), bool)
    left_half[:, :30] = True
    corners = fine_outline(left_half, share, ~left_half)
    assert corners[:, 0].min() == 0
    assert corners[:, 0].max() == pytest.approx(30, abs=0.3)
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0, 40)


def test_where_polygons_overlap_the_smaller_one_holds_the_pixel():
    bed, pot = frame_polygon((100, 100)), ((40, 40), (60, 40), (60, 60), (40, 60))
    for order in ([bed, pot], [pot, bed]):
        owners = polygon_map(order, (100, 100), 1.0)
        assert order[owners[50, 50] - 1] == pot
        assert order[owners[5, 5] - 1] == bed


def test_no_polygon_holds_nothing():
    assert not polygon_map([], (10, 10), 0.5).any()
