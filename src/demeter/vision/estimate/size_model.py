"""How large a plant is at a height in its container: near ones look larger than far ones.

The logarithm of the size is fitted as a line over the vertical position (0 at the
container's top, 1 at its bottom) by Theil and Sen's median of slopes, which a third of
outliers does not move. The line is drawn towards a constant when plants are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEEPEST = math.log(4.0)
_MOST_POINTS = 200
_SHRINK_AT = 12


@dataclass(frozen=True, slots=True)
class SizeLine:
    """``diameter_px(v) = exp(level + slope * (v - 1/2))``; ``plants`` it was fitted on."""

    level: float
    slope: float
    plants: int

    def diameter_px(self, v: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """The size at vertical positions ``v`` (0 top, 1 bottom)."""
        return np.exp(self.level + self.slope * (np.asarray(v, np.float64) - 0.5))


def fit_size_line(v: NDArray[np.float64], diameter_px: NDArray[np.float64]) -> SizeLine:
    """Fit the line to plants at ``v`` [n] of size ``diameter_px`` [n], n ≥ 1.

    Raises:
        ValueError: there is no plant.
    """
    count = len(v)
    if count == 0:
        raise ValueError("a size cannot be fitted to no plants")
    logs = np.log(np.maximum(diameter_px, 1e-3))
    slope = _median_slope(v, logs) * count / (count + _SHRINK_AT)
    slope = float(np.clip(slope, -_STEEPEST, _STEEPEST))
    level = float(np.median(logs - slope * (v - 0.5)))
    return SizeLine(level, slope, count)


def _median_slope(v: NDArray[np.float64], logs: NDArray[np.float64]) -> float:
    """Median slope over pairs far enough apart to have one."""
    order = np.argsort(v, kind="stable")
    sample = order[np.linspace(0, len(v) - 1, min(len(v), _MOST_POINTS)).astype(int)]
    x, y = v[sample], logs[sample]
    run = x[None, :] - x[:, None]
    far = run > 0.1  # noqa: PLR2004 - nearer pairs say more about noise than about slope
    if not far.any():
        return 0.0
    return float(np.median(((y[None, :] - y[:, None])[far]) / run[far]))
