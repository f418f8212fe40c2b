"""Photos that overlap: how they lie, when nobody can say, and each plant counted once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.geometry import Polygon
from demeter.vision.overlap.candidates import distances_px
from demeter.vision.overlap.correlation import second_near
from demeter.vision.overlap.features import MOST_LOOSE, PhotoFeatures, describe_photo
from demeter.vision.overlap.homography import inverse, map_points, rescale
from demeter.vision.overlap.matching import container_and_all_matches, matches_near
from demeter.vision.overlap.plant_agreement import agreement
from demeter.vision.overlap.registration import (
    NotRegistered,
    Registration,
    RegistrationRule,
    register,
)
from demeter.vision.overlap.seam import divide_counts
from demeter.vision.overlap.split_counts import split_at_seam
from demeter.vision.values import Band, PhotoCount
from demeter_training.scenes.demo import photos_on_two_dates
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.values import Scene
from support.exact import exact_count, visible_plants
from support.nursery import photo_count
from support.scene_pairs import overlapping_photos

SIZE = (1200, 900)


@pytest.fixture(scope="module")
def pair() -> tuple[Scene, Scene]:
    """Two photos along a bench of seedling trays that share about half of their width."""
    return overlapping_photos(draw_world(7002, "seedling_tray", 150), SIZE, 0.5, 2)


@pytest.fixture(scope="module")
def registration(pair: tuple[Scene, Scene]) -> Registration:
    registration = register(*map(scene_features, pair))
    assert isinstance(registration, Registration), registration
    return registration


def scene_features(scene: Scene) -> PhotoFeatures:
    """The features of a scene whose containers are known exactly."""
    return describe_photo(scene.rgb, [c.polygon_px for c in exact_count(scene).containers])


def register_pictures(a_rgb: np.ndarray, b_rgb: np.ndarray) -> Registration | NotRegistered:
    """Register two pictures [H, W, 3] of which no containers are known."""
    return register(describe_photo(a_rgb), describe_photo(b_rgb))


def noise(seed: int) -> np.ndarray:
    """A picture rich in points that has nothing in common with another seed's."""
    small = np.random.default_rng(seed).integers(0, 256, (450, 600, 3), np.uint8)
    return cv2.resize(small, (1200, 900), interpolation=cv2.INTER_CUBIC)


def test_plants_of_one_photo_are_found_at_their_place_in_the_other(pair, registration) -> None:
    first, second = ({p.world: p.xyxy_px for p in scene.plants} for scene in pair)
    shared = sorted(first.keys() & second.keys())
    at = np.array([first[k] for k in shared]).reshape(-1, 2, 2).mean(axis=1)
    expected = np.array([second[k] for k in shared]).reshape(-1, 2, 2).mean(axis=1)
    width = np.median([first[k][2] - first[k][0] for k in shared])
    assert len(shared) >= 20
    assert (
        np.median(np.linalg.norm(map_points(registration.matrix, at) - expected, axis=1))
        < 0.25 * width
    )


def test_a_photo_moved_and_turned_is_registered_to_a_pixel(pair) -> None:
    rgb = pair[0].rgb
    truth = np.array([[0.96, -0.09, 60], [0.08, 0.97, -30], [1e-5, 2e-5, 1]])
    result = register_pictures(rgb, cv2.warpPerspective(rgb, truth, SIZE))
    assert isinstance(result, Registration)
    at = np.array([[300.0, 200], [700, 500], [900, 700]])
    assert np.abs(map_points(result.matrix, at) - map_points(truth, at)).max() < 1.5


@pytest.mark.long
def test_the_same_photos_are_registered_the_same_again(pair) -> None:
    assert register_pictures(pair[0].rgb, pair[1].rgb) == register_pictures(
        pair[0].rgb, pair[1].rgb
    )


