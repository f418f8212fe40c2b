"""The scenes that training and tests ask for, by a seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demeter_training.scenes.camera import Camera
from demeter_training.scenes.chance import Rng, happens, log_uniform, pick, uniform
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.render import CameraShot, render
from demeter_training.scenes.values import Scene
from demeter_training.scenes.world import World


def scene(
    seed: int,
    size_wh: tuple[int, int],
    *,
    kind: str | None = None,
    plants: int | None = None,
    species: str | None = None,
) -> Scene:
    """A whole photo of a bench: every container in the frame or nearly.

    Args:
        seed: the same seed and size give the same scene.
        size_wh: width and height in pixels.
        kind: one of ``layout.WORLD_KINDS``; drawn if not given.
        plants: about how many places for plants there are; drawn if not given; 0 gives
            containers without plants.
        species: the one kind of plant, of ``species.KINDS`` or ``UNSEEN``; drawn if not given.
    """
    world = draw_world(seed, kind, plants, species)
    rng = np.random.default_rng([seed, 19])
    return render(world, CameraShot(whole_view(rng, world, size_wh), seed))


def tile(seed: int, side_px: int, plant_px: tuple[float, float] = (24.0, 280.0)) -> Scene:
    """A square cut from nearer by: plants of a size between two, in pixels."""
    rng = np.random.default_rng([seed, 23])
    world = draw_world(seed, plants=int(log_uniform(rng, 30, 500)))
    return render(world, CameraShot(close_view(rng, world, side_px, plant_px), seed, variants=3))


def random_tilt(rng: Rng) -> float:
    """From straight above to a steep look over the bench, in radians."""
    return pick(
        rng,
        [uniform(rng, 0, 0.14), uniform(rng, 0.14, 0.6), uniform(rng, 0.6, 0.9)],
        [0.4, 0.4, 0.2],
    )


def whole_view(rng: Rng, world: World, size_wh: tuple[int, int]) -> Camera:
    """A camera that sees all vessels, with a margin that differs from photo to photo."""
    half = np.array(
        [
            [v.x + sx * v.half_cm[0], v.y + sy * v.half_cm[1]]
            for v in world.vessels
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
    )
    low, high = half.min(0), half.max(0)
    size = np.maximum(high - low, 5)
    width, height = size_wh
    focal = uniform(rng, 0.75, 1.3) * max(size_wh)
    roll = rng.normal(0, 0.03)
    if (size[0] > size[1]) != (width > height):
        roll += np.pi / 2
        width, height = height, width
    tilt = min(random_tilt(rng), 0.75)
    near = happens(rng, 0.35)
    zoom = uniform(rng, 1.02, 2.0) if near else uniform(rng, 0.7, 1.02)
    far = focal * max(size[0] / width, size[1] * np.cos(tilt) / height) / zoom
    middle = (low + high) / 2 + rng.normal(0, 0.15 if near else 0.02, 2) * size
    return Camera(
        size_wh,
        focal,
        tilt,
        (float(middle[0]), float(middle[1])),
        float(far + size[1] / 2 * np.sin(tilt)),
        float(roll),
    )


def close_view(rng: Rng, world: World, side_px: int, plant_px: tuple[float, float]) -> Camera:
    """A camera near some plant, so near that plants have a wanted size."""
    focal = uniform(rng, 0.9, 3.0) * side_px
    if world.plants:
        near = world.plants[int(rng.integers(len(world.plants)))]
        at, size = np.array([near.x, near.y]), near.diameter_cm
    else:
        vessel = world.vessels[int(rng.integers(len(world.vessels)))]
        at, size = np.array([vessel.x, vessel.y]), min(vessel.half_cm) / 2
    size_px = log_uniform(rng, *plant_px)
    at = at + rng.normal(0, 0.15, 2) * side_px / size_px * size
    return Camera(
        (side_px, side_px),
        focal,
        random_tilt(rng),
        (float(at[0]), float(at[1])),
        focal * size / size_px,
        pick(rng, [0.0, rng.normal(0, 0.08)]),
    )


def move_camera(rng: Rng, camera: Camera, shift: tuple[float, float]) -> Camera:
    """The camera taken elsewhere: ``shift`` is the move in shares of the frame's width."""
    cm = camera.distance_cm / camera.focal_px * camera.size_wh[0]
    return replace(
        camera,
        target_cm=(camera.target_cm[0] + shift[0] * cm, camera.target_cm[1] + shift[1] * cm),
        distance_cm=camera.distance_cm * uniform(rng, 0.94, 1.06),
        tilt=max(0.0, camera.tilt + rng.normal(0, 0.02)),
        roll=camera.roll + rng.normal(0, 0.02),
    )
