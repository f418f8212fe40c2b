"""Training: what is learnt from, the loss, and going on after an interruption."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch, which only demeter[train] installs")
pytest.importorskip("onnx", reason="exporting needs onnx, which only demeter[train] installs")

import torch

from demeter.vision.errors import TrainingDataRefused, WeightsDoNotFit
from demeter.vision.networks.shipped import weights_folder
from demeter.vision.plants.detector import TRAINED_PLANT_PX
from demeter_training.scenes import tile
from demeter_training.scenes.export import write_scenes
from demeter_training.training.assignment import TileTruth, assign, detection_loss, paired_iou
from demeter_training.training.detect import (
    DetectRecipe,
    _SquareBatches,
    fresh_detector,
    train_detector,
)
from demeter_training.training.held_out import detector_hits
from demeter_training.training.loop import TrainingPlan, rate_at
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.pretrained import fit_batch_norms, load_detector
from demeter_training.training.segment import (
    DEEP_PX,
    OutlinedPicture,
    fresh_segmenter,
    random_view,
    read_outlines,
    target_maps,
)
from demeter_training.training.segmenter import SegmenterNetwork
from demeter_training.training.shipping import export_segmenter
from demeter_training.training.tiles import LabelledPicture, PictureCache, crop, read_coco
from demeter_training.training.training_job import TrainingJob, figures, run_job


@pytest.fixture(scope="module")
def tiles(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("tiles")
    list(write_scenes(out, "tiles", 3, seed=6, side_px=352))
    return out


def test_an_anchor_in_the_middle_of_a_box_answers_for_it() -> None:
    decoded = torch.zeros(3, 7)
    decoded[:, :4] = torch.tensor([[50.0, 50, 20, 20], [52, 50, 20, 20], [200, 200, 20, 20]])
    centres, strides = decoded[:, :2].clone(), torch.full((3,), 8.0)
    truth = TileTruth(torch.tensor([[50.0, 50, 20, 20]]), torch.tensor([0]))
    anchors, owners, overlap = assign(decoded, centres, strides, truth)
    assert 0 in anchors.tolist()
    assert 2 not in anchors.tolist()
    assert set(owners.tolist()) == {0}
    assert overlap.max() == pytest.approx(1.0, abs=1e-4)


def test_the_iou_of_a_box_with_itself_is_one_and_with_a_far_one_zero() -> None:
    box = torch.tensor([10.0, 10, 4, 4])
    far = torch.tensor([100.0, 10, 4, 4])
    assert float(paired_iou(box, box)) == pytest.approx(1, abs=1e-5)
    assert float(paired_iou(box, far)) == 0


def test_tiles_without_any_box_have_a_finite_loss() -> None:
    network = DetectorNetwork(2)
    decoded, centres, strides = network(torch.zeros(2, 3, 64, 64))
    none = TileTruth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    loss, parts = detection_loss(decoded, centres, strides, [none, none])
    loss.backward()
    assert np.isfinite(list(parts.values())).all()


def test_the_rate_warms_up_and_comes_down() -> None:
    plan = TrainingPlan(steps=1000, rate=1.0, warm_up=100)
    rates = [rate_at(plan, s) for s in (0, 99, 500, 999)]
    assert rates[0] < rates[1]
    assert rates[1] > rates[2] > rates[3] > 0


def test_boxes_stay_on_the_plants_through_turning_mirroring_and_sharing_a_square(
    tmp_path: Path,
) -> None:
    boxes = np.array([[20, 30, 60, 80], [200, 40, 250, 90], [90, 260, 150, 320]], np.float32)
    marked = np.zeros((352, 352, 3), np.uint8)
    for x0, y0, x1, y1 in boxes.astype(int):
        marked[y0:y1, x0:x1] = 255
    cv2.imwrite(str(tmp_path / "marked.png"), marked)
    item = LabelledPicture(tmp_path / "marked.png", boxes, np.zeros(3, np.int64))
    box_count = 0
    for seed in range(12):
        sample = crop(np.random.default_rng(seed), PictureCache(), (item,), 320)
        box_count += len(sample.boxes)
        assert ((sample.boxes >= 0) & (sample.boxes <= 320)).all()
        for x0, y0, x1, y1 in sample.boxes.astype(int):
            assert sample.bgr[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].mean() > 120
    assert box_count > 24


def test_plants_are_shown_at_the_size_the_detector_learns(tiles: Path) -> None:
    items = read_coco(tiles)
    sizes = [
        (s.boxes[:, 2:] - s.boxes[:, :2]).max(1)
        for seed in range(20)
        for s in [crop(np.random.default_rng(seed), PictureCache(), items, 320)]
    ]
    low, high = TRAINED_PLANT_PX
    assert low < np.median(np.concatenate(sizes)) < high


def test_pictures_whose_plants_are_too_small_to_show_are_refused_by_name(tmp_path: Path) -> None:
    specks = np.array([[10, 10, 13, 13]], np.float32)
    item = LabelledPicture(tmp_path / "far.png", specks, np.zeros(1, np.int64))
    with pytest.raises(TrainingDataRefused, match=r"far\.png.*3 px"):
        next(train_detector(DetectRecipe((item,), None), TrainingPlan(steps=1), tmp_path / "x.pt"))


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tiles: Path, tmp_path: Path) -> None:
    def job(name: str, steps: int) -> TrainingJob:
        return TrainingJob(
            "detect",
            (tiles,),
            tmp_path / f"{name}.onnx",
            None,
            tiles,
            steps,
            1e-3,
            5,
            1,
            tmp_path / name,
        )

    straight = list(run_job(job("straight", 2)))
    stopped = run_job(job("stopped", 2))
    next(stopped)
    stopped.close()
    again = list(run_job(job("stopped", 2)))
    assert [p.step for p in straight] == [1, 2]
    assert again[-1].step == 2
    left = torch.load(tmp_path / "straight" / "detect.pt", weights_only=True)["network"]
    right = torch.load(tmp_path / "stopped" / "detect.pt", weights_only=True)["network"]
    assert all(torch.allclose(left[k].float(), right[k].float(), atol=1e-4) for k in left)
    assert set(figures("detect", tmp_path / "straight.onnx", tiles)) >= {"plant f1", "empty f1"}


@pytest.mark.parametrize("size_wh", [(640, 640), (900, 640), (640, 900)])
def test_held_out_photos_are_of_any_shape(tmp_path: Path, size_wh) -> None:
    """Beside the scene there is only grey, in which nothing is to be found."""
    scene, (width, height) = tile(8, 640, (50, 90)), size_wh
    picture = np.full((height, width, 3), 114, np.uint8)
    picture[:640, :640] = scene.rgb[..., ::-1]
    cv2.imwrite(str(tmp_path / "wide.png"), picture)
    boxes = np.array([p.xyxy_px for p in scene.plants if p.visible > 0.7], np.float32)
    wide = LabelledPicture(tmp_path / "wide.png", boxes, np.zeros(len(boxes), np.int64))
    ((plants, _),) = detector_hits(weights_folder() / "plants.onnx", [wide])
    assert plants.hit > 0.6 * len(boxes) > 0
    assert plants.hit + plants.missed == len(boxes)


def test_what_is_rehearsed_is_every_other_square(tmp_path: Path) -> None:
    def folder(name: str, grey: int) -> tuple[LabelledPicture, ...]:
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), np.full((400, 400, 3), grey, np.uint8))
        return (
            LabelledPicture(path, np.array([[100, 100, 130, 130]], np.float32), np.zeros(1, int)),
        )

    recipe = DetectRecipe(folder("own", 30), None, folder("known", 220), batch=6)
    images, _ = _SquareBatches(recipe).at(0)
    bright = [bool((image > 120).float().mean() > 0.5) for image in images]
    assert bright == [False, True] * 3


def test_a_segmenter_is_trained_exported_and_measured(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    list(write_scenes(photos, "photos", 2, seed=6, side_px=192))
    job = TrainingJob(
        "segment", (photos,), tmp_path / "c.onnx", None, photos, 1, 1e-3, 5, 1, tmp_path
    )
    assert [p.step for p in run_job(job)] == [1]
    rows = json.loads((photos / "coco.json").read_text())["annotations"]
    containers = sum(row["category_id"] > 2 for row in rows)
    measured = figures("segment", tmp_path / "c.onnx", photos)
    assert measured["containers"] == containers > 0
    assert measured["mean IoU"] < 0.9  # one step from nothing has learnt nothing


def test_depth_is_one_in_the_middle_of_a_container_and_zero_outside() -> None:
    square = np.array([[8, 8], [56, 8], [56, 56], [8, 56]], np.float32)
    types, depth = target_maps([(3, square)], 64, (64, 64))
    assert types[16, 16] == 3
    assert (types == 3).sum() == 24 * 24
    assert depth[16, 16] == pytest.approx(1.0, abs=0.1)
    assert types[1, 1] == 0
    assert depth[1, 1] == 0


def test_a_container_goes_on_beyond_the_picture_and_is_deep_there() -> None:
    left = np.array([[-500, -500], [100, -500], [100, 500], [-500, 500]], np.float32)
    _, depth = target_maps([(1, left)], 128, (128, 128))
    assert depth[:, : 50 - DEEP_PX].min() == 1
    assert depth[20, 48] == pytest.approx(2 / DEEP_PX, abs=0.05)
    assert depth[:, 50:].max() == 0


def test_what_is_looked_at_is_shown_with_its_outlines_in_place(tmp_path: Path) -> None:
    picture = np.zeros((900, 1200, 3), np.uint8)
    square = np.array([[300, 200], [900, 200], [900, 700], [300, 700]], np.float32)
    cv2.fillPoly(picture, [square.astype(np.int32)], (255, 255, 255))
    item = OutlinedPicture(tmp_path / "x.png", ((2, square),))
    bright_px = 0
    for seed in range(20):
        bgr, types, _ = random_view(np.random.default_rng(seed), picture, item, 256)
        bright = cv2.resize(bgr, (128, 128), interpolation=cv2.INTER_AREA).min(-1) > 127
        bright_px += int(bright.sum())
        assert ((types == 2) != bright).mean() < 0.03
    assert bright_px > 20_000


def test_a_photo_without_containers_is_all_background() -> None:
    types, depth = target_maps([], 64, (64, 48))
    assert not types.any()
    assert not depth.any()


@pytest.mark.parametrize("body", [None, "no json", "[]", "[1]", json.dumps({"images": []})])
def test_a_folder_without_usable_pictures_is_refused(tmp_path: Path, body: str | None) -> None:
    if body is not None:
        (tmp_path / "coco.json").write_text(body)
    with pytest.raises(TrainingDataRefused, match=r"coco\.json"):
        read_coco(tmp_path)


COMPLETE = {
    "images": [{"id": 1, "file_name": "a.png"}],
    "categories": [{"id": 2, "name": "plant"}, {"id": 3, "name": "pot"}],
    "annotations": [{"image_id": 1, "category_id": c, "bbox": [1, 2, 30, 40]} for c in (2, 3)],
}


@pytest.mark.parametrize("reader", [read_coco, read_outlines])
@pytest.mark.parametrize(
    "broken",
    [
        {"categories": None},
        {"annotations": [1]},
        {"annotations": [{"image_id": 1, "category_id": c} for c in (2, 3)]},
        {"annotations": [{"image_id": 1, "category_id": c, "bbox": [1, 2]} for c in (2, 3)]},
        {"images": [{"id": 1}]},
    ],
)
def test_a_coco_file_that_lacks_a_field_is_refused_by_name(tmp_path, reader, broken) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(COMPLETE | broken))
    with pytest.raises(TrainingDataRefused, match=r"coco\.json"):
        reader(tmp_path)
    for field in ("categories", "annotations"):
        rest = {k: v for k, v in COMPLETE.items() if k != field}
        (tmp_path / "coco.json").write_text(json.dumps(rest))
        with pytest.raises(TrainingDataRefused, match=field):
            reader(tmp_path)


@pytest.mark.parametrize(
    "outline",
    [
        {},
        {"segmentation": []},
        {"segmentation": None},
        {"segmentation": {"counts": "x", "size": []}},
    ],
)
def test_a_container_without_an_outline_is_as_large_as_its_box(tmp_path, outline) -> None:
    rows = [row | outline for row in COMPLETE["annotations"]]
    (tmp_path / "coco.json").write_text(json.dumps(COMPLETE | {"annotations": rows}))
    ((_, polygon),) = read_outlines(tmp_path)[0].polygons
    assert polygon.tolist() == [[1, 2], [31, 2], [31, 42], [1, 42]]


@pytest.mark.parametrize("fresh", [fresh_detector, fresh_segmenter])
@pytest.mark.parametrize("name", ["start.pt", "start.pth", "start.onnx"])
@pytest.mark.parametrize("body", [None, b"", b"no weights at all", b"PK\x03\x04 cut off"])
def test_a_start_that_cannot_be_read_is_refused_by_name(tmp_path, fresh, name, body) -> None:
    if body is not None:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(WeightsDoNotFit, match="start"):
        fresh(tmp_path / name)


@pytest.mark.parametrize("fresh", [fresh_detector, fresh_segmenter])
@pytest.mark.parametrize("content", [{"model": {}}, {"smooth": 3}, torch.zeros(2)])
def test_weights_as_others_publish_them_are_refused_by_name(tmp_path, fresh, content) -> None:
    torch.save(content, tmp_path / "yolox_nano.pth")
    with pytest.raises(WeightsDoNotFit, match=r"yolox_nano\.pth.*\.onnx"):
        fresh(tmp_path / "yolox_nano.pth")


def test_a_start_that_was_cut_off_is_refused(tmp_path) -> None:
    whole, cut = tmp_path / "whole.pt", tmp_path / "cut.pt"
    torch.save({"smooth": DetectorNetwork(2).state_dict()}, whole)
    cut.write_bytes(whole.read_bytes()[:100_000])
    with pytest.raises(WeightsDoNotFit, match=r"cut\.pt"):
        fresh_detector(cut)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    export_segmenter(SegmenterNetwork(), other)
    with pytest.raises(WeightsDoNotFit):
        load_detector(other, 2)


def test_training_goes_on_from_an_exported_segmenter(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first, path = SegmenterNetwork().eval(), tmp_path / "containers.onnx"
    for norm in (m for m in first.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.8, 1.2)
    export_segmenter(first, path)
    again, picture = fresh_segmenter(path).eval(), torch.rand(1, 3, 128, 128) * 255
    with torch.no_grad():
        for expected, actual in zip(first(picture), again(picture), strict=True):
            assert torch.allclose(expected, actual, atol=0.02 * float(expected.abs().max()))


@pytest.mark.parametrize("in_read_out", [False, True])
def test_training_goes_on_from_a_segmenter_of_before_there_were_bottlenecks(
    tmp_path: Path, in_read_out: bool
) -> None:
    torch.manual_seed(2)
    before, path = SegmenterNetwork().eval(), tmp_path / "containers.onnx"
    before.neck.around5 = before.neck.around4 = torch.nn.Sequential()
    if not in_read_out:
        before.coarse, before.fine = before.coarse[:2], before.fine[:3]
    export_segmenter(before, path)
    again, picture = fresh_segmenter(path).eval(), torch.rand(1, 3, 128, 128) * 255
    with torch.no_grad():
        fit_batch_norms(again, picture)
        again.eval()
        for expected, actual in zip(before(picture), again(picture), strict=True):
            assert torch.allclose(expected, actual, atol=0.02 * float(expected.abs().max()))


@pytest.mark.parametrize("missing", [("neck.around",), ("finer", "neck.around")])
def test_training_goes_on_from_a_detector_of_before_there_were_bottlenecks(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    """What they add at first is nothing: it answers as it did; another network is refused."""
    torch.manual_seed(3)
    network = DetectorNetwork(2).eval()
    images = torch.rand(1, 3, 64, 64) * 255
    with torch.no_grad():
        before = network(images)[0]
    state = {k: v for k, v in network.state_dict().items() if not k.startswith(missing)}
    start = tmp_path / "before.pt"
    torch.save({"smooth": state}, start)
    with torch.no_grad():
        assert torch.equal(fresh_detector(start).eval()(images)[0], before)
    torch.save({"smooth": SegmenterNetwork().state_dict()}, start)
    with pytest.raises(WeightsDoNotFit, match="not of a Detector"):
        fresh_detector(start)


def test_a_run_on_something_else_is_refused_and_a_finished_one_learns_no_more(
    tiles: Path, tmp_path: Path
) -> None:
    def job(seed: int) -> TrainingJob:
        return TrainingJob(
            "detect", (tiles,), tmp_path / "d.onnx", None, None, 1, 1e-3, seed, 1, tmp_path
        )

    assert len(list(run_job(job(5)))) == 1
    (tmp_path / "d.onnx").unlink()
    assert list(run_job(job(5))) == []
    assert (tmp_path / "d.onnx").exists()
    with pytest.raises(WeightsDoNotFit, match=r"seed 5.*not of.*seed 6.*another --run"):
        next(run_job(job(6)))


def test_a_run_of_another_network_is_refused(tiles: Path, tmp_path: Path) -> None:
    torch.save({"network": {}, "smooth": {}, "optimiser": {}, "step": 3}, tmp_path / "detect.pt")
    job = TrainingJob("detect", (tiles,), tmp_path / "d.onnx", None, None, 5, 1e-3, 5, 1, tmp_path)
    with pytest.raises(WeightsDoNotFit, match=r"detect\.pt.*another --run"):
        next(run_job(job))