@pytest.mark.long
def test_near_a_registration_more_matches_are_found_than_anywhere(pair, registration) -> None:
    a, b = map(scene_features, pair)
    small = rescale(registration.matrix, 1 / a.scale, 1 / b.scale)
    near = matches_near(small, a.upright.of_containers, b.upright.of_containers, 60)
    in_containers, every = container_and_all_matches(a.upright, b.upright)
    assert (distances_px(small, *near) < 5).sum() > 1.5 * (
        distances_px(small, in_containers.from_px, in_containers.to_px) < 5
    )[in_containers.clear].sum()
    assert len(every.from_px) > len(in_containers.from_px)


def test_a_rich_ground_leaves_places_to_the_points_of_containers() -> None:
    gravel = noise(1)
    gravel[300:600, 400:800] = gravel[300:600, 400:800] // 8 + 100
    points = describe_photo(gravel, [[(400, 300), (800, 300), (800, 600), (400, 600)]]).upright
    alone = describe_photo(gravel).upright
    in_box = ((alone.xy_px > (400, 300)) & (alone.xy_px < (800, 600))).all(axis=1)
    assert points.in_container.sum() > 2 * in_box.sum()
    assert 0 < (~points.in_container).sum() <= MOST_LOOSE


@pytest.mark.long
def test_what_plants_contradict_is_not_believed(pair) -> None:
    a, b = map(scene_features, pair)
    against = Notice("plants_disagree", {"share": 0.0, "asked": 9})
    assert register(a, b, objection=lambda _: against) == NotRegistered(against)


def assert_containers_are_found_again(
    registration: Registration | NotRegistered, scenes: tuple[Scene, Scene]
) -> None:
    assert isinstance(registration, Registration), registration
    first, second = ({c.world: np.array(c.polygon_px) for c in s.containers} for s in scenes)
    shared = sorted(first.keys() & second.keys())
    at, expected = (np.array([group[k].mean(axis=0) for k in shared]) for group in (first, second))
    size = np.median([np.ptp(first[k], axis=0).mean() for k in shared])
    assert (
        np.median(np.linalg.norm(map_points(registration.matrix, at) - expected, axis=1))
        < 0.1 * size
    )


@pytest.mark.long
def test_boxes_on_a_rich_ground_are_found_again_a_month_later() -> None:
    world = draw_world(8003, "box", 160)
    scenes = photos_on_two_dates(world, SIZE, 0.2, 3)
    a, b = map(scene_features, scenes)
    assert_containers_are_found_again(register(a, b), scenes)


@pytest.mark.long
def test_a_bench_of_pots_is_told_by_where_it_ends_when_looks_do_not_say() -> None:
    world = draw_world(13_009, "pots", 118)
    scenes = photos_on_two_dates(world, (1600, 1200), 0.25, 5009)
    a, b = map(scene_features, scenes)
    assert_containers_are_found_again(register(a, b), scenes)
    without_containers = register(a, b, RegistrationRule(fewest_containers=10**6))
    assert isinstance(without_containers, NotRegistered)
    assert without_containers.why.code == "ambiguous"


def test_what_is_near_is_told_from_a_move_by_a_cell() -> None:
    right = np.zeros((40, 2))
    assert second_near(right, 5) == 0
    cell = np.full((30, 2), (25.0, 2.0))
    assert second_near(np.concatenate([right, cell]), 5) == pytest.approx(0.75)
    assert second_near(np.zeros((0, 2)), 5) == 0


def test_photos_with_nothing_in_common_are_surely_apart() -> None:
    result = register_pictures(noise(1), noise(2))
    assert isinstance(result, NotRegistered)
    assert result.is_apart


def test_a_photo_without_points_says_nothing_either_way() -> None:
    plain = np.full((900, 1200, 3), 128, np.uint8)
    result = register_pictures(plain, plain)
    assert isinstance(result, NotRegistered)
    assert not result.is_apart


