"""Putting sprites of plants into the picture, with their shadows and their ids."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.canvas import SceneCanvas
from demeter_training.scenes.light import Sun
from demeter_training.scenes.plants import Sprite
from demeter_training.scenes.values import Bytes
from demeter_training.scenes.world import WorldPlant

SOLID = 110


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a sprite covered: rows and columns in the picture, and all its solid pixels."""

    rows: slice
    columns: slice
    area_px: int


def _fit_sprite(
    sprite: Sprite, plant: WorldPlant, scale: float, top_down: bool
) -> tuple[Bytes, tuple[float, float]]:
    """The sprite at its size and turn, as premultiplied RGBA, and where its foot is."""
    factor = plant.diameter_cm * scale / (2 * sprite.px_per_reach)
    h, w = sprite.alpha.shape
    turn = plant.spin if top_down else 0.0
    mirror = -1.0 if plant.flipped else 1.0
    c, s = np.cos(turn) * factor, np.sin(turn) * factor
    matrix = np.array([[c * mirror, -s], [s * mirror, c]])
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]]) @ matrix.T
    low, high = corners.min(0) - 1, corners.max(0) + 1
    size = np.ceil(high - low).astype(int)
    rgba = np.dstack([sprite.rgb * plant.gain * (sprite.alpha[..., None] / 255.0), sprite.alpha])
    flags = cv2.INTER_LINEAR if factor > 0.55 else cv2.INTER_AREA  # noqa: PLR2004
    source = np.clip(rgba, 0, 255).astype(np.uint8)
    if flags == cv2.INTER_AREA:
        small = max(1e-3, factor * 1.3)
        source = cv2.resize(source, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        matrix = matrix / np.array([source.shape[1] / w, source.shape[0] / h])
    warp = np.column_stack([matrix, -low])
    fitted = cv2.warpAffine(source, warp, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
    full = np.array([[c * mirror, -s], [s * mirror, c]])
    foot = full @ np.array(sprite.foot) - low
    return fitted, (float(foot[0]), float(foot[1]))


def stamp(
    picture: SceneCanvas, sprite: Sprite, plant: WorldPlant, number: int, sun: Sun
) -> Stamp | None:
    """Paint one plant and its shadow, and own its pixels as ``number``; None if outside."""
    at = np.array([[plant.x, plant.y, plant.z]])
    foot_px = picture.camera.project(at)[0]
    scale = float(picture.camera.px_per_cm(at)[0])
    reach = plant.diameter_cm * scale * 3
    height, width = picture.ids.shape
    if not (-reach < foot_px[0] < width + reach and -reach < foot_px[1] < height + reach):
        return None
    top_down = picture.camera.tilt < 0.15  # noqa: PLR2004 - about 9 degrees
    rgba, foot = _fit_sprite(sprite, plant, scale, top_down)
    x, y = round(foot_px[0] - foot[0]), round(foot_px[1] - foot[1])
    size = plant.diameter_cm * scale
    away = (int(sun.away[0] * size * 0.35), int(sun.away[1] * size * 0.35))
    _cast_shadow(picture, rgba[..., 3], (x + away[0], y + away[1]), sun, size)
    return _paste(picture, rgba, (x, y), number)


def _part_in_frame(
    picture: SceneCanvas, shape: tuple[int, ...], at: tuple[int, int]
) -> tuple[slice, slice, slice, slice] | None:
    height, width = picture.ids.shape
    x0, y0 = max(0, at[0]), max(0, at[1])
    x1, y1 = min(width, at[0] + shape[1]), min(height, at[1] + shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    return (
        slice(y0, y1),
        slice(x0, x1),
        slice(y0 - at[1], y1 - at[1]),
        slice(x0 - at[0], x1 - at[0]),
    )


def _cast_shadow(
    picture: SceneCanvas, alpha: Bytes, at: tuple[int, int], sun: Sun, size_px: float
) -> None:
    blur = int(max(2, size_px * 0.05 * (1 + sun.softness_cm)))
    soft = cv2.blur(
        cv2.copyMakeBorder(alpha, blur, blur, blur, blur, cv2.BORDER_CONSTANT),
        (2 * blur + 1, 2 * blur + 1),
    )
    part = _part_in_frame(picture, soft.shape, (at[0] - blur, at[1] - blur))
    if part is None:
        return
    rows, columns, sr, sc = part
    pixels = picture.rgb[rows, columns]
    brightness = 256 - soft[sr, sc].astype(np.uint16) * int((1 - sun.shadow) * 255) // 255
    pixels[:] = (pixels * brightness[..., None] >> 8).astype(np.uint8)


def _paste(picture: SceneCanvas, rgba: Bytes, at: tuple[int, int], number: int) -> Stamp | None:
    solid = rgba[..., 3] > SOLID
    part = _part_in_frame(picture, rgba.shape, at)
    if part is None:
        return None
    rows, columns, sr, sc = part
    alpha = rgba[sr, sc, 3].astype(np.uint16)[..., None]
    pixels = picture.rgb[rows, columns]
    pixels[:] = np.minimum(255, rgba[sr, sc, :3] + (pixels * (255 - alpha) // 255)).astype(np.uint8)
    picture.ids[rows, columns][solid[sr, sc]] = number
    return Stamp(rows, columns, int(solid.sum()))
