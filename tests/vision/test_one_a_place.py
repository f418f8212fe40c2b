"""One box a place: pots, cells of trays, and what has no places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.estimate.places import limit_interval, limit_to_places, limit_total
from demeter.vision.hints import ContainerGrid, Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detect import DetectionResult
from demeter.vision.plants.one_a_place import PlantPlaces, one_a_place, unit_of
from demeter.vision.plants.scale_search import ScaleEstimate
from demeter.vision.plants.tray_grid import TrayGrid
from demeter.vision.values import (
    Band,
    Container,
    ContainerType,
    CountUnit,
    EstimationMethod,
    ResidualEstimate,
)

Row = tuple[float, float, float, bool, int]  # centre x, y, confidence, is empty, container

POT, BOX, SEGMENT = ContainerType.POT, ContainerType.BOX, ContainerType.SEGMENT
PLUG, SEEDLING_TRAY = ContainerType.PLUG, ContainerType.SEEDLING_TRAY
GRID = TrayGrid(5, 8, 0.9, np.eye(3))


def container(
    kind: ContainerType, side_px: int = 800, confidence: float = 0.9, whole_frame: bool = False
) -> Container:
    outline = ((0, 0), (side_px, 0), (side_px, 500), (0, 500))
    return Container(kind.value, kind, outline, side_px * 500, confidence, whole_frame)


def detection(rows: Sequence[Row], containers: int = 1, side_px: float = 40) -> DetectionResult:
    x, y, confidence, is_empty, home = np.array(rows, np.float64).reshape(-1, 5).T
    half = side_px / 2
    boxes = Boxes(
        np.column_stack([x - half, y - half, x + half, y + half]).astype(np.float32),
        confidence.astype(np.float32),
        is_empty.astype(np.bool_),
    )
    scale = ScaleEstimate(None, ())
    return DetectionResult(boxes, home.astype(np.intp), Boxes.none(), (1.0,) * containers, scale, 1)


def tray_rows(skip: Sequence[tuple[int, int]] = (), is_empty: bool = False) -> list[Row]:
    """One box in the middle of each of 5 by 8 cells of 100 px."""
    return [
        (100 * column + 50, 100 * row + 50, 0.8, is_empty, 0)
        for row in range(5)
        for column in range(8)
        if (row, column) not in skip
    ]


def test_a_pot_keeps_its_surest_plant_and_no_empty_place():
    rows = [(100, 100, 0.5, False, 0), (160, 100, 0.9, False, 0), (130, 120, 0.99, True, 0)]
    kept, places, notices = one_a_place([container(POT)], detection(rows), Hints())
    assert kept.boxes.centre_px.tolist() == [[160, 100]]
    assert kept.boxes.is_empty.tolist() == [False]
    assert places == (PlantPlaces(1, 0),)
    assert notices == (Notice("several_in_one_place", {"places": 1}),)


def test_a_pot_without_a_plant_keeps_one_empty_place():
    rows = [(100, 100, 0.5, True, 0), (160, 100, 0.9, True, 0)]
    kept, places, notices = one_a_place([container(POT)], detection(rows), Hints())
    assert kept.boxes.centre_px.tolist() == [[160, 100]]
    assert (places, notices) == ((PlantPlaces(1, 0),), ())


def test_a_pot_in_which_nothing_was_detected_is_free():
    kept, places, _ = one_a_place([container(POT)], detection([]), Hints())
    assert len(kept.boxes) == 0
    assert places == (PlantPlaces(1, 1),)


def test_a_cell_keeps_one_plant_and_an_empty_place_only_without_one():
    rows = tray_rows(skip=[(1, 1), (4, 7)])
    rows += [(165, 142, 0.7, False, 0), (138, 160, 0.9, False, 0), (150, 150, 0.95, True, 0)]
    rows += [(745, 455, 0.6, True, 0), (758, 452, 0.8, True, 0)]
    kept, (places,), notices = one_a_place([container(PLUG)], detection(rows), Hints())
    assert places.grid is not None
    assert (places.grid.rows, places.grid.columns) == (5, 8)
    assert (places.number, places.free) == (40, 0)
    assert notices == (Notice("several_in_one_place", {"places": 1}),)
    assert len(kept.boxes) == len(kept.container) == 40
    assert kept.boxes.centre_px[kept.boxes.is_empty].tolist() == [[758, 452]]
    in_doubled_cell = (np.abs(kept.boxes.centre_px - 150) < 50).all(axis=1)
    assert kept.boxes.centre_px[in_doubled_cell].tolist() == [[138, 160]]


@pytest.mark.parametrize("skip", [[], [(0, 0)], [(0, 0), (2, 3), (4, 7)]])
def test_cells_in_which_nothing_was_detected_are_free(skip):
    rows = detection(tray_rows(skip))
    _, (places,), _ = one_a_place([container(SEEDLING_TRAY)], rows, Hints())
    assert (places.number, places.free) == (40, len(skip))


def test_a_tray_whose_grid_is_not_found_keeps_its_boxes_and_is_said():
    rng = np.random.default_rng(4)
    rows = [(*rng.uniform(20, 480, 2), 0.8, False, 0) for _ in range(30)]
    trays = [container(PLUG), container(SEEDLING_TRAY)]
    kept, places, notices = one_a_place(trays, detection(rows, 2), Hints())
    assert len(kept.boxes) == 30
    assert places == (PlantPlaces(), PlantPlaces())
    assert notices == (Notice("grid_not_found", {"trays": 2}),)


def test_a_known_grid_is_found_by_few_plants():
    rows = detection(tray_rows()[::7])
    grids = (ContainerGrid(PLUG, 8, 5),)
    _, (places,), notices = one_a_place([container(PLUG)], rows, Hints(container_grids=grids))
    assert places.grid is not None
    assert (places.grid.rows, places.grid.columns) == (5, 8)
    assert (places.number, places.free, notices) == (40, 34, ())
    _, (unknown,), _ = one_a_place([container(PLUG)], rows, Hints())
    assert unknown == PlantPlaces()


def plug_rows(*held: int) -> list[Row]:
    """So many plants in each of some plugs."""
    return [(60 * i, 60, 0.8 - 0.1 * i, False, k) for k, n in enumerate(held) for i in range(n)]


def test_plugs_that_are_found_one_by_one_are_a_place_each():
    plugs = [container(PLUG, 200, 0.9)] * 4 + [container(PLUG, 700)]
    rows = detection(plug_rows(2, 1, 3, 0, 2), 5, side_px=90)
    kept, places, notices = one_a_place(plugs, rows, Hints())
    assert kept.container.tolist() == [0, 1, 2, 4, 4]  # the last holds more than one plug
    assert places == (*[PlantPlaces(1, 0)] * 3, PlantPlaces(1, 1), PlantPlaces())
    assert notices == (
        Notice("grid_not_found", {"trays": 1}),
        Notice("several_in_one_place", {"places": 2}),
    )


@pytest.mark.parametrize(
    ("held", "side_px"),
    [((2, 1, 2), 90), ((3, 3, 3, 1), 90), ((2, 1, 2, 1), 50)],
    ids=["few of them", "much in each", "room for more"],
)
def test_what_may_be_a_tray_is_no_single_plug(held, side_px):
    plugs = [container(PLUG, 200)] * len(held)
    rows = detection(plug_rows(*held), len(held), side_px)
    kept, places, notices = one_a_place(plugs, rows, Hints())
    assert len(kept.boxes) == sum(held)
    assert set(places) == {PlantPlaces()}
    assert notices == (Notice("grid_not_found", {"trays": len(held)}),)


@pytest.mark.parametrize("kind", [BOX, SEGMENT])
@pytest.mark.parametrize("whole_frame", [False, True])
def test_beds_boxes_and_frames_keep_all_boxes(kind, whole_frame):
    rows = [*tray_rows(), (52, 53, 0.9, False, 0), (50, 50, 0.9, True, 0)]
    one = container(kind, whole_frame=whole_frame)
    kept, places, notices = one_a_place([one], detection(rows), Hints())
    assert len(kept.boxes) == 42
    assert (places, notices) == ((PlantPlaces(),), ())


def test_each_container_is_treated_as_its_own_kind():
    rows = [(100, 100, 0.5, False, k) for k in range(3)] + [
        (160, 100, 0.9, False, k) for k in (0, 1)
    ]
    containers = [container(POT), container(BOX), container(POT)]
    kept, places, _ = one_a_place(containers, detection(rows, 3), Hints())
    assert sorted(kept.container.tolist()) == [0, 1, 1, 2]
    assert places == (PlantPlaces(1, 0), PlantPlaces(), PlantPlaces(1, 0))


def test_no_container_has_no_place():
    kept, places, notices = one_a_place([], detection([], 0), Hints())
    assert (len(kept.boxes), places, notices) == (0, (), ())


@pytest.mark.parametrize(
    ("containers", "unit"),
    [
        ([], CountUnit.PLANTS),
        ([container(POT)], CountUnit.CONTAINERS),
        ([container(POT, confidence=0.5)], CountUnit.CONTAINERS),
        ([container(POT, confidence=0.49)], CountUnit.PLANTS),
        ([container(PLUG, confidence=0.3)], CountUnit.CONTAINERS),
        ([container(POT), container(PLUG), container(SEEDLING_TRAY)], CountUnit.CONTAINERS),
        ([container(POT), container(BOX)], CountUnit.PLANTS),
        ([container(SEGMENT)], CountUnit.PLANTS),
        ([container(PLUG, whole_frame=True)], CountUnit.PLANTS),
    ],
)
def test_what_nobody_asked_for_is_counted_by_the_kind_of_containers(containers, unit):
    assert unit_of(containers, None) is unit
    assert unit_of(containers, CountUnit.PLANTS) is CountUnit.PLANTS
    assert unit_of(containers, CountUnit.CONTAINERS) is CountUnit.CONTAINERS


def estimation(estimated: int | None, bands: Sequence[int] = ()) -> ResidualEstimate:
    return ResidualEstimate(
        container=0,
        method=EstimationMethod.BANDS,
        estimated=estimated,
        unknown_reason=None if estimated is not None else Notice("container_size_missing"),
        confidence=0.4,
        polygon_px=(),
        residual_area_px=900,
        residual_area_cm2=None,
        bands=tuple(Band(100 * k, 100 * k + 100, 90, 30.0, n) for k, n in enumerate(bands)),
        parameters={"plant_px": 40},
    )


@pytest.mark.parametrize(
    ("places", "estimated", "limited"),
    [
        (PlantPlaces(1, 0), 3, 0),
        (PlantPlaces(1, 1), 3, 1),
        (PlantPlaces(1, 1), 0, 0),
        (PlantPlaces(1, 0), None, 0),
        (PlantPlaces(1, 1), None, None),
        (PlantPlaces(40, 6, GRID), 9, 6),
        (PlantPlaces(40, 6, GRID), 4, 4),
        (PlantPlaces(40, 6, GRID), None, None),
        (PlantPlaces(40, 0, GRID), None, 0),
    ],
)
def test_an_estimate_is_at_most_the_free_places(places, estimated, limited):
    after = limit_to_places(estimation(estimated), places)
    assert after.estimated == limited
    assert (after.unknown_reason is None) == (limited is not None)
    assert after.parameters["residual_estimated"] == estimated
    assert after.parameters["plant_px"] == 40
    is_tray = places.grid is not None
    assert (after.method is EstimationMethod.GRID) == is_tray
    if is_tray:
        sides = (after.parameters["rows"], after.parameters["columns"])
        assert (*sides, after.parameters["agreement"]) == (5, 8, 0.9)


def test_where_places_are_unknown_an_estimate_stays():
    before = estimation(7, (1, 2, 3, 1))
    assert limit_to_places(before, PlantPlaces()) is before


@pytest.mark.parametrize("free", [0, 1, 3, 6, 7, 20])
def test_the_strips_of_a_limited_estimate_sum_to_it(free):
    after = limit_to_places(estimation(7, (1, 2, 3, 1)), PlantPlaces(40, free, GRID))
    assert sum(b.estimated for b in after.bands) == after.estimated == min(7, free)


def test_an_interval_ends_at_the_number_of_places():
    assert limit_interval((30, 45), PlantPlaces(40, 6, GRID)) == (30, 40)
    assert limit_interval((0, 3), PlantPlaces(1, 0)) == (0, 1)
    assert limit_interval((30, 45), PlantPlaces()) == (30, 45)
    assert limit_interval(None, PlantPlaces(40, 6, GRID)) is None


def test_a_total_is_within_the_sums_of_its_containers():
    assert limit_total((0, 99), [(3, 10), (5, 20)]) == (8, 30)
    assert limit_total((11, 25), [(3, 10), (5, 20)]) == (11, 25)
