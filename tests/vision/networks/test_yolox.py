"""YOLOX exports: recognised by their tensors, decoded by their grid."""

from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import Precision, open_model
from demeter.vision.networks.yolox import grid_of, load_yolox_detector, yolox_layout
from support.networks import answering

ANCHORS = 64 + 16 + 4  # of a picture of 64 pixels
PICTURE = np.zeros((64, 64, 3), np.uint8)


def relative(anchor: int = 64 + 5) -> np.ndarray:
    """One plant at an anchor of stride 16: its cell is column 1, row 1."""
    rows = np.zeros((1, ANCHORS, 7))
    rows[0, anchor] = (0.5, 0.25, np.log(2), np.log(1.5), 0.9, 0.8, 0.1)
    return rows


def test_a_relative_box_is_decoded_by_its_cell(tmp_path) -> None:
    path = answering(tmp_path / "x.xml", [relative()])
    detector = load_yolox_detector(path, Precision.F32, 1, {}, ("plant", "empty"))
    (boxes,) = detector([PICTURE], 0.3)
    assert boxes.xyxy_px.tolist() == [[pytest.approx(v, abs=1e-3) for v in (8, 8, 40, 32)]]
    assert boxes.confidence.tolist() == [pytest.approx(0.72)]
    assert boxes.is_empty.tolist() == [False]


def test_a_box_in_pixels_is_taken_as_it_is(tmp_path) -> None:
    rows = np.full((1, ANCHORS, 7), 30.0)
    rows[0, :, 4:] = 0
    rows[0, 3] = (24, 20, 32, 24, 0.9, 0.1, 0.8)
    path = answering(tmp_path / "x.xml", [rows])
    (boxes,) = load_yolox_detector(path, Precision.F32, 1, {}, ("plant", "empty"))([PICTURE], 0.3)
    assert boxes.xyxy_px.tolist() == [[8, 8, 40, 32]]
    assert boxes.is_empty.tolist() == [True]


def test_classes_without_names_can_be_mapped_by_number(tmp_path) -> None:
    path = answering(tmp_path / "x.xml", [relative()])
    with pytest.raises(ModelRefused, match="class 0, class 1"):
        load_yolox_detector(path, Precision.F32, 1)
    detector = load_yolox_detector(path, Precision.F32, 1, {"class 0": "plant"})
    assert [len(b) for b in detector([PICTURE, PICTURE], 0.3)] == [1, 1]
    assert [len(b) for b in detector([], 0.3)] == []


def test_the_grid_has_a_cell_an_anchor() -> None:
    grid = grid_of(64)
    assert grid.shape == (ANCHORS, 3)
    assert grid[[0, 9, 64, 83]].tolist() == [[0, 0, 8], [1, 1, 8], [0, 0, 16], [1, 1, 32]]


@pytest.mark.parametrize(
    ("shape", "names", "says"),
    [
        ((1, ANCHORS, 5), (), "5 \\+ classes"),
        ((1, 100, 7), (), "100 anchors"),
        ((1, ANCHORS, 7), ("plant",), "1 classes are named, it scores 2"),
        ((1, 7), (), "not one"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, shape, names, says) -> None:
    path = answering(tmp_path / "x.xml", [np.zeros(shape)])
    with pytest.raises(ModelRefused, match=says):
        yolox_layout(open_model(path), names)
