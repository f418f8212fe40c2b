"""Leaves in three dimensions: rosettes, seedlings, sedums, aloes, all from one leaf."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.chance import Rng
from demeter_training.scenes.values import Bytes, Floats

SECTIONS = 6
ALONG = (1 - (1 - np.linspace(0, 1, SECTIONS + 1)) ** 1.6).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: where it starts, where it points, its outline and its colours.

    Lengths are in units of the plant's reach; angles in radians; ``rise`` is the angle
    above the ground where it starts, ``bend`` what is added to it up to the tip. ``petiole``
    is the share of the length that is only stalk, ``tip`` 0 (round) to 1 (pointed). ``wave`` is
    how far its edges swing in and out, as a share of its width: 0 is smooth.
    """

    base: tuple[float, float, float]
    azimuth: float
    rise: float
    bend: float
    length: float
    width: float
    petiole: float
    tip: float
    cup: float
    colour: Floats
    edge: Floats
    edge_share: float
    wave: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """How a sprite is seen: the camera's tilt from straight down, and where light is.

    ``light`` is a unit vector in plant coordinates: x right, y toward the viewer, z up.
    """

    tilt: float
    light: tuple[float, float, float]

    def project(self, points: Floats) -> Floats:
        """N x 3 in plant coordinates to N x 2 on the picture (y down), without scale."""
        c, s = np.cos(self.tilt), np.sin(self.tilt)
        return np.stack([points[..., 0], points[..., 1] * c - points[..., 2] * s], -1)

    def nearness(self, points: Floats) -> Floats:
        """How near to the camera each point is: larger is nearer."""
        c, s = np.cos(self.tilt), np.sin(self.tilt)
        return points[..., 2] * c + points[..., 1] * s


def _centreline(leaf: Leaf) -> tuple[Floats, Floats]:
    """Points along the middle of the leaf and the direction at each."""
    rise = leaf.rise + leaf.bend * ALONG
    flat, up = np.cos(rise), np.sin(rise)
    ahead = np.stack([flat * np.cos(leaf.azimuth), flat * np.sin(leaf.azimuth), up], -1)
    steps = ahead * leaf.length * np.diff(ALONG, append=1)[:, None]
    points = np.array(leaf.base) + np.concatenate([np.zeros((1, 3)), np.cumsum(steps[:-1], 0)])
    return points.astype(np.float32), ahead.astype(np.float32)


def _half_widths(leaf: Leaf) -> Floats:
    t = ALONG
    blade = np.clip((t - leaf.petiole) / max(1e-6, 1 - leaf.petiole), 0, 1)
    round_end = np.sqrt(np.clip(1 - (2 * blade - 1) ** 2, 0, 1)) * (0.75 + 0.35 * blade)
    pointed = np.clip(1 - blade, 0, 1) ** 0.8 * (0.7 + 0.6 * np.sqrt(blade))
    width = (1 - leaf.tip) * round_end + leaf.tip * pointed
    stalk = 0.12 if leaf.petiole > 0 else 0.3
    floor = np.where(t < 1, stalk * (1 - 0.7 * blade), 0.03)
    return (np.maximum(width, floor) * leaf.width / 2).astype(np.float32)


def _edges(leaf: Leaf) -> tuple[Floats, Floats, Floats]:
    """Left edge, middle and right edge of the leaf, each (SECTIONS + 1) x 3."""
    middle, ahead = _centreline(leaf)
    side = np.array([-np.sin(leaf.azimuth), np.cos(leaf.azimuth), 0.0])
    up = np.cross(ahead, side)
    half = _half_widths(leaf)[:, None]
    lift = up * half * leaf.cup
    if not leaf.wave:
        return middle + side * half + lift, middle, middle - side * half + lift
    swing = leaf.wave * half * (-1.0) ** np.arange(SECTIONS + 1)[:, None]
    left, right = half + swing, half - swing
    ruffle = up * swing * 0.8
    return middle + side * left + lift + ruffle, middle, middle - side * right + lift - ruffle


def _facet_brightness(a: Floats, b: Floats, c: Floats, view: View) -> float:
    """Brightness of a facet, 0.4 to 1.25, by the angle between its face and the light."""
    normal = np.cross(b - a, c - a)
    size = float(np.linalg.norm(normal))
    if size < 1e-9:  # noqa: PLR2004 - a facet without area has no face
        return 0.8
    facing = normal / size * np.sign(normal[2] if abs(normal[2]) > 1e-9 else 1.0)  # noqa: PLR2004
    return float(0.6 + 0.62 * np.clip(facing @ np.array(view.light), -0.3, 1))


def draw_leaves(
    rgb: Floats,
    alpha: Bytes,
    leaves: list[Leaf],
    view: View,
    origin: tuple[float, float],
    px_per_reach: float,
    shade: Floats,
) -> None:
    """Draw leaves far to near into ``rgb`` (float32) and ``alpha`` (uint8), in place.

    ``shade`` has one factor a leaf: how much light the leaves above leave it.
    """
    middles = np.array([_centreline(leaf)[0][SECTIONS // 2] for leaf in leaves], np.float32)
    for i in np.argsort(view.nearness(middles), kind="stable"):
        _draw_leaf(rgb, alpha, leaves[i], view, np.array(origin), px_per_reach, float(shade[i]))


def _draw_leaf(
    rgb: Floats, alpha: Bytes, leaf: Leaf, view: View, origin: Floats, scale: float, shade: float
) -> None:
    left, middle, right = _edges(leaf)
    flat = [
        np.round((view.project(p) * scale + origin) * 16).astype(np.int32)
        for p in (left, middle, right)
    ]
    outline = np.concatenate([flat[0], flat[2][::-1]])
    dark = (leaf.colour * 0.48 * shade).tolist()
    cv2.fillPoly(rgb, [outline], dark, cv2.LINE_AA, 4)
    cv2.fillPoly(alpha, [outline], 255, cv2.LINE_AA, 4)
    cv2.polylines(
        rgb, [outline], isClosed=True, color=dark, thickness=1, lineType=cv2.LINE_AA, shift=4
    )
    for half, edge in ((flat[0], left), (flat[2], right)):
        light = _facet_brightness(middle[1], middle[-2], edge[SECTIONS // 2], view) * shade
        for k in range(SECTIONS):
            quad = np.array([flat[1][k], flat[1][k + 1], half[k + 1], half[k]])
            along = float(ALONG[k + 1])
            reddish = max(0.0, (along - 1 + leaf.edge_share) / max(leaf.edge_share, 1e-6))
            colour = leaf.colour * (1 - reddish) + leaf.edge * reddish
            fill = np.minimum(255, colour * light * (0.8 + 0.34 * along)).tolist()
            cv2.fillConvexPoly(rgb, quad, fill, cv2.LINE_AA, 4)
    if leaf.edge_share > 0:
        cv2.polylines(
            rgb,
            [outline],
            isClosed=True,
            color=(leaf.edge * shade * 0.9).tolist(),
            thickness=1,
            lineType=cv2.LINE_AA,
            shift=4,
        )


def jitter(rng: Rng, colour: Floats, spread: float) -> Floats:
    """The colour a little brighter or darker, and a little off in each channel."""
    factor = (1 + rng.normal(0, spread)) * (1 + rng.normal(0, spread * 0.3, 3))
    return np.clip(colour * factor, 0, 255).astype(np.float32)