def test_a_mirrored_photo_is_not_believed(pair) -> None:
    result = register_pictures(pair[0].rgb, np.ascontiguousarray(pair[0].rgb[:, ::-1]))
    assert isinstance(result, NotRegistered)


def test_a_floor_of_equal_tiles_is_not_believed() -> None:
    tile = cv2.resize(np.random.default_rng(1).integers(0, 256, (20, 20, 3), np.uint8), (60, 60))
    floor = np.tile(tile, (20, 25, 1))
    result = register_pictures(floor[0:900, 0:1200].copy(), floor[150:1050, 270:1470].copy())
    assert isinstance(result, NotRegistered)


def split_pair(pair, registration) -> tuple[list[PhotoCount], list[PhotoCount], list[list[int]]]:
    photos = [exact_count(scene) for scene in pair]
    matrices = {(0, 1): registration.matrix, (1, 0): inverse(registration.matrix)}
    shares = divide_counts(photos, matrices)
    parts = [split_at_seam(photos, i, shares[i], matrices).photo for i in range(2)]
    worlds = [
        [p for p, mine in zip(worlds, own.detections, strict=True) if mine]
        for worlds, own in zip(
            ([w for _, w in visible_plants(s)] for s in pair), shares, strict=True
        )
    ]
    return photos, parts, worlds


def test_each_plant_of_two_photos_counts_in_one_of_them(pair, registration) -> None:
    photos, parts, worlds = split_pair(pair, registration)
    all_worlds = [{w for _, w in visible_plants(scene)} for scene in pair]
    shared, either = all_worlds[0] & all_worlds[1], all_worlds[0] | all_worlds[1]
    assert len(shared) >= 20
    assert sum(p.detected for p in photos) == len(either) + len(shared)
    assert len(worlds[0]) + len(worlds[1]) == sum(p.detected for p in parts)
    double = len(set(worlds[0]) & set(worlds[1]))
    assert double <= 0.02 * len(either)
    assert len(either - set(worlds[0]) - set(worlds[1])) <= 0.02 * len(either)


def test_a_container_that_both_show_whole_is_counted_in_one(pair, registration) -> None:
    photos, parts, _ = split_pair(pair, registration)
    before, after = (sum(len(p.containers) for p in group) for group in (photos, parts))
    assert after < before
    for part in parts:
        assert [c.container for c in part.counts] == list(range(len(part.containers)))
        for row in part.counts:
            boxes = [d for d in part.detections if d.container == row.container]
            assert sum(not d.is_empty_container for d in boxes) == row.detected


def test_photos_that_were_not_registered_keep_all(pair) -> None:
    photos = [exact_count(scene) for scene in pair]
    shares = divide_counts(photos, {})
    assert [split_at_seam(photos, i, shares[i], {}).photo for i in range(2)] == photos


def test_plants_that_disagree_speak_against_a_registration(pair, registration) -> None:
    photos = [exact_count(scene) for scene in pair]
    expected, share = agreement(*photos, registration.matrix)
    assert expected >= 10
    assert share > 0.9
    boxes = [p.xyxy_px for p in pair[0].plants]
    off = 0.55 * np.median([b[2] - b[0] for b in boxes])
    wrong = np.array([[1, 0, off], [0, 1, off], [0, 0, 1.0]]) @ registration.matrix
    assert agreement(*photos, wrong)[1] < 0.5


def test_an_estimate_keeps_the_share_on_its_side_of_the_seam() -> None:
    bed = counted_bed(estimated=40)
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = divide_counts([bed, bed], matrices)
    parts = [split_at_seam([bed, bed], i, shares[i], matrices) for i in range(2)]
    first, second = (p.photo.estimated for p in parts)
    assert first + second == pytest.approx(60, abs=1)  # half as wide again as one photo
    assert min(first, second) >= 20
    assert all(p.is_changed for p in parts)


