from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from demeter.vision.containers.segmenter import load_container_segmenter
from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import (
    Precision,
    Preparation,
    compile_network,
    open_model,
    sha256_of,
)
from demeter.vision.plants.detector import load_plant_detector
from support.networks import answering, averaging

PLAIN = Preparation(bgr=False, divisor=1.0)


def pictures(count: int) -> list[np.ndarray]:
    return [np.full((64, 64, 3), (i, 2 * i % 256, 7), np.uint8) for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 50])
@pytest.mark.parametrize("threads", [1, 2])
def test_answers_come_in_the_order_of_the_pictures(tmp_path, count, threads):
    file = open_model(averaging(tmp_path / "mean.xml"))
    run = compile_network(file, PLAIN, (64, 64), Precision.F32, threads)
    assert [o[0][0].tolist() for o in run(pictures(count))] == [
        [i, 2 * i % 256, 7] for i in range(count)
    ]


def test_colours_arrive_in_the_order_and_range_that_was_asked(tmp_path):
    file = open_model(averaging(tmp_path / "mean.xml"))
    run = compile_network(file, Preparation(bgr=True, divisor=255.0), (64, 64), Precision.F32, 1)
    ((answer,),) = run([np.full((64, 64, 3), (255, 51, 0), np.uint8)])
    assert answer[0] == pytest.approx([0, 0.2, 1], abs=1e-5)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="no such file"):
        open_model(tmp_path / "none.onnx")


@pytest.mark.parametrize("name", ["random.onnx", "random.xml"])
def test_a_file_that_is_no_network_is_refused_in_our_words_alone(tmp_path, name, capfd):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(4096))
    with pytest.raises(ModelRefused, match=r"not an ONNX or OpenVINO network"):
        open_model(path)
    assert capfd.readouterr().err == ""


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    whole = (files("demeter.vision.networks") / "weights" / "plants.onnx").read_bytes()
    path = tmp_path / "half.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelRefused, match=r"not an ONNX or OpenVINO network"):
        open_model(path)


def test_the_hash_of_a_pair_changes_with_its_weights(tmp_path):
    path = answering(tmp_path / "a.xml", [np.zeros((1, 5, 7))])
    before = sha256_of(path)
    path.with_suffix(".bin").write_bytes(b"other weights")
    assert sha256_of(path) != before


@pytest.mark.parametrize("shape", [(1, 10), (1, 5, 6), (1, 7, 5, 1)])
def test_a_detector_with_other_tensors_is_refused_by_naming_them(tmp_path, shape):
    path = answering(tmp_path / "other.xml", [np.zeros(shape)])
    with pytest.raises(ModelRefused, match="anchors, 7"):
        load_plant_detector(path, Precision.F32, 1, (64,), 20.0)


def test_a_detectors_rows_are_boxes(tmp_path):
    rows = np.array([[[32, 20, 10, 8, 0.9, 0.8, 0.1], [5, 5, 4, 4, 0.5, 0.2, 0.9], [0] * 7]])
    path = answering(tmp_path / "rows.xml", [rows])
    detector = load_plant_detector(path, Precision.F32, 1, (64,), 20.0)
    (boxes,) = detector([np.zeros((30, 64, 3), np.uint8)], 0.3)
    assert boxes.xyxy_px.tolist() == [[27, 16, 37, 24], [3, 3, 7, 7]]
    assert boxes.is_empty.tolist() == [False, True]
    assert boxes.confidence == pytest.approx([0.72, 0.45])


def test_a_segmenter_with_other_tensors_is_refused(tmp_path):
    path = answering(tmp_path / "other.xml", [np.zeros((1, 3, 8, 8))])
    with pytest.raises(ModelRefused, match="depth"):
        load_container_segmenter(path, Precision.F32, 1)


def test_a_segmenters_maps_become_regions_of_the_photo(tmp_path):
    types, depth = np.zeros((1, 6, 32, 32)), np.zeros((1, 1, 32, 32))
    types[:, 0] = 1.0
    types[0, 0, 4:14, 4:28], types[0, 3, 4:14, 4:28] = 0.1, 0.9
    depth[0, 0, 6:12, 6:26] = 0.8
    path = answering(tmp_path / "maps.xml", [types, depth])
    (region,) = load_container_segmenter(path, Precision.F32, 1)(np.zeros((32, 64, 3), np.uint8))
    assert (region.label, region.confidence) == ("plug", 0.9)
    xs, ys = zip(*region.polygon_px, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((8, 56), abs=2)
    assert (min(ys), max(ys)) == pytest.approx((8, 28), abs=2)
