"""Overlapping photos counted once, and bins found again a month later: rendered pairs.

    python -m benchmarks.registration [--pairs 50] [--first 0] [--json FILE]

Thresholds were set on pairs like the first 50; ``--first 5000`` draws worlds never looked at.

Containers and plants come from the scenes' truth, so the figures are about registration, the
seam and recognition alone, not about what vision sees. What is not sure is not counted wrong:
a person decides, and the table says how often. Beds of five kinds, 60 to 600 places, a fifth
to three fifths of the photo shared, a tenth to four tenths sold after a month, 1600 x 1200 px.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from shapely import Polygon

from demeter.core.settings import settings
from demeter.photos.bin_recognition import (
    in_same_view,
    normalise_homography,
    outline,
    recognise,
    through_homographies,
)
from demeter.vision.overlap.features import describe_photo
from demeter.vision.overlap.homography import Matrix, inverse
from demeter.vision.overlap.plant_agreement import disagreement
from demeter.vision.overlap.registration import NotRegistered, Registration, register
from demeter.vision.overlap.seam import divide_counts
from demeter.vision.values import PhotoCount
from demeter_training.scenes.demo import photos_on_two_dates
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.values import Scene
from demeter_training.scenes.world import World

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.exact import exact_count, visible_plants
from support.scene_pairs import overlapping_photos

KINDS = ("bed", "plug", "seedling_tray", "box", "pots")
SIZE = (1600, 1200)
OVERLAPS, MONTHS = 7000, 8000


@dataclass(frozen=True)
class OverlapResult:
    """One pair of photos: distinct plants, those in both, and how they were counted."""

    kind: str
    outcome: str
    plants: int
    shared: int
    double: int
    lost: int
    seconds: float


@dataclass(frozen=True)
class MonthResult:
    """One bench a month later: containers of both dates, and what became of their bins."""

    kind: str
    outcome: str
    containers: int
    recognised: int
    swapped: int
    recognised_by_place: int
    swapped_by_place: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.pairs)
    overlaps = [_report(n, _measure_overlap) for n in numbers]
    months = [_report(n, _measure_month) for n in numbers]
    _print(overlaps, months)
    if options.json:
        body = {"overlaps": [asdict(r) for r in overlaps], "months": [asdict(r) for r in months]}
        options.json.write_text(json.dumps(body, indent=1))


def _report(n: int, measure: Callable[[int], Any]) -> Any:
    row = measure(n)
    print(n, row, file=sys.stderr, flush=True)
    return row


def _world(seed: int, n: int) -> tuple[World, np.random.Generator]:
    rng = np.random.default_rng([n, seed])
    places = int(np.exp(rng.uniform(np.log(60), np.log(600))))
    return draw_world(seed + n, KINDS[n % len(KINDS)], places), rng


def _measure_overlap(n: int) -> OverlapResult:
    world, rng = _world(OVERLAPS, n)
    scenes = overlapping_photos(world, SIZE, float(rng.uniform(0.2, 0.6)), n)
    photos = [exact_count(scene) for scene in scenes]
    worlds = [[number for _, number in visible_plants(scene)] for scene in scenes]
    start = time.perf_counter()
    registration = _register(scenes, photos, partial(disagreement, *photos))
    seconds = round(time.perf_counter() - start, 2)
    every, shared = set(worlds[0]) | set(worlds[1]), set(worlds[0]) & set(worlds[1])
    outcome, numbers = _decide(registration, photos, worlds)
    double, lost = len(numbers) - len(set(numbers)), len(every - set(numbers))
    return OverlapResult(world.kind, outcome, len(every), len(shared), double, lost, seconds)


def _decide(
    registration: Registration | NotRegistered, photos: list[PhotoCount], worlds: list[list[int]]
) -> tuple[str, list[int]]:
    """What is decided by itself, and the plants as they are counted then."""
    if isinstance(registration, NotRegistered):
        return ("apart" if registration.is_apart else registration.why.code), worlds[0] + worlds[1]
    shares = divide_counts(
        photos, {(0, 1): registration.matrix, (1, 0): inverse(registration.matrix)}
    )
    numbers_counted = [
        number
        for own, numbers in zip(shares, worlds, strict=True)
        for mine, number in zip(own.detections, numbers, strict=True)
        if mine
    ]
    return "registered", numbers_counted


def _register(
    scenes: tuple[Scene, Scene],
    photos: list[PhotoCount],
    objection: Callable[[Matrix], str] | None = None,
) -> Registration | NotRegistered:
    a, b = (
        describe_photo(scene.rgb, [c.polygon_px for c in photo.containers])
        for scene, photo in zip(scenes, photos, strict=True)
    )
    return register(a, b, objection=objection)


def _measure_month(n: int) -> MonthResult:
    world, rng = _world(MONTHS, n)
    scenes = photos_on_two_dates(world, SIZE, float(rng.uniform(0.1, 0.4)), n)
    photos = [exact_count(scene) for scene in scenes]
    start = time.perf_counter()
    registration = _register(scenes, photos)
    seconds = round(time.perf_counter() - start, 2)
    before, after = (
        [outline(c.container_type, 1, c.polygon_px, *SIZE) for c in photo.containers]
        for photo in photos
    )
    names = [_worlds(s, p) for s, p in zip(scenes, photos, strict=True)]
    by_place = [in_same_view(outline_row) for outline_row in before]
    places = by_place
    if isinstance(registration, Registration):
        matrix = normalise_homography(registration.homography, SIZE, SIZE)
        places = [through_homographies(outline_row, {1: matrix}) for outline_row in before]
    least = settings().bin_match_iou
    right, wrong = _score(recognise(after, places, least), names)
    right_by_place, wrong_by_place = _score(recognise(after, by_place, least), names)
    outcome = "registered" if isinstance(registration, Registration) else registration.why.code
    common = len(set(names[0]) & set(names[1]))
    return MonthResult(
        world.kind, outcome, common, right, wrong, right_by_place, wrong_by_place, seconds
    )


def _worlds(scene: Scene, photo: PhotoCount) -> list[int]:
    """Which container of the world each of the photo's is."""
    shapes = [(Polygon(c.polygon_px).buffer(0), c.world) for c in scene.containers]
    outlines = [Polygon(c.polygon_px).buffer(0) for c in photo.containers]
    return [
        max((s.intersection(f).area / s.union(f).area, w) for s, w in shapes)[1] for f in outlines
    ]


