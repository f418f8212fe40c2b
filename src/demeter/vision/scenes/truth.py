"""Reading the truth off a painted picture: who is where, and how much of it is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.scenes.canvas import Picture
from demeter.vision.scenes.stamp import Stamped
from demeter.vision.scenes.values import Box, Floats, SceneContainer, SceneEmpty, ScenePlant
from demeter.vision.scenes.vessels import silhouette
from demeter.vision.scenes.world import Opening, World, outline, placed

MIN_SEEN_PX = 6
MIN_CONTAINER_SHARE = 0.03
HIDDEN_SHARE = 0.55

Truth = tuple[tuple[SceneContainer, ...], tuple[ScenePlant, ...], tuple[SceneEmpty, ...]]


def read_truth(picture: Picture, world: World, stamped: dict[int, Stamped]) -> Truth:
    """Containers, plants and empty places of a painted picture."""
    polygons = {v: p for v, p in _polygons(picture, world) if p is not None}
    position = {v: k for k, v in enumerate(polygons)}
    plants = tuple(_plants(picture, world, stamped, position))
    empties = tuple(_empties(picture, world, position))
    containers = tuple(
        SceneContainer(
            world.vessels[v].container_type,
            polygon,
            v,
            sum(p.container == k for p in plants),
            sum(e.container == k for e in empties),
        )
        for k, (v, polygon) in enumerate(polygons.items())
    )
    return containers, plants, empties


def _polygons(
    picture: Picture, world: World
) -> list[tuple[int, tuple[tuple[float, float], ...] | None]]:
    return [
        (v, clipped_hull(picture.camera.project(silhouette(vessel)), picture.camera.size_wh))
        for v, vessel in enumerate(world.vessels)
    ]


def clipped_hull(
    points_px: Floats, size_wh: tuple[int, int]
) -> tuple[tuple[float, float], ...] | None:
    """The convex outline of points, cut to the frame; None where too little is in it."""
    shape = cv2.convexHull(points_px.astype(np.float32))
    w, h = size_wh
    frame = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    area, part = cv2.intersectConvexConvex(shape, frame)
    if part is None or area < MIN_CONTAINER_SHARE * cv2.contourArea(shape):
        return None
    return tuple((float(x), float(y)) for x, y in part.reshape(-1, 2))


def _plants(
    picture: Picture, world: World, stamped: dict[int, Stamped], position: dict[int, int]
) -> list[ScenePlant]:
    found = []
    for n, mark in sorted(stamped.items()):
        mine = picture.ids[mark.rows, mark.columns] == n + 1
        seen = int(mine.sum())
        if seen < MIN_SEEN_PX:
            continue
        x, y, w, h = cv2.boundingRect(mine.astype(np.uint8))
        left, top = mark.columns.start + x, mark.rows.start + y
        plant = world.plants[n]
        found.append(
            ScenePlant(
                (float(left), float(top), float(left + w), float(top + h)),
                position.get(plant.vessel, -1),
                n,
                world.species[plant.species].kind,
                min(1.0, seen / max(1, mark.area_px)),
            )
        )
    return found


def opening_box(picture: Picture, hole: Opening) -> tuple[Box, NDArray[np.float64]]:
    """The box around an opening's rim, not cut to the frame, and its outline in pixels."""
    shape = placed(outline(hole.half_cm, hole.is_round), hole.x, hole.y, hole.yaw, hole.rim_z)
    px = picture.camera.project(shape)
    (x0, y0), (x1, y1) = px.min(0), px.max(0)
    return (float(x0), float(y0), float(x1), float(y1)), px


def _empties(picture: Picture, world: World, position: dict[int, int]) -> list[SceneEmpty]:
    taken = {(p.vessel, p.opening) for p in world.plants}
    height, width = picture.ids.shape
    found = []
    for v, vessel in enumerate(world.vessels):
        for k, hole in enumerate(vessel.openings):
            if (v, k) in taken:
                continue
            (x0, y0, x1, y1), _ = opening_box(picture, hole)
            box = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
            if _is_seen(picture, box, (x1 - x0) * (y1 - y0)):
                found.append(SceneEmpty(box, position.get(v, -1)))
    return found


def _is_seen(picture: Picture, box: Box, whole_area: float) -> bool:
    x0, y0, x1, y1 = (round(v) for v in box)
    if x1 - x0 < 4 or y1 - y0 < 4 or (x1 - x0) * (y1 - y0) < 0.45 * whole_area:  # noqa: PLR2004
        return False
    return float((picture.ids[y0:y1, x0:x1] > 0).mean()) < HIDDEN_SHARE
