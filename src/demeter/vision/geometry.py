"""Masks and polygons, and pictures brought to the size a network wants."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.plants.detector import PADDING_GREY

Polygon = tuple[tuple[int, int], ...]
Points = NDArray[np.float64]  # [n, 2]
_HALF, _TWICE, _FINER = 0.5, 2, 4


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture fitted into a square: ``square = picture * scale + offset``."""

    square: NDArray[np.uint8]
    scale: float
    offset_xy: tuple[int, int]
    inner_wh: tuple[int, int]

    def to_picture(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points [n, 2] of the square as points of the picture."""
        return (xy - np.array(self.offset_xy)) / self.scale


def letterbox(
    rgb: NDArray[np.uint8], side: int, *, centred: bool, interpolation: int | None = None
) -> Letterbox:
    """Fit a picture [H, W, 3] into a square of ``side``, the rest grey.

    ``interpolation`` is OpenCV's, where a model was trained with a certain one.
    """
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    inner_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.full((side, side, 3), PADDING_GREY, np.uint8)
    left = (side - inner_wh[0]) // 2 if centred else 0
    top = (side - inner_wh[1]) // 2 if centred else 0
    small = (
        resize(rgb, inner_wh)
        if interpolation is None
        else cv2.resize(rgb, inner_wh, interpolation=interpolation)
    )
    canvas[top : top + inner_wh[1], left : left + inner_wh[0]] = small
    return Letterbox(canvas, scale, (left, top), inner_wh)


def resize(rgb: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Give the picture another size.

    It is halved while it is twice as large, then interpolated: averaging at a factor that is
    no whole number takes seven times as long and is no better between one and two. An odd
    last row or column that halving leaves out is at most a pixel of what comes out.
    """
    while min(rgb.shape[1] / size_wh[0], rgb.shape[0] / size_wh[1]) >= _TWICE:
        rgb = halve(rgb)
    if (rgb.shape[1], rgb.shape[0]) == size_wh:
        return rgb
    return np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def halve(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the mean of each two by two pixels; an odd last row or column is left out."""
    height, width = (n // _TWICE for n in rgb.shape[:2])
    even = rgb[: height * _TWICE, : width * _TWICE]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def close_and_fill(mask: NDArray[np.bool_], radius_px: int) -> NDArray[np.bool_]:
    """Close a mask's gaps up to ``2 * radius_px`` and fill its holes."""
    work = mask.astype(np.uint8)
    if radius_px > 0:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
        border = np.pad(work, radius_px, mode="edge")
        work = cv2.morphologyEx(border, cv2.MORPH_CLOSE, kernel)
        work = work[radius_px:-radius_px, radius_px:-radius_px]
    contours, _ = cv2.findContours(
        np.ascontiguousarray(work), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros_like(work)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled.astype(np.bool_)


def outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The outer outline [n, 2] of a mask's largest part, through its pixels' centres.

    The first pixel's centre is at 0.5. Empty [0, 2] for an empty mask.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2))
    largest = max(contours, key=lambda c: (cv2.contourArea(c), len(c)))
    return largest.reshape(-1, 2).astype(np.float64) + 0.5


def fine_outline(
    mask: NDArray[np.bool_], share: NDArray[np.float32], any_mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The outline [n, 2] of a mask, between its pixels where ``share`` [h, w] crosses a half.

    ``share`` says how surely a pixel belongs to anything at all, 0 to 1; ``any_mask`` is what
    belongs to this mask or another. Where the mask reaches the map's edge, so does the outline.
    Empty [0, 2] for an empty mask.
    """
    height, width = mask.shape
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    margin = 2
    x1, y1, x2, y2 = (
        max(0, x - margin),
        max(0, y - margin),
        min(width, x + w + margin),
        min(height, y + h + margin),
    )
    window = np.s_[y1:y2, x1:x2]
    own = mask[window].astype(np.uint8)
    square = np.ones((2 * margin + 1,) * 2, np.uint8)
    surely = cv2.erode(own, square, borderType=cv2.BORDER_CONSTANT, borderValue=1.0)
    soft = np.where(surely > 0, np.float32(1), share[window])
    inside = _enlarge(soft) >= _HALF
    inside &= _enlarge(cv2.dilate(own, square[1:-1, 1:-1])) >= _HALF
    inside &= _enlarge(any_mask[window] & ~mask[window]) < _HALF
    corners = outline(inside) / _FINER + np.array([x1, y1])
    corners[corners < _HALF] = 0
    far = corners > np.array([width, height]) - _HALF
    return np.where(far, np.array([width, height], np.float64), corners)


def _enlarge(part: NDArray[np.generic]) -> NDArray[np.float32]:
    size = (part.shape[1] * _FINER, part.shape[0] * _FINER)
    picture = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture, np.float32)


def simplify(xy: NDArray[np.float64], tolerance_px: float, size_wh: tuple[int, int]) -> Polygon:
    """Give an outline fewer corners, in whole pixels, inside the picture."""
    corners = cv2.approxPolyDP(xy.astype(np.float32), tolerance_px, closed=True).reshape(-1, 2)
    whole = np.clip(np.rint(corners), 0, np.array(size_wh)).astype(int)
    return tuple((int(x), int(y)) for x, y in whole)


def polygon_map(
    polygons: list[Polygon], size_wh: tuple[int, int], scale: float
) -> NDArray[np.uint16]:
    """A map [h, w] of which polygon holds each pixel: 0 none, i + 1 the i-th.

    Polygons are in pixels of the photo, the map is ``scale`` times as large. Where polygons
    overlap the smaller one wins: a pot on a bed is a pot.
    """
    width = max(1, round(size_wh[0] * scale))
    height = max(1, round(size_wh[1] * scale))
    canvas = np.zeros((height, width), np.uint16)
    for index in sorted(range(len(polygons)), key=lambda i: (-area_px(polygons[i]), i)):
        corners = np.rint(np.array(polygons[index], np.float64) * scale - 0.5).astype(np.int32)
        cv2.fillPoly(canvas, [corners], (index + 1,))
    return canvas


def area_px(polygon: Polygon) -> float:
    """Area of a polygon by the shoelace formula, in square pixels."""
    x, y = np.array((*polygon, polygon[0]), np.float64).T
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(y[:-1], x[1:])) / 2)


def frame_polygon(size_wh: tuple[int, int]) -> Polygon:
    """The picture's own outline."""
    width, height = size_wh
    return ((0, 0), (width, 0), (width, height), (0, height))
