"""Surfaces that growers' photos show beside the plain ones: mixed soils, heaps, scrub, noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from demeter_training.scenes.chance import Rng, grey, hsv, pick, uniform, whole_number
from demeter_training.scenes.surfaces import SIDE, noise
from demeter_training.scenes.values import Bytes, Floats


@lru_cache(maxsize=96)
def mixed_soil(kind: str, variant: int) -> Bytes:
    """A square of soil of a kind of ``MIXED_SOILS``, RGB; to be read only."""
    rng = np.random.default_rng([variant, len(kind), 53])
    return np.clip(MIXED_SOILS[kind](rng), 0, 255).astype(np.uint8)


def bare_surface(rng: Rng, kind: str) -> Bytes:
    """A square of something of a kind of ``BARE``, on which nothing grows, RGB."""
    return np.clip(BARE[kind](rng), 0, 255).astype(np.uint8)


def _dark_base(rng: Rng) -> Floats:
    base = hsv(uniform(rng, 5, 18), uniform(rng, 40, 130), uniform(rng, 30, 85))
    rough = uniform(rng, 0.3, 0.6) * noise(rng, [2, 5, 11, 60])
    return np.asarray(base * (1 + rough[..., None]), np.float32)


def _scatter(
    rng: Rng, texture: Floats, tones: list[Floats], count: int, size: float, long: float
) -> Floats:
    """Grains of about ``size`` pixels, ``long`` times as long as wide, lit from one side."""
    at = rng.integers(0, SIDE, (count, 2))
    turn = rng.uniform(0, 180, count)
    axes = size * rng.uniform(0.5, 1.25, (count, 2)) * (1.0, 1.0 / long)
    gain = rng.uniform(0.65, 1.2, count)
    for k in range(count):
        tone = tones[k % len(tones)] * gain[k]
        x, y = int(at[k, 0]), int(at[k, 1])
        a, b = max(1, int(axes[k, 0])), max(1, int(axes[k, 1]))
        low, high = (tone * 0.45).tolist(), np.clip(tone, 0, 255).tolist()
        cv2.ellipse(texture, (x + 1, y + 1), (a, b), turn[k], 0, 360, low, -1, cv2.LINE_AA)
        inner = (max(1, int(a * 0.85)), max(1, int(b * 0.85)))
        cv2.ellipse(texture, (x, y), inner, turn[k], 0, 360, high, -1, cv2.LINE_AA)
    return texture


def _perlite(rng: Rng) -> Floats:
    white = [grey(rng, 205, 250, 0.02), grey(rng, 170, 235, 0.03)]
    size = uniform(rng, 2, 7)
    return _scatter(rng, _dark_base(rng), white, int(uniform(rng, 6e3, 4e4) / size), size, 1.2)


def _vermiculite(rng: Rng) -> Floats:
    flakes = [hsv(uniform(rng, 12, 22), uniform(rng, 50, 140), uniform(rng, 130, 225))] * 2
    size = uniform(rng, 3, 8)
    return _scatter(rng, _dark_base(rng), flakes, int(uniform(rng, 8e3, 3e4) / size), size, 1.5)


def _white_gravel(rng: Rng) -> Floats:
    size = uniform(rng, 2.5, 9)
    tones = [grey(rng, 200, 250, 0.02) for _ in range(4)]
    return _scatter(rng, _dark_base(rng) * 1.6, tones, int(min(6e4, 2.2e6 / size**2)), size, 1.3)


def _grit(rng: Rng) -> Floats:
    """Lava, akadama or grey grit: stones of a few tones side by side."""
    hue, size = pick(rng, [4, 10, 16, 20]), uniform(rng, 2.5, 9)
    tones = [
        hsv(hue + rng.normal(0, 3), uniform(rng, 20, 150), uniform(rng, 50, 190)) for _ in range(5)
    ]
    return _scatter(rng, _dark_base(rng), tones, int(min(6e4, 1.8e6 / size**2)), size, 1.3)


def _bark(rng: Rng) -> Floats:
    size = uniform(rng, 4, 14)
    tones = [
        hsv(uniform(rng, 6, 16), uniform(rng, 60, 150), uniform(rng, 50, 160)) for _ in range(5)
    ]
    return _scatter(rng, _dark_base(rng), tones, int(1.6e6 / size**2), size, uniform(rng, 1.6, 3))


MIXED_SOILS: dict[str, Callable[[Rng], Floats]] = {
    "perlite": _perlite,
    "vermiculite": _vermiculite,
    "white_gravel": _white_gravel,
    "grit": _grit,
    "bark": _bark,
}


def _grain_heap(rng: Rng) -> Floats:
    """Beans, coffee, rice, maize: grains of one kind, heaped."""
    size, long = uniform(rng, 7, 40), pick(rng, [1.0, 1.2, 1.6, 2.8])
    hue, value = pick(rng, [6, 10, 16, 22, 27, 40]), uniform(rng, 60, 235)
    tones = [
        hsv(hue + rng.normal(0, 2), uniform(rng, 30, 190), value * uniform(rng, 0.85, 1.1))
        for _ in range(4)
    ]
    heap = _scatter(rng, _dark_base(rng) * 0.6, tones, int(5e6 / size**2), size, long)
    return heap * uniform(rng, 0.8, 1.1)


def _scrub(rng: Rng) -> Floats:
    """Dry or green grass, straw and twigs from above: strokes that cross."""
    hue, dry = uniform(rng, 14, 48), uniform(rng, 40, 170)
    texture = _dark_base(rng)
    length, count = uniform(rng, 20, 140), whole_number(rng, 3000, 9000)
    at, turn = rng.integers(0, SIDE, (count, 2)), rng.uniform(0, 6.28, count)
    for k in range(count):
        tone = hsv(hue + rng.normal(0, 4), dry, uniform(rng, 50, 210)).tolist()
        reach = length * rng.uniform(0.4, 1.2)
        end = (int(at[k, 0] + np.cos(turn[k]) * reach), int(at[k, 1] + np.sin(turn[k]) * reach))
        wide = 1 + int(rng.integers(3))
        cv2.line(texture, (int(at[k, 0]), int(at[k, 1])), end, tone, wide, cv2.LINE_AA)
    return texture


def _static(rng: Rng) -> Floats:
    """Noise of any grain and colour."""
    grain = pick(rng, [1, 1, 2, 4, 8, 16, 32])
    side = max(4, SIDE // grain)
    channels = pick(rng, [1, 3])
    small = rng.normal(uniform(rng, 60, 190), uniform(rng, 15, 90), (side, side, channels))
    way = pick(rng, [cv2.INTER_NEAREST, cv2.INTER_CUBIC])
    big = cv2.resize(small.astype(np.float32), (SIDE, SIDE), interpolation=way)
    return np.broadcast_to(big.reshape(SIDE, SIDE, -1), (SIDE, SIDE, 3)).copy()


def _bricks(rng: Rng) -> Floats:
    """Bricks, tiles or paving, with joints."""
    tone = hsv(uniform(rng, 0, 25), uniform(rng, 0, 160), uniform(rng, 70, 220))
    texture = tone * (1 + uniform(rng, 0.03, 0.2) * noise(rng, [2, 8, 60])[..., None])
    tall = whole_number(rng, 24, 260)
    wide, joint = int(tall * uniform(rng, 0.9, 2.6)), whole_number(rng, 1, 9)
    line = (texture.mean((0, 1)) * uniform(rng, 0.3, 1.5)).tolist()
    texture = np.ascontiguousarray(texture, np.float32)
    shifted = rng.random() < 0.5  # noqa: PLR2004 - a coin
    for row, y in enumerate(range(0, SIDE, tall)):
        for x in range(-(wide // 2) * (row % 2) * shifted, SIDE, wide):
            gain = float(rng.uniform(0.8, 1.2))
            part = texture[y : y + tall, max(0, x) : max(0, x + wide)]
            part *= gain
            cv2.line(texture, (x, y), (x, y + tall), line, joint)
        cv2.line(texture, (0, y), (SIDE, y), line, joint)
    return texture


def _cloth(rng: Rng) -> Floats:
    """Checked or plain cloth, or paper."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    a, b = (
        hsv(uniform(rng, 0, 180), uniform(rng, 0, 200), uniform(rng, 30, 240)) for _ in range(2)
    )
    period = uniform(rng, 8, 200)
    share = 0.25 * (2 + np.sign(np.sin(x * 6.28 / period)) + np.sign(np.sin(y * 6.28 / period)))
    fold = 1 + uniform(rng, 0, 0.3) * noise(rng, [2, 90, 250])
    return (a * share[..., None] + b * (1 - share[..., None])) * fold[..., None]


BARE: dict[str, Callable[[Rng], Floats]] = {
    **MIXED_SOILS,
    "grain": _grain_heap,
    "scrub": _scrub,
    "static": _static,
    "bricks": _bricks,
    "cloth": _cloth,
}
