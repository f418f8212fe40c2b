"""The rows and columns of a tray's cells, from where its plants and empty places stand.

A tray's outline is brought to a unit square. Along each of its axes the centres x of what
stands in cells share a phase at the cells' true period p: the mean resultant length

    R(p) = |1/N sum exp(2 pi i x / p)|

is near 1 there, and about 1 / sqrt(N) where things stand anyhow. Against the latter, N R^2 is
about exponentially distributed (Rayleigh test: Mardia and Jupp, Directional Statistics, 2000,
section 6.3.1), and the sum s of two axes' values exceeds what it is with probability
(1 + s) exp(-s). Half a period, or a third, agrees as well as the whole one, so the coarsest
period that agrees nearly best is the cells'. Many periods are tried: a pair that makes m cells
must be surer the larger m is, and so the chance to take any of them wrongly is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import Points, Polygon

_FEWEST, _MOST = 2, 30  # cells along an axis, where the number is not known
_STEP = 0.04  # of frequency, in cells a side: peaks are about one wide
_NEARLY_BEST = 0.85  # of the best agreement; coarser periods that agree so well come first
_LEAST_AGREEMENT = 0.55
_CHANCE = 0.01  # that things which stand anyhow are taken for a grid
_SHARED, _MOST_A_CELL = 0.4, 3  # share of occupied cells with more than one centre; centres a cell
_WIDEST_MARGIN = 0.35  # of a tray's side, beside all cells together, where their number is known
_USUAL_MARGIN = 0.5  # of both ends together, in cells
_OUTSIDE = 0.3  # of a cell that may lie beyond the outline: outlines are that wrong
_ROUNDS, _FEWEST_TO_FIT = 3, 8


@dataclass(frozen=True, slots=True)
class TrayGrid:
    """Cells of a tray, rows from its upper side and columns from its left one.

    ``agreement`` is how well what stands there keeps to the grid, 0 to 1: the mean resultant
    length of the axis that agrees less. ``to_px`` [3, 3] maps a place in cells (column, row; the
    first cell's centre is 0, 0) to pixels of the photo.
    """

    rows: int
    columns: int
    agreement: float
    to_px: NDArray[np.float64]

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.rows * self.columns

    def cells_of(self, points_px: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
        """Row and column [n, 2] of the cell nearest to each point [n, 2] (x, y) in pixels."""
        to_cells = np.asarray(np.linalg.inv(self.to_px), np.float64)
        column_row = np.rint(_map(to_cells, np.asarray(points_px, np.float64)))
        most = np.array([self.columns - 1, self.rows - 1])
        return np.clip(column_row, 0, most).astype(np.intp)[:, ::-1]

    def centres_px(self) -> NDArray[np.float64]:
        """Centres [rows, columns, 2] of all cells as x, y in pixels."""
        row, column = np.mgrid[0 : self.rows, 0 : self.columns]
        places = np.column_stack([column.ravel(), row.ravel()]).astype(np.float64)
        return _map(self.to_px, places).reshape(self.rows, self.columns, 2)

    def outline_px(self, row: int, column: int) -> NDArray[np.float64]:
        """Corners [4, 2] of a cell as x, y in pixels."""
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        return _map(self.to_px, corners + np.array([column, row]))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Evenly spaced cells along one side of the unit square."""

    frequency: float
    phase: float
    agreement: float

    def places(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions [n] in the unit square as places in cells; whole numbers are centres."""
        return x * self.frequency - self.phase


def find_grid(
    outline_px: Polygon, centres_px: NDArray[np.floating[Any]], known: tuple[int, int] | None = None
) -> TrayGrid | None:
    """Find the grid of a tray's cells, ``None`` where too little agrees with any.

    Args:
        outline_px: the tray's outline in pixels.
        centres_px: centres [n, 2] of its plants and empty places as x, y in pixels.
        known: rows and columns where they are known; which of them lies which way is not.
    """
    corners = _quadrilateral(outline_px)
    places_px = np.asarray(centres_px, np.float64)
    if corners is None or len(places_px) == 0:
        return None
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    to_square = cv2.getPerspectiveTransform(corners, square).astype(np.float64)
    centres = _map(to_square, places_px)
    turns = [known] if known is None else [known, (known[1], known[0])]
    fits = [(axes, turn) for turn in turns if (axes := _axes(centres, turn)) is not None]
    if not fits:
        return None
    axes, turn = min(fits, key=lambda fit: _odd_margins(*fit))
    return _grid(axes, to_square, corners, places_px, turn)


def _odd_margins(axes: tuple[_Axis, _Axis], known: tuple[int, int] | None) -> float:
    """How far the margins around a known grid are, in cells, from a tray's usual ones.

    Laid the wrong way round, a grid is too long for one side and too short for the other.
    """
    if known is None:
        return 0.0
    return sum(abs(axes[k].frequency - known[1 - k] - _USUAL_MARGIN) for k in (0, 1))


def _quadrilateral(outline_px: Polygon) -> NDArray[np.float32] | None:
    """Four corners around an outline: upper left first, then clockwise; ``None`` of no area."""
    if len(outline_px) < 4:  # noqa: PLR2004
        return None
    hull = cv2.convexHull(np.array(outline_px, np.int32).reshape(-1, 1, 2))
    if len(hull) < 4 or cv2.contourArea(hull) <= 0:  # noqa: PLR2004
        return None
    corners = np.asarray(cv2.approxPolyN(hull, 4, ensure_convex=True), np.float32).reshape(-1, 2)
    if len(corners) != 4 or cv2.contourArea(corners) <= 0:  # noqa: PLR2004
        return None
    way = corners - corners.mean(axis=0)
    corners = corners[np.argsort(np.arctan2(way[:, 1], way[:, 0]))]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)


def _axes(centres: Points, known: tuple[int, int] | None) -> tuple[_Axis, _Axis] | None:
    """Across and down: the coarsest pair of periods that agrees, in the unit square."""
    across, down = (
        _candidates(centres[:, k], None if known is None else known[1 - k]) for k in (0, 1)
    )
    pairs = [p for p in product(across, down) if _is_sure(p, len(centres), _tries(p, known))]
    pairs.sort(key=lambda p: p[0].frequency * p[1].frequency)
    for most_shared in (_SHARED, 1.0):
        for pair in pairs:
            share, most = _sharing(pair, centres)
            if share <= most_shared and most <= _MOST_A_CELL:
                return pair
    return None


def _candidates(x: NDArray[np.float64], known: int | None) -> list[_Axis]:
    """Periods at which the agreement of positions [n] peaks and is nearly the best.

    Of a known number of cells the best period counts that leaves a believable margin.
    """
    low, high = _FEWEST - 0.5, _MOST + 0.5
    if known is not None:
        low, high = 0.93 * known, known / (1 - _WIDEST_MARGIN)
    frequencies = np.arange(low, high + _STEP, _STEP)
    resultant = np.exp(2j * np.pi * np.outer(frequencies, x)).mean(axis=1)
    agreement = np.abs(resultant)
    peaks = [int(np.argmax(agreement))]
    if known is None:
        padded = np.concatenate([[np.inf], agreement, [np.inf]])
        is_peak = (agreement >= padded[:-2]) & (agreement >= padded[2:])
        least = max(_LEAST_AGREEMENT, _NEARLY_BEST * float(agreement[peaks[0]]))
        peaks = np.flatnonzero(is_peak & (agreement >= least)).tolist()
    return [
        _Axis(
            float(frequencies[k]),
            float(np.angle(resultant[k]) / (2 * np.pi)),
            float(agreement[k]),
        )
        for k in peaks
        if agreement[k] >= _LEAST_AGREEMENT
    ]


def _tries(axes: tuple[_Axis, _Axis], known: tuple[int, int] | None) -> float:
    """Weight of a pair among all that are tried: over these the inverse sums to about 1.

    A known grid is tried both ways round, on each axis at frequencies up to its widest margin.
    """
    if known is not None:
        widths = [max(1.0, n * _WIDEST_MARGIN / (1 - _WIDEST_MARGIN)) for n in known]
        return 2 * widths[0] * widths[1]
    return axes[0].frequency * axes[1].frequency * float(np.log(_MOST)) ** 2


def _is_sure(axes: tuple[_Axis, _Axis], centres: int, tries: float) -> bool:
    """Whether things that stand anyhow would hardly agree so well with any grid tried."""
    s = centres * sum(axis.agreement**2 for axis in axes)
    return tries * (1 + s) * np.exp(-s) < _CHANCE


def _sharing(axes: tuple[_Axis, _Axis], centres: Points) -> tuple[float, float]:
    """Share of occupied cells with more than one centre, and the median number of a cell."""
    places = np.column_stack([axes[k].places(centres[:, k]) for k in (0, 1)])
    _, held = np.unique(np.rint(places), axis=0, return_counts=True)
    return float((held > 1).mean()), float(np.median(held))


def _grid(
    axes: tuple[_Axis, _Axis],
    to_square: NDArray[np.float64],
    corners: NDArray[np.float32],
    centres_px: Points,
    known: tuple[int, int] | None,
) -> TrayGrid | None:
    """The grid of two axes, fitted anew to what stands in its cells and cut at the outline."""
    to_cells = np.array(
        [
            [axes[0].frequency, 0, -axes[0].phase],
            [0, axes[1].frequency, -axes[1].phase],
            [0, 0, 1],
        ]
    )
    to_cells = _refined(to_cells @ to_square, centres_px)
    places, edges = _map(to_cells, centres_px), _map(to_cells, corners.astype(np.float64))
    agreement = np.abs(np.exp(2j * np.pi * places).mean(axis=0))
    cells = np.rint(places).astype(int)
    spans = []
    for k in (0, 1):
        low, high = np.sort(edges[:, k])[:2].mean(), np.sort(edges[:, k])[2:].mean()
        number = None if known is None else known[1 - k]
        spans.append(_span(float(low), float(high), cells, k, number))
    (left, columns), (top, rows) = spans
    if known is None and min(rows, columns) < _FEWEST:
        return None
    shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    to_px = np.linalg.inv(to_cells) @ shift
    return TrayGrid(rows, columns, round(float(agreement.min()), 4), to_px)


def _refined(to_cells: NDArray[np.float64], centres_px: Points) -> NDArray[np.float64]:
    """The map to cells laid through the mean of what each cell holds.

    An outline that is a little wrong moves the far cells of a fine grid by half a cell.
    """
    for _ in range(_ROUNDS):
        cells, inverse = np.unique(np.rint(_map(to_cells, centres_px)), axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        if len(cells) < _FEWEST_TO_FIT or (np.ptp(cells, axis=0) < 1).any():
            break
        held = np.bincount(inverse)
        means = np.column_stack(
            [np.bincount(inverse, weights=centres_px[:, k]) / held for k in (0, 1)]
        )
        fitted, _ = cv2.findHomography(means, cells, cv2.RANSAC, 0.35)
        if fitted is None or np.linalg.det(fitted) == 0:
            break
        better = np.asarray(fitted, np.float64)
        if _agreement(better, centres_px) <= _agreement(to_cells, centres_px):
            break
        to_cells = better
    return to_cells


def _agreement(to_cells: NDArray[np.float64], centres_px: Points) -> float:
    places = _map(to_cells, centres_px)
    return float(np.abs(np.exp(2j * np.pi * places).mean(axis=0)).sum())


def _span(
    low: float, high: float, cells: NDArray[np.int_], axis: int, known: int | None
) -> tuple[int, int]:
    """First cell along an axis and their number, between an outline's sides in cells.

    A known number lies in the middle of the outline. Else what fits in the outline counts,
    without an outer line in which, of so many cells, something would most likely stand.
    """
    if known is not None:
        return round((low + high - known + 1) / 2), known
    first = int(np.ceil(low + 0.5 - _OUTSIDE))
    last = int(np.floor(high - 0.5 + _OUTSIDE))
    across = np.unique(cells[:, 1 - axis])
    occupied = np.unique(cells, axis=0)
    along = occupied[:, axis]
    length = int(np.ptp(across)) + 1
    share = min(0.999, len(occupied) / max(1, length * (int(np.ptp(along)) + 1)))
    if (1 - share) ** length < _CHANCE:
        first, last = max(first, int(along.min())), min(last, int(along.max()))
    return first, max(0, last - first + 1)


def _map(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points [n, 2] by a homography [3, 3]."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return homogeneous[:, :2] / homogeneous[:, 2:]
