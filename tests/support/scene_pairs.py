"""Pairs of rendered photos of one bed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demeter_training.scenes.compose import move_camera, whole_view
from demeter_training.scenes.demo import steady_camera
from demeter_training.scenes.render import CameraShot, render
from demeter_training.scenes.values import Scene
from demeter_training.scenes.world import World


def overlapping_photos(
    world: World, size_wh: tuple[int, int], overlap: float, seed: int
) -> tuple[Scene, Scene]:
    """Two photos along a bed that share a part ``overlap`` (0 to 1) of their width.

    Plants of one world have the same ``ScenePlant.world`` in both.
    """
    rng = np.random.default_rng([seed, world.seed, 47])
    whole_bed = steady_camera(whole_view(rng, world, size_wh))
    near = replace(whole_bed, distance_cm=whole_bed.distance_cm * 0.62)
    half = (1 - overlap) / 2
    along = np.cos(near.roll) * half, -np.sin(near.roll) * half / np.cos(near.tilt)
    left, right = move_camera(rng, near, (-along[0], -along[1])), move_camera(rng, near, along)
    right = replace(right, tilt=left.tilt)
    return (
        render(world, CameraShot(left, seed)),
        render(world, CameraShot(right, seed, moment=1)),
    )
