"""A photo at another size, tile by tile: as if it had been scaled whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from demeter.vision.geometry import resize
from demeter.vision.plants.tiled_resize import levels_of, scale_picture
from demeter.vision.plants.tiles import cover

SIZES = [((640, 480), 1.0), ((641, 479), 0.5), ((1001, 803), 0.31), ((333, 222), 2.3)]


def smooth_photo(width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 12)


@pytest.mark.parametrize(("size_wh", "scale"), SIZES)
def test_tiles_show_what_the_whole_scaled_photo_shows(size_wh, scale) -> None:
    rgb = smooth_photo(*size_wh)
    scaled_wh = (round(size_wh[0] * scale), round(size_wh[1] * scale))
    whole, by_tiles = (
        resize(rgb, scaled_wh).astype(int),
        scale_picture(levels_of(rgb, scale), scaled_wh),
    )
    for tile in cover(scaled_wh, 96, 20):
        cut = by_tiles.cut(tile)
        assert cut.shape == tile.cut(whole).shape
        assert np.abs(cut - tile.cut(whole)).mean() < 2


@pytest.mark.parametrize(("size_wh", "scale"), SIZES)
def test_a_tile_says_where_it_truly_begins(size_wh, scale) -> None:
    """A dot is found again where it is, to within a pixel of the photo."""
    width, height = size_wh
    rgb = np.zeros((height, width, 3), np.uint8)
    dot = (width * 2 // 3, height // 3)
    cv2.circle(rgb, dot, 8, (255, 255, 255), cv2.FILLED)
    scaled_wh = (round(width * scale), round(height * scale))
    by_tiles = scale_picture(levels_of(rgb, scale), scaled_wh)
    whole_dots = 0
    for tile in cover(scaled_wh, 96, 48):
        ys, xs = np.nonzero(by_tiles.cut(tile)[..., 0] > 127)
        if len(xs) < 0.95 * np.pi * (8 * scale) ** 2:
            continue
        whole_dots += 1
        x0, y0 = by_tiles.origin(tile)
        dot_px = ((x0 + xs.mean() + 0.5) / scale, (y0 + ys.mean() + 0.5) / scale)
        assert dot_px == pytest.approx((dot[0] + 0.5, dot[1] + 0.5), abs=1.0)
    assert whole_dots


def test_the_coarsest_level_that_is_fine_enough_is_used() -> None:
    levels = levels_of(smooth_photo(800, 600), 0.1)
    assert [level.shape[1] for level in levels] == [800, 400, 200, 100]
    assert scale_picture(levels, (300, 225)).picture.shape[1] == 400
    assert scale_picture(levels, (1200, 900)).picture.shape[1] == 800


@pytest.mark.parametrize("side", [(101, 77), (1253, 1880), (2917, 64)])
def test_a_picture_of_odd_sides_is_made_smaller_without_moving(side) -> None:
    rgb = smooth_photo(*side)
    small = resize(rgb, (max(1, side[0] // 5), max(1, side[1] // 5)))
    exact = cv2.resize(rgb, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - exact).mean() < 2
