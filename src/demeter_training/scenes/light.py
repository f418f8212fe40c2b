"""Sun, shade cloth and the camera's own faults."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.chance import Rng, happens, pick, uniform, whole_number
from demeter_training.scenes.values import Bytes, Floats


@dataclass(frozen=True, slots=True)
class Sun:
    """Where light comes from.

    ``away`` is how far, in cm, a point one cm high throws its shadow; ``heading`` the unit
    vector of that way; ``shadow`` the brightness left in it (1: none); ``vector`` points to
    the light in plant coordinates.
    """

    away: tuple[float, float]
    heading: tuple[float, float]
    shadow: float
    softness_cm: float
    vector: tuple[float, float, float]


def draw_sun(rng: Rng) -> Sun:
    """Hard sun, veiled sun or an overcast sky."""
    turn, hard = uniform(rng, 0, 6.28), happens(rng, 0.4)
    low = uniform(rng, 0.3, 1.1) if hard else uniform(rng, 0.05, 0.4)
    heading = (float(np.cos(turn)), float(np.sin(turn)))
    to_light = np.array([-heading[0] * low, -heading[1] * low, 1.0])
    unit = to_light / np.linalg.norm(to_light)
    return Sun(
        away=(heading[0] * low, heading[1] * low),
        heading=heading,
        shadow=uniform(rng, 0.25, 0.55) if hard else uniform(rng, 0.5, 0.85),
        softness_cm=uniform(rng, 0.1, 0.4) if hard else uniform(rng, 0.5, 1.5),
        vector=(float(unit[0]), float(unit[1]), float(unit[2])),
    )


def develop(rng: Rng, rgb: Bytes) -> Bytes:
    """From the painted picture to a photo: light, colour, lens, sensor, JPEG."""
    height, width = rgb.shape[:2]
    gain = _illumination(rng, (width, height)) * _exposure(rng, rgb)
    white = (1 + rng.normal(0, 0.06, 3)).astype(np.float32)
    vivid = uniform(rng, 0.45, 1.25)
    photo = rgb.astype(np.float32)
    photo *= gain[..., None]
    photo *= white
    luma = photo.mean(2, keepdims=True)
    photo = luma + (photo - luma) * vivid
    photo = _apply_tone(rng, photo)
    photo = _apply_lens(rng, photo)
    photo += _grain(rng, photo.shape)
    return _compress_jpeg(rng, np.clip(photo, 0, 255).astype(np.uint8))


def _exposure(rng: Rng, rgb: Bytes) -> float:
    """A phone's automatic exposure: most photos end up about as bright, some do not."""
    target = pick(
        rng,
        [uniform(rng, 85, 140), uniform(rng, 140, 185), uniform(rng, 40, 85)],
        [0.65, 0.2, 0.15],
    )
    mean = max(8.0, float(rgb[::4, ::4].mean()))
    return float(np.clip(target / mean, 0.6, 2.6)) ** 0.8


def _illumination(rng: Rng, size_wh: tuple[int, int]) -> Floats:
    """Slow unevenness, stripes of shade cloth or slats, and sun patches; mean about 1."""
    patches = rng.uniform(0.8, 1.25, (4, 4)).astype(np.float32)
    field = cv2.resize(patches, (64, 64), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(field, (512, 512), interpolation=cv2.INTER_LINEAR)
    if happens(rng, 0.3):
        small *= _stripes(rng, 512)
    if happens(rng, 0.15):
        blobs = rng.normal(0, 1, (12, 12)).astype(np.float32)
        big = cv2.resize(blobs, (512, 512), interpolation=cv2.INTER_CUBIC)
        edge = uniform(rng, 0.05, 0.5)
        small *= 1 - uniform(rng, 0.2, 0.5) * np.clip((big - 0.3) / edge, 0, 1)
    return cv2.resize(small, size_wh, interpolation=cv2.INTER_LINEAR)


def _stripes(rng: Rng, side: int) -> Floats:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turn, period = uniform(rng, 0, 3.14), uniform(rng, 12, 180)
    wave = np.sin((np.cos(turn) * x + np.sin(turn) * y) * 2 * np.pi / period)
    sharp = uniform(rng, 1.5, 12)
    return 1 - uniform(rng, 0.12, 0.5) / (1 + np.exp(-sharp * wave))


def _apply_tone(rng: Rng, photo: Floats) -> Floats:
    """Gamma and contrast of a phone's own processing."""
    unit = np.clip(photo, 0, 255) / 255
    unit = unit ** np.float32(uniform(rng, 0.7, 1.3))
    strength = uniform(rng, 0, 0.6)
    curve = unit * unit * (3 - 2 * unit)
    return (unit * (1 - strength) + curve * strength) * 255


def _apply_lens(rng: Rng, photo: Floats) -> Floats:
    if happens(rng, 0.55):
        photo = cv2.GaussianBlur(photo, (0, 0), uniform(rng, 0.3, 1.5))
    if happens(rng, 0.06):
        length = whole_number(rng, 3, 7)
        kernel = np.zeros((length, length), np.float32)
        end = (length - 1, whole_number(rng, 0, length - 1))
        cv2.line(kernel, (0, length - 1 - end[1]), end, 1.0, 1)
        photo = cv2.filter2D(photo, -1, kernel / kernel.sum())
    if happens(rng, 0.35):
        soft = cv2.GaussianBlur(photo, (0, 0), 1.4)
        photo = photo + (photo - soft) * uniform(rng, 0.2, 1.0)
    return photo


def _grain(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """Sensor noise, partly smoothed as phones do; made once a 512 square and repeated."""
    amount = uniform(rng, 0.5, 8)
    patch = rng.normal(0, amount, (512, 512, 3)).astype(np.float32)
    if happens(rng, 0.5):
        patch = cv2.GaussianBlur(patch, (0, 0), 0.7) * 1.6
    repeats = (-(-shape[0] // 512), -(-shape[1] // 512), 1)
    return np.tile(patch, repeats)[: shape[0], : shape[1]]


def _compress_jpeg(rng: Rng, rgb: Bytes) -> Bytes:
    quality = whole_number(rng, 55, 96)
    _, coded = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None, "what was just encoded can be decoded"
    return np.ascontiguousarray(decoded[..., ::-1])
