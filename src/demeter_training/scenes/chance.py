"""Seeded draws and colours that every part of a scene shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np

from demeter_training.scenes.values import Floats

T = TypeVar("T")
Rng = np.random.Generator


def happens(rng: Rng, probability: float) -> bool:
    """True with that probability."""
    return bool(rng.random() < probability)


def uniform(rng: Rng, low: float, high: float) -> float:
    """Evenly between two numbers."""
    return float(rng.uniform(low, high))


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Between two positive numbers, every ratio equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def whole_number(rng: Rng, low: int, high: int) -> int:
    """A whole number, both ends possible."""
    return int(rng.integers(low, high + 1))


def pick(rng: Rng, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of the options, by weight where weights are given."""
    if weights is None:
        return options[int(rng.integers(len(options)))]
    share = np.asarray(weights, float) / float(np.sum(weights))
    return options[int(rng.choice(len(options), p=share))]


def hsv(hue: float, saturation: float, value: float) -> Floats:
    """RGB 0..255 of a colour in OpenCV's hue 0..180, saturation and value 0..255."""
    pixel = np.array([[[hue % 180, np.clip(saturation, 0, 255), np.clip(value, 0, 255)]]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)


def grey(rng: Rng, low: float, high: float, tint: float = 0.04) -> Floats:
    """A nearly grey RGB colour whose brightness lies between two values."""
    return np.asarray(uniform(rng, low, high) * (1 + rng.normal(0, tint, 3)), np.float32)
