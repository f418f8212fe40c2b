from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from demeter.vision.plants.tiles import cover, tile_starts, tiles_with_content

lengths = st.integers(1, 2000)
cuts = st.integers(8, 300).flatmap(lambda t: st.tuples(st.just(t), st.integers(0, t - 1)))


@given(lengths, cuts)
def test_tiles_of_a_side_lie_inside_it_and_the_last_ends_at_its_edge(length, cut):
    tile, overlap = cut
    begins = tile_starts(length, tile, overlap)
    assert begins[0] == 0
    assert len(set(begins)) == len(begins)
    assert list(begins) == sorted(begins)
    assert all(b >= 0 for b in begins)
    assert min(begins[-1] + tile, length) == length
    assert length <= tile or begins[-1] + tile == length


@given(lengths, cuts)
def test_neighbouring_tiles_overlap_by_what_was_asked_or_more(length, cut):
    tile, overlap = cut
    begins = tile_starts(length, tile, overlap)
    assert all(a + tile - b >= overlap for a, b in pairwise(begins))


@given(st.integers(1, 500), st.integers(1, 500), cuts)
def test_cores_divide_the_picture_without_gap_or_overlap(width, height, cut):
    tile, overlap = cut
    owners = np.zeros((height, width), int)
    for t in cover((width, height), tile, overlap):
        owners[t.core_y1 : t.core_y2, t.core_x1 : t.core_x2] += 1
        assert t.x1 <= t.core_x1 < t.core_x2 <= t.x2 <= width
        assert t.y1 <= t.core_y1 < t.core_y2 <= t.y2 <= height
    assert (owners == 1).all()


@given(arrays(np.bool_, st.tuples(st.integers(1, 60), st.integers(1, 60))), st.integers(8, 40))
def test_every_pixel_of_content_lies_in_the_core_of_one_kept_tile(content, tile):
    height, width = content.shape
    owned = np.zeros_like(content, int)
    for t in tiles_with_content(cover((width, height), tile, tile // 4), content):
        owned[t.core_y1 : t.core_y2, t.core_x1 : t.core_x2] += 1
    assert (owned[content] == 1).all()


@given(arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))), st.integers(1, 9))
def test_a_coarse_mask_keeps_every_tile_that_a_fine_one_keeps(coarse, times):
    fine = np.kron(coarse, np.ones((times, times), bool))
    tiles = cover(fine.shape[::-1], 16, 4)
    assert set(tiles_with_content(tiles, fine)) <= set(tiles_with_content(tiles, coarse))


def test_no_content_keeps_no_tile():
    assert tiles_with_content(cover((100, 100), 32, 8), np.zeros((100, 100), bool)) == ()


def test_a_picture_smaller_than_a_tile_is_one_tile():
    (tile,) = cover((5, 3), 640, 100)
    assert (tile.x1, tile.y1, tile.x2, tile.y2) == (0, 0, 5, 3)


@pytest.mark.parametrize(("length", "tile", "overlap"), [(0, 8, 1), (9, 0, 0), (9, 8, 8)])
def test_tiles_that_cannot_step_forward_are_refused(length, tile, overlap):
    with pytest.raises(ValueError, match="cannot cut"):
        tile_starts(length, tile, overlap)
