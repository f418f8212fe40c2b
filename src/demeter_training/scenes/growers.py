"""Benches as growers photograph them: what the plain ones leave out, drawn by a seed.

Square pots wall to wall, plants that hide their rims, heads that share a pot, small cacti in
white gravel, two seedlings a cell, lettuces on rafts, printed bags, signs and bows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from demeter.vision.values import ContainerType
from demeter_training.scenes.benches import BENCHES, grid
from demeter_training.scenes.chance import (
    Rng,
    grey,
    happens,
    hsv,
    log_uniform,
    pick,
    uniform,
    whole_number,
)
from demeter_training.scenes.growers_species import draw_growers_species
from demeter_training.scenes.props import bow_colour
from demeter_training.scenes.species import Species
from demeter_training.scenes.surfaces import SOILS
from demeter_training.scenes.textures import MIXED_SOILS
from demeter_training.scenes.values import Floats
from demeter_training.scenes.world import (
    Vessel,
    VesselOpening,
    World,
    WorldPlant,
    place_shape,
    random_turn,
)

GROWER_KINDS = {
    "squares": 0.24,
    "table": 0.2,
    "trays": 0.16,
    "raft": 0.12,
    "bags": 0.08,
    "benches": 0.2,
}
SPECIES_OF = {
    "squares": ("cactus", "heads", "stones", "large", "ruffled", "spiny", "stack", None),
    "table": ("small", "large", "ruffled", "heads", "spiny", "stack", None),
    "trays": ("sprout", "sprout", "leafy", None),
    "raft": ("lettuce", "lettuce", "leafy"),
    "bags": ("leafy", "lettuce", "large", None),
    "benches": ("large", "ruffled", "heads", "cactus", "leafy", None),
}
GROUNDS = ("soil", "gravel", "concrete", "white", "cloth", "cloth", "mesh", "slats", "planks")


@dataclass(frozen=True, slots=True)
class Planting:
    """How plants stand in their places: how wide beside these, how many a place, how full."""

    ratio: float
    heads: int
    fill: float
    spread: float


def draw_growers_world(seed: int, kind: str | None = None, places: int | None = None) -> World:
    """Draw a bench of one of ``GROWER_KINDS``; ``places`` 0 gives vessels without plants."""
    rng = np.random.default_rng([seed, 61])
    kind = kind or pick(rng, list(GROWER_KINDS), list(GROWER_KINDS.values()))
    few, many = (40, 400) if kind == "raft" else (4, 160)
    count = max(1, places) if places else int(log_uniform(rng, few, many))
    vessels = _VESSELS[kind](rng, count)
    species = _assortment(rng, kind)
    planting = _draw_planting(rng, kind)
    plants = [] if places == 0 else _plant_all(rng, vessels, species, planting)
    purple = happens(rng, 0.06)
    return World(
        kind=kind,
        vessels=tuple(vessels),
        plants=tuple(plants),
        species=tuple(species),
        ground="foliage" if happens(rng, 0.08) else pick(rng, GROUNDS),
        soil=_soil_kind(rng, kind),
        seed=seed,
        light=(uniform(rng, 0.8, 1.2), uniform(rng, 0.4, 0.75), uniform(rng, 1.0, 1.5))
        if purple
        else None,
        backdrop=pick(rng, ["foliage", "concrete", "white", "planks", "slats", "mesh"])
        if happens(rng, 0.6)
        else None,
        sign_share=uniform(rng, 0.05, 0.8) if kind != "raft" and happens(rng, 0.22) else 0.0,
    )


def _soil_kind(rng: Rng, kind: str) -> str:
    if kind == "table" and happens(rng, 0.4):
        return "white_gravel"
    if happens(rng, 0.65):
        return pick(rng, list(MIXED_SOILS))
    return pick(rng, list(SOILS))


def _assortment(rng: Rng, kind: str) -> list[Species]:
    count = 1 if happens(rng, 0.4) else whole_number(rng, 2, 6)
    first = pick(rng, SPECIES_OF[kind])
    return [
        draw_growers_species(
            rng, first if k == 0 or happens(rng, 0.4) else pick(rng, SPECIES_OF[kind])
        )
        for k in range(count)
    ]


def _draw_planting(rng: Rng, kind: str) -> Planting:
    ratio = {
        "table": log_uniform(rng, 0.35, 1.1),
        "trays": log_uniform(rng, 0.3, 1.2),
        "raft": log_uniform(rng, 0.8, 1.35),
    }.get(kind, log_uniform(rng, 0.45, 1.9))
    heads = pick(rng, [1, 2, 2, 3]) if kind == "trays" and happens(rng, 0.5) else 1
    fill = pick(rng, [1.0, uniform(rng, 0.7, 1.0), uniform(rng, 0.2, 0.7)], [0.5, 0.4, 0.1])
    return Planting(ratio if heads == 1 else min(ratio, 0.6), heads, fill, uniform(rng, 0.05, 0.3))


def _plant_all(
    rng: Rng, vessels: list[Vessel], species: list[Species], planting: Planting
) -> list[WorldPlant]:
    by_vessel = happens(rng, 0.5)
    plants: list[WorldPlant] = []
    for v, vessel in enumerate(vessels):
        if vessel.openings:
            for k, hole in enumerate(vessel.openings):
                if rng.random() < planting.fill:
                    kind = (v if by_vessel else v + k) % len(species)
                    kind = kind if happens(rng, 0.8) else int(rng.integers(len(species)))
                    plants += _plant_place(rng, hole, kind, planting, (v, k))
        else:
            plants += _plant_ground(rng, vessel, v, len(species), planting)
    return plants


def _plant_place(
    rng: Rng, hole: VesselOpening, kind: int, planting: Planting, where: tuple[int, int]
) -> list[WorldPlant]:
    """What stands in one place: a plant, or seedlings beside each other."""
    r = min(hole.half_cm)
    heads = planting.heads if happens(rng, 0.8) else 1
    turn = uniform(rng, 0, 6.28)
    plants = []
    for k in range(heads):
        away = r * (uniform(rng, 0.3, 0.5) if heads > 1 else uniform(rng, 0, planting.spread))
        way = turn + 6.28 * k / heads
        size = 2 * r * planting.ratio * uniform(rng, 0.7, 1.25)
        x, y = hole.x + away * np.cos(way), hole.y + away * np.sin(way)
        z = hole.rim_z - hole.sunk_cm
        plants.append(WorldPlant(x, y, z, size, kind, *random_turn(rng), *where))
    return plants


def _plant_ground(
    rng: Rng, vessel: Vessel, index: int, kinds: int, planting: Planting
) -> list[WorldPlant]:
    pitch = vessel.pitch_cm
    inner = np.array(vessel.half_cm) - vessel.wall_cm - pitch * 0.3
    counts = np.maximum(1, (2 * inner / pitch).astype(int))
    points = grid(int(counts[0]), int(counts[1]), (pitch, pitch), happens(rng, 0.4))
    points = points + rng.normal(0, pitch * 0.05, points.shape)
    points = points[(np.abs(points) < np.maximum(inner, pitch)).all(1)]
    spots = place_shape(points, vessel.x, vessel.y, vessel.yaw, vessel.floor_z)
    stripes = happens(rng, 0.6)
    return [
        WorldPlant(
            float(x),
            float(y),
            vessel.floor_z,
            pitch * planting.ratio * uniform(rng, 0.85, 1.15),
            (k * kinds // len(spots) if stripes else int(rng.integers(kinds))),
            *random_turn(rng),
            index,
            -1,
        )
        for k, (x, y, _) in enumerate(spots)
        if rng.random() < max(planting.fill, 0.6)
    ]


def _pot(
    rng: Rng,
    at: Floats,
    half: float,
    height: float,
    colour: Floats,
    *,
    is_round: bool,
    taper: float,
    rim: float,
) -> Vessel:
    """One pot of its own; ``rim`` is how much of its half width is not rim."""
    x, y, yaw = float(at[0]), float(at[1]), float(rng.normal(0, 0.04))
    inner = half * rim
    hole = VesselOpening(
        x, y, height, (inner, inner), is_round, yaw, height * uniform(rng, 0.03, 0.25), 0.0
    )
    return Vessel(
        ContainerType.POT,
        x,
        y,
        yaw,
        (half, half),
        height,
        wall_cm=half * (1 - rim),
        is_round=is_round,
        colour=colour,
        pot_colour=colour,
        taper=taper,
        floor_z=height * 0.5,
        openings=(hole,),
        is_plate=True,
    )


def _squares(rng: Rng, places: int) -> list[Vessel]:
    """Square pots, most of them black, wall to wall or nearly."""
    half, count = log_uniform(rng, 2.5, 8), min(places, 150)
    pitch = 2 * half * (uniform(rng, 1.0, 1.04) if happens(rng, 0.7) else uniform(rng, 1.04, 1.25))
    columns = max(1, round(np.sqrt(count * uniform(rng, 0.5, 2.0))))
    points = grid(columns, -(-count // columns), (pitch, pitch), stagger=False)[:count]
    points = points + rng.normal(0, half * pick(rng, [0.005, 0.02, 0.05]), points.shape)
    dark = grey(rng, 10, 55) if happens(rng, 0.7) else hsv(uniform(rng, 4, 16), 150, 180)
    height, rim = half * uniform(rng, 1.4, 2.4), uniform(rng, 0.84, 0.95)
    return [
        _pot(
            rng,
            p,
            half,
            height,
            dark * uniform(rng, 0.85, 1.15),
            is_round=False,
            taper=0.8,
            rim=rim,
        )
        for p in points
    ]


def _table(rng: Rng, places: int) -> list[Vessel]:
    """Pots of several sizes, near or far from each other, some with bows."""
    r, count = log_uniform(rng, 3, 9), min(places, 60)
    uneven = uniform(rng, 0, 0.35)
    pitch = 2 * r * uniform(rng, 1.05, 2.4) * (1 + uneven)
    columns = max(1, round(np.sqrt(count * uniform(rng, 0.6, 2.2))))
    points = grid(columns, -(-count // columns), (pitch, pitch), happens(rng, 0.5))[:count]
    points = points + rng.normal(0, pitch * uniform(rng, 0.01, 0.08), points.shape)
    colours = [
        pick(rng, [grey(rng, 10, 60), grey(rng, 190, 250), hsv(uniform(rng, 4, 16), 150, 210)])
    ]
    if happens(rng, 0.4):
        colours += [hsv(uniform(rng, 0, 180), uniform(rng, 40, 200), uniform(rng, 80, 230))] * 2
    bow = bow_colour(rng) if happens(rng, 0.3) else None
    is_round, stout = not happens(rng, 0.1), uniform(rng, 1.0, 1.9)
    vessels = []
    for p in points:
        half = r * float(np.exp(rng.normal(0, uneven)))
        pot = _pot(
            rng,
            p,
            half,
            half * stout,
            pick(rng, colours),
            is_round=is_round,
            taper=uniform(rng, 0.62, 0.85),
            rim=uniform(rng, 0.86, 0.94),
        )
        vessels.append(replace(pot, ribbon=bow if bow is not None and happens(rng, 0.6) else None))
    return vessels


def _bags(rng: Rng, places: int) -> list[Vessel]:
    """Grow bags: soft, dark or white, letters on their sides."""
    r, count = log_uniform(rng, 7, 20), min(places, 50)
    pitch = 2 * r * uniform(rng, 1.05, 1.7)
    columns = max(1, round(np.sqrt(count * uniform(rng, 0.5, 2.0))))
    points = grid(columns, -(-count // columns), (pitch, pitch), happens(rng, 0.4))[:count]
    points = points + rng.normal(0, pitch * 0.04, points.shape)
    colour = pick(rng, [grey(rng, 15, 60), grey(rng, 190, 245), hsv(14, 120, 120)])
    height, printed = r * uniform(rng, 1.2, 2.0), happens(rng, 0.8)
    return [
        replace(
            _pot(
                rng,
                p,
                r * uniform(rng, 0.9, 1.1),
                height,
                colour,
                is_round=True,
                taper=uniform(rng, 0.85, 1.0),
                rim=uniform(rng, 0.93, 0.98),
            ),
            is_printed=printed,
        )
        for p in points
    ]


def _raft(rng: Rng, places: int) -> list[Vessel]:
    """White boards or gullies on which lettuces float, side by side."""
    pitch = uniform(rng, 14, 26)
    columns, rows = whole_number(rng, 1, 4), whole_number(rng, 1, 3)
    across, along = whole_number(rng, 2, 8), max(2, int(places / max(1, columns * rows)))
    long = int(np.clip(along / across, 2, 14))
    half = (across * pitch / 2 + 2, long * pitch / 2 + 2)
    gap, colour = uniform(rng, 0.5, 30), grey(rng, 195, 250, 0.02)
    points = grid(columns, rows, (2 * half[0] + gap, 2 * half[1] + gap), stagger=False)
    height = uniform(rng, 4, 30)
    return [
        Vessel(
            ContainerType.SEGMENT,
            float(x),
            float(y),
            0.0,
            half,
            height,
            wall_cm=0.5,
            is_round=False,
            colour=colour,
            pot_colour=colour,
            taper=1.0,
            floor_z=height,
            openings=(),
            is_plate=True,
            pitch_cm=pitch,
        )
        for x, y in points
    ]


def _trays(rng: Rng, places: int) -> list[Vessel]:
    """Plug and celled trays as the plain benches have them, most of them dark."""
    vessels = BENCHES[pick(rng, ["plug", "seedling_tray"])](rng, places)
    dark = grey(rng, 12, 60)
    return [replace(v, colour=dark) for v in vessels] if happens(rng, 0.6) else vessels


def _benches(rng: Rng, places: int) -> list[Vessel]:
    """Plain beds, crates and pots; only what grows in them differs."""
    return BENCHES[pick(rng, ["bed", "box", "box", "pots", "seedling_tray"])](rng, places)


_VESSELS: dict[str, Callable[[Rng, int], list[Vessel]]] = {
    "squares": _squares,
    "table": _table,
    "trays": _trays,
    "raft": _raft,
    "bags": _bags,
    "benches": _benches,
}