def test_an_unknown_estimate_stays_unknown() -> None:
    bed = counted_bed(estimated=None)
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = divide_counts([bed, bed], matrices)
    assert split_at_seam([bed, bed], 0, shares[0], matrices).photo.estimated is None


@pytest.mark.parametrize("estimated", [40, None])
def test_the_areas_of_an_estimate_are_split_alike(estimated: int | None) -> None:
    bed = counted_bed(estimated)
    (whole,) = bed.estimations
    parts = (101, 299, 0, 401)
    bands = tuple(Band(250 * k, 250 * k + 250, area, 20.0, 10) for k, area in enumerate(parts))
    measured = replace(whole, residual_area_px=801, residual_area_cm2=200.0, bands=bands)
    bed = replace(bed, estimations=(measured,))
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = divide_counts([bed, bed], matrices)
    (left,) = split_at_seam([bed, bed], 0, shares[0], matrices).photo.estimations
    assert 0.5 < left.residual_area_px / 801 < 0.9
    assert left.residual_area_cm2 == pytest.approx(left.residual_area_px / 4, abs=0.2)
    assert sum(b.residual_area_px for b in left.bands) == left.residual_area_px
    for before, band in zip(bands, left.bands, strict=True):
        share = left.residual_area_px / 801
        assert band.residual_area_px == pytest.approx(before.residual_area_px * share, abs=1)
        assert band.estimated == pytest.approx(10 * share, abs=1)
    assert left.estimated == (None if estimated is None else sum(b.estimated for b in left.bands))


def counted_bed(estimated: int | None) -> PhotoCount:
    """A bed that fills a photo of 1000 px from edge to edge, half of it residual all over."""
    photo = photo_count((0, estimated), at=[(0, 0)])
    frame = ((0, 0), (1000, 0), (1000, 1000), (0, 1000))
    containers = (replace(photo.containers[0], polygon_px=frame, area_px=1_000_000),)
    estimations = (replace(photo.estimations[0], residual_polygons_px=(frame,)),)
    return replace(photo, containers=containers, estimations=estimations)


def test_what_is_left_of_a_residual_ends_at_the_seam() -> None:
    bed = counted_bed(estimated=40)
    (whole,) = bed.estimations
    strip = ((100, 450), (900, 450), (900, 550), (100, 550))
    far = ((950, 480), (990, 480), (970, 520))
    bed = replace(
        bed,
        estimations=(replace(whole, residual_polygons_px=(strip, far), polygon_px=strip),),
        counts=tuple(replace(c, residual_share=0.2) for c in bed.counts),
    )
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    part = split_at_seam([bed, bed], 0, divide_counts([bed, bed], matrices)[0], matrices)
    (left,) = part.photo.estimations
    (outline,) = left.residual_polygons_px
    seam = min(x for x, _ in part.beyond_px[0])
    assert set(outline) == set(left.polygon_px)
    assert (min(outline)[0], max(x for x, _ in outline)) == (100, pytest.approx(seam, abs=2))
    share = left.parameters["share_this_side"]
    assert 0 < share < 1
    assert part.photo.counts[0].residual_share == pytest.approx(0.2 * share, abs=1e-3)


@pytest.mark.parametrize(
    "hull", [(), ((600, 500), (700, 500)), ((100, 450), (900, 450), (100, 550))]
)
def test_a_residual_of_which_only_a_hull_is_known_is_split_too(hull: Polygon) -> None:
    bed = counted_bed(estimated=40)
    whole = replace(bed.estimations[0], residual_polygons_px=(), polygon_px=hull)
    bed = replace(bed, estimations=(whole,))
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    part = split_at_seam([bed, bed], 0, divide_counts([bed, bed], matrices)[0], matrices)
    (left,) = part.photo.estimations
    assert 0 < left.parameters["share_this_side"] < 1
    assert bool(left.polygon_px) == (len(hull) > 2)
    assert max((x for x, _ in left.polygon_px), default=0) < 800
