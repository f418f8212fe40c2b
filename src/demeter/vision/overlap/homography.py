"""Homographies on points and frames: small helpers without judgement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import Points

Matrix = NDArray[np.float64]


def map_points(matrix: Matrix, xy: Points) -> Points:
    """Points [n, 2] after a homography; infinite where they have no picture."""
    flat = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(flat[:, 2:] > 0, flat[:, :2] / flat[:, 2:], np.inf)


def corners(size_wh: tuple[int, int]) -> Points:
    """The corners [4, 2] of a frame, clockwise from the top left."""
    w, h = size_wh
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)


def inside(xy: Points, size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Which points [n, 2] lie in a frame."""
    return np.all((xy >= 0) & (xy <= np.array(size_wh, np.float64)), axis=1)


def margin(xy: Points, size_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Distance [n] to the nearest border as a share of the frame's shorter side; < 0 outside."""
    near = np.minimum(xy, np.array(size_wh, np.float64) - xy).min(axis=1)
    return np.where(np.isfinite(near), near, -np.inf) / min(size_wh)


def is_convex(quad: Points) -> bool:
    """Whether four corners turn the same way as a frame's: convex and not mirrored."""
    ahead = np.roll(quad, -1, axis=0) - quad
    turn = (
        ahead[:, 0] * np.roll(ahead, -1, axis=0)[:, 1]
        - ahead[:, 1] * np.roll(ahead, -1, axis=0)[:, 0]
    )
    return bool((turn > 0).all())


def area_px(quad: Points) -> float:
    """Area of a polygon [n, 2] by the shoelace formula."""
    x, y = quad.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def rescale(matrix: Matrix, from_scale: float, to_scale: float) -> Matrix:
    """A homography between reduced pictures as one between the photos they came from."""
    return np.diag([1 / to_scale, 1 / to_scale, 1.0]) @ matrix @ np.diag([from_scale] * 2 + [1.0])


def inverse(matrix: Matrix) -> Matrix:
    """The homography back."""
    return np.asarray(np.linalg.inv(matrix), np.float64)
