"""What training gets of accepted photos: plants of one size in tiles, photos made small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from typer.testing import CliRunner

from demeter.cli import train as cli
from demeter.core.db import engine
from demeter.learning.errors import TooLittleTruth
from demeter.learning.splits import SplitRule
from demeter.learning.training_tiles import (
    TILE_PX,
    TrainingPictures,
    _save_picture,
    _shrink_photo,
    prepare_pictures,
)
from demeter.vision.errors import TrainingDataRefused
from demeter.vision.plants.detector import TRAINED_PLANT_PX
from demeter.vision.values import PhotoCount
from demeter.vision_models.models import VisionTask
from learning.test_dataset import accept_session
from support.nursery import photo_count
from support.served import client

assert client  # pytest finds the fixture by its name here

PLANTS = ((100, 100, 128, 128), (800, 700, 828, 728))


def two_plants() -> PhotoCount:
    """Two plants of 28 px far apart, in one container."""
    body = photo_count((2, 0)).to_json()
    for row, box in zip(body["detections"], PLANTS, strict=True):
        row["xyxy_px"] = box
    return PhotoCount.from_json(body)


def training_pictures(tmp_path: Path, task: VisionTask) -> tuple[TrainingPictures, dict]:
    pictures = prepare_pictures(engine(), task, tmp_path / "run", SplitRule(0.0))
    return pictures, json.loads((pictures.folder / "coco.json").read_text())


def test_plants_are_shown_at_the_size_the_detector_likes(client: TestClient, tmp_path) -> None:
    accept_session(client, two_plants(), 1)
    pictures, body = training_pictures(tmp_path, VisionTask.DETECT)
    assert (pictures.photos, pictures.places) == (1, 1)
    sizes = [size for r in body["annotations"] for size in r["bbox"][2:]]
    assert sizes == pytest.approx([TRAINED_PLANT_PX[1]] * len(sizes), abs=0.5)
    assert len(body["annotations"]) >= 2
    for row in body["annotations"]:
        image = next(i for i in body["images"] if i["id"] == row["image_id"])
        tile = np.asarray(Image.open(pictures.folder / image["file_name"]))
        assert max(tile.shape) == TILE_PX
        assert all(v >= 0 for v in row["bbox"])


def test_a_photo_for_containers_is_whole_and_small(client: TestClient, tmp_path) -> None:
    accept_session(client, photo_count((8, 0), (2, 0)), 1)
    _, body = training_pictures(tmp_path, VisionTask.SEGMENT)
    names = {c["id"]: c["name"] for c in body["categories"]}
    assert [names[r["category_id"]] for r in body["annotations"]] == ["segment", "segment"]
    assert body["annotations"][0]["segmentation"] == [[10, 10, 210, 10, 210, 210, 10, 210]]


@pytest.mark.parametrize("task", VisionTask)
def test_a_picture_that_is_damaged_since_is_refused_by_name(
    client: TestClient, tmp_path, task
) -> None:
    accept_session(client, two_plants(), 1)
    pictures, _ = training_pictures(tmp_path, task)
    (pictures.folder / "coco.json").unlink()
    (photo,) = (tmp_path / "run" / "train" / "images").iterdir()
    photo.write_bytes(b"no picture")
    with pytest.raises(TrainingDataRefused, match=rf"{photo.name} is no picture"):
        training_pictures(tmp_path, task)


def test_a_picture_that_cannot_be_written_is_refused_with_the_reason(tmp_path) -> None:
    with pytest.raises(TrainingDataRefused, match=r"1\.jpg cannot be written: No such file"):
        _save_picture(np.zeros((8, 8, 3), np.uint8), tmp_path / "gone" / "1.jpg")


@pytest.mark.parametrize(("width", "height", "wide"), [(4000, 3000, 1800), (900, 600, 900)])
def test_a_photo_for_containers_is_as_large_as_the_segmenter_looks(width, height, wide) -> None:
    ((small, rows),) = _shrink_photo(np.zeros((height, width, 3), np.uint8), [], 1)
    assert (small.shape, rows) == ((round(wide * height / width), wide, 3), [])


def test_a_run_goes_on_with_the_photos_it_began_with(client: TestClient, tmp_path) -> None:
    accept_session(client, two_plants(), 1)
    first, _ = training_pictures(tmp_path, VisionTask.DETECT)
    accept_session(client, two_plants(), 2, code="A2")
    again, _ = training_pictures(tmp_path, VisionTask.DETECT)
    assert again == first
    other = prepare_pictures(engine(), VisionTask.DETECT, tmp_path / "new", SplitRule(0.0))
    assert other.photos == 2


def test_photos_of_held_out_locations_are_never_learnt_from(client: TestClient, tmp_path) -> None:
    accept_session(client, two_plants(), 1)
    with pytest.raises(TooLittleTruth, match="side train"):
        prepare_pictures(engine(), VisionTask.DETECT, tmp_path / "run", SplitRule(1.0))


def test_training_on_nothing_is_refused(tmp_path) -> None:
    pytest.importorskip("torch")
    result = CliRunner().invoke(cli.app, ["detect", "--out", str(tmp_path / "x.onnx")])
    assert "--from accepted" in str(result.exception)


def test_each_task_rehearses_pictures_of_its_own(tmp_path):
    tiles = cli._rendered_pictures(cli.Task.DETECT, tmp_path, 1, 3, 1)
    photos = cli._rendered_pictures(cli.Task.SEGMENT, tmp_path, 1, 3, 1)
    sides = [
        {(i["width"], i["height"]) for i in json.loads((f / "coco.json").read_text())["images"]}
        for f in (tiles, photos)
    ]
    assert sides == [{(640, 640)}, {(1320, 990)}]
    drawn_at_ns = (tiles / "images" / "000000.jpg").stat().st_mtime_ns
    assert cli._rendered_pictures(cli.Task.DETECT, tmp_path, 1, 3, 1) == tiles
    assert (tiles / "images" / "000000.jpg").stat().st_mtime_ns == drawn_at_ns
    assert cli._rendered_pictures(cli.Task.DETECT, tmp_path, 1, 4, 1) != tiles
