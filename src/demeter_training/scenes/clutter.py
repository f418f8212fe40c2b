"""What lies about in nurseries and is no plant: labels, hoses, hands, cables, dots."""

from __future__ import annotations

import cv2
import numpy as np

from demeter_training.scenes.canvas import SceneCanvas
from demeter_training.scenes.chance import Rng, grey, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.world import World


def paint_labels(rng: Rng, picture: SceneCanvas, world: World) -> None:
    """Stakes with scribbles at some plants, of one colour in a photo."""
    if not world.plants or not happens(rng, 0.3):
        return
    colour = pick(rng, [grey(rng, 215, 250, 0.02), hsv(28, 150, 235), hsv(105, 110, 200)])
    wide, tall = uniform(rng, 0.8, 2.0), uniform(rng, 3, 8)
    for _ in range(whole_number(rng, 1, 8)):
        p = world.plants[int(rng.integers(len(world.plants)))]
        x, y = p.x + rng.normal(0, 1), p.y + p.diameter_cm * uniform(rng, -0.6, 0.6)
        lean = rng.normal(0, 1.2)
        back = tall * uniform(rng, 0.2, 0.9)
        corners = np.array(
            [
                [x - wide / 2, y, p.z],
                [x + wide / 2, y, p.z],
                [x + wide / 2 + lean, y - back, p.z + tall],
                [x - wide / 2 + lean, y - back, p.z + tall],
            ]
        )
        flat = picture.to_fixed_point(corners)
        picture.fill(flat, colour * uniform(rng, 0.85, 1.0))
        picture.ids[_mask(picture, flat)] = 0
        _draw_scribble(rng, picture, flat)


def _mask(picture: SceneCanvas, polygon: np.ndarray) -> np.ndarray:
    mask = np.zeros(picture.ids.shape, np.uint8)
    cv2.fillPoly(mask, [polygon], 1, cv2.LINE_8, 4)
    return mask.astype(bool)


def _draw_scribble(rng: Rng, picture: SceneCanvas, flat: np.ndarray) -> None:
    a, b, c = (flat[k].astype(float) for k in (0, 1, 3))
    for row in np.linspace(0.35, 0.85, 4):
        start = a + (c - a) * row + (b - a) * 0.2
        end = start + (b - a) * uniform(rng, 0.2, 0.6)
        cv2.line(
            picture.rgb,
            tuple(int(v) for v in start),
            tuple(int(v) for v in end),
            (60, 60, 70),
            1,
            cv2.LINE_AA,
            4,
        )


def paint_loose_things(rng: Rng, picture: SceneCanvas) -> None:
    """Hoses, cables, dots, dead leaves and a hand at the edge, some of them or none."""
    height, width = picture.ids.shape
    side = max(width, height)
    if happens(rng, 0.15):
        _draw_hose(rng, picture, side)
    if happens(rng, 0.1):
        paint_hand(rng, picture, side)
    if happens(rng, 0.25):
        _draw_dots(rng, picture, side)
    if happens(rng, 0.25):
        _draw_dead_leaves(rng, picture, side)


def _draw_stroke(picture: SceneCanvas, points: np.ndarray, colour: np.ndarray, thick: int) -> None:
    line = points.astype(np.int32)
    cv2.polylines(
        picture.rgb,
        [line],
        isClosed=False,
        color=(colour * 0.6).tolist(),
        thickness=thick,
        lineType=cv2.LINE_AA,
    )
    cv2.polylines(
        picture.rgb,
        [line - max(1, thick // 6)],
        isClosed=False,
        color=colour.tolist(),
        thickness=max(1, int(thick * 0.6)),
        lineType=cv2.LINE_AA,
    )
    cv2.polylines(picture.ids, [line], isClosed=False, color=0, thickness=thick)


def _draw_hose(rng: Rng, picture: SceneCanvas, side: int) -> None:
    t = np.linspace(0, 1, 40)
    corners = rng.uniform(-0.1, 1.1, (4, 2)) * side
    w = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], -1)
    colour = pick(
        rng, [hsv(60, 160, 110), grey(rng, 20, 50), hsv(25, 200, 210), grey(rng, 200, 240)]
    )
    _draw_stroke(picture, w @ corners, colour, max(2, int(side * uniform(rng, 0.004, 0.022))))


def paint_hand(rng: Rng, picture: SceneCanvas, side: int) -> None:
    """A wrist from the edge, a palm and fingers."""
    skin = hsv(uniform(rng, 6, 14), uniform(rng, 60, 150), uniform(rng, 110, 240))
    height, width = picture.ids.shape
    edge = np.array([uniform(rng, 0, width), height * 1.05])
    palm = edge + np.array([rng.normal(0, 0.05), -uniform(rng, 0.06, 0.2)]) * side
    broad = side * uniform(rng, 0.05, 0.09)
    _draw_stroke(picture, np.stack([edge, palm]), skin, int(broad * 1.4))
    for k in range(5):
        way = np.array([(k - 2) * 0.4 + rng.normal(0, 0.1), -1.0])
        tip = palm + way * broad * uniform(rng, 1.2, 1.9)
        _draw_stroke(picture, np.stack([palm + way * broad * 0.3, tip]), skin, int(broad * 0.42))


def _draw_dots(rng: Rng, picture: SceneCanvas, side: int) -> None:
    bright = [hsv(hue, uniform(rng, 150, 240), uniform(rng, 180, 250)) for hue in (2, 10, 28, 110)]
    colour = pick(rng, [*bright, grey(rng, 235, 250, 0.01), grey(rng, 5, 40)])
    r = max(2, int(side * uniform(rng, 0.005, 0.022)))
    for _ in range(whole_number(rng, 2, 12)):
        at = (int(rng.integers(picture.ids.shape[1])), int(rng.integers(picture.ids.shape[0])))
        cv2.circle(picture.rgb, at, r, colour.tolist(), -1, cv2.LINE_AA)
        cv2.circle(picture.ids, at, r, 0, -1)


def _draw_dead_leaves(rng: Rng, picture: SceneCanvas, side: int) -> None:
    for _ in range(whole_number(rng, 1, 14)):
        at = (int(rng.integers(picture.ids.shape[1])), int(rng.integers(picture.ids.shape[0])))
        axes = (
            max(1, int(side * uniform(rng, 0.004, 0.02))),
            max(1, int(side * uniform(rng, 0.002, 0.006))),
        )
        tone = hsv(uniform(rng, 8, 25), uniform(rng, 60, 160), uniform(rng, 60, 170))
        cv2.ellipse(
            picture.rgb, at, axes, uniform(rng, 0, 180), 0, 360, tone.tolist(), -1, cv2.LINE_AA
        )
