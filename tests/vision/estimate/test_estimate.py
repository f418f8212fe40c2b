from __future__ import annotations

import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.estimate.bands import whole_parts
from demeter.vision.estimate.size_model import fit_size_line
from demeter.vision.hints import ContainerSize, DensityPrior, Hints
from demeter.vision.pipeline import count
from demeter.vision.values import ContainerType, EstimationMethod
from support.standins import bed, plant, planted_grid, stand_in_models

MODELS = stand_in_models()


def with_clump(plants_apart: int, clump: int, diameter=40) -> tuple[np.ndarray, int]:
    """Plants apart in rows, and below them a carpet that no detector separates."""
    picture = bed((1300, 1000), (50, 50, 1250, 950))
    for i in range(plants_apart):
        plant(picture, 90 + 60 * (i % 18), 100 + 60 * (i // 18), diameter)
    for i in range(clump):  # touching discs: 0.87 of their square lattice is foliage
        plant(
            picture, 200 + diameter * 0.86 * (i % 20), 600 + diameter * 0.86 * (i // 20), diameter
        )
    return picture, plants_apart + clump


def test_a_clump_is_estimated_by_the_size_of_the_plants_beside_it():
    picture, truth = with_clump(72, 100)
    photo = count(picture, MODELS)
    assert photo.detected == 72
    assert photo.estimated is not None
    assert photo.detected + photo.estimated == pytest.approx(truth, rel=0.08)
    (estimation,) = photo.estimations
    assert estimation.method is EstimationMethod.BANDS
    assert len(estimation.bands) == 4
    assert sum(b.estimated for b in estimation.bands) == photo.estimated
    assert photo.interval_90[0] <= truth <= photo.interval_90[1]


def test_near_plants_are_larger_and_the_bands_know_it():
    picture = bed((1000, 1200), (50, 50, 950, 1150))
    y = 90.0
    while y < 1080:
        size = 24 + 40 * (y - 50) / 1100
        for x in np.arange(90, 900, size * 1.5):
            plant(picture, x, y, size)
        y += size * 1.5
    (estimation,) = count(picture, MODELS).estimations
    areas = [b.plant_area_px for b in estimation.bands]
    assert areas == sorted(areas)
    assert areas[3] > 2 * areas[0]


def test_soil_alone_is_zero_plants_and_known():
    photo = count(bed(), MODELS)
    assert (photo.detected, photo.estimated) == (0, 0)
    assert photo.estimations[0].unknown_reason is None


def carpet() -> np.ndarray:
    """Foliage without any plant that could be detected by itself."""
    picture = bed((1000, 800), (50, 50, 950, 750))
    picture[300:550, 100:900] = (70, 160, 60)
    return picture


def test_foliage_without_plants_or_density_is_unknown_not_zero():
    photo = count(carpet(), MODELS)
    assert photo.detected == 0
    assert photo.estimated is None
    assert photo.interval_90 is None
    assert photo.estimations[0].unknown_reason == Notice("too_few_detected", {"fewest": 5})


def test_a_density_parameter_takes_the_place_of_plants():
    hints = Hints(
        density=(DensityPrior(ContainerType.BOX, avg_area_per_plant_cm2=10.0),),
        container_size_cm=(ContainerSize(ContainerType.BOX, 90, 70),),  # 10 px a centimetre
    )
    photo = count(carpet(), MODELS, hints)
    (estimation,) = photo.estimations
    assert estimation.method is EstimationMethod.DENSITY
    assert photo.estimated == pytest.approx(800 * 250 / 100 / 10 / 0.85, rel=0.05)
    assert estimation.residual_area_cm2 == pytest.approx(2000, rel=0.05)


def test_a_density_without_the_containers_size_stays_unknown():
    hints = Hints(density=(DensityPrior(ContainerType.BOX, plants_per_m2=400),))
    photo = count(carpet(), MODELS, hints)
    assert photo.estimated is None
    assert photo.estimations[0].unknown_reason == Notice("container_size_missing")


def test_an_estimate_many_times_the_detected_is_no_estimate():
    picture = carpet()
    for i in range(6):
        plant(picture, 100 + 30 * i, 100, 16)
    photo = count(picture, MODELS)
    assert photo.detected == 6
    assert photo.estimated is None
    why = photo.estimations[0].unknown_reason
    assert (why.code, why.params["detected"]) == ("rest_too_large", 6)
    assert why.params["plants"] > 60


def test_moss_beside_few_plants_is_no_plants_and_the_count_is_known():
    picture = bed((1000, 800), (50, 50, 950, 750))
    for i in range(3):  # too few to estimate by, enough to show that detection knows them
        plant(picture, 150 + 200 * i, 150, 40)
    for i in range(6):
        picture[400 + 45 * i : 430 + 45 * i, 200:360] = (70, 160, 60)
    photo = count(picture, MODELS)
    assert (photo.detected, photo.estimated) == (3, 0)
    assert photo.estimations[0].unknown_reason is None


def test_plants_apart_leave_no_residual():
    photo = count(planted_grid(10, 8), MODELS)
    assert photo.counts[0].residual_share == 0
    assert photo.estimations[0].residual_polygons_px == ()


@pytest.mark.parametrize(
    ("parts", "whole"),
    [([], []), ([0.0], [0]), ([0.4, 0.4, 0.4, 0.4], [1, 1, 0, 0]), ([2.6, 1.4], [3, 1])],
)
def test_whole_parts_sum_to_the_rounded_sum(parts, whole):
    assert whole_parts(parts) == whole


def test_outliers_do_not_move_the_size():
    rng = np.random.default_rng(0)
    v = rng.random(200)
    size = np.exp(3.5 + 0.6 * (v - 0.5)) * rng.uniform(0.9, 1.1, 200)
    size[:50] *= 4
    line = fit_size_line(v, size)
    assert line.diameter_px(0.5) == pytest.approx(np.exp(3.5), rel=0.1)
    assert line.slope == pytest.approx(0.6, abs=0.15)


def test_no_plants_have_no_size():
    with pytest.raises(ValueError, match="no plants"):
        fit_size_line(np.zeros(0), np.zeros(0))