def _score(matches: dict[int, int], names: list[list[int]]) -> tuple[int, int]:
    right = sum(names[1][new] == names[0][old] for new, old in matches.items())
    return right, len(matches) - right


def _print(overlaps: list[OverlapResult], months: list[MonthResult]) -> None:
    sure = [r for r in overlaps if r.outcome in ("registered", "apart")]
    plants = sum(r.plants for r in sure)
    print(f"pairs that overlap        {len(overlaps)}, decided by itself {len(sure)}")
    print(f"plants in these           {plants}, shown twice {sum(r.shared for r in sure)}")
    print(f"counted twice             {_share(sum(r.double for r in sure), plants)}")
    print(f"not counted               {_share(sum(r.lost for r in sure), plants)}")
    print(f"a person decides          {_outcomes(overlaps)}")
    rows, containers = months, sum(r.containers for r in months)
    sure_months = [r for r in months if r.outcome == "registered"]
    print(f"benches a month later     {len(months)}, registered {len(sure_months)}")
    print(f"containers of both dates  {containers}")
    print(f"recognised                {_share(sum(r.recognised for r in rows), containers)}")
    print(f"swapped                   {sum(r.swapped for r in rows)}")
    sure_containers = sum(r.containers for r in sure_months)
    recognised = sum(r.recognised for r in sure_months)
    print(f"recognised if registered  {_share(recognised, sure_containers)}")
    print(f"swapped if registered     {sum(r.swapped for r in sure_months)}")
    by_place = sum(r.recognised_by_place for r in rows)
    print(f"by place in photo alone   {_share(by_place, containers)}, ", end="")
    print(f"swapped {sum(r.swapped_by_place for r in rows)}")
    print(f"not sure                  {_outcomes(months)}")
    print(f"seconds a pair (median)   {np.median([r.seconds for r in [*overlaps, *months]]):.1f}")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.2%})" if whole else "none"


def _outcomes(rows: list[OverlapResult] | list[MonthResult]) -> str:
    reasons = [r.outcome for r in rows if r.outcome not in ("registered", "apart")]
    counts = ", ".join(f"{reason} {reasons.count(reason)}" for reason in sorted(set(reasons)))
    return f"{len(reasons)}: {counts}" if reasons else "0"


if __name__ == "__main__":
    main()
