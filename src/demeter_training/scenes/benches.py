"""Vessels side by side: one function for each kind of bench."""

from __future__ import annotations

from typing import Any

import numpy as np

from demeter.vision.values import ContainerType
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
from demeter_training.scenes.values import Floats
from demeter_training.scenes.world import Vessel, VesselOpening, place_shape


def _plastic_colour(rng: Rng) -> Floats:
    return pick(
        rng,
        [
            grey(rng, 14, 60),
            hsv(8 + rng.normal(0, 2), uniform(rng, 130, 210), uniform(rng, 150, 235)),
            grey(rng, 175, 245),
            hsv(uniform(rng, 0, 180), uniform(rng, 40, 180), uniform(rng, 70, 220)),
            grey(rng, 60, 140),
        ],
        [0.5, 0.16, 0.16, 0.1, 0.08],
    )


def grid(columns: int, rows: int, pitch: tuple[float, float], stagger: bool) -> Floats:
    """Centres of a grid about the origin, N x 2."""
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    x = x + (0.5 * (y % 2) if stagger else 0)
    flat = np.stack([x.ravel() * pitch[0], y.ravel() * pitch[1]], -1)
    return flat - (flat.max(0) + flat.min(0)) / 2


def _bench_spots(
    rng: Rng, count: int, half_cm: tuple[float, float], gap: float
) -> list[tuple[float, float]]:
    columns = max(1, round(np.sqrt(count * half_cm[1] / half_cm[0])))
    rows = -(-count // columns)
    pitch = (2 * half_cm[0] + gap, 2 * half_cm[1] + gap)
    spots = grid(columns, rows, pitch, stagger=False)[:count]
    return [
        (float(x + rng.normal(0, gap * 0.15)), float(y + rng.normal(0, gap * 0.15)))
        for x, y in spots
    ]


def _openings(
    points: Floats,
    at: tuple[float, float],
    yaw: float,
    rim_z: float,
    half: tuple[float, float],
    is_round: bool,
    sunk: float,
    depth: float,
    soil: bool = True,
) -> tuple[VesselOpening, ...]:
    spots = place_shape(points, at[0], at[1], yaw, rim_z)
    return tuple(
        VesselOpening(float(x), float(y), rim_z, half, is_round, yaw, sunk, depth, soil)
        for x, y, _ in spots
    )


def _vessel(
    rng: Rng,
    kind: ContainerType,
    at: tuple[float, float],
    yaw: float,
    half: tuple[float, float],
    height: float,
    **more: Any,
) -> Vessel:
    colour = more.pop("colour", None)
    base = {
        "wall_cm": uniform(rng, 0.3, 0.8),
        "is_round": False,
        "pot_colour": _plastic_colour(rng),
        "taper": uniform(rng, 0.88, 1.0),
        "floor_z": height * uniform(rng, 0.1, 0.7),
        "openings": (),
        "is_plate": False,
    }
    base.update(more)
    return Vessel(
        kind,
        at[0],
        at[1],
        yaw,
        half,
        height,
        colour=_plastic_colour(rng) if colour is None else colour,
        **base,
    )


def _pot_grid(
    rng: Rng,
    half: tuple[float, float],
    at: tuple[float, float],
    yaw: float,
    floor: float,
    pitch: float,
) -> tuple[VesselOpening, ...]:
    """Pots of one size side by side on a floor."""
    columns, rows = max(1, int(2 * half[0] / pitch)), max(1, int(2 * half[1] / pitch))
    stagger = columns > 1 and happens(rng, 0.25)
    points = grid(columns, rows, (pitch, pitch), stagger=False)
    if stagger:
        points = grid(columns - 1, rows, (pitch, pitch), stagger=True)
    points = points + rng.normal(0, pitch * 0.015, points.shape)
    r = pitch * uniform(rng, 0.42, 0.495)
    depth = pitch * uniform(rng, 0.6, 1.0)
    return _openings(
        points,
        at,
        yaw,
        floor + depth,
        (r, r),
        happens(rng, 0.6),
        depth * uniform(rng, 0.05, 0.25),
        depth,
    )


def _bed(rng: Rng, places: int) -> list[Vessel]:
    pitch = log_uniform(rng, 4, 16)
    ratio = uniform(rng, 0.7, 2.2)
    side = pitch * np.sqrt(places)
    half = (side * np.sqrt(ratio) / 2 + 2, side / np.sqrt(ratio) / 2 + 2)
    wall, height = uniform(rng, 1.0, 6.0), uniform(rng, 6, 25)
    colour = pick(
        rng,
        [
            grey(rng, 90, 210),
            hsv(14, uniform(rng, 50, 140), uniform(rng, 90, 200)),
            grey(rng, 30, 80),
            hsv(100, 40, 150),
        ],
    )
    potted = happens(rng, 0.5)
    beds = []
    for at in _bench_spots(rng, whole_number(rng, 1, 2), half, uniform(rng, 4, 40)):
        floor = height * uniform(rng, 0.4, 0.9)
        inner = (half[0] - wall, half[1] - wall)
        pots = _pot_grid(rng, inner, at, 0.0, floor, pitch) if potted else ()
        beds.append(
            _vessel(
                rng,
                ContainerType.SEGMENT,
                at,
                0.0,
                half,
                height,
                wall_cm=wall,
                taper=1.0,
                colour=colour,
                floor_z=floor,
                openings=pots,
                pitch_cm=pitch,
            )
        )
    return beds


def _plug(rng: Rng, places: int) -> list[Vessel]:
    columns, rows = pick(
        rng,
        [
            (5, 8),
            (6, 10),
            (6, 12),
            (7, 14),
            (8, 13),
            (9, 16),
            (10, 20),
            (12, 18),
            (14, 20),
            (8, 8),
            (10, 10),
        ],
    )
    if happens(rng, 0.5):
        columns, rows = rows, columns
    pitch = uniform(rng, 2.0, 4.8)
    margin, height = uniform(rng, 0.4, 1.5), uniform(rng, 3, 6)
    half = (columns * pitch / 2 + margin, rows * pitch / 2 + margin)
    colour, is_round = _plastic_colour(rng), happens(rng, 0.35)
    cell = pitch * uniform(rng, 0.36, 0.47)
    sunk = uniform(rng, 0.1, 1.0)
    count = int(np.clip(round(places / (columns * rows)), 1, 30))
    trays = []
    for at in _bench_spots(rng, count, half, uniform(rng, 0.3, 6)):
        yaw = rng.normal(0, 0.02)
        cells = _openings(
            grid(columns, rows, (pitch, pitch), stagger=False),
            at,
            yaw,
            height,
            (cell, cell),
            is_round,
            sunk,
            0.0,
        )
        trays.append(
            _vessel(
                rng,
                ContainerType.PLUG,
                at,
                yaw,
                half,
                height,
                colour=colour,
                openings=cells,
                is_plate=True,
            )
        )
    return trays


def _seedling_tray(rng: Rng, places: int) -> list[Vessel]:
    if happens(rng, 0.55):
        return _celled_tray(rng, places)
    pitch = log_uniform(rng, 1.5, 5)
    half = (uniform(rng, 12, 22), uniform(rng, 18, 32))
    if happens(rng, 0.5):
        half = (half[1], half[0])
    height, colour = uniform(rng, 4, 8), _plastic_colour(rng)
    per_tray = 4 * half[0] * half[1] / pitch**2
    count = int(np.clip(round(places / per_tray), 1, 16))
    return [
        _vessel(
            rng,
            ContainerType.SEEDLING_TRAY,
            at,
            rng.normal(0, 0.03),
            half,
            height,
            colour=colour,
            floor_z=height * uniform(rng, 0.6, 0.95),
            pitch_cm=pitch,
        )
        for at in _bench_spots(rng, count, half, uniform(rng, 0.5, 8))
    ]


def _celled_tray(rng: Rng, places: int) -> list[Vessel]:
    columns, rows = pick(rng, [(3, 5), (4, 8), (3, 6), (4, 6), (4, 5), (2, 4), (3, 4)])
    if happens(rng, 0.6):
        columns, rows = rows, columns
    pitch, height = uniform(rng, 5, 9.5), uniform(rng, 4, 7)
    half = (columns * pitch / 2 + 0.8, rows * pitch / 2 + 0.8)
    colour, cell = (
        _plastic_colour(rng) if happens(rng, 0.4) else grey(rng, 18, 75),
        pitch * uniform(rng, 0.42, 0.48),
    )
    count = int(np.clip(round(places / (columns * rows)), 1, 20))
    trays = []
    for at in _bench_spots(rng, count, half, uniform(rng, 0.3, 8)):
        yaw = rng.normal(0, 0.03)
        cells = _openings(
            grid(columns, rows, (pitch, pitch), stagger=False),
            at,
            yaw,
            height,
            (cell, cell),
            is_round=False,
            sunk=uniform(rng, 0.2, 1.0),
            depth=0.0,
        )
        trays.append(
            _vessel(
                rng,
                ContainerType.SEEDLING_TRAY,
                at,
                yaw,
                half,
                height,
                colour=colour,
                openings=cells,
                is_plate=True,
            )
        )
    return trays


def _box(rng: Rng, places: int) -> list[Vessel]:
    half = (uniform(rng, 14, 30), uniform(rng, 18, 32))
    if happens(rng, 0.5):
        half = (half[1], half[0])
    height, wall = uniform(rng, 7, 18), uniform(rng, 0.8, 2.4)
    pitch = uniform(rng, 5, 12)
    colour = _plastic_colour(rng)
    per_box = max(1.0, 4 * half[0] * half[1] / pitch**2)
    count = int(np.clip(round(places / per_box), 1, 16))
    potted, boxes, ribs = happens(rng, 0.75), [], whole_number(rng, 0, 6)
    inner = (half[0] - wall, half[1] - wall)
    for at in _bench_spots(rng, count, half, uniform(rng, 0.5, 8)):
        yaw, floor = rng.normal(0, 0.03), 1.0 if potted else height * uniform(rng, 0.3, 0.8)
        pots = _pot_grid(rng, inner, at, yaw, floor, pitch) if potted else ()
        boxes.append(
            _vessel(
                rng,
                ContainerType.BOX,
                at,
                yaw,
                half,
                height,
                wall_cm=wall,
                colour=colour,
                floor_z=floor,
                openings=pots,
                pitch_cm=pitch,
                ribs=ribs,
            )
        )
    return boxes


def _pots(rng: Rng, places: int) -> list[Vessel]:
    r = log_uniform(rng, 3, 12)
    count = int(np.clip(places, 1, 90))
    pitch = 2 * r * uniform(rng, 1.0, 1.5)
    columns = max(1, round(np.sqrt(count * uniform(rng, 0.6, 1.8))))
    points = grid(columns, -(-count // columns), (pitch, pitch), happens(rng, 0.35))[:count]
    points = points + rng.normal(0, pitch * pick(rng, [0.01, 0.04, 0.08]), points.shape)
    colours = [_plastic_colour(rng) for _ in range(pick(rng, [1, 1, 1, 3]))]
    is_round, height = happens(rng, 0.75), r * uniform(rng, 1.1, 1.9)
    vessels = []
    for x, y in points:
        size, yaw = r * uniform(rng, 0.95, 1.05), rng.normal(0, 0.1)
        soil = not happens(rng, 0.05)
        top = _openings(
            np.zeros((1, 2)),
            (x, y),
            yaw,
            height,
            (size * 0.9, size * 0.9),
            is_round,
            height * uniform(rng, 0.04, 0.2),
            0.0,
            soil,
        )
        vessels.append(
            _vessel(
                rng,
                ContainerType.POT,
                (float(x), float(y)),
                yaw,
                (size, size),
                height,
                is_round=is_round,
                colour=pick(rng, colours),
                taper=uniform(rng, 0.7, 0.85),
                openings=top,
                is_plate=True,
            )
        )
    return vessels


BENCHES = {"bed": _bed, "plug": _plug, "seedling_tray": _seedling_tray, "box": _box, "pots": _pots}
