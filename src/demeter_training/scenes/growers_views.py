"""Photos of growers' benches, and photos on which nothing grows, by a seed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from demeter.vision.values import Box
from demeter_training.scenes.camera import Camera
from demeter_training.scenes.canvas import SceneCanvas
from demeter_training.scenes.chance import Rng, happens, log_uniform, pick, uniform, whole_number
from demeter_training.scenes.clutter import paint_hand, paint_loose_things
from demeter_training.scenes.compose import close_view, whole_view
from demeter_training.scenes.growers import draw_growers_world
from demeter_training.scenes.light import develop
from demeter_training.scenes.props import paint_sheets
from demeter_training.scenes.render import CameraShot, render
from demeter_training.scenes.surfaces import ground
from demeter_training.scenes.textures import BARE, bare_surface
from demeter_training.scenes.truth import HIDDEN_SHARE
from demeter_training.scenes.values import Bytes, Mask, Scene
from demeter_training.scenes.world import Vessel, World

NEAREST = 0.35  # no vessel is nearer to the camera than this share of its distance


def growers_photo(seed: int, size_wh: tuple[int, int]) -> Scene:
    """A grower's photo: the whole bench, a part of it from near by, or along it, obliquely."""
    rng = np.random.default_rng([seed, 67])
    world = draw_growers_world(seed)
    shares = [0.2, 0.2, 0.6] if world.kind == "raft" else [0.4, 0.38, 0.22]
    draw = pick(rng, [whole_view, _near_view, oblique_view], shares)
    camera = draw(rng, world, size_wh)
    return render(_in_sight(world, camera), CameraShot(camera, seed))


def bare_photo(seed: int, size_wh: tuple[int, int]) -> Scene:
    """A photo without plants: soil in trays and hands, heaps, scrub, floors, packets, screens."""
    rng = np.random.default_rng([seed, 71])
    if happens(rng, 0.45):
        return _empty_bench(rng, seed, size_wh)
    rgb = _bare_ground(rng, size_wh)
    if happens(rng, 0.5):
        paint_sheets(rng, rgb, whole_number(rng, 1, 14))
    if happens(rng, 0.3):
        _paint_round_things(rng, rgb)
    picture = _canvas_of(rgb)
    paint_loose_things(rng, picture)
    if happens(rng, 0.2):
        _paint_hands(rng, picture)
    return Scene(develop(rng, picture.rgb), (), (), (), "bare", seed)


def _empty_bench(rng: Rng, seed: int, size_wh: tuple[int, int]) -> Scene:
    """Vessels with soil or without, and what lies on them: no plant."""
    world = draw_growers_world(seed, pick(rng, ["squares", "table", "trays", "bags", "benches"]), 0)
    if happens(rng, 0.3):
        world = replace(world, vessels=tuple(_without_soil(v) for v in world.vessels))
    near = happens(rng, 0.5)
    camera = (_near_view if near else whole_view)(rng, world, size_wh)
    scene = render(_in_sight(world, camera), CameraShot(camera, seed, faults=False))
    rgb = scene.rgb.copy()
    if happens(rng, 0.4):
        paint_sheets(rng, rgb, whole_number(rng, 1, 8))
    picture = _canvas_of(rgb)
    if happens(rng, 0.5):
        _paint_hands(rng, picture)
    covered = (picture.rgb != scene.rgb).any(2)
    seen = tuple(e for e in scene.empties if _share_in(covered, e.xyxy_px) < HIDDEN_SHARE)
    containers = tuple(
        replace(c, empties=sum(e.container == k for e in seen))
        for k, c in enumerate(scene.containers)
    )
    rgb = develop(rng, picture.rgb)
    return replace(scene, rgb=rgb, kind="bare", empties=seen, containers=containers)


def _share_in(mask: Mask, box: Box) -> float:
    x0, y0, x1, y1 = (round(v) for v in box)
    return float(mask[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].mean())


def _without_soil(vessel: Vessel) -> Vessel:
    return replace(vessel, openings=tuple(replace(h, has_soil=False) for h in vessel.openings))


def _paint_hands(rng: Rng, picture: SceneCanvas) -> None:
    side = max(picture.ids.shape)
    for _ in range(whole_number(rng, 1, 2)):
        paint_hand(rng, picture, int(side * uniform(rng, 0.7, 1.8)))


def _canvas_of(rgb: Bytes) -> SceneCanvas:
    height, width = rgb.shape[:2]
    camera = Camera((width, height), float(width), 0.0, (0.0, 0.0), 100.0)
    return SceneCanvas(rgb=rgb, soil=rgb, ids=np.zeros((height, width), np.int32), camera=camera)


