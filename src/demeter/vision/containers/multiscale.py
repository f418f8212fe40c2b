"""A photo's maps at two sizes: the whole tells what a container is, enlarged parts where it ends.

A network of a fixed side sees a whole photo coarsely: small pots melt into each other and
edges are off by their rims. Parts show them at two to four times the size, but a part of a
bed looks like anything. So the maps of the whole decide how much to enlarge, and the mean of
the two is taken, which is better than either (``docs/decisions/0012`` has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import letterbox, resize
from demeter.vision.plants.tiles import Tile, cover

_SHARED = 4  # neighbouring parts share a part of their side: one in so many
_SEAM_POWER = 3  # how fast a part's weight falls off towards its border

Maps = NDArray[np.float32]
MapNetwork = Callable[[Iterable[NDArray[np.uint8]]], Iterator[Maps]]


def multiscale_maps(
    rgb: NDArray[np.uint8], side: int, run: MapNetwork, zoom: Callable[[Maps], int]
) -> Maps:
    """Maps [c, h, w] of a photo [H, W, 3] from squares of ``side`` pixels.

    ``run`` answers each square with maps [c, s, s] of all of it, grey padding included, one
    after the other: they are merged as they come, for all of them are large. The first square
    shows the whole photo, and ``zoom`` says by its maps how many times as large the parts are
    shown. Its long side becomes ``zoom * s`` pixels of the maps, or less where the photo has
    no more pixels to show; 1 is the whole alone.
    """
    whole = letterbox(rgb, side, centred=False)
    (square_maps,) = run([whole.square])
    whole_maps = _cut_padding(square_maps, whole.inner_wh, side)
    longest = max(rgb.shape[:2])
    if longest <= side:
        return whole_maps
    zoomed_px = min(zoom(whole_maps) * side, longest)
    if zoomed_px <= side:
        return whole_maps
    scale = zoomed_px / longest
    size_wh = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    parts = cover(size_wh, side, side // _SHARED)
    zoomed = resize(rgb, size_wh)
    squares = (letterbox(part.cut(zoomed), side, centred=False).square for part in parts)
    maps = _merge_parts(run(squares), parts, size_wh, side, square_maps)
    size_of_maps = (maps.shape[2], maps.shape[1])
    for channel, channel_map in enumerate(whole_maps):
        maps[channel] += cv2.resize(channel_map, size_of_maps, interpolation=cv2.INTER_LINEAR)
    maps *= np.float32(0.5)
    return maps


def _cut_padding(maps: Maps, inner_wh: tuple[int, int], side: int) -> Maps:
    per_pixel = maps.shape[-1] / side
    width, height = (max(1, round(v * per_pixel)) for v in inner_wh)
    return maps[:, :height, :width]


def _merge_parts(
    part_maps: Iterator[Maps],
    parts: Sequence[Tile],
    size_wh: tuple[int, int],
    side: int,
    like: Maps,
) -> Maps:
    """One picture of the parts' maps: each pixel's mean, weighted by how far inside it lies.

    Each part's maps are of the shape of ``like``, of a square of ``side`` pixels.
    """
    channels, per_pixel = like.shape[0], like.shape[-1] / side
    width, height = (max(1, round(v * per_pixel)) for v in size_wh)
    total = np.zeros((channels, height, width), np.float32)
    weights = np.zeros((height, width), np.float32)
    for maps, part in zip(part_maps, parts, strict=True):
        x, y = round(part.x1 * per_pixel), round(part.y1 * per_pixel)
        w = min(round((part.x2 - part.x1) * per_pixel), width - x)
        h = min(round((part.y2 - part.y1) * per_pixel), height - y)
        across = _weights(w, at_start=part.x1 == 0, at_end=part.x2 == size_wh[0])
        down = _weights(h, at_start=part.y1 == 0, at_end=part.y2 == size_wh[1])
        weight = np.minimum.outer(down, across) ** _SEAM_POWER
        total[:, y : y + h, x : x + w] += maps[:, :h, :w] * weight
        weights[y : y + h, x : x + w] += weight
    total /= weights
    return total


def _weights(length: int, *, at_start: bool, at_end: bool) -> NDArray[np.float32]:
    """How far inside its part each of ``length`` pixels lies, as a share of it, at most 0.5.

    Where the part ends with the photo there is no seam, and nothing is lost towards it.
    """
    along = (np.arange(length, dtype=np.float32) + 0.5) / length
    most = np.full_like(along, 0.5)
    return np.minimum(most if at_start else along, most if at_end else 1 - along)
