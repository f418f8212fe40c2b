"""Tiles: how a large picture is cut so that every plant is whole in one of them.

Tiles overlap; the last column and row are pulled back to the edge, so none reaches out of
the picture. Each tile owns a *core*: cores meet in the middle of the overlaps and divide
the picture without gap or overlap. An object is counted by the tile whose core holds its
centre, where it is seen whole as long as the overlap is at least its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile: corners of what is looked at and of the core it answers for, in pixels."""

    y1: int
    x1: int
    y2: int
    x2: int
    core_y1: int
    core_x1: int
    core_y2: int
    core_x2: int

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The tile's part of a picture [H, W, …], as a view."""
        return picture[self.y1 : self.y2, self.x1 : self.x2]


def tile_starts(length: int, tile: int, overlap: int) -> tuple[int, ...]:
    """Where tiles begin along one side; the last ends at ``length`` exactly.

    Raises:
        ValueError: the overlap does not leave a step forward, or a length is not positive.
    """
    if length <= 0 or tile <= 0 or not 0 <= overlap < tile:
        raise ValueError(f"cannot cut {length} into tiles of {tile} overlapping {overlap}")
    if length <= tile:
        return (0,)
    step = tile - overlap
    regular = list(range(0, length - tile, step))
    return (*regular, length - tile)


def cover(size_wh: tuple[int, int], tile: int, overlap: int) -> tuple[Tile, ...]:
    """Tiles of side ``tile`` over a picture of ``size_wh``, row by row."""
    width, height = size_wh
    columns = _spans(width, tile, overlap)
    rows = _spans(height, tile, overlap)
    return tuple(
        Tile(y1, x1, y2, x2, cy1, cx1, cy2, cx2)
        for y1, y2, cy1, cy2 in rows
        for x1, x2, cx1, cx2 in columns
    )


def tiles_with_content(tiles: tuple[Tile, ...], content: NDArray[np.bool_]) -> tuple[Tile, ...]:
    """The tiles whose core has content; ``content`` is [H, W] of the same picture.

    A coarser mask serves as well: a core is looked up in it by proportion, outward.
    """
    if not tiles:
        return ()
    full_h, full_w = max(t.y2 for t in tiles), max(t.x2 for t in tiles)
    height, width = content.shape
    fy, fx = height / full_h, width / full_w
    cores = np.array([(t.core_y1, t.core_x1, t.core_y2, t.core_x2) for t in tiles], np.float64)
    y1, x1 = np.floor(cores[:, :2] * (fy, fx)).astype(np.intp).T
    y2, x2 = np.ceil(cores[:, 2:] * (fy, fx)).astype(np.intp).T
    y2, x2 = np.minimum(y2, height), np.minimum(x2, width)
    sums = cv2.integral(content.view(np.uint8))
    content_px = sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1]
    return tuple(t for t, some in zip(tiles, content_px > 0, strict=True) if some)


def _spans(length: int, tile: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """(begin, end, core begin, core end) along one side."""
    begins = tile_starts(length, tile, overlap)
    ends = [min(b + tile, length) for b in begins]
    middles = [
        (b + e) // 2 for (_, b), (e, _) in zip(pairwise(begins), pairwise(ends), strict=True)
    ]
    core_begins = [0, *middles]
    core_ends = [*middles, length]
    return list(zip(begins, ends, core_begins, core_ends, strict=True))
