"""Reading the truth off a painted picture: who is where, and how much of it is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import MultiPoint, box, unary_union
from shapely import Polygon as PolygonShape
from shapely.geometry.base import BaseGeometry as Shape

from demeter.vision.values import Box
from demeter_training.scenes.camera import Camera
from demeter_training.scenes.canvas import SceneCanvas
from demeter_training.scenes.stamp import Stamp
from demeter_training.scenes.values import SceneContainer, SceneEmpty, ScenePlant
from demeter_training.scenes.vessels import rim_of, silhouette
from demeter_training.scenes.world import VesselOpening, World, outline, painting_order, place_shape

MIN_SEEN_PX = 6
MIN_CONTAINER_SHARE = 0.03
HIDDEN_SHARE = 0.55

Polygon = tuple[tuple[float, float], ...]
Truth = tuple[tuple[SceneContainer, ...], tuple[ScenePlant, ...], tuple[SceneEmpty, ...]]


def read_truth(picture: SceneCanvas, world: World, stamps: dict[int, Stamp]) -> Truth:
    """Containers, plants and empty places of a painted picture."""
    polygons = visible_outlines(picture.camera, world)
    position = {v: k for k, v in enumerate(polygons)}
    plants = tuple(_plants(picture, world, stamps, position))
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


def visible_outlines(camera: Camera, world: World) -> dict[int, Polygon]:
    """The outline of what is seen of each vessel's rim, by its index in the world, in order.

    A vessel ends at its rim: what it holds stands inside it, packaging is measured across it,
    and it is the same from wherever it is seen, which its sides are not
    (``docs/decisions/0010-a-container-is-its-rim.md``). A vessel, sides and all, hides those
    painted before it; of a rim that is cut in two the larger part counts. One of which too
    little is seen is left out.
    """
    frame = box(0, 0, *camera.size_wh)
    outlines: dict[int, Polygon] = {}
    nearer: list[Shape] = []
    for v in painting_order(world)[::-1]:
        rim_px = MultiPoint(camera.project(rim_of(world.vessels[v]))).convex_hull
        rim_in_frame = rim_px.intersection(frame)
        hiding_shapes = [n for n in nearer if n.intersects(rim_in_frame)]
        part = _largest(
            rim_in_frame.difference(unary_union(hiding_shapes)) if hiding_shapes else rim_in_frame
        )
        nearer.append(MultiPoint(camera.project(silhouette(world.vessels[v]))).convex_hull)
        if part is not None and part.area >= MIN_CONTAINER_SHARE * rim_px.area:
            outlines[v] = tuple((float(x), float(y)) for x, y in part.exterior.coords[:-1])
    return {v: outlines[v] for v in sorted(outlines)}


def _largest(shape: Shape) -> PolygonShape | None:
    parts = [p for p in getattr(shape, "geoms", [shape]) if isinstance(p, PolygonShape)]
    return max((p for p in parts if not p.is_empty), key=lambda p: p.area, default=None)


def _plants(
    picture: SceneCanvas, world: World, stamps: dict[int, Stamp], position: dict[int, int]
) -> list[ScenePlant]:
    plants = []
    for n, mark in sorted(stamps.items()):
        own_pixels = picture.ids[mark.rows, mark.columns] == n + 1
        visible_px = int(own_pixels.sum())
        if visible_px < MIN_SEEN_PX:
            continue
        x, y, w, h = cv2.boundingRect(own_pixels.astype(np.uint8))
        left, top = mark.columns.start + x, mark.rows.start + y
        plant = world.plants[n]
        plants.append(
            ScenePlant(
                (float(left), float(top), float(left + w), float(top + h)),
                position.get(plant.vessel, -1),
                n,
                world.species[plant.species].kind,
                min(1.0, visible_px / max(1, mark.area_px)),
            )
        )
    return plants


def opening_box(picture: SceneCanvas, hole: VesselOpening) -> tuple[Box, NDArray[np.float64]]:
    """The box around an opening's rim, not cut to the frame, and its outline in pixels."""
    shape = place_shape(outline(hole.half_cm, hole.is_round), hole.x, hole.y, hole.yaw, hole.rim_z)
    px = picture.camera.project(shape)
    (x0, y0), (x1, y1) = px.min(0), px.max(0)
    return (float(x0), float(y0), float(x1), float(y1)), px


def _empties(picture: SceneCanvas, world: World, position: dict[int, int]) -> list[SceneEmpty]:
    occupied = {(p.vessel, p.opening) for p in world.plants}
    height, width = picture.ids.shape
    empties = []
    for v, vessel in enumerate(world.vessels):
        for k, hole in enumerate(vessel.openings):
            if (v, k) in occupied:
                continue
            (x0, y0, x1, y1), _ = opening_box(picture, hole)
            box = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
            if _is_visible(picture, box, (x1 - x0) * (y1 - y0)):
                empties.append(SceneEmpty(box, position.get(v, -1)))
    return empties


def _is_visible(picture: SceneCanvas, box: Box, whole_area: float) -> bool:
    x0, y0, x1, y1 = (round(v) for v in box)
    if x1 - x0 < 4 or y1 - y0 < 4 or (x1 - x0) * (y1 - y0) < 0.45 * whole_area:  # noqa: PLR2004
        return False
    return float((picture.ids[y0:y1, x0:x1] > 0).mean()) < HIDDEN_SHARE
