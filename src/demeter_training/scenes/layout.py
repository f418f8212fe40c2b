"""What a bench holds: vessels of one kind, and the plants that grow in them."""

from __future__ import annotations

import numpy as np

from demeter_training.scenes.benches import BENCHES, grid
from demeter_training.scenes.chance import Rng, happens, log_uniform, pick, uniform, whole_number
from demeter_training.scenes.species import Species, draw_species
from demeter_training.scenes.values import Floats
from demeter_training.scenes.world import (
    Vessel,
    VesselOpening,
    World,
    WorldPlant,
    place_shape,
    random_turn,
)

WORLD_KINDS = {"bed": 0.24, "plug": 0.2, "seedling_tray": 0.18, "box": 0.18, "pots": 0.2}
GROUNDS = ("soil", "gravel", "concrete", "white", "cloth", "mesh", "slats", "planks", "metal")


def draw_world(
    seed: int, kind: str | None = None, plants: int | None = None, only: str | None = None
) -> World:
    """Draw a bench of one kind; ``plants`` is about how many places it should offer.

    ``only`` names the one kind of plant on it.
    """
    rng = np.random.default_rng([seed, 7])
    kind = kind or pick(rng, list(WORLD_KINDS), list(WORLD_KINDS.values()))
    species = _assortment(rng, kind) if only is None else [draw_species(rng, only)]
    places = plants if plants is not None else int(log_uniform(rng, 8, 400))
    vessels = BENCHES[kind](rng, max(1, places))
    fill = pick(rng, [1.0, uniform(rng, 0.6, 0.98), uniform(rng, 0.0, 0.6)], [0.25, 0.6, 0.15])
    placed_plants = [] if plants == 0 else _place_plants(rng, vessels, species, fill)
    foliage = kind == "pots" and happens(rng, 0.2)
    return World(
        kind=kind,
        vessels=tuple(vessels),
        plants=tuple(placed_plants),
        species=tuple(species),
        ground="foliage" if foliage else pick(rng, GROUNDS),
        soil=pick(
            rng,
            ["peat", "brown", "sand", "pumice", "clay", "fabric"],
            [0.35, 0.25, 0.12, 0.12, 0.12, 0.04],
        ),
        seed=seed,
    )


def _assortment(rng: Rng, kind: str) -> list[Species]:
    if kind == "seedling_tray":
        first = pick(rng, ["seedling", None], [0.6, 0.4])
    elif kind == "plug":
        first = pick(rng, ["seedling", "globe", "rosette", None], [0.25, 0.15, 0.2, 0.4])
    else:
        first = None
    count = 1 if happens(rng, 0.45) else whole_number(rng, 2, 6)
    return [draw_species(rng, first if k == 0 or happens(rng, 0.4) else None) for k in range(count)]


def _planting_points(rng: Rng, half_cm: tuple[float, float], pitch: float) -> Floats:
    """Points of open planting: rows that people set, more or less even."""
    columns = max(1, int(2 * half_cm[0] / pitch))
    rows = max(1, int(2 * half_cm[1] / pitch))
    points = grid(columns, rows, (pitch, pitch), happens(rng, 0.4))
    points = points + rng.normal(0, pitch * uniform(rng, 0.03, 0.22), points.shape)
    return points[(np.abs(points) < np.array(half_cm)).all(1)]


def _place_plants(
    rng: Rng, vessels: list[Vessel], species: list[Species], fill: float
) -> list[WorldPlant]:
    by_row, ratio = happens(rng, 0.5), log_uniform(rng, 0.4, 1.3)
    placed_plants: list[WorldPlant] = []
    for v, vessel in enumerate(vessels):
        if vessel.openings:
            for k, hole in enumerate(vessel.openings):
                if rng.random() < fill:
                    kind = (v if by_row else k) % len(species) if happens(rng, 0.9) else 0
                    placed_plants.append(_plant_in_opening(rng, hole, kind, ratio, (v, k)))
        else:
            placed_plants += _plants_in_soil(rng, vessel, v, len(species), fill)
    return placed_plants


def _plant_in_opening(
    rng: Rng, hole: VesselOpening, species: int, ratio: float, where: tuple[int, int]
) -> WorldPlant:
    r = min(hole.half_cm)
    size = 2 * r * ratio * uniform(rng, 0.72, 1.25)
    away = r * uniform(rng, 0, 0.3)
    turn = uniform(rng, 0, 6.28)
    return WorldPlant(
        hole.x + away * np.cos(turn),
        hole.y + away * np.sin(turn),
        hole.rim_z - hole.sunk_cm,
        size,
        species,
        *random_turn(rng),
        *where,
    )


def _plants_in_soil(
    rng: Rng, vessel: Vessel, index: int, kinds: int, fill: float
) -> list[WorldPlant]:
    pitch = vessel.pitch_cm
    points = _planting_points(
        rng,
        (
            vessel.half_cm[0] - vessel.wall_cm - pitch * 0.4,
            vessel.half_cm[1] - vessel.wall_cm - pitch * 0.4,
        ),
        pitch,
    )
    spots = place_shape(points, vessel.x, vessel.y, vessel.yaw, vessel.floor_z)
    cover, stripes = uniform(rng, 0.5, 1.25), happens(rng, 0.5)
    return [
        WorldPlant(
            float(x),
            float(y),
            vessel.floor_z,
            pitch * cover * uniform(rng, 0.75, 1.2),
            (k * kinds // len(spots) if stripes else int(rng.integers(kinds))),
            *random_turn(rng),
            index,
            -1,
        )
        for k, (x, y, _) in enumerate(spots)
        if rng.random() < max(fill, 0.5)
    ]
