"""What stands on a bench before anyone photographs it, in centimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demeter.vision.values import ContainerType
from demeter_training.scenes.chance import Rng, happens, uniform
from demeter_training.scenes.species import Species
from demeter_training.scenes.values import Floats


@dataclass(frozen=True, slots=True)
class VesselOpening:
    """A pot's rim or a tray's cell: where one plant may stand.

    ``half_cm`` is half its width and length; ``sunk_cm`` how far its soil lies below the rim.
    ``depth_cm`` is the pot's own height, 0 for a cell of a tray.
    """

    x: float
    y: float
    rim_z: float
    half_cm: tuple[float, float]
    is_round: bool
    yaw: float
    sunk_cm: float
    depth_cm: float = 0.0
    has_soil: bool = True


@dataclass(frozen=True, slots=True)
class Vessel:
    """A container: a box, round or square, with what it is made of and its openings.

    ``pitch_cm`` is how far apart plants stand where they grow in its open soil. ``is_printed``:
    its sides carry letters; ``ribbon`` is the colour of a bow on its front.
    """

    container_type: ContainerType
    x: float
    y: float
    yaw: float
    half_cm: tuple[float, float]
    height_cm: float
    wall_cm: float
    is_round: bool
    colour: Floats
    pot_colour: Floats
    taper: float
    floor_z: float
    openings: tuple[VesselOpening, ...]
    is_plate: bool
    ribs: int = 0
    pitch_cm: float = 5.0
    is_printed: bool = False
    ribbon: Floats | None = None


@dataclass(frozen=True, slots=True)
class WorldPlant:
    """One plant where it stands; ``opening`` is -1 where it grows in open soil."""

    x: float
    y: float
    z: float
    diameter_cm: float
    species: int
    variant: int
    flipped: bool
    spin: float
    gain: float
    vessel: int
    opening: int


@dataclass(frozen=True, slots=True)
class World:
    """Vessels, plants and the surface they stand on; photos are taken of it.

    ``light`` is the lamps' colour as a factor a channel, ``backdrop`` the kind of surface that a
    wall behind the bench shows, ``sign_share`` how many plants have a lettered sign.
    """

    kind: str
    vessels: tuple[Vessel, ...]
    plants: tuple[WorldPlant, ...]
    species: tuple[Species, ...]
    ground: str
    soil: str
    seed: int
    light: tuple[float, float, float] | None = None
    backdrop: str | None = None
    sign_share: float = 0.0


def painting_order(world: World) -> list[int]:
    """Indices of the vessels from far to near: a later one hides those before it."""
    return sorted(range(len(world.vessels)), key=lambda v: world.vessels[v].y)


def outline(half_cm: tuple[float, float], is_round: bool, sides: int = 28) -> Floats:
    """Corners of a rectangle or a circle about the origin, N x 2."""
    if is_round:
        a = np.arange(sides) * 2 * np.pi / sides
        return np.stack([np.cos(a) * half_cm[0], np.sin(a) * half_cm[1]], -1)
    w, h = half_cm
    return np.array([[-w, -h], [w, -h], [w, h], [-w, h]], float)


def place_shape(shape: Floats, x: float, y: float, yaw: float, z: float) -> Floats:
    """A flat shape turned by ``yaw`` and put at (x, y, z): N x 3."""
    c, s = np.cos(yaw), np.sin(yaw)
    turned = shape @ np.array([[c, s], [-s, c]])
    return np.column_stack([turned[:, 0] + x, turned[:, 1] + y, np.full(len(shape), z)])


def a_month_later(world: World, seed: int, sold: float) -> World:
    """The same vessels with a share ``sold`` of the plants gone and the rest grown.

    Half of what goes is taken from one side, as people load a trolley; the rest here and
    there.
    """
    rng: Rng = np.random.default_rng([seed, world.seed, 41])
    if not world.plants:
        return world
    at = np.array([[p.x, p.y] for p in world.plants])
    way = rng.normal(size=2)
    rank = np.argsort(np.argsort(at @ way)) / len(at)
    is_gone = (rank < sold / 2) | (rng.random(len(at)) < sold / 2)
    growth = uniform(rng, 1.0, 1.15)
    remaining = tuple(
        replace(p, diameter_cm=p.diameter_cm * growth, spin=p.spin + rng.normal(0, 0.05))
        for p, gone in zip(world.plants, is_gone, strict=True)
        if not gone
    )
    return replace(world, plants=remaining)


def random_turn(rng: Rng) -> tuple[int, bool, float, float]:
    """Variant number, mirrored or not, turn and brightness of a single plant."""
    return (
        int(rng.integers(1 << 16)),
        happens(rng, 0.5),
        uniform(rng, 0, 6.28),
        uniform(rng, 0.82, 1.12),
    )
