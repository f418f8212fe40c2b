"""What a number, a box and an outline of a label file must be: every reader of labels asks here.

What is no mark is refused, never guessed: numbers that are none, boxes without a size or outside
their picture, outlines without an area, and rows that predict or that have the points of a pose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

Corners = NDArray[np.float64]  # [n, 2]
Box = tuple[float, float, float, float]  # left, top, width, height

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOX, _SCORED_BOX, _CORNERS = 4, 5, 3
_BEYOND = 0.001  # of the picture: what rounding may add to a share
_LEAST_PX = 0.5  # a mark's side; less is no pixel
_LEAST_FILLED = 0.2  # of its bounding box, by an outline that may be a box and points


class ShapeRefused(ValueError):
    """What stands there is no mark; the message says why, without its place."""


def class_index(field: str, classes: int) -> int:
    """The number of a class of which there are so many, written in plain digits.

    Raises:
        ShapeRefused: it is none.
    """
    if not (field.isascii() and field.isdecimal()):
        raise ShapeRefused(f"{field!r} is no number of a class, such as 0")
    if int(field) >= classes:
        raise ShapeRefused(f"there is no class {field}: the last of {classes} is {classes - 1}")
    return int(field)


def shares(fields: Sequence[str]) -> list[float]:
    """The numbers of a label row behind its class, as shares of the picture's sides.

    Raises:
        ShapeRefused: one is no number, or none from 0 to 1; or they predict.
    """
    numbers = []
    for field in fields:
        if not _NUMBER.fullmatch(field) or not math.isfinite(number := float(field)):
            raise ShapeRefused(f"{field!r} is no number")
        if not -_BEYOND <= number <= 1 + _BEYOND:
            raise ShapeRefused(f"{field} is no share of the picture, from 0 to 1")
        numbers.append(number)
    if len(numbers) == _SCORED_BOX:
        raise ShapeRefused("a box with a confidence is a prediction and no mark")
    if len(numbers) < _BOX or len(numbers) % 2:
        raise ShapeRefused(f"{len(numbers)} numbers are neither a box nor an outline")
    return numbers


def corners_of(numbers: Sequence[float], size_wh: tuple[int, int]) -> Corners:
    """Corners [n, 2], 0 to 1, of a box (centre and size) or of an outline.

    Raises:
        ShapeRefused: it has no size.
    """
    if len(numbers) == _BOX:
        x, y, w, h = numbers
        if min(w * size_wh[0], h * size_wh[1]) < _LEAST_PX:
            raise ShapeRefused("the box has no size")
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    corners = np.array(numbers, np.float64).reshape(-1, 2)
    if not Polygon(corners).convex_hull.area:
        raise ShapeRefused("the outline has no area")
    return corners


def first_pose(rows: Sequence[Sequence[float]]) -> int | None:
    """Which of a file's rows shows that all of them are boxes with the points of a pose.

    Such rows are as long as outlines are. They are all of one length, begin with a box that lies
    in the picture, and, taken for outlines, cross themselves or hold next to nothing.
    """
    if not rows or len({len(row) for row in rows}) > 1 or len(rows[0]) == _BOX:
        return None
    if not all(_is_in_picture(row[:_BOX]) for row in rows):
        return None
    return next((index for index, row in enumerate(rows) if not _is_outline(row)), None)


def _is_in_picture(numbers: Sequence[float]) -> bool:
    x, y, w, h = numbers
    is_wide = x - w / 2 >= -_BEYOND and x + w / 2 <= 1 + _BEYOND
    return is_wide and y - h / 2 >= -_BEYOND and y + h / 2 <= 1 + _BEYOND


def _is_outline(numbers: Sequence[float]) -> bool:
    outline = Polygon(np.array(numbers, np.float64).reshape(-1, 2))
    frame = outline.envelope.area
    return outline.is_valid and frame > 0 and outline.area >= _LEAST_FILLED * frame


def finite(value: Any) -> float:
    """A number of a JSON document.

    Raises:
        ShapeRefused: it is none: a text, a truth value, NaN, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ShapeRefused(f"{value!r} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ShapeRefused(f"{number} is no number")
    return number


def box_px(value: Any, size_wh: tuple[int, int] | None) -> Box:
    """Left, top, width and height in pixels of a picture, whose size may be unknown.

    Raises:
        ShapeRefused: it is no such list, has no size, or lies outside the picture.
    """
    if not isinstance(value, list) or len(value) != _BOX:
        raise ShapeRefused(f"the box {_shortened(value)} is not left, top, width, height")
    x, y, w, h = (finite(v) for v in value)
    if w <= 0 or h <= 0:
        raise ShapeRefused(f"the box {_shortened(value)} has no size")
    if 0 <= x <= 1 and 0 <= y <= 1 and x + w <= 1 and y + h <= 1:
        raise ShapeRefused(f"the box {_shortened(value)} lies in one pixel: shares, not pixels?")
    if size_wh and (x >= size_wh[0] or y >= size_wh[1] or x + w <= 0 or y + h <= 0):
        raise ShapeRefused(f"the box {_shortened(value)} lies outside the picture")
    return x, y, w, h


def outline_px(value: Any, size_wh: tuple[int, int] | None) -> tuple[tuple[float, float], ...]:
    """Corners in pixels of a picture, from a list of x and y by turns.

    Raises:
        ShapeRefused: it is no such list, has no area, or lies outside the picture.
    """
    if not isinstance(value, list) or len(value) < 2 * _CORNERS or len(value) % 2:
        raise ShapeRefused(f"the outline {_shortened(value)} is not x, y of three or more corners")
    numbers = [finite(v) for v in value]
    corners = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    xs, ys = zip(*corners, strict=True)
    if max(xs) == min(xs) or max(ys) == min(ys):
        raise ShapeRefused(f"the outline {_shortened(value)} has no area")
    if size_wh and (min(xs) >= size_wh[0] or min(ys) >= size_wh[1] or max(xs) <= 0 or max(ys) <= 0):
        raise ShapeRefused(f"the outline {_shortened(value)} lies outside the picture")
    return corners


def disc_px(value: Any, size_wh: tuple[int, int]) -> tuple[float, float, float]:
    """Centre and radius in pixels of a picture.

    Raises:
        ShapeRefused: it is no such list, has no radius, or lies outside the picture.
    """
    if not isinstance(value, list) or len(value) != _CORNERS:
        raise ShapeRefused(f"{_shortened(value)} is not x, y, radius")
    x, y, radius = (finite(v) for v in value)
    if radius <= 0:
        raise ShapeRefused(f"{_shortened(value)} has no radius")
    if x + radius <= 0 or y + radius <= 0 or x - radius >= size_wh[0] or y - radius >= size_wh[1]:
        raise ShapeRefused(f"{_shortened(value)} lies outside the picture")
    return x, y, radius


def _shortened(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:59]}…"  # noqa: PLR2004
