"""Painting containers: walls, rims, cells and the soil in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demeter_training.scenes.canvas import SceneCanvas, hull
from demeter_training.scenes.light import Sun
from demeter_training.scenes.values import Floats
from demeter_training.scenes.world import Vessel, VesselOpening, outline, place_shape

SMALL_PX = 5.0


def rim_of(vessel: Vessel, shrink_cm: float = 0.0, z: float | None = None) -> Floats:
    """The outline of a vessel's rim, or of the same shape smaller or lower: N x 3 in cm."""
    half = (vessel.half_cm[0] - shrink_cm, vessel.half_cm[1] - shrink_cm)
    shape = outline(half, vessel.is_round)
    height = vessel.height_cm if z is None else z
    return place_shape(shape, vessel.x, vessel.y, vessel.yaw, height)


def base_of(vessel: Vessel) -> Floats:
    """The outline of a vessel's foot on the ground: N x 3 in cm."""
    half = (vessel.half_cm[0] * vessel.taper, vessel.half_cm[1] * vessel.taper)
    return place_shape(outline(half, vessel.is_round), vessel.x, vessel.y, vessel.yaw, 0.0)


def silhouette(vessel: Vessel) -> Floats:
    """Points whose convex hull in the picture is the vessel's silhouette: N x 3 in cm."""
    return np.concatenate([rim_of(vessel), base_of(vessel)])


def paint_vessel(picture: SceneCanvas, vessel: Vessel, sun: Sun) -> None:
    """Paint a container without what stands in it."""
    body = hull(picture.to_fixed_point(silhouette(vessel)))
    if picture.window(body) is None:
        return
    shadow = rim_of(vessel)
    shadow[:, :2] += np.array(sun.away) * vessel.height_cm
    shadow[:, 2] = 0
    cast = hull(
        np.concatenate([picture.to_fixed_point(shadow), picture.to_fixed_point(base_of(vessel))])
    )
    scale = float(picture.camera.px_per_cm(np.array([[vessel.x, vessel.y, 0.0]]))[0])
    picture.darken(cast, sun.shadow, sun.softness_cm * scale)
    _paint_sides(picture, vessel, sun)
    _paint_top(picture, vessel, scale)


def _paint_sides(picture: SceneCanvas, vessel: Vessel, sun: Sun) -> None:
    top, foot = rim_of(vessel), base_of(vessel)
    picture.fill(hull(picture.to_fixed_point(np.concatenate([top, foot]))), vessel.colour * 0.5)
    count = len(top)
    for k in range(count):
        pair = [k, (k + 1) % count]
        face = np.concatenate([top[pair], foot[pair][::-1]])
        way = top[pair].mean(0)[:2] - np.array([vessel.x, vessel.y])
        if way[1] < 0:
            continue
        way = way / max(1e-6, float(np.hypot(*way)))
        light = 0.55 - 0.35 * float(way @ np.array(sun.heading)) + 0.15 * float(way[1])
        picture.fill(picture.to_fixed_point(face), vessel.colour * light)


def _paint_top(picture: SceneCanvas, vessel: Vessel, scale: float) -> None:
    rim = picture.to_fixed_point(rim_of(vessel))
    picture.fill(rim, vessel.colour)
    if scale * vessel.half_cm[0] > SMALL_PX * 4:
        picture.line(rim, vessel.colour * 1.25 + 12, max(1, int(scale * 0.12)))
    if vessel.is_plate:
        for hole in vessel.openings:
            paint_opening(picture, hole, vessel.colour, scale)
        return
    inner = picture.to_fixed_point(rim_of(vessel, vessel.wall_cm))
    picture.fill(inner, vessel.colour * 0.45)
    floor = picture.to_fixed_point(rim_of(vessel, vessel.wall_cm, vessel.floor_z))
    if vessel.openings:
        _paint_bottom(picture, vessel, inner, floor)
        return
    depth = (vessel.height_cm - vessel.floor_z) / max(vessel.half_cm)
    picture.fill_soil(floor, inner, float(np.clip(1 - depth, 0.55, 1)))


