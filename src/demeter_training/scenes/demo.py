"""Photos for trying Demeter out: a bed, the same bed a month later, and trays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from demeter_training.scenes.camera import Camera
from demeter_training.scenes.chance import hsv
from demeter_training.scenes.compose import move_camera, whole_view
from demeter_training.scenes.growers_views import bare_photo
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.render import CameraShot, render
from demeter_training.scenes.species import draw_species
from demeter_training.scenes.values import Bytes, Scene
from demeter_training.scenes.world import World, WorldPlant, a_month_later

SIZE_WH, SMALL_WH = (2400, 1800), (1200, 900)
BED_SEED, TRAY_SEED, POT_SEED = 61, 60, 86
SOIL_SEED, POCKET_SEED = 19, 17
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


def demo_photos(size_wh: tuple[int, int] = SIZE_WH) -> Iterator[DemoPhoto]:
    """Four rendered photos, always the same: a bed twice, plug trays, and pots.

    The second photo shows the first one's bed 30 days later, a quarter of it sold, from
    another place.
    """
    bed = _dress(draw_world(BED_SEED, "bed", 260), "peat", "concrete")
    first, second = photos_on_two_dates(bed, size_wh, SOLD, seed=1, clutter=False)
    yield DemoPhoto("bed-first", "A bed", 30, first)
    yield DemoPhoto("bed-later", "The same bed a month later", 0, second)
    trays = _dress(draw_world(TRAY_SEED, "plug", 220), "brown", "metal")
    yield DemoPhoto("plug-trays", "Plug trays", 0, _render_photo(trays, size_wh, 5))
    pots = _dress(draw_world(POT_SEED, "pots", 24), "pumice", "planks")
    yield DemoPhoto("pots", "Pots on a bench", 0, _render_photo(pots, size_wh, 7))


def doubtful_photos(size_wh: tuple[int, int] = SMALL_WH) -> Iterator[DemoPhoto]:
    """Six smaller photos, always the same, as they come in on a day when much goes wrong."""
    shelf = _dress(draw_world(POT_SEED, "pots", 24), "pumice", "concrete")
    yield DemoPhoto("which-bed", "Pots of one of two beds", 0, _render_photo(shelf, size_wh, 11))
    trays = _dress(draw_world(TRAY_SEED + 3, "plug", 90), "brown", "planks")
    yield DemoPhoto("new-trays", "Trays on a new bench", 0, _render_photo(trays, size_wh, 12))
    corner = _dress(draw_world(POT_SEED + 1, "pots", 20), "peat", "planks")
    yield DemoPhoto("corner", "A corner of a full bed", 0, _render_photo(corner, size_wh, 13))
    others = _dress(draw_world(BED_SEED + 2, "bed", 120), "brown", "concrete")
    yield DemoPhoto("others", "A bed of other plants", 0, _render_photo(others, size_wh, 14))
    yield DemoPhoto("soil", "A tray with soil, not sown yet", 0, bare_photo(SOIL_SEED, size_wh))
    yield DemoPhoto("pocket", "Taken in a pocket", 0, bare_photo(POCKET_SEED, size_wh))


def photos_on_two_dates(
    world: World, size_wh: tuple[int, int], sold: float, seed: int, *, clutter: bool = True
) -> tuple[Scene, Scene]:
    """A world now and a month later, with a share sold and the camera moved a little."""
    rng = np.random.default_rng([seed, world.seed, 43])
    camera = steady_camera(whole_view(rng, world, size_wh))
    later = a_month_later(world, seed, sold)
    return (
        render(world, CameraShot(camera, seed, clutter=clutter)),
        render(
            later, CameraShot(move_camera(rng, camera, (0.02, -0.015)), seed + 1, clutter=clutter)
        ),
    )


def _dress(world: World, soil: str, ground: str) -> World:
    """The same places with three good-looking kinds of plants, row by row."""
    rng = np.random.default_rng([world.seed, 59])
    blue, green = hsv(78, 70, 190), hsv(46, 110, 170)
    kinds = (
        replace(draw_species(rng, "rosette"), colour=blue, edge_share=0.3, leaves=34, slender=0.5),
        replace(draw_species(rng, "globe"), colour=green, ribs=16, spines=0.6),
        replace(draw_species(rng, "rosette"), colour=green, edge_share=0.0, leaves=24, tip=0.5),
    )
    ordered_plants = sorted(world.plants, key=lambda p: (round(p.y, 1), p.x))
    share = max(1, -(-len(ordered_plants) // len(kinds)))
    plants = tuple(
        replace(p, species=k // share, diameter_cm=_fitting_diameter_cm(p, world))
        for k, p in enumerate(ordered_plants)
    )
    return replace(world, plants=plants, species=kinds, soil=soil, ground=ground)


def _fitting_diameter_cm(plant: WorldPlant, world: World) -> float:
    """At least three quarters as wide as the opening or the spacing it has."""
    vessel = world.vessels[plant.vessel]
    holes = vessel.openings
    room = 2 * min(holes[plant.opening].half_cm) if plant.opening >= 0 else vessel.pitch_cm
    return float(np.clip(plant.diameter_cm, 0.7 * room, 1.05 * room))


def _render_photo(world: World, size_wh: tuple[int, int], seed: int) -> Scene:
    rng = np.random.default_rng([seed, world.seed, 53])
    return render(
        world, CameraShot(steady_camera(whole_view(rng, world, size_wh)), seed, clutter=False)
    )


def steady_camera(camera: Camera) -> Camera:
    """As people hold a phone: not rolled by much, looking down at a slant."""
    quarter = round(camera.roll / (np.pi / 2)) * np.pi / 2
    return replace(camera, roll=float(quarter + 0.02), tilt=min(camera.tilt, 0.5))
