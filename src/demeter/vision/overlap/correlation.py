"""Whether two photos look alike where a registration lays them on each other, and only there.

Beds repeat themselves. A right registration is told from one moved by a cell in two ways:
by the matches that another move would explain, and by the correlation of the pictures
themselves, laid on each other and moved about.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.overlap.homography import Matrix, map_points
from demeter.vision.overlap.matching import PointMatches

COMPARED_SIDE_PX = 480
BLUR_PX = 12.0
NEAR_PX = 6
LEAST_AREA_SHARE = 0.3
BIN_PX = 12.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """Correlation of grey values as registered (``correlation``, -1 to 1).

    ``second`` is the best correlation anywhere else against it, 0 to 1 and over.
    """

    correlation: float
    second: float


def likeness(matrix: Matrix, a_grey: NDArray[np.uint8], b_grey: NDArray[np.uint8]) -> Likeness:
    """Compare two reduced pictures where ``matrix`` lays the first on the second.

    Correlation is of grey values less their surroundings' mean, over their spread, so that
    sun and shade do not count; all moves that leave three tenths of the overlap in view are
    tried at once (masked normalised cross-correlation, Padfield 2012).
    """
    factor = COMPARED_SIDE_PX / max(b_grey.shape)
    shrink = np.diag([factor, factor, 1.0])
    a_small, b_small = _shrink(a_grey, factor), _shrink(b_grey, factor)
    size_wh = (b_small.shape[1], b_small.shape[0])
    small = shrink @ matrix @ np.linalg.inv(shrink)
    a = cv2.warpPerspective(a_small, small, size_wh)
    mask = cv2.warpPerspective(np.ones_like(a_small), small, size_wh) > 0
    whole = np.ones_like(mask)
    everywhere = _correlations(_even_out(a, mask), mask, _even_out(b_small, whole))
    return _peaks(everywhere)


def _shrink(grey: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    size_wh = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return np.asarray(cv2.resize(grey, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _even_out(grey: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), BLUR_PX) + 1e-6
    values = grey.astype(np.float32) * mask
    rest = values - cv2.GaussianBlur(values, (0, 0), BLUR_PX) / weight
    rest *= mask
    spread = np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), BLUR_PX) / weight)
    return np.asarray(rest / (spread + 4.0) * mask, np.float32)


def _correlations(
    a: NDArray[np.float32], a_mask: NDArray[np.bool_], b: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Correlation of ``a`` moved by (dy, dx) with ``b``; not a number where too little is left."""
    shape = [cv2.getOptimalDFTSize(2 * n) for n in a.shape]

    def spectrum(values: NDArray) -> NDArray[np.complex128]:
        return np.fft.rfft2(values.astype(np.float64), shape)

    def product(left: NDArray, right: NDArray) -> NDArray[np.float64]:
        return np.fft.irfft2(np.conj(left) * right, shape)

    ones = np.ones_like(b)
    fa, fb, ma, mb = (spectrum(v) for v in (a, b, a_mask, ones))
    shared = product(ma, mb)
    energy = product(spectrum(a * a), mb) * product(ma, spectrum(b * b))
    least = LEAST_AREA_SHARE * a_mask.sum()
    correlations = np.full(energy.shape, np.nan)
    good = (shared > least) & (energy > 0)
    correlations[good] = product(fa, fb)[good] / np.sqrt(energy[good])
    return np.fft.fftshift(correlations)


def _peaks(everywhere: NDArray[np.float64]) -> Likeness:
    cy, cx = everywhere.shape[0] // 2, everywhere.shape[1] // 2
    near = everywhere[cy - 2 : cy + 3, cx - 2 : cx + 3]
    correlation = float(np.nanmax(near)) if np.isfinite(near).any() else 0.0
    rest = everywhere.copy()
    rest[cy - NEAR_PX : cy + NEAR_PX + 1, cx - NEAR_PX : cx + NEAR_PX + 1] = np.nan
    best_elsewhere = float(np.nanmax(rest)) if np.isfinite(rest).any() else 0.0
    return Likeness(correlation, max(0.0, best_elsewhere) / correlation if correlation > 0 else 1.0)


def second_way(
    matrix: Matrix, matches: PointMatches, on: NDArray[np.bool_], near_px: float
) -> float:
    """How many matches the best other move explains, against those that ``matrix`` explains.

    Each match that is not on the registration votes for the move that would put it there;
    a bed that repeats itself heaps votes where a cell lies on its neighbour.
    """
    away = matches.to_px - map_points(matrix, matches.from_px)
    away = away[~on & np.isfinite(away).all(axis=1)]
    away = away[np.linalg.norm(away, axis=1) > 2 * near_px]
    if not len(away) or not on.any():
        return 0.0
    return _most_votes(away, BIN_PX) / float(on.sum())


def second_near(away_px: NDArray[np.float64], near_px: float) -> float:
    """How many of the matches found near a registration the best other move explains.

    ``away_px`` [n, 2] is where they point from where they should; the answer is against
    those within ``near_px``. In a bed of small cells moves by a cell lie within reach.
    """
    far = np.linalg.norm(away_px, axis=1)
    rest = away_px[far > 2 * near_px]
    on = int((far < near_px).sum())
    if not len(rest) or not on:
        return 0.0
    return _most_votes(rest, near_px) / on


def _most_votes(moves_px: NDArray[np.float64], bin_px: float) -> float:
    """How many of these moves [n, 2] fall into the fullest square of 2 by 2 bins."""
    cells = np.floor((moves_px - moves_px.min(axis=0)) / bin_px).astype(int)
    votes = np.zeros(cells.max(axis=0) + 2, np.float32)
    np.add.at(votes, tuple(cells.T), 1)
    return float(cv2.boxFilter(votes, -1, (2, 2), normalize=False).max())
