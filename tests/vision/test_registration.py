"""Photos that overlap: how they lie, when nobody can say, and each plant counted once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from demeter.vision.geometry import Polygon
from demeter.vision.overlap.candidates import away_px
from demeter.vision.overlap.correlation import second_near
from demeter.vision.overlap.features import MOST_LOOSE, described
from demeter.vision.overlap.homography import inverse, mapped, scaled
from demeter.vision.overlap.matching import matches_held_and_all, matches_near
from demeter.vision.overlap.plant_agreement import agreement
from demeter.vision.overlap.registration import (
    NotRegistered,
    Registration,
    Rule,
    register,
    register_described,
)
from demeter.vision.overlap.seam import owned
from demeter.vision.overlap.split_counts import parted
from demeter.vision.values import Band, PhotoCount
from demeter_training.scenes.demo import overlapping, two_dates
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.values import Scene
from nursery import photo_count
from vision.exact import counted, plants_of

SIZE = (1200, 900)


@pytest.fixture(scope="module")
def pair() -> tuple[Scene, Scene]:
    """Two photos along a bench of seedling trays that share about half of their width."""
    return overlapping(draw_world(7002, "seedling_tray", 150), SIZE, 0.5, 2)


@pytest.fixture(scope="module")
def found(pair: tuple[Scene, Scene]) -> Registration:
    counts = [counted(scene) for scene in pair]
    made = register_described(
        *(
            described(scene.rgb, [c.polygon_px for c in count.containers])
            for scene, count in zip(pair, counts, strict=True)
        )
    )
    assert isinstance(made, Registration), made
    return made


def noise(seed: int) -> np.ndarray:
    """A picture rich in points that has nothing in common with another seed's."""
    small = np.random.default_rng(seed).integers(0, 256, (450, 600, 3), np.uint8)
    return cv2.resize(small, (1200, 900), interpolation=cv2.INTER_CUBIC)


def test_plants_of_one_photo_are_found_at_their_place_in_the_other(pair, found) -> None:
    first, second = ({p.world: p.xyxy_px for p in scene.plants} for scene in pair)
    both = sorted(first.keys() & second.keys())
    at = np.array([first[k] for k in both]).reshape(-1, 2, 2).mean(axis=1)
    there = np.array([second[k] for k in both]).reshape(-1, 2, 2).mean(axis=1)
    width = np.median([first[k][2] - first[k][0] for k in both])
    assert len(both) >= 20
    assert np.median(np.linalg.norm(mapped(found.matrix, at) - there, axis=1)) < 0.25 * width


def test_a_photo_moved_and_turned_is_registered_to_a_pixel(pair) -> None:
    rgb = pair[0].rgb
    truth = np.array([[0.96, -0.09, 60], [0.08, 0.97, -30], [1e-5, 2e-5, 1]])
    made = register(rgb, cv2.warpPerspective(rgb, truth, SIZE))
    assert isinstance(made, Registration)
    at = np.array([[300.0, 200], [700, 500], [900, 700]])
    assert np.abs(mapped(made.matrix, at) - mapped(truth, at)).max() < 1.5


def test_the_same_photos_are_registered_the_same_again(pair) -> None:
    assert register(pair[0].rgb, pair[1].rgb) == register(pair[0].rgb, pair[1].rgb)


def test_near_a_registration_more_matches_are_found_than_anywhere(pair, found) -> None:
    a, b = (described(s.rgb, [c.polygon_px for c in counted(s).containers]) for s in pair)
    small = scaled(found.matrix, 1 / a.scale, 1 / b.scale)
    near = matches_near(small, a.upright.of_containers, b.upright.of_containers, 60)
    held, every = matches_held_and_all(a.upright, b.upright)
    assert (away_px(small, *near) < 5).sum() > 1.5 * (away_px(small, held.from_px, held.to_px) < 5)[
        held.clear
    ].sum()
    assert len(every.from_px) > len(held.from_px)


def test_a_rich_ground_leaves_places_to_the_points_of_containers() -> None:
    gravel = noise(1)
    gravel[300:600, 400:800] = gravel[300:600, 400:800] // 8 + 100
    made = described(gravel, [[(400, 300), (800, 300), (800, 600), (400, 600)]]).upright
    alone = described(gravel).upright
    in_box = ((alone.xy_px > (400, 300)) & (alone.xy_px < (800, 600))).all(axis=1)
    assert made.held.sum() > 2 * in_box.sum()
    assert 0 < (~made.held).sum() <= MOST_LOOSE


