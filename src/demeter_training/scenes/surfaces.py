"""Textures of soil and of what benches are made of, as squares that repeat by mirroring."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from demeter_training.scenes.chance import Rng, grey, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.values import Bytes, Floats

SIDE = 1024
SOILS: dict[str, tuple[int, int, int]] = {
    "peat": (58, 44, 36),
    "brown": (104, 80, 60),
    "sand": (176, 152, 120),
    "pumice": (190, 186, 178),
    "clay": (112, 84, 70),
    "fabric": (58, 80, 128),
}


def noise(rng: Rng, grains: list[int]) -> Floats:
    """Sum of noises, one for each grain size in pixels; about -1 to 1."""
    total = np.zeros((SIDE, SIDE), np.float32)
    for grain in grains:
        cells = max(2, SIDE // grain)
        small = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        total += cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return total / len(grains)


def _plain_texture(rng: Rng, colour: Floats, roughness: float, grains: list[int]) -> Floats:
    return np.clip(colour * (1 + roughness * noise(rng, grains)[..., None]), 0, 255)


def tint(rng: Rng, texture: Bytes) -> Bytes:
    """The texture a little brighter or darker, warmer or colder."""
    gain = uniform(rng, 0.72, 1.25) * (1 + rng.normal(0, 0.04, 3))
    return np.clip(texture * gain.astype(np.float32), 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def soil(kind: str, variant: int) -> Bytes:
    """A square of soil of a kind of ``SOILS``, RGB; to be read only."""
    return _draw_soil(np.random.default_rng([variant, len(kind), 29]), kind)


@lru_cache(maxsize=96)
def ground(kind: str, variant: int) -> Bytes:
    """A square of bench or floor of a kind, RGB; unknown kinds raise KeyError."""
    rng = np.random.default_rng([variant, len(kind), 31])
    return np.clip(_GROUNDS[kind](rng), 0, 255).astype(np.uint8)


def _draw_soil(rng: Rng, kind: str) -> Bytes:
    base = np.array(SOILS[kind], np.float32) * uniform(rng, 0.65, 1.25)
    texture = _plain_texture(rng, base, uniform(rng, 0.25, 0.5), [2, 5, 11, 60])
    if kind == "fabric":
        return _weave(rng, texture, 5)
    amount = uniform(rng, 400, 5000)
    size = uniform(rng, 6, 13) if kind in {"pumice", "clay"} else uniform(rng, 2.5, 6)
    if kind in {"pumice", "clay"}:
        amount = 360000 / size**2
    _draw_grains(rng, texture, int(amount), size, base)
    if kind in {"peat", "brown"} and happens(rng, 0.6):
        _draw_specks(rng, texture)
    if happens(rng, 0.3):
        _draw_moss(rng, texture)
    return np.clip(texture, 0, 255).astype(np.uint8)


def _draw_grains(rng: Rng, texture: Floats, count: int, size: float, base: Floats) -> None:
    for _ in range(count):
        at = (whole_number(rng, 0, SIDE), whole_number(rng, 0, SIDE))
        axes = (
            max(1, int(size * uniform(rng, 0.5, 1.2))),
            max(1, int(size * uniform(rng, 0.4, 0.9))),
        )
        tone = base * uniform(rng, 0.6, 1.7) + rng.normal(0, 8, 3)
        turn = uniform(rng, 0, 180)
        cv2.ellipse(texture, at, axes, turn, 0, 360, (tone * 0.5).tolist(), -1, cv2.LINE_AA)
        up = (at[0] - 1, at[1] - 1)
        inner = (max(1, int(axes[0] * 0.75)), max(1, int(axes[1] * 0.75)))
        cv2.ellipse(
            texture, up, inner, turn, 0, 360, np.clip(tone, 0, 255).tolist(), -1, cv2.LINE_AA
        )


def _draw_specks(rng: Rng, texture: Floats) -> None:
    """Perlite, vermiculite and fibres in peat."""
    bright = pick(rng, [hsv(20, 20, 225), hsv(16, 110, 185), hsv(20, 60, 200)])
    for _ in range(whole_number(rng, 150, 3500)):
        at, r = (whole_number(rng, 0, SIDE), whole_number(rng, 0, SIDE)), whole_number(rng, 2, 4)
        cv2.circle(texture, at, r, (bright * uniform(rng, 0.5, 1.1)).tolist(), -1, cv2.LINE_AA)
    for _ in range(whole_number(rng, 0, 160)):
        x, y, a = whole_number(rng, 0, SIDE), whole_number(rng, 0, SIDE), uniform(rng, 0, 6.28)
        length = uniform(rng, 8, 40)
        end = (int(x + np.cos(a) * length), int(y + np.sin(a) * length))
        cv2.line(texture, (x, y), end, (bright * 0.55).tolist(), 1, cv2.LINE_AA)


def _draw_moss(rng: Rng, texture: Floats) -> None:
    """Green algae and moss on wet soil: green that is no plant."""
    cover = np.clip(noise(rng, [40, 90]) - uniform(rng, 0.1, 0.7), 0, 1)
    cover = cover * np.clip(noise(rng, [2, 4]) + 0.8, 0, 1)
    green = hsv(uniform(rng, 32, 55), uniform(rng, 90, 200), uniform(rng, 60, 150))
    texture[:] = texture * (1 - cover[..., None]) + green * cover[..., None]


def _weave(rng: Rng, texture: Floats, pitch: int) -> Bytes:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    weave = 0.85 + 0.15 * np.sign(np.sin(x * np.pi / pitch) * np.sin(y * np.pi / pitch))
    weave = weave + 0.03 * rng.normal(size=weave.shape)
    return np.clip(texture * weave[..., None], 0, 255).astype(np.uint8)


def _draw_lines(rng: Rng, texture: Floats, pitch: int, width: int, both: bool) -> Floats:
    dark = texture.mean((0, 1)) * uniform(rng, 0.15, 0.6)
    for k in range(0, SIDE, pitch):
        cv2.line(texture, (k, 0), (k, SIDE), dark.tolist(), width, cv2.LINE_AA)
        if both:
            cv2.line(texture, (0, k), (SIDE, k), dark.tolist(), width, cv2.LINE_AA)
    return texture


def _draw_foliage(rng: Rng) -> Floats:
    """Blurred shrubs behind the subject: green, leafy, and nothing to count."""
    base = hsv(uniform(rng, 30, 60), uniform(rng, 100, 220), uniform(rng, 60, 150))
    texture = _plain_texture(rng, base, 0.5, [8, 20, 60])
    for _ in range(4200):
        x, y, a = whole_number(rng, 0, SIDE), whole_number(rng, 0, SIDE), uniform(rng, 0, 180)
        tone = base * uniform(rng, 0.4, 1.7)
        cv2.ellipse(
            texture,
            (x, y),
            (whole_number(rng, 6, 18), whole_number(rng, 2, 6)),
            a,
            0,
            360,
            np.clip(tone, 0, 255).tolist(),
            -1,
            cv2.LINE_AA,
        )
    return cv2.GaussianBlur(texture, (0, 0), uniform(rng, 1.0, 4.0))


def _draw_litter(rng: Rng, texture: Floats) -> Floats:
    for _ in range(whole_number(rng, 0, 120)):
        at = (whole_number(rng, 0, SIDE), whole_number(rng, 0, SIDE))
        tone = hsv(uniform(rng, 8, 25), uniform(rng, 40, 150), uniform(rng, 30, 150))
        cv2.ellipse(
            texture,
            at,
            (whole_number(rng, 3, 7), whole_number(rng, 2, 3)),
            uniform(rng, 0, 180),
            0,
            360,
            tone.tolist(),
            -1,
            cv2.LINE_AA,
        )
    return texture


_GROUNDS: dict[str, Callable[[Rng], Floats]] = {
    "soil": lambda r: _draw_soil(r, pick(r, ["peat", "brown", "sand"])).astype(np.float32),
    "gravel": lambda r: _draw_soil(r, pick(r, ["pumice", "clay"])).astype(np.float32),
    "concrete": lambda r: _draw_litter(r, _plain_texture(r, grey(r, 90, 190), 0.12, [2, 30, 120])),
    "white": lambda r: _draw_litter(r, _plain_texture(r, grey(r, 190, 250, 0.02), 0.03, [3, 90])),
    "cloth": lambda r: _weave(r, _plain_texture(r, grey(r, 20, 70), 0.2, [3, 80]), 4).astype(
        np.float32
    ),
    "mesh": lambda r: _draw_lines(
        r,
        _plain_texture(r, grey(r, 90, 210), 0.08, [3, 50]),
        whole_number(r, 14, 40),
        whole_number(r, 3, 9),
        both=True,
    ),
    "slats": lambda r: _draw_lines(
        r,
        _plain_texture(r, hsv(14, uniform(r, 20, 130), uniform(r, 90, 210)), 0.15, [3, 60]),
        whole_number(r, 60, 160),
        whole_number(r, 8, 40),
        both=False,
    ),
    "planks": lambda r: _draw_lines(
        r,
        _plain_texture(r, hsv(14, uniform(r, 60, 150), uniform(r, 80, 190)), 0.2, [2, 16]),
        whole_number(r, 90, 200),
        2,
        both=False,
    ),
    "metal": lambda r: _draw_lines(
        r,
        _plain_texture(r, grey(r, 120, 220, 0.02), 0.06, [60, 200]),
        whole_number(r, 80, 300),
        3,
        both=happens(r, 0.5),
    ),
    "foliage": _draw_foliage,
}
