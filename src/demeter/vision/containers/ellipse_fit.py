"""Rims of pots that stand together: where one outline is bitten or bulges, the others correct it.

Pots of one bench are alike, and a rim is a circle, which a photo shows as an ellipse (Hartley
and Zisserman 2004, section 2.2.3). A leaf that hangs over, a shadow or a hose pulls an outline
off its rim; most outlines of a bench are true. The ellipses of those say how large and how
slanted a rim is at each place of the photo, and one like that is laid where an untrue outline
agrees with it most. Square pots have no such outlines and stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import Points, Polygon

_POINTS, _CORNERS = 64, 40  # an outline is judged by so many points, an ellipse drawn in so many
_NEAR = 0.06  # of the radius: a point so near an ellipse is on it
_TRUE, _AGREES = 0.9, 0.35  # from which share of points on it an outline is a rim, or has one
_FEWEST, _ALIKE = 6, 0.15  # true rims that are needed, and by how much they may differ
_TRIMS = (0.2, 0.12, _NEAR, _NEAR)
_REACH, _STEPS = 0.5, 21  # how far, in radii, an ellipse is moved about, and in how many steps


def fit_rims(outlines: Sequence[Polygon], size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    """Outlines of a photo's pots [n], in its pixels, with ellipses for those off their rims.

    All stay as they are where too few are rims, or where rims are too unlike each other.
    """
    points_of_each = [_outline_points(outline, size_wh) for outline in outlines]
    fits = [_rim_of(points) for points in points_of_each]
    true = [fit for fit in fits if fit is not None]
    if len(true) < _FEWEST:
        return tuple(outlines)
    centres, shapes = (np.array(column) for column in zip(*true, strict=True))
    line = _shape_trend(centres / max(size_wh), shapes)
    if line is None:
        return tuple(outlines)
    result = list(outlines)
    for k, (points, fit) in enumerate(zip(points_of_each, fits, strict=True)):
        if fit is not None or len(points) < _POINTS // 2:
            continue
        middle = points.mean(axis=0)
        rim = _place_rim(points, middle, np.array([1.0, *(middle / max(size_wh))]) @ line)
        if rim is not None:
            whole = np.rint(np.clip(rim, 0, size_wh)).astype(int)
            result[k] = tuple((int(x), int(y)) for x, y in whole)
    return tuple(result)


def _outline_points(polygon: Polygon, size_wh: tuple[int, int]) -> Points:
    """Points [n, 2], n <= 64, evenly along an outline, without those where the photo ends."""
    corners = np.array((*polygon, polygon[0]), np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    at = np.linspace(0, along[-1], _POINTS, endpoint=False)
    points = np.stack([np.interp(at, along, corners[:, i]) for i in (0, 1)], axis=1)
    edge = 2.0
    inside = ((points > edge) & (points < np.array(size_wh) - edge)).all(axis=1)
    return points[inside]


def _rim_of(points: Points) -> tuple[Points, Points] | None:
    """Centre [2] and shape [3] of the ellipse on which nearly all points lie, if there is one.

    The shape is xx, xy and yy of the matrix whose square root makes it of the unit circle.
    """
    fit, on = None, np.ones(len(points), np.bool_)
    for trim in _TRIMS:
        fit = _nearest_ellipse(points[on])
        if fit is None:
            return None
        on = np.abs(_distances_radii(points, *fit)) < trim
    return fit if on.mean() >= _TRUE else None


def _nearest_ellipse(points: Points) -> tuple[Points, Points] | None:
    """The ellipse nearest to points, by least squares of its equation."""
    if len(points) < _POINTS // 2:
        return None
    (x, y), (w, h), degrees = cv2.fitEllipseDirect(points.astype(np.float32))
    if not np.isfinite([x, y, w, h]).all() or min(w, h) <= 0:
        return None
    turn = np.deg2rad(degrees)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * (w, h) / 2
    matrix = axes @ axes.T
    return np.array([x, y]), matrix[[0, 0, 1], [0, 1, 1]]


def _distances_radii(points: Points, centre: Points, shape: Points) -> NDArray[np.float64]:
    """How far points [..., 2] are from an ellipse's line, in radii; negative inside."""
    xx, xy, yy = shape
    dx, dy = np.moveaxis(points - centre, -1, 0)
    square = (yy * dx**2 - 2 * xy * dx * dy + xx * dy**2) / max(xx * yy - xy**2, 1e-9)
    return np.sqrt(np.maximum(square, 0)) - 1


def _shape_trend(places: Points, shapes: Points) -> Points | None:
    """The line [3, 3] over (1, x, y) along which shapes change, by reweighted least squares.

    ``None`` where they are too unlike each other for that.
    """
    over = np.column_stack([np.ones(len(places)), places])
    size = float(np.median(shapes[:, [0, 2]]))
    weight = np.ones(len(places))
    line = np.zeros((3, 3))
    off = np.zeros(len(places))
    for _ in range(8):
        line = np.linalg.lstsq(over * weight[:, None], shapes * weight[:, None], rcond=None)[0]
        off = np.abs(over @ line - shapes).max(axis=1) / size
        weight = 1 / np.maximum(1, off / (_ALIKE / 2))
    return np.asarray(line, np.float64) if np.median(off) < _ALIKE else None


def _place_rim(points: Points, middle: Points, shape: Points) -> Points | None:
    """Corners [m, 2] of an ellipse of a shape, where most of the points lie on it."""
    xx, xy, yy = shape
    if xx <= 0 or xx * yy - xy**2 <= 0:
        return None
    radius = (xx * yy - xy**2) ** 0.25
    steps = np.linspace(-_REACH, _REACH, _STEPS) * radius
    moves = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 1, 2)
    on = (np.abs(_distances_radii(points - moves, middle, shape)) < _NEAR).mean(axis=1)
    best = int(np.argmax(on))
    if on[best] < _AGREES:
        return None
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    axes = np.linalg.cholesky(np.array([[xx, xy], [xy, yy]]))
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1) @ axes.T
    return np.asarray(middle + moves[best, 0] + around)
