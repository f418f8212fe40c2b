"""Rendered scenes: what their truth says can be seen in their pixels."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from shapely.geometry import Polygon

from demeter.vision.coco_categories import CATEGORIES
from demeter.vision.errors import ScenesRefused
from demeter.vision.values import ContainerType
from demeter_training.scenes import Scene, scene, tile
from demeter_training.scenes.camera import Camera
from demeter_training.scenes.compose import whole_view
from demeter_training.scenes.demo import demo_photos
from demeter_training.scenes.export import coco_rows, write_scenes
from demeter_training.scenes.growers import GROWER_KINDS, draw_growers_world
from demeter_training.scenes.growers_views import bare_photo, growers_photo
from demeter_training.scenes.layout import WORLD_KINDS, draw_world
from demeter_training.scenes.render import CameraShot, render
from demeter_training.scenes.truth import visible_outlines
from demeter_training.scenes.vessels import base_of, rim_of, silhouette
from demeter_training.scenes.world import World, a_month_later
from support.scene_pairs import overlapping_photos

SIZE = (320, 240)
TYPE_OF_KIND = {
    "bed": ContainerType.SEGMENT,
    "plug": ContainerType.PLUG,
    "seedling_tray": ContainerType.SEEDLING_TRAY,
    "box": ContainerType.BOX,
    "pots": ContainerType.POT,
}


def assert_truth_is_consistent(picture: Scene) -> None:
    height, width = picture.rgb.shape[:2]
    for thing in (*picture.plants, *picture.empties):
        x0, y0, x1, y1 = thing.xyxy_px
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert -1 <= thing.container < len(picture.containers)
    for k, container in enumerate(picture.containers):
        assert container.plants == sum(p.container == k for p in picture.plants)
        assert container.empties == sum(e.container == k for e in picture.empties)
        corners = np.array(container.polygon_px)
        assert len(corners) >= 3
        assert corners.min() >= -1
        assert (corners <= np.array([width, height]) + 1).all()


@pytest.mark.parametrize("kind", sorted(WORLD_KINDS))
def test_every_kind_of_bench_is_drawn_with_its_container_type(kind: str) -> None:
    picture = scene(3, SIZE, kind=kind, plants=20)
    assert picture.rgb.shape == (SIZE[1], SIZE[0], 3)
    assert picture.rgb.dtype == np.uint8
    assert {c.container_type for c in picture.containers} == {TYPE_OF_KIND[kind]}
    assert_truth_is_consistent(picture)


@pytest.mark.parametrize("kind", sorted(GROWER_KINDS))
def test_every_kind_of_growers_bench_is_drawn(kind: str) -> None:
    world = draw_growers_world(5, kind, 12)
    assert world.vessels
    assert all(0 <= p.vessel < len(world.vessels) for p in world.plants)
    assert not draw_growers_world(5, kind, 0).plants


@pytest.mark.parametrize("seed", range(4))
def test_growers_photos_and_bare_ones_have_a_consistent_truth(seed: int) -> None:
    assert_truth_is_consistent(growers_photo(seed, SIZE))
    bare = bare_photo(seed, SIZE)
    assert_truth_is_consistent(bare)
    assert bare.plants == ()
    assert np.array_equal(bare.rgb, bare_photo(seed, SIZE).rgb)


def test_the_same_seed_gives_the_same_scene() -> None:
    first, second = scene(11, SIZE), scene(11, SIZE)
    assert np.array_equal(first.rgb, second.rgb)
    assert first.plants == second.plants
    assert first.containers == second.containers


def test_another_seed_gives_another_scene() -> None:
    assert not np.array_equal(scene(11, SIZE).rgb, scene(12, SIZE).rgb)


def test_a_scene_without_plants_has_containers_and_no_plants() -> None:
    picture = scene(5, SIZE, kind="plug", plants=0)
    assert picture.plants == ()
    assert picture.containers
    assert picture.empties
    assert_truth_is_consistent(picture)


def test_a_container_behind_another_is_outlined_where_it_is_seen() -> None:
    hidden = 0.0
    for seed in range(8):
        world = draw_world(seed, "pots", 12)
        camera = replace(whole_view(np.random.default_rng(seed), world, SIZE), tilt=0.8, roll=0.0)
        visible = {v: Polygon(p) for v, p in visible_outlines(camera, world).items()}
        whole = {v: Polygon(cv2.convexHull(whole_px(camera, world, v))[:, 0]) for v in visible}
        for v, w in combinations(visible, 2):
            assert visible[v].intersection(visible[w]).area < 0.01 * visible[v].area + 1
            hidden += whole[v].intersection(whole[w]).area
    assert hidden > 100


def test_a_pot_is_outlined_around_its_rim_and_not_down_its_side() -> None:
    world = draw_world(4, "pots", 1)
    camera = whole_view(np.random.default_rng(4), world, SIZE)
    camera = replace(camera, tilt=0.8, roll=0.0, distance_cm=2 * camera.distance_cm)
    (polygon,) = visible_outlines(camera, world).values()
    (pot,) = world.vessels
    rim = Polygon(cv2.convexHull(camera.project(rim_of(pot)).astype(np.float32))[:, 0])
    visible = Polygon(polygon)
    assert visible.intersection(rim).area > 0.99 * max(visible.area, rim.area)
    foot = camera.project(base_of(pot))
    assert foot[:, 1].max() > np.array(polygon)[:, 1].max() + 3


def whole_px(camera: Camera, world: World, vessel: int) -> np.ndarray:
    return camera.project(silhouette(world.vessels[vessel])).astype(np.float32)


def test_a_pot_can_stand_alone() -> None:
    pictures = [scene(s, SIZE, kind="pots", plants=1) for s in range(3)]
    assert all(len(p.containers) <= 1 for p in pictures)
    assert any(len(p.plants) == 1 for p in pictures)


def test_three_thousand_plants_fit_in_one_photo() -> None:
    world = draw_world(1, "bed", 3000)
    camera = whole_view(np.random.default_rng(1), world, (800, 600))
    picture = render(world, CameraShot(camera, 1))
    assert len(world.plants) > 2000
    assert len(picture.plants) > 1000
    assert_truth_is_consistent(picture)


@pytest.mark.parametrize("seed", range(2))
def test_taking_a_plant_away_changes_the_pixels_in_its_box_and_few_others(seed: int) -> None:
    world = draw_world(seed, "plug", 40)
    camera = whole_view(np.random.default_rng(seed), world, SIZE)
    shot = CameraShot(camera, seed, faults=False)
    whole = render(world, shot)
    target = max(whole.plants, key=lambda p: p.visible)
    rest = replace(world, plants=tuple(p for k, p in enumerate(world.plants) if k != target.world))
    without = render(rest, shot)
    changed = (whole.rgb.astype(int) - without.rgb).max(axis=2) != 0
    x0, y0, x1, y1 = (int(v) for v in target.xyxy_px)
    assert changed[y0:y1, x0:x1].mean() > 0.2
    assert len(without.plants) == len(whole.plants) - 1


def test_a_container_polygon_covers_the_feet_of_its_plants() -> None:
    world = draw_world(21, "seedling_tray", 60)
    camera = whole_view(np.random.default_rng(3), world, SIZE)
    picture = render(world, CameraShot(camera, 3))
    by_world = {c.world: np.array(c.polygon_px, np.float32) for c in picture.containers}
    assert picture.plants
    for scene_plant in picture.plants:
        plant = world.plants[scene_plant.world]
        foot = camera.project(np.array([[plant.x, plant.y, plant.z]]))[0]
        if 0 <= foot[0] < SIZE[0] and 0 <= foot[1] < SIZE[1]:
            outline = by_world[plant.vessel]
            assert (
                cv2.pointPolygonTest(outline, (float(foot[0]), float(foot[1])), measureDist=True)
                > -2
            )


def test_an_empty_place_is_where_no_plant_stands() -> None:
    world = draw_world(31, "plug", 60)
    places = sum(len(v.openings) for v in world.vessels)
    camera = whole_view(np.random.default_rng(5), world, (1000, 750))
    picture = render(world, CameraShot(camera, 5))
    assert len(picture.empties) <= places - len(world.plants)


def test_a_month_later_some_are_sold_and_the_vessels_are_the_same() -> None:
    before = draw_world(41, "box", 120)
    after = a_month_later(before, 1, sold=0.3)
    assert after.vessels == before.vessels
    assert 0.5 * len(before.plants) < len(after.plants) < len(before.plants)
    places = {(p.vessel, p.opening, round(p.x, 3)) for p in before.plants}
    assert all((p.vessel, p.opening, round(p.x, 3)) in places for p in after.plants)


def test_nothing_is_sold_from_an_empty_bed() -> None:
    empty = draw_world(41, "bed", 0)
    assert a_month_later(empty, 1, sold=0.5) == empty


def test_a_training_tile_shows_plants_of_the_wanted_size() -> None:
    sizes = []
    for seed in range(3):
        for plant in tile(seed, 320, (40, 80)).plants:
            x0, _, x1, _ = plant.xyxy_px
            if plant.visible > 0.9 and x0 > 0 and x1 < 320:
                sizes.append(x1 - x0)
    assert sizes
    assert 25 < float(np.median(sizes)) < 110


@pytest.mark.parametrize("count", [1, 3])
def test_scenes_are_written_with_their_truth_as_coco(tmp_path, count: int) -> None:
    progress = list(write_scenes(tmp_path, "tiles", count, seed=4, side_px=160))
    assert progress == list(range(1, count + 1))
    body = json.loads((tmp_path / "coco.json").read_text())
    assert len(body["images"]) == count
    assert body["categories"] == CATEGORIES
    assert [a["id"] for a in body["annotations"]] == list(range(1, len(body["annotations"]) + 1))
    assert all((tmp_path / i["file_name"]).exists() for i in body["images"])


def test_an_interrupted_writing_goes_on_without_rendering_again(tmp_path) -> None:
    list(write_scenes(tmp_path, "tiles", 2, seed=4, side_px=160))
    written_at_ns = (tmp_path / "images" / "000001.jpg").stat().st_mtime_ns
    (tmp_path / "truth" / "000000.json").unlink()
    list(write_scenes(tmp_path, "tiles", 2, seed=4, side_px=160))
    assert (tmp_path / "images" / "000001.jpg").stat().st_mtime_ns == written_at_ns


@pytest.mark.parametrize(
    ("kind", "seed", "side"), [("tiles", 5, 160), ("photos", 4, 160), ("tiles", 4, 192)]
)
def test_pictures_of_another_seed_kind_or_size_are_not_taken_for_these(
    tmp_path, kind: str, seed: int, side: int
) -> None:
    list(write_scenes(tmp_path, "tiles", 1, seed=4, side_px=160))
    with pytest.raises(ScenesRefused, match="holds other pictures"):
        list(write_scenes(tmp_path, kind, 1, seed=seed, side_px=side))


def test_a_picture_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "images" / "000000.jpg").mkdir(parents=True)
    with pytest.raises(ScenesRefused, match=r"000000\.jpg cannot be written"):
        list(write_scenes(tmp_path, "tiles", 1, seed=4, side_px=160))
    assert not list((tmp_path / "truth").iterdir())


def test_annotations_count_what_the_scene_holds() -> None:
    picture = scene(2, SIZE, kind="box", plants=12)
    rows = coco_rows(picture)
    assert sum(r["category_id"] == 1 for r in rows) == len(picture.plants)
    assert sum(r["category_id"] == 2 for r in rows) == len(picture.empties)
    assert sum(r["category_id"] > 2 for r in rows) == len(picture.containers)


def test_the_demo_bed_a_month_later_is_the_same_bed_with_fewer_plants() -> None:
    first, later, *others = demo_photos((320, 240))
    assert [c.world for c in first.scene.containers] == [c.world for c in later.scene.containers]
    assert 0 < len(later.scene.plants) < len(first.scene.plants)
    assert {p.name for p in others} == {"plug-trays", "pots"}


def test_overlapping_photos_share_plants_and_each_has_some_of_its_own() -> None:
    left, right = overlapping_photos(draw_world(3, "bed", 200), SIZE, 0.4, seed=1)
    seen_left, seen_right = ({p.world for p in s.plants} for s in (left, right))
    assert seen_left & seen_right
    assert seen_left - seen_right
    assert seen_right - seen_left


def test_two_processes_draw_what_one_does_also_beside_threads(tmp_path) -> None:
    lock = threading.Lock()
    with lock, ThreadPoolExecutor(1) as pool:  # a fork would take this lock along, for ever
        pool.submit(lambda: None).result()
        for workers in (1, 2):
            out = tmp_path / str(workers)
            assert list(write_scenes(out, "tiles", 2, 6, side_px=128, workers=workers)) == [1, 2]
    single, double = (
        [(tmp_path / name / "images" / f"{n:06d}.jpg").read_bytes() for n in range(2)]
        for name in "12"
    )
    assert single == double


def test_no_process_outlives_a_rendering_that_is_killed(tmp_path: Path) -> None:
    order = (sys.executable, "-m", "demeter", "synth", str(tmp_path / "scenes"))
    rest = ("--kind", "tiles", "--count", "5000", "--side", "64", "--workers", "2")
    rendering = subprocess.Popen([*order, *rest], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    try:
        while not list(tmp_path.glob("scenes/images/*.jpg")) and time.monotonic() < deadline:
            time.sleep(0.05)
        children = Path("/proc", str(rendering.pid), "task", str(rendering.pid), "children")
        workers = [Path("/proc", pid, "cwd") for pid in children.read_text().split()]
        assert len(workers) >= 2
    finally:
        rendering.kill()
        rendering.wait()
    while any(w.exists() for w in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(w.exists() for w in workers)
