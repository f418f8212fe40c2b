"""Which pixels of a container look like its plants.

With detections, the container's own pixels say what its plants look like: colours inside
detected plants against colours outside them, as normalised histograms. For a colour c with
shares p(c | plants) and p(c | rest) the score is p(c | plants) / (p(c | plants) +
p(c | rest)), Bayes' rule at equal odds. Where undetected plants are the part a of the
rest, their colours still score 1 / (1 + a) > 1/2 while soil, floor and rims score near 0,
so the two are told apart however much was missed. The rest is asked twice, all of it and
just around detected plants, where their soil is, and the larger share counts. Soil seen
between leaves is taken out of the plants' colours by doing it again with what scored high.

Without detections, excess green (2g - r - b of the chromatic coordinates; Woebbecke et
al. 1995, "Color indices for weed identification") is cut by Otsu's threshold over the
container's own pixels, never below a floor under which nothing is green.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_BINS = (32, 32, 12)  # of a, b and lightness
_LEAST_GREEN = 0.08
_LOWEST_CUT, _HIGHEST_CUT = 0.45, 0.7
_FEWEST_PIXELS = 200
_PURIFICATIONS = 2
_OTSU_BINS = 128


def likeness_scores(
    rgb: NDArray[np.uint8],
    plants: NDArray[np.bool_],
    others: NDArray[np.bool_],
    around: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Score 0..1 of each pixel [H, W] from the colours of three masks."""
    code = _codes(rgb)
    off = np.maximum(_histogram(code[others]), _histogram(code[around]))
    sample = code[plants]
    score = _score(_histogram(sample), off)
    for _ in range(_PURIFICATIONS):
        likely = sample[score[sample] > 0.5]  # noqa: PLR2004 - more plant than not
        if likely.size < _FEWEST_PIXELS:
            break
        score = _score(_histogram(likely), off)
    smooth = cv2.GaussianBlur(np.take(score.astype(np.float32), code), (0, 0), 1.0)
    return np.asarray(smooth, np.float32)


def likeness_cut(scores: NDArray[np.floating]) -> float:
    """Otsu's threshold of scores [n], kept where Bayes' rule makes sense of it."""
    if scores.size < _FEWEST_PIXELS:
        return (_LOWEST_CUT + _HIGHEST_CUT) / 2
    return float(np.clip(_otsu(scores), _LOWEST_CUT, _HIGHEST_CUT))


def green_pixels(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Green pixels of a container [H, W]; none where nothing is green enough."""
    channels = rgb.astype(np.float32)
    total = np.maximum(channels.sum(axis=2), 1)
    green = (2 * channels[..., 1] - channels[..., 0] - channels[..., 2]) / total
    green = np.asarray(cv2.GaussianBlur(green, (0, 0), 1.0), np.float32)
    if not inside.any():
        return inside
    unit = (green[inside] + np.float32(1)) / np.float32(3)  # greenness lies in -1..2
    cut = max(_otsu(unit) * 3 - 1, _LEAST_GREEN)
    return inside & (green > cut)


def _score(on: NDArray[np.float64], off: NDArray[np.float64]) -> NDArray[np.float64]:
    return on / np.maximum(on + off, 1e-12)


def _codes(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Each pixel's bin of colour: CIE Lab, coarse in lightness."""
    binned = cv2.LUT(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), _BIN_OF)
    light, a, b = (np.asarray(channel, np.uint8) for channel in cv2.split(binned))
    code = a.astype(np.int32)
    for part, bins in ((b, _BINS[1]), (light, _BINS[2])):
        code *= bins
        code += part
    return code


def _bins_of_lab() -> NDArray[np.uint8]:
    """The bin [256, 1, 3] of each value of L, a and b, 8 bits each."""
    value = np.arange(256)
    # a and b of real pictures crowd around 128: the middle half takes all bins.
    middle = np.clip((value - 64) * _BINS[0] // 128, 0, _BINS[0] - 1)
    light = value * _BINS[2] // 256
    return np.stack([light, middle, middle], axis=-1).astype(np.uint8)[:, None]


_BIN_OF = _bins_of_lab()


def _histogram(codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Shares of bins, smoothed a little over neighbours in a and b, summing to 1."""
    counts = np.bincount(codes, minlength=int(np.prod(_BINS))).astype(np.float32)
    smooth = cv2.GaussianBlur(counts.reshape(_BINS), (0, 0), 1.0)  # each lightness by itself
    return (smooth / max(float(smooth.sum()), 1.0)).astype(np.float64).ravel()


def _otsu(values: NDArray[np.floating]) -> float:
    """Otsu's threshold of values in 0..1."""
    place = np.clip(values * _OTSU_BINS, 0, _OTSU_BINS - 1).astype(np.intp)
    counts = np.bincount(place.ravel(), minlength=_OTSU_BINS).astype(np.float64)
    middles = (np.arange(_OTSU_BINS) + 0.5) / _OTSU_BINS
    below, above = np.cumsum(counts), counts.sum() - np.cumsum(counts)
    sums = np.cumsum(counts * middles)
    mean_below = sums / np.maximum(below, 1e-9)
    mean_above = (sums[-1] - sums) / np.maximum(above, 1e-9)
    between = below * above * (mean_below - mean_above) ** 2
    best = np.flatnonzero(between >= between.max() - 1e-9)
    return float((best.mean() + 1) / _OTSU_BINS)
