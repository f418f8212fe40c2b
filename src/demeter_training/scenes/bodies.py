"""Cactus bodies: ribbed ellipsoids with spines, shaded by the pixel, with depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.leaves import View
from demeter_training.scenes.values import Bytes, Floats


@dataclass(frozen=True, slots=True)
class Body:
    """An ellipsoid standing at ``centre`` with half axes ``axes`` (x, y, z), turned by ``yaw``.

    ``ribs`` of 0 is smooth; ``twist`` turns the ribs from top to bottom, in radians.
    ``wool`` is how bright the areoles are drawn on the ribs, 0 to 1.
    """

    centre: tuple[float, float, float]
    axes: tuple[float, float, float]
    yaw: float
    colour: Floats
    ribs: int
    rib_depth: float
    twist: float
    wool: float
    wool_colour: Floats
    rows: int


@dataclass(slots=True)
class Canvas:
    """What a sprite is drawn on: colours, coverage, and how near each pixel is."""

    rgb: Floats
    alpha: Bytes
    near: Floats
    origin: tuple[float, float]
    scale: float


def _frame(view: View, yaw: float) -> tuple[Floats, Floats, Floats]:
    """The picture's right, down and toward-the-camera axes in the body's own frame."""
    c, s = np.cos(view.tilt), np.sin(view.tilt)
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    return turn @ np.array([1.0, 0, 0]), turn @ np.array([0, c, -s]), turn @ np.array([0, s, c])


def _window(canvas: Canvas, body: Body, view: View) -> tuple[slice, slice, Floats, Floats]:
    """The part of the canvas a body can touch, and its pixels relative to the centre."""
    middle = view.project(np.array([body.centre]))[0] * canvas.scale + canvas.origin
    reach = max(body.axes) * canvas.scale * 1.05 + 1
    height, width = canvas.alpha.shape
    x0, x1 = int(max(0, middle[0] - reach)), int(min(width, middle[0] + reach + 1))
    y0, y1 = int(max(0, middle[1] - reach)), int(min(height, middle[1] + reach + 1))
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    return (
        slice(y0, y1),
        slice(x0, x1),
        (x - middle[0]) / canvas.scale,
        (y - middle[1]) / canvas.scale,
    )


def draw_body(canvas: Canvas, body: Body, view: View) -> None:
    """Draw one body where it is nearer than what is there, in place."""
    rows, columns, x, y = _window(canvas, body, view)
    if x.size == 0:
        return
    right, down, toward = _frame(view, body.yaw)
    inverse = 1 / np.array(body.axes)
    a = (toward * inverse) @ (toward * inverse)
    on_plane = x[..., None] * (right * inverse) + y[..., None] * (down * inverse)
    b = on_plane @ (toward * inverse)
    c = (on_plane**2).sum(-1) - 1
    inside = b * b - a * c
    is_hit = inside > 0
    depth = (-b + np.sqrt(np.maximum(inside, 0))) / a
    point = on_plane + depth[..., None] * (toward * inverse)
    nearness = depth + float(view.nearness(np.array([body.centre]))[0])
    is_nearest = is_hit & (nearness > canvas.near[rows, columns])
    colour = _shade(body, point, view)
    canvas.rgb[rows, columns][is_nearest] = colour[is_nearest]
    canvas.near[rows, columns][is_nearest] = nearness[is_nearest]
    canvas.alpha[rows, columns][is_nearest] = 255


def _shade(body: Body, unit: Floats, view: View) -> Floats:
    """Colour at points of the unit sphere that the body was scaled from."""
    normal = unit / np.array(body.axes)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    c, s = np.cos(body.yaw), np.sin(body.yaw)
    lx, ly, lz = view.light
    light = np.array([c * lx + s * ly, -s * lx + c * ly, lz])
    brightness = 0.5 + 0.62 * np.clip(normal @ light, -0.35, 1)
    brightness *= 0.75 + 0.25 * np.clip(unit[..., 2] + 0.6, 0, 1)
    azimuth = np.arctan2(unit[..., 1], unit[..., 0])
    polar = np.arccos(np.clip(unit[..., 2], -1, 1))
    colour = body.colour * np.ones_like(unit)
    if body.ribs:
        wave = np.cos(body.ribs * (azimuth + body.twist * polar))
        fade = np.clip(polar * 3, 0, 1)
        brightness = brightness * (1 - body.rib_depth * fade * (0.5 - 0.5 * wave) ** 1.5)
        knots = np.clip(wave, 0, 1) ** 6 * np.clip(np.cos(polar * body.rows * 2), 0, 1) ** 3
        white = (knots * body.wool)[..., None]
        colour = colour * (1 - white) + body.wool_colour * white
    return (colour * brightness[..., None]).astype(np.float32)


def areoles(body: Body) -> Floats:
    """Where spines grow: N x 3 in plant coordinates, on the ribs from top to side."""
    ribs = max(body.ribs, 7)
    polar = np.linspace(0.12, 2.0, max(3, body.rows))
    azimuth = np.arange(ribs) * 2 * np.pi / ribs
    p, a = np.meshgrid(polar, azimuth, indexing="ij")
    a = a - body.twist * p
    unit = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], -1).reshape(-1, 3)
    local = unit * np.array(body.axes)
    c, s = np.cos(body.yaw), np.sin(body.yaw)
    turned = np.stack(
        [c * local[:, 0] - s * local[:, 1], s * local[:, 0] + c * local[:, 1], local[:, 2]], -1
    )
    return (turned + np.array(body.centre)).astype(np.float32)


def draw_spines(canvas: Canvas, roots: Floats, tips: Floats, view: View, colour: Floats) -> None:
    """Draw thin spines whose roots the camera sees, in place."""
    start = view.project(roots) * canvas.scale + canvas.origin
    end = view.project(tips) * canvas.scale + canvas.origin
    near = view.nearness(roots)
    height, width = canvas.alpha.shape
    column = np.clip(start[:, 0].astype(int), 0, width - 1)
    row = np.clip(start[:, 1].astype(int), 0, height - 1)
    is_visible = near > canvas.near[row, column] - 0.06
    lines = np.round(np.stack([start, end], 1)[is_visible] * 16).astype(np.int32)
    for k, line in enumerate(lines):
        tone = (colour * (0.72 + 0.28 * ((k * 7919) % 11) / 10)).tolist()
        cv2.polylines(
            canvas.rgb,
            [line],
            isClosed=False,
            color=tone,
            thickness=1,
            lineType=cv2.LINE_AA,
            shift=4,
        )
        cv2.polylines(
            canvas.alpha,
            [line],
            isClosed=False,
            color=190,
            thickness=1,
            lineType=cv2.LINE_AA,
            shift=4,
        )
