"""Photos for trying Demeter out: a bed, the same bed a month later, and trays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demeter.vision.scenes.camera import Camera
from demeter.vision.scenes.compose import moved, whole_view
from demeter.vision.scenes.layout import draw_world
from demeter.vision.scenes.render import Taken, render
from demeter.vision.scenes.values import Bytes, Scene
from demeter.vision.scenes.world import World, a_month_later

SIZE_WH = (2400, 1800)
BED_SEED, TRAY_SEED, POT_SEED = 15, 4, 27
SOLD = 0.25


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """A rendered photo: its name, what to say about it, how many days ago, and its truth."""

    name: str
    title: str
    days_ago: int
    scene: Scene

    @property
    def rgb(self) -> Bytes:
        """The picture, uint8, height x width x 3."""
        return self.scene.rgb


def demo_photos(size_wh: tuple[int, int] = SIZE_WH) -> list[DemoPhoto]:
    """Four rendered photos, always the same: a bed twice, plug trays, and pots.

    The second photo shows the first one's bed 30 days later, a quarter of it sold, from
    another place.
    """
    bed = draw_world(BED_SEED, "bed", 260)
    first, second = two_dates(bed, size_wh, SOLD, seed=1)
    trays, pots = draw_world(TRAY_SEED, "plug", 220), draw_world(POT_SEED, "pots", 24)
    return [
        DemoPhoto("bed-first", "A bed", 30, first),
        DemoPhoto("bed-later", "The same bed a month later", 0, second),
        DemoPhoto("plug-trays", "Plug trays", 0, _shown(trays, size_wh, 3)),
        DemoPhoto("pots", "Pots on a bench", 0, _shown(pots, size_wh, 4)),
    ]


def two_dates(
    world: World, size_wh: tuple[int, int], sold: float, seed: int
) -> tuple[Scene, Scene]:
    """A world now and a month later, with a share sold and the camera moved a little."""
    rng = np.random.default_rng([seed, world.seed, 43])
    camera = _steady(whole_view(rng, world, size_wh))
    later = a_month_later(world, seed, sold)
    return (
        render(world, Taken(camera, seed)),
        render(later, Taken(moved(rng, camera, (0.02, -0.015)), seed + 1)),
    )


def overlapping(
    world: World, size_wh: tuple[int, int], overlap: float, seed: int
) -> tuple[Scene, Scene]:
    """Two photos along a bed that share a part ``overlap`` (0 to 1) of their width.

    Plants of one world have the same ``ScenePlant.world`` in both.
    """
    rng = np.random.default_rng([seed, world.seed, 47])
    whole = _steady(whole_view(rng, world, size_wh))
    near = replace(whole, distance_cm=whole.distance_cm * 0.62)
    half = (1 - overlap) / 2
    left, right = moved(rng, near, (-half, 0.0)), moved(rng, near, (half, 0.0))
    return render(world, Taken(left, seed)), render(world, Taken(right, seed))


def _shown(world: World, size_wh: tuple[int, int], seed: int) -> Scene:
    rng = np.random.default_rng([seed, world.seed, 53])
    return render(world, Taken(_steady(whole_view(rng, world, size_wh)), seed))


def _steady(camera: Camera) -> Camera:
    """As people hold a phone: not rolled by much, looking down at a slant."""
    quarter = round(camera.roll / (np.pi / 2)) * np.pi / 2
    return replace(camera, roll=float(quarter + 0.02), tilt=min(camera.tilt, 0.5))
