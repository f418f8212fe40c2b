from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demeter.vision.geometry import resized
from demeter.vision.looks import NEARER, seen_whole_and_in_parts

SIDE = 64


def brightness(squares):
    """A look that tells each pixel's brightness, at half the side."""
    for s in squares:
        yield resized(s, (SIDE // 2,) * 2)[None, ..., 0].astype(np.float32) / 255


def photo(width, height):
    y, x = np.mgrid[:height, :width]
    wave = 127 + 60 * np.sin(x * 5 / width) + 60 * np.cos(y * 4 / height)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(150, 700), height=st.integers(150, 700))
def test_what_is_looked_at_in_parts_comes_back_in_its_place(width, height):
    rgb = photo(width, height)
    (maps,) = seen_whole_and_in_parts(rgb, SIDE, brightness)
    expected = resized(rgb, maps.shape[::-1])[..., 0] / 255
    inner = np.s_[1:-1, 1:-1]  # at the edge half a pixel of padding shows
    assert abs(maps - expected)[inner].max() < 0.12
    assert abs(maps - expected).mean() < 0.02


@pytest.mark.parametrize(
    ("long_side", "looks"), [(SIDE, 1), (SIDE // 2, 1), (2 * SIDE, 1 + 6), (40 * SIDE, 1 + 6)]
)
def test_parts_are_looked_at_where_the_photo_has_more_to_show(long_side, looks):
    seen = []

    def look(squares):
        seen.extend(squares)
        return brightness(seen)

    maps = seen_whole_and_in_parts(photo(long_side, long_side * 3 // 4), SIDE, look)
    assert len(seen) == looks
    assert {s.shape for s in seen} == {(SIDE, SIDE, 3)}
    assert max(maps.shape) == (SIDE // 2 if looks == 1 else NEARER * SIDE // 2)


def test_where_parts_disagree_their_borders_do_not_show():
    answers = iter(np.linspace(0, 1, 7))
    flat = seen_whole_and_in_parts(
        photo(400, 300),
        SIDE,
        lambda squares: (np.full((1, 32, 32), next(answers), np.float32) for _ in squares),
    )[0]
    steps = max(abs(np.diff(flat, axis=0)).max(), abs(np.diff(flat, axis=1)).max())
    assert np.ptp(flat) > 0.3
    assert steps < 0.06