def _bare_ground(rng: Rng, size_wh: tuple[int, int]) -> Bytes:
    """A surface from above or obliquely; sometimes another behind it."""
    rgb = _lay(rng, _surface(rng), size_wh)
    if happens(rng, 0.25):
        line = int(size_wh[1] * uniform(rng, 0.15, 0.6))
        rgb[:line] = _lay(rng, _surface(rng), size_wh)[:line]
    return rgb


def _surface(rng: Rng) -> Bytes:
    if happens(rng, 0.65):
        return bare_surface(rng, pick(rng, list(BARE)))
    kinds = ["soil", "gravel", "concrete", "white", "cloth", "mesh", "slats", "planks", "metal"]
    return ground(pick(rng, [*kinds, "foliage"]), int(rng.integers(8)))


def _lay(rng: Rng, texture: Bytes, size_wh: tuple[int, int]) -> Bytes:
    width, height = size_wh
    side, zoom = texture.shape[0], log_uniform(rng, 0.15, 3.0) * max(size_wh) / 1600
    lean, turn = uniform(rng, 0, 0.0007 if happens(rng, 0.5) else 0.0), uniform(rng, 0, 6.28)
    c, s = np.cos(turn) * zoom, np.sin(turn) * zoom
    place = np.array([[c, -s, width / 2], [s, c, height / 2], [0, 0, 1]]) @ np.array(
        [[1, 0, -side / 2], [0, 1, -side / 2], [0, 0, 1]]
    )
    tilt = np.array([[1, 0, 0], [0, 1, 0], [0, lean * 1600 / max(size_wh), 1]])
    return cv2.warpPerspective(
        texture, tilt @ place, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def _paint_round_things(rng: Rng, rgb: Bytes) -> None:
    """Cups, tins, lids, coins from above."""
    height, width = rgb.shape[:2]
    r = max(height, width) * log_uniform(rng, 0.01, 0.2)
    for _ in range(whole_number(rng, 1, 30 if r < 0.04 * width else 4)):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        tone = rng.uniform(10, 250, 3)
        for share in (1.0, 0.9, 0.8, 0.35):
            gain = uniform(rng, 0.4, 1.3)
            fill = np.clip(tone * gain, 0, 255).tolist()
            cv2.circle(rgb, at, max(1, int(r * share)), fill, -1, cv2.LINE_AA)


def _near_view(rng: Rng, world: World, size_wh: tuple[int, int]) -> Camera:
    """From so near that a plant is a thirtieth to a third of the frame."""
    side = max(size_wh)
    camera = close_view(rng, world, side, (side / 30, side / 3))
    return replace(camera, size_wh=size_wh, tilt=min(camera.tilt, 0.8))


def oblique_view(rng: Rng, world: World, size_wh: tuple[int, int]) -> Camera:
    """Along the bench from its near end: far plants are several times smaller."""
    focal = uniform(rng, 0.8, 1.5) * max(size_wh)
    half_view = float(np.arctan(size_wh[1] / 2 / focal))
    tilt = min(uniform(rng, 0.8, 1.2), 1.42 - half_view)
    low = min(v.y - v.half_cm[1] for v in world.vessels)
    high = max(v.y + v.half_cm[1] for v in world.vessels)
    wide = max(abs(v.x) + v.half_cm[0] for v in world.vessels)
    distance = max(20.0, uniform(rng, 0.5, 1.3) * max(wide * 2, (high - low) * 0.6))
    target = high - (high - low) * uniform(rng, 0.2, 0.5)
    return Camera(
        size_wh,
        focal,
        tilt,
        (float(rng.normal(0, wide * 0.2)), target),
        distance,
        rng.normal(0, 0.03),
    )


def _in_sight(world: World, camera: Camera) -> World:
    """The world without vessels beside or behind the camera, which no lens could show."""
    s, c = np.sin(camera.tilt), np.cos(camera.tilt)
    kept = [
        v
        for v, vessel in enumerate(world.vessels)
        if camera.distance_cm
        - (vessel.y + max(vessel.half_cm) - camera.target_cm[1]) * s
        - vessel.height_cm * c
        > NEAREST * camera.distance_cm
    ]
    if len(kept) == len(world.vessels) or not kept:
        return world
    number = {v: k for k, v in enumerate(kept)}
    return replace(
        world,
        vessels=tuple(world.vessels[v] for v in kept),
        plants=tuple(
            replace(p, vessel=number[p.vessel]) for p in world.plants if p.vessel in number
        ),
    )
