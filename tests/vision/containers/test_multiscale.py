from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demeter.vision.containers.multiscale import multiscale_maps
from demeter.vision.geometry import resize

SIDE = 64


def brightness(squares):
    """Maps of each pixel's brightness, at half the side."""
    for s in squares:
        yield resize(s, (SIDE // 2,) * 2)[None, ..., 0].astype(np.float32) / 255


def photo(width, height):
    y, x = np.mgrid[:height, :width]
    wave = 127 + 60 * np.sin(x * 5 / width) + 60 * np.cos(y * 4 / height)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(150, 700), height=st.integers(150, 700), zoom=st.integers(2, 4))
def test_what_is_looked_at_in_parts_comes_back_in_its_place(width, height, zoom):
    rgb = photo(width, height)
    (maps,) = multiscale_maps(rgb, SIDE, brightness, lambda _: zoom)
    expected = resize(rgb, maps.shape[::-1])[..., 0] / 255
    inner = np.s_[1:-1, 1:-1]  # at the edge half a pixel of padding shows
    assert abs(maps - expected)[inner].max() < 0.12
    assert abs(maps - expected)[inner].mean() < 0.02


@pytest.mark.parametrize(
    ("long_side", "zoom", "squares"),
    [
        (SIDE, 3, 1),
        (SIDE // 2, 3, 1),
        (2 * SIDE, 2, 1 + 6),
        (2 * SIDE, 3, 1 + 6),
        (40 * SIDE, 1, 1),
        (40 * SIDE, 2, 1 + 6),
        (40 * SIDE, 3, 1 + 12),
    ],
)
def test_parts_are_looked_at_where_the_photo_has_more_to_show(long_side, zoom, squares):
    answered = []

    def run(pictures):
        for square in pictures:
            answered.append(square.shape)
            yield from brightness([square])

    maps = multiscale_maps(photo(long_side, long_side * 3 // 4), SIDE, run, lambda _: zoom)
    assert answered == [(SIDE, SIDE, 3)] * squares
    assert max(maps.shape) == min(zoom * SIDE, max(SIDE, long_side)) // 2


def test_the_whole_says_how_near_to_look():
    """It is asked by the maps of the whole photo, without the grey about it."""
    asked = []
    multiscale_maps(photo(400, 200), SIDE, brightness, lambda maps: asked.append(maps.shape) or 1)
    assert asked == [(1, SIDE // 4, SIDE // 2)]


def test_where_parts_disagree_their_borders_do_not_show():
    answers = iter(np.linspace(0, 1, 7))
    flat = multiscale_maps(
        photo(400, 300),
        SIDE,
        lambda squares: (np.full((1, 32, 32), next(answers), np.float32) for _ in squares),
        lambda _: 2,
    )[0]
    steps = max(abs(np.diff(flat, axis=0)).max(), abs(np.diff(flat, axis=1)).max())
    assert np.ptp(flat) > 0.3
    assert steps < 0.06