def test_what_plants_contradict_is_not_believed(pair) -> None:
    a, b = (described(s.rgb, [c.polygon_px for c in counted(s).containers]) for s in pair)
    made = register_described(a, b, contradicted=lambda _: "only 0% of 9 plants agree")
    assert made == NotRegistered("plants_disagree", "only 0% of 9 plants agree")


def assert_containers_are_found_again(
    made: Registration | NotRegistered, scenes: tuple[Scene, Scene]
) -> None:
    assert isinstance(made, Registration), made
    first, second = ({c.world: np.array(c.polygon_px) for c in s.containers} for s in scenes)
    both = sorted(first.keys() & second.keys())
    at, there = (np.array([group[k].mean(axis=0) for k in both]) for group in (first, second))
    size = np.median([np.ptp(first[k], axis=0).mean() for k in both])
    assert np.median(np.linalg.norm(mapped(made.matrix, at) - there, axis=1)) < 0.1 * size


def test_boxes_on_a_rich_ground_are_found_again_a_month_later() -> None:
    world = draw_world(8003, "box", 160)
    scenes = two_dates(world, SIZE, 0.2, 3)
    a, b = (described(s.rgb, [c.polygon_px for c in counted(s).containers]) for s in scenes)
    assert_containers_are_found_again(register_described(a, b), scenes)


def test_a_bench_of_pots_is_told_by_where_it_ends_when_looks_do_not_say() -> None:
    world = draw_world(13_009, "pots", 118)
    scenes = two_dates(world, (1600, 1200), 0.25, 5009)
    a, b = (described(s.rgb, [c.polygon_px for c in counted(s).containers]) for s in scenes)
    assert_containers_are_found_again(register_described(a, b), scenes)
    unasked = register_described(a, b, Rule(standing_asked=10**6))
    assert isinstance(unasked, NotRegistered)
    assert unasked.reason == "ambiguous"


def test_what_is_near_is_told_from_a_move_by_a_cell() -> None:
    right = np.zeros((40, 2))
    assert second_near(right, 5) == 0
    cell = np.full((30, 2), (25.0, 2.0))
    assert second_near(np.concatenate([right, cell]), 5) == pytest.approx(0.75)
    assert second_near(np.zeros((0, 2)), 5) == 0


def test_photos_with_nothing_in_common_are_surely_apart() -> None:
    made = register(noise(1), noise(2))
    assert isinstance(made, NotRegistered)
    assert made.is_apart


def test_a_photo_without_points_says_nothing_either_way() -> None:
    plain = np.full((900, 1200, 3), 128, np.uint8)
    made = register(plain, plain)
    assert isinstance(made, NotRegistered)
    assert not made.is_apart


def test_a_mirrored_photo_is_not_believed(pair) -> None:
    made = register(pair[0].rgb, np.ascontiguousarray(pair[0].rgb[:, ::-1]))
    assert isinstance(made, NotRegistered)


def test_a_floor_of_equal_tiles_is_not_believed() -> None:
    tile = cv2.resize(np.random.default_rng(1).integers(0, 256, (20, 20, 3), np.uint8), (60, 60))
    floor = np.tile(tile, (20, 25, 1))
    made = register(floor[0:900, 0:1200].copy(), floor[150:1050, 270:1470].copy())
    assert isinstance(made, NotRegistered)


def of_pair(pair, found) -> tuple[list[PhotoCount], list[PhotoCount], list[list[int]]]:
    photos = [counted(scene) for scene in pair]
    matrices = {(0, 1): found.matrix, (1, 0): inverse(found.matrix)}
    shares = owned(photos, matrices)
    parts = [parted(photos, i, shares[i], matrices).photo for i in range(2)]
    worlds = [
        [p for p, mine in zip(worlds, own.detections, strict=True) if mine]
        for worlds, own in zip(([w for _, w in plants_of(s)] for s in pair), shares, strict=True)
    ]
    return photos, parts, worlds