def _paint_bottom(
    picture: SceneCanvas, vessel: Vessel, inner: NDArray[np.int32], floor: NDArray[np.int32]
) -> None:
    """The floor of a crate that pots stand on, with its ribs or none."""
    picture.fill(floor, vessel.colour * 0.6)
    if vessel.ribs == 0:
        picture.fill_soil(floor, inner, 0.6)
        return
    w, h = vessel.half_cm[0] - vessel.wall_cm, vessel.half_cm[1] - vessel.wall_cm
    for k in range(1, vessel.ribs * 2):
        at = -w + 2 * w * k / (vessel.ribs * 2)
        bar = np.array([[at - 0.25, -h], [at + 0.25, -h], [at + 0.25, h], [at - 0.25, h]])
        tone = 0.95 if k % 2 else 0.35
        strip = place_shape(bar, vessel.x, vessel.y, vessel.yaw, vessel.floor_z)
        picture.fill(picture.to_fixed_point(strip), vessel.colour * tone)


def paint_pot(picture: SceneCanvas, hole: VesselOpening, colour: Floats, sun: Sun) -> None:
    """A pot that stands inside a larger container: body, rim and soil."""
    top = place_shape(outline(hole.half_cm, hole.is_round), hole.x, hole.y, hole.yaw, hole.rim_z)
    half = (hole.half_cm[0] * 0.78, hole.half_cm[1] * 0.78)
    foot = place_shape(
        outline(half, hole.is_round), hole.x, hole.y, hole.yaw, hole.rim_z - hole.depth_cm
    )
    body = hull(picture.to_fixed_point(np.concatenate([top, foot])))
    if picture.window(body) is None:
        return
    scale = float(picture.camera.px_per_cm(top[:1])[0])
    picture.darken(body, 1 - 0.5 * (1 - sun.shadow), max(1.0, scale * 0.6))
    picture.fill(body, colour * 0.55)
    picture.fill(picture.to_fixed_point(top), colour * 1.05)
    inner = VesselOpening(
        hole.x,
        hole.y,
        hole.rim_z,
        (hole.half_cm[0] * 0.92, hole.half_cm[1] * 0.92),
        hole.is_round,
        hole.yaw,
        hole.sunk_cm,
        0.0,
        hole.has_soil,
    )
    paint_opening(picture, inner, colour, scale)


def paint_opening(picture: SceneCanvas, hole: VesselOpening, colour: Floats, scale: float) -> None:
    """A cell or a pot's mouth, with its soil some way down."""
    shape = _rounded_rectangle(hole) if not hole.is_round else outline(hole.half_cm, is_round=True)
    rim = picture.to_fixed_point(place_shape(shape, hole.x, hole.y, hole.yaw, hole.rim_z))
    if picture.window(rim) is None:
        return
    picture.fill(rim, colour * 0.42)
    if not hole.has_soil:
        picture.fill_soil(rim, rim, 0.12)
        return
    bottom = place_shape(shape * (0.93, 0.93), 0, 0, 0, 0)[:, :2]
    floor = picture.to_fixed_point(
        place_shape(bottom, hole.x, hole.y, hole.yaw, hole.rim_z - hole.sunk_cm)
    )
    picture.fill_soil(floor, rim, float(np.clip(1 - 0.25 * hole.sunk_cm / hole.half_cm[0], 0.5, 1)))
    if scale * hole.half_cm[0] > SMALL_PX * 3:
        picture.line(rim, colour * 1.3 + 8, 1)


def _rounded_rectangle(hole: VesselOpening) -> Floats:
    """A rectangle with small round corners."""
    w, h = hole.half_cm
    r = 0.22 * min(w, h)
    a = np.linspace(0, np.pi / 2, 4)
    arc = np.stack([np.cos(a), np.sin(a)], -1) * r
    corners = []
    for k, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        c, s = np.cos(k * np.pi / 2), np.sin(k * np.pi / 2)
        turned = arc @ np.array([[c, s], [-s, c]])
        corners.append(turned + np.array([sx * (w - r), sy * (h - r)]))
    return np.concatenate(corners)
