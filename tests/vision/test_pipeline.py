from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.containers.segmenter import Region
from demeter.vision.errors import ImageRefused
from demeter.vision.hints import Hints
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.pipeline import count
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detect import DetectRule
from demeter.vision.values import ContainerType, PhotoCount
from support.standins import (
    FLOOR,
    DiscDetector,
    SoilSegmenter,
    bed,
    plant,
    planted_grid,
    stand_in_models,
)

MODELS = stand_in_models()


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (1, 1), (3, 2), (20, 15)])
def test_separate_plants_are_counted_exactly(columns, rows):
    photo = count(planted_grid(columns, rows), MODELS)
    assert photo.detected == columns * rows
    assert photo.estimated == 0
    assert len(photo.containers) == 1
    assert photo.interval_90 is not None
    assert photo.interval_90[0] <= columns * rows <= photo.interval_90[1]


@pytest.mark.parametrize("diameter", [14, 25, 40, 80, 160])
def test_the_scale_is_found_when_nothing_is_known(diameter):
    photo = count(planted_grid(8, 6, diameter, round(diameter * 1.5)), MODELS)
    assert photo.detected == 48


def test_plants_across_tiles_are_counted_once():
    photo = count(planted_grid(40, 30, 40, 46), MODELS)
    assert photo.parameters["tiles"] > 20
    assert photo.detected == 1200


def test_each_detection_belongs_to_the_container_that_holds_its_centre():
    picture = bed((1000, 400), (40, 40, 440, 360))
    picture[:, 500:] = bed((500, 400), (40, 40, 460, 360))
    for x in (100, 200, 300):
        plant(picture, x, 200, 40)
    for x in (600, 700):
        plant(picture, x, 200, 40)
    photo = count(picture, MODELS)
    assert [c.detected for c in photo.counts] == [3, 2]
    for detection in photo.detections:
        xs = [x for x, _ in photo.containers[detection.container].polygon_px]
        assert min(xs) < (detection.xyxy_px[0] + detection.xyxy_px[2]) / 2 < max(xs)


def test_empty_containers_are_no_plants():
    picture = planted_grid(6, 4)
    for i in range(3):
        plant(picture, 80 + 60 * i, 80, 44, (230, 120, 30))
    photo = count(picture, MODELS)
    assert (photo.detected, sum(c.empty for c in photo.counts)) == (21, 3)


def test_without_a_container_nothing_is_said():
    photo = count(np.full((300, 400, 3), FLOOR, np.uint8), MODELS)
    assert (photo.containers, photo.counts, photo.detections) == ((), (), ())
    assert photo.interval_90 is None


def test_a_photo_framed_whole_is_its_own_container():
    picture = np.full((300, 400, 3), FLOOR, np.uint8)
    photo = count(picture, MODELS, Hints(framed_whole=True))
    (only,) = photo.containers
    assert only.whole_frame
    assert only.container_type is ContainerType.SEGMENT
    assert (photo.detected, photo.estimated) == (0, 0)