def test_each_plant_of_two_photos_counts_in_one_of_them(pair, found) -> None:
    photos, parts, worlds = of_pair(pair, found)
    all_worlds = [{w for _, w in plants_of(scene)} for scene in pair]
    both, either = all_worlds[0] & all_worlds[1], all_worlds[0] | all_worlds[1]
    assert len(both) >= 20
    assert sum(p.detected for p in photos) == len(either) + len(both)
    assert len(worlds[0]) + len(worlds[1]) == sum(p.detected for p in parts)
    double = len(set(worlds[0]) & set(worlds[1]))
    assert double <= 0.02 * len(either)
    assert len(either - set(worlds[0]) - set(worlds[1])) <= 0.02 * len(either)


def test_a_container_that_both_show_whole_is_counted_in_one(pair, found) -> None:
    photos, parts, _ = of_pair(pair, found)
    before, after = (sum(len(p.containers) for p in group) for group in (photos, parts))
    assert after < before
    for part in parts:
        assert [c.container for c in part.counts] == list(range(len(part.containers)))
        for row in part.counts:
            mine = [d for d in part.detections if d.container == row.container]
            assert sum(not d.is_empty_container for d in mine) == row.detected


def test_photos_that_were_not_registered_keep_all(pair) -> None:
    photos = [counted(scene) for scene in pair]
    shares = owned(photos, {})
    assert [parted(photos, i, shares[i], {}).photo for i in range(2)] == photos


def test_plants_that_disagree_speak_against_a_registration(pair, found) -> None:
    photos = [counted(scene) for scene in pair]
    asked, share = agreement(*photos, found.matrix)
    assert asked >= 10
    assert share > 0.9
    boxes = [p.xyxy_px for p in pair[0].plants]
    off = 0.55 * np.median([b[2] - b[0] for b in boxes])
    wrong = np.array([[1, 0, off], [0, 1, off], [0, 0, 1.0]]) @ found.matrix
    assert agreement(*photos, wrong)[1] < 0.5


def test_an_estimate_keeps_the_share_on_its_side_of_the_seam() -> None:
    bed = counted_bed(estimated=40)
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = owned([bed, bed], matrices)
    parts = [parted([bed, bed], i, shares[i], matrices) for i in range(2)]
    first, second = (p.photo.estimated for p in parts)
    assert first + second == pytest.approx(60, abs=1)  # half as wide again as one photo
    assert min(first, second) >= 20
    assert all(p.is_changed for p in parts)


def test_an_unknown_estimate_stays_unknown() -> None:
    bed = counted_bed(estimated=None)
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = owned([bed, bed], matrices)
    assert parted([bed, bed], 0, shares[0], matrices).photo.estimated is None


@pytest.mark.parametrize("estimated", [40, None])
def test_the_areas_of_an_estimate_are_parted_alike(estimated: int | None) -> None:
    bed = counted_bed(estimated)
    (whole,) = bed.estimations
    parts = (101, 299, 0, 401)
    bands = tuple(Band(250 * k, 250 * k + 250, area, 20.0, 10) for k, area in enumerate(parts))
    measured = replace(whole, residual_area_px=801, residual_area_cm2=200.0, bands=bands)
    bed = replace(bed, estimations=(measured,))
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    shares = owned([bed, bed], matrices)
    (left,) = parted([bed, bed], 0, shares[0], matrices).photo.estimations
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
    made = photo_count((0, estimated), at=[(0, 0)])
    frame = ((0, 0), (1000, 0), (1000, 1000), (0, 1000))
    containers = (replace(made.containers[0], polygon_px=frame, area_px=1_000_000),)
    estimations = (replace(made.estimations[0], residual_polygons_px=(frame,)),)
    return replace(made, containers=containers, estimations=estimations)


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
    part = parted([bed, bed], 0, owned([bed, bed], matrices)[0], matrices)
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
def test_a_residual_of_which_only_a_hull_is_known_is_parted_too(hull: Polygon) -> None:
    bed = counted_bed(estimated=40)
    whole = replace(bed.estimations[0], residual_polygons_px=(), polygon_px=hull)
    bed = replace(bed, estimations=(whole,))
    right = np.array([[1, 0, -500.0], [0, 1, 0], [0, 0, 1]])
    matrices = {(0, 1): right, (1, 0): inverse(right)}
    part = parted([bed, bed], 0, owned([bed, bed], matrices)[0], matrices)
    (left,) = part.photo.estimations
    assert 0 < left.parameters["share_this_side"] < 1
    assert bool(left.polygon_px) == (len(hull) > 2)
    assert max((x for x, _ in left.polygon_px), default=0) < 800
