"""From a world and a camera to a picture with its truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.camera import Camera
from demeter_training.scenes.canvas import SceneCanvas
from demeter_training.scenes.chance import Rng, uniform
from demeter_training.scenes.clutter import paint_labels, paint_loose_things
from demeter_training.scenes.leaves import View
from demeter_training.scenes.light import Sun, develop, draw_sun
from demeter_training.scenes.plants import Sprite, draw_plant
from demeter_training.scenes.props import paint_backdrop, paint_finery, paint_signs
from demeter_training.scenes.stamp import Stamp, stamp
from demeter_training.scenes.surfaces import ground, soil, tint
from demeter_training.scenes.textures import MIXED_SOILS, mixed_soil
from demeter_training.scenes.truth import read_truth
from demeter_training.scenes.values import Bytes, Scene
from demeter_training.scenes.vessels import paint_pot, paint_vessel
from demeter_training.scenes.world import World, WorldPlant, painting_order

VARIANTS = 8


@dataclass(frozen=True, slots=True)
class CameraShot:
    """How one photo of a world was taken; ``seed`` draws its light, clutter and faults.

    ``moment`` draws anew what differs between two photos taken under one sun: what lies
    about loose and the camera's faults.
    """

    camera: Camera
    seed: int
    variants: int = 4
    faults: bool = True
    moment: int | None = None
    clutter: bool = True


def render(world: World, shot: CameraShot) -> Scene:
    """Paint a world as a camera sees it and read the truth off it.

    The same world and the same ``CameraShot`` give the same pixels.
    """
    rng = np.random.default_rng([shot.seed, world.seed, 11])
    surface = np.random.default_rng([world.seed, 13])
    picture = _blank_picture(surface, world, shot.camera)
    sun = draw_sun(rng)
    stamps: dict[int, Stamp] = {}
    things = np.random.default_rng([world.seed, 43])
    paint_backdrop(things, picture, world)
    for v in painting_order(world):
        paint_vessel(picture, world.vessels[v], sun)
        paint_finery(things, picture, world.vessels[v])
    _paint_contents(picture, world, shot, sun, stamps)
    paint_labels(rng, picture, world)
    paint_signs(things, picture, world)
    if shot.clutter:
        paint_loose_things(rng, picture)
    containers, plants, empties = read_truth(picture, world, stamps)
    if world.light is not None:
        picture.rgb[:] = np.clip(picture.rgb * np.array(world.light, np.float32), 0, 255)
    rgb = develop(rng, picture.rgb) if shot.faults else picture.rgb
    return Scene(rgb, containers, plants, empties, world.kind, world.seed)


def _blank_picture(rng: Rng, world: World, camera: Camera) -> SceneCanvas:
    width, height = camera.size_wh
    cm_per_px = _grain_cm(world) / uniform(rng, 25, 90)
    return SceneCanvas(
        rgb=_lay_texture(
            tint(rng, ground(world.ground, world.seed % VARIANTS)),
            camera,
            _grain_cm(world) / uniform(rng, 15, 60),
        ),
        soil=_lay_texture(tint(rng, _soil_texture(world)), camera, cm_per_px, _soil_z(world)),
        ids=np.zeros((height, width), np.int32),
        camera=camera,
    )


def _soil_texture(world: World) -> Bytes:
    variant = world.seed % VARIANTS
    is_mixed = world.soil in MIXED_SOILS
    return mixed_soil(world.soil, variant) if is_mixed else soil(world.soil, variant)


def _grain_cm(world: World) -> float:
    """A length by which surfaces are drawn: about a plant's width."""
    widths = [p.diameter_cm for p in world.plants] or [min(v.half_cm) / 2 for v in world.vessels]
    return float(np.median(widths)) if widths else 5.0


def _soil_z(world: World) -> float:
    """About how high soil lies in the vessels: photos from two places show it move rightly."""
    heights = [h.rim_z - h.sunk_cm for v in world.vessels for h in v.openings]
    return float(np.median(heights or [v.floor_z for v in world.vessels] or [0.0]))


def _lay_texture(texture: Bytes, camera: Camera, cm_per_px: float, z_cm: float = 0.0) -> Bytes:
    """A texture laid on a level plane as the camera sees it, mirrored at its edges."""
    side = texture.shape[0]
    to_ground = np.array(
        [[cm_per_px, 0, -side / 2 * cm_per_px], [0, cm_per_px, -side / 2 * cm_per_px], [0, 0, 1]]
    )
    matrix = camera.ground_to_image(z_cm) @ to_ground
    return cv2.warpPerspective(
        texture, matrix, camera.size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def _paint_contents(
    picture: SceneCanvas, world: World, shot: CameraShot, sun: Sun, stamps: dict[int, Stamp]
) -> None:
    """Pots in containers, then plants, each from far to near."""
    for y, v, k in sorted(
        (hole.y, v, k)
        for v, vessel in enumerate(world.vessels)
        for k, hole in enumerate(vessel.openings)
        if hole.depth_cm > 0
    ):
        vessel = world.vessels[v]
        del y
        paint_pot(picture, vessel.openings[k], vessel.pot_colour, sun)
    sprites = _Sprites(world, shot, sun)
    for n in np.argsort([p.y for p in world.plants], kind="stable"):
        plant = world.plants[int(n)]
        mark = stamp(picture, sprites.of(plant, shot.camera), plant, int(n) + 1, sun)
        if mark is not None:
            stamps[int(n)] = mark


class _Sprites:
    """Sprites by species and variant, each drawn when it is first needed."""

    def __init__(self, world: World, shot: CameraShot, sun: Sun) -> None:
        self._world, self._shot = world, shot
        self._view = View(shot.camera.tilt, sun.vector)
        self._drawn: dict[tuple[int, int], Sprite] = {}

    def of(self, plant: WorldPlant, camera: Camera) -> Sprite:
        """The sprite for one plant, drawn at about its size in the picture."""
        key = (plant.species, plant.variant % self._shot.variants)
        if key not in self._drawn:
            at = np.array([[plant.x, plant.y, plant.z]])
            reach = plant.diameter_cm / 2 * float(camera.px_per_cm(at)[0])
            rng = np.random.default_rng([self._world.seed, *key, 17])
            species = self._world.species[plant.species]
            self._drawn[key] = draw_plant(rng, species, self._view, float(np.clip(reach, 10, 160)))
        return self._drawn[key]