def half_found(plants_outside: int, diameter_outside: int = 40) -> np.ndarray:
    """A bed with twelve plants in a container and some on the floor beside it."""
    picture = np.full((600, 1000, 3), FLOOR, np.uint8)
    picture[:, :400] = bed((400, 600), (40, 40, 360, 560))
    for i in range(12):
        plant(picture, 90 + 60 * (i % 4), 120 + 60 * (i // 4), 40)
    for i in range(plants_outside):
        plant(picture, 480 + 60 * (i % 8), 120 + 60 * (i // 8), diameter_outside)
    return picture


class CrateOnly:
    """Finds the container and no other."""

    identity = "crate@0"

    def __call__(self, _: np.ndarray) -> tuple[Region, ...]:
        return (Region("box", ((40, 40), (360, 40), (360, 560), (40, 560)), 0.9),)


CRATE = ModelSet(MODELS.detector, CrateOnly(), MODELS.errors)


def test_plants_outside_every_container_belong_to_a_frame_that_is_the_bed():
    photo = count(half_found(16), CRATE, Hints(framed_whole=True))
    assert [c.whole_frame for c in photo.containers] == [False, True]
    assert [c.detected for c in photo.counts] == [12, 16]
    assert photo.estimated == 0
    assert photo.warnings[0] == Notice("plants_outside", {"plants": 16})


@pytest.mark.parametrize(("outside", "framed_whole"), [(0, True), (2, True), (16, False)])
def test_strays_and_plants_beside_the_bed_are_not_counted(outside, framed_whole):
    photo = count(half_found(outside), CRATE, Hints(framed_whole=framed_whole))
    assert len(photo.containers) == 1
    assert photo.detected == 12
    assert photo.warnings == ()


def test_what_is_seen_outside_less_surely_than_inside_is_no_plant():
    pebbles = half_found(16, diameter_outside=28)
    photo = count(pebbles, CRATE, Hints(framed_whole=True))
    assert [c.whole_frame for c in photo.containers] == [False]
    assert photo.detected == 12
    assert photo.warnings == ()


class Nearsighted(DiscDetector):
    """Is unsure of plants below a size in its tile, and misses every third of them there."""

    def __call__(self, tiles: Iterable[np.ndarray], floor: float) -> list[Boxes]:
        return [self._doubted(boxes) for boxes in super().__call__(tiles, floor)]

    def _doubted(self, boxes: Boxes) -> Boxes:
        small = boxes.size_px < self.plant_px * 1.3
        is_detected = ~small | (np.arange(len(boxes)) % 3 > 0)
        doubt = np.where(small, np.float32(0.6), np.float32(1.0))
        return Boxes(boxes.xyxy_px, boxes.confidence * doubt, boxes.is_empty).where(is_detected)


def test_a_container_whose_plants_are_unsure_is_looked_at_from_nearer():
    models = ModelSet(Nearsighted(), MODELS.segmenter, MODELS.errors)
    picture = planted_grid(9, 7)
    assert count(picture, models).detected == 63
    as_before = count(picture, models, rule=DetectRule(unsure=0.0))
    assert as_before.detected < 63


@dataclass(frozen=True)
class PatchOnly:
    """Finds a patch of floor for a container, and not the bed beside it."""

    confidence: float
    identity: str = "patch@0"

    def __call__(self, _: np.ndarray) -> tuple[Region, ...]:
        patch = ((700, 40), (980, 40), (980, 300), (700, 300))
        return (Region("box", patch, self.confidence),)


@pytest.mark.parametrize(("confidence", "of_containers"), [(0.9, [0, 12]), (0.7, [12])])
def test_where_containers_show_no_plant_the_whole_photo_is_looked_at(confidence, of_containers):
    """What is surely a container may stand there empty; another was part of the bed."""
    models = ModelSet(MODELS.detector, PatchOnly(confidence), MODELS.errors)
    photo = count(half_found(0), models, Hints(framed_whole=True))
    assert [c.detected for c in photo.counts] == of_containers
    assert photo.containers[-1].whole_frame
    assert photo.warnings[0] == Notice("plants_outside", {"plants": 12})


def test_an_unknown_label_is_a_segment_and_is_said():
    models = ModelSet(MODELS.detector, SoilSegmenter(label="hammock"), MODELS.errors)
    photo = count(planted_grid(3, 3), models)
    assert photo.containers[0].container_type is ContainerType.SEGMENT
    assert photo.warnings == (Notice("unknown_label", {"label": "hammock"}),)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (2, 3000), (3000, 3), (7, 5)])
@pytest.mark.parametrize("framed_whole", [True, False])
def test_tiny_and_very_long_pictures_are_counted_too(shape, framed_whole):
    picture = np.full((*shape, 3), FLOOR, np.uint8)
    photo = count(picture, MODELS, Hints(framed_whole=framed_whole))
    assert (photo.height_px, photo.width_px) == shape
    assert photo.detected == 0


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(ImageRefused):
        count(picture, MODELS)


def test_the_same_photo_twice_gives_the_same_rows():
    picture = planted_grid(12, 9, 40, 46)
    assert count(picture, MODELS) == count(picture, MODELS)


def test_a_count_survives_json():
    picture = planted_grid(6, 4)
    plant(picture, 140, 140, 70)
    photo = count(picture, MODELS)
    assert PhotoCount.from_json(json.loads(json.dumps(photo.to_json()))) == photo


def test_progress_only_goes_forward_and_ends_at_one():
    shares: list[float] = []
    count(planted_grid(20, 15), MODELS, on_progress=shares.append)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1.0
    assert len(shares) > 4


def test_the_count_says_what_it_was_made_with():
    photo = count(planted_grid(2, 2), MODELS)
    assert photo.models == {"detect": "discs@0", "segment": "soil@0"}
    assert {"precision", "tile_px", "scale", "detect", "error_model"} <= photo.parameters.keys()
