"""Counts of occupied places: pots, trays with cells, and what is counted by plants all the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.containers.segmenter import Region
from demeter.vision.hints import ContainerGrid, Hints
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.pipeline import count
from demeter.vision.values import ContainerType, CountUnit, EstimationMethod, PhotoCount
from support.standins import (
    EMPTY,
    FLOOR,
    LEAF,
    SOIL,
    SoilSegmenter,
    bed,
    plant,
    planted_grid,
    stand_in_models,
)

MODELS = stand_in_models()
PLANTS, CONTAINERS = CountUnit.PLANTS, CountUnit.CONTAINERS
BY_KIND, PLACES = Hints(count_unit=None), Hints(count_unit=CONTAINERS)


def models_of(label: str) -> ModelSet:
    return ModelSet(MODELS.detector, SoilSegmenter(label), MODELS.errors)


def pots(*contents: int) -> np.ndarray:
    """Pots of 140 px in a row with so many plants each; -1 is an empty place."""
    picture = np.full((260, 200 * len(contents) + 60, 3), FLOOR, np.uint8)
    for k, plants in enumerate(contents):
        left = 60 + 200 * k
        picture[60:200, left : left + 140] = SOIL
        for i in range(plants):
            plant(picture, left + 40 + 60 * (i % 2), 100 + 60 * (i // 2), 40)
        if plants < 0:
            plant(picture, left + 70, 130, 40, EMPTY)
    return picture


def tray(twice: int = 0, vacant: int = 0, bare: int = 0) -> np.ndarray:
    """A tray of 6 rows and 9 columns of 60 px.

    ``twice`` cells of the first row have two plants, ``vacant`` ones of the second an empty
    place, ``bare`` ones of the fourth nothing that anything detects.
    """
    picture = planted_grid(9, 6, diameter=34)
    for column in range(9):
        x = 50 + 60 * (column + 0.5)
        if column < twice:
            plant(picture, x, 80, 36, SOIL)
            plant(picture, x - 14, 80, 25)
            plant(picture, x + 14, 80, 25)
        if column < vacant:
            plant(picture, x, 140, 36, EMPTY)
        if column < bare:
            plant(picture, x, 260, 36, SOIL)
    return picture


def test_plants_are_counted_where_nothing_is_asked():
    photo = count(pots(2, 1, 3), models_of("pot"))
    assert (photo.unit, photo.detected) == (PLANTS, 6)
    assert count(pots(2, 1, 3), models_of("pot"), Hints(count_unit=PLANTS)) == photo


@pytest.mark.parametrize("hints", [BY_KIND, PLACES])
def test_an_occupied_pot_counts_one(hints):
    photo = count(pots(2, 1, -1, 4, 0), models_of("maceta"), hints)
    assert photo.unit is CONTAINERS
    assert [c.detected for c in photo.counts] == [1, 1, 0, 1, 0]
    assert [c.empty for c in photo.counts] == [0, 0, 1, 0, 0]
    assert (photo.detected, photo.estimated) == (3, 0)
    assert len(photo.detections) == 4
    assert all(c.interval_90 is not None and c.interval_90[1] <= 1 for c in photo.counts)
    assert photo.interval_90 is not None
    assert photo.interval_90[0] <= 3 <= photo.interval_90[1] <= 5


def clump(picture: np.ndarray, x: int, y: int) -> None:
    """Foliage of several plants that nothing tells apart."""
    plant(picture, x, y, 110)


def test_foliage_without_a_detected_plant_makes_a_pot_occupied_once():
    picture = pots(2, 2, 2, 0)
    picture[100:160, 668:792] = LEAF
    plants = count(picture, models_of("pot"))
    assert plants.counts[3].detected == 0
    assert (plants.counts[3].estimated or 0) > 1
    photo = count(picture, models_of("pot"), BY_KIND)
    assert [c.detected for c in photo.counts] == [1, 1, 1, 0]
    assert photo.counts[3].estimated == 1
    assert photo.counts[3].interval_90 == (0, 1)
    assert photo.estimations[3].parameters["residual_estimated"] == plants.counts[3].estimated


@pytest.mark.parametrize("label", ["plug", "almacigo"])
@pytest.mark.parametrize("hints", [BY_KIND, PLACES])
def test_an_occupied_cell_counts_one(label, hints):
    picture = tray(twice=5, vacant=7)
    assert count(picture, models_of(label)).detected == 52
    photo = count(picture, models_of(label), hints)
    assert photo.unit is CONTAINERS
    assert (photo.detected, photo.estimated, photo.counts[0].empty) == (47, 0, 7)
    (estimation,) = photo.estimations
    assert estimation.method is EstimationMethod.GRID
    assert (estimation.parameters["rows"], estimation.parameters["columns"]) == (6, 9)
    assert photo.warnings == (Notice("several_in_one_place", {"places": 5}),)
    assert photo.interval_90 is not None
    assert photo.interval_90[0] <= 47 <= photo.interval_90[1] <= 54


def test_no_more_cells_are_estimated_than_hold_no_box():
    picture = tray(bare=6)
    clump(picture, 140, 260)
    plants, photo = (count(picture, models_of("plug"), h) for h in (Hints(), BY_KIND))
    free = photo.estimations[0].parameters["free_places"]
    assert photo.detected + free == 54
    assert (plants.estimated or 0) > free > 0
    assert photo.estimated == free
    assert sum(b.estimated for b in photo.estimations[0].bands) == free
    assert photo.estimations[0].parameters["residual_estimated"] == plants.estimated
    assert photo.counts[0].interval_90 is not None
    assert photo.counts[0].interval_90[1] == 54
    assert photo.interval_90 is not None
    assert photo.counts[0].interval_90[0] <= photo.interval_90[0]
    assert photo.interval_90[1] == 54


def test_a_tray_without_a_grid_counts_its_plants_and_says_so():
    rng = np.random.default_rng(2)
    picture = bed()
    for x, y in rng.permutation(np.mgrid[100:800:62, 90:620:62].reshape(2, -1).T)[:20]:
        plant(picture, x + rng.uniform(-20, 20), y + rng.uniform(-20, 20), 36)
    plants = count(picture, models_of("seedling_tray"))
    photo = count(picture, models_of("seedling_tray"), BY_KIND)
    assert photo.unit is CONTAINERS
    assert photo.warnings == (Notice("grid_not_found", {"trays": 1}),)
    assert (photo.counts, photo.detections) == (plants.counts, plants.detections)


def test_a_known_grid_is_given_by_the_bin_type():
    picture = tray(twice=4)
    grids = (ContainerGrid(ContainerType.PLUG, rows=9, columns=6),)
    photo = count(picture, models_of("plug"), Hints(count_unit=None, container_grids=grids))
    parameters = photo.estimations[0].parameters
    assert (parameters["rows"], parameters["columns"], photo.detected) == (6, 9, 54)


@pytest.mark.parametrize("label", ["segment", "cajon"])
def test_beds_and_boxes_are_counted_by_plants(label):
    picture = tray(twice=5)
    plants = count(picture, models_of(label))
    assert count(picture, models_of(label), BY_KIND) == plants
    asked = count(picture, models_of(label), PLACES)
    assert asked.unit is CONTAINERS
    assert (asked.counts, asked.detections) == (plants.counts, plants.detections)
    assert asked.warnings == ()


class PotAndBox:
    """Sees a pot beside a box."""

    identity = "both@0"

    def __call__(self, _: np.ndarray) -> tuple[Region, ...]:
        left, right = (((x, 60), (x + 140, 60), (x + 140, 200), (x, 200)) for x in (60, 260))
        return (Region("pot", left, 0.9), Region("box", right, 0.9))


def test_a_pot_beside_a_box_is_counted_by_plants_unless_asked():
    models = ModelSet(MODELS.detector, PotAndBox(), MODELS.errors)
    by_kind, asked = (count(pots(3, 3), models, h) for h in (BY_KIND, PLACES))
    assert (by_kind.unit, [c.detected for c in by_kind.counts]) == (PLANTS, [3, 3])
    assert (asked.unit, [c.detected for c in asked.counts]) == (CONTAINERS, [1, 3])


@pytest.mark.parametrize(("framed_whole", "unit"), [(True, PLANTS), (False, PLANTS)])
def test_without_a_container_plants_are_counted(framed_whole, unit):
    picture = np.full((300, 400, 3), FLOOR, np.uint8)
    photo = count(picture, MODELS, Hints(framed_whole=framed_whole, count_unit=None))
    assert photo.unit is unit


def test_a_count_of_places_survives_json():
    photo = count(tray(twice=3, vacant=2), models_of("plug"), BY_KIND)
    body = json.loads(json.dumps(photo.to_json()))
    assert body["unit"] == "containers"
    assert PhotoCount.from_json(body) == photo
    del body["unit"]  # as counts were stored before units
    assert PhotoCount.from_json(body).unit is PLANTS
