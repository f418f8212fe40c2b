"""A photo at another size, made tile by tile as tiles are needed, never whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import halve, resize
from demeter.vision.plants.tiles import Tile


@dataclass(frozen=True, slots=True)
class ScaledPicture:
    """``picture`` [H, W, 3] as if it were ``size_wh``."""

    picture: NDArray[np.uint8]
    size_wh: tuple[int, int]

    def cut(self, tile: Tile) -> NDArray[np.uint8]:
        """A tile of the scaled picture."""
        x1, x2 = _span(tile.x1, tile.x2, self._per_pixel[0])
        y1, y2 = _span(tile.y1, tile.y2, self._per_pixel[1])
        return resize(self.picture[y1:y2, x1:x2], (tile.x2 - tile.x1, tile.y2 - tile.y1))

    def origin(self, tile: Tile) -> tuple[float, float]:
        """Where a tile truly begins, x and y: cuts are made between the picture's own pixels."""
        (fx, fy) = self._per_pixel
        return _span(tile.x1, tile.x2, fx)[0] / fx, _span(tile.y1, tile.y2, fy)[0] / fy

    @property
    def _per_pixel(self) -> tuple[float, float]:
        height, width = self.picture.shape[:2]
        return width / self.size_wh[0], height / self.size_wh[1]


def levels_of(rgb: NDArray[np.uint8], coarsest: float) -> list[NDArray[np.uint8]]:
    """The photo, and it halved again and again while it is twice as fine as ``coarsest``."""
    levels = [rgb]
    while 2.0 ** -len(levels) >= coarsest and min(levels[-1].shape[:2]) > 1:
        levels.append(halve(levels[-1]))
    return levels


def scale_picture(levels: list[NDArray[np.uint8]], size_wh: tuple[int, int]) -> ScaledPicture:
    """Give the first of ``levels`` another size, from the coarsest that is not coarser."""
    best = next(v for v in reversed(levels) if v is levels[0] or v.shape[1] >= size_wh[0])
    return ScaledPicture(best, size_wh)


def _span(begin: int, end: int, per_pixel: float) -> tuple[int, int]:
    first = round(begin * per_pixel)
    return first, max(first + 1, round(end * per_pixel))
