from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demeter.core.notices import Notice
from demeter.vision.errors import ModelRefused
from demeter.vision.networks.class_names import meaning_of, names_in
from demeter.vision.networks.onnx_metadata import onnx_metadata
from demeter.vision.networks.openvino_runner import Precision, open_model
from demeter.vision.networks.yaml_table import YamlUnreadable
from demeter.vision.networks.yolo import load_yolo_detector, load_yolo_segmenter
from demeter.vision.networks.yolo_layout import yolo_layout
from demeter.vision.networks.yolo_rows import YoloRows, suppress_overlaps
from demeter.vision_models import inspect_file
from support.networks import answering


def export(folder: Path, outputs: list[np.ndarray], names=("plant", "maceta"), **metadata) -> Path:
    """An OpenVINO pair with the metadata file that such exports come with."""
    folder.mkdir(exist_ok=True)
    lines = [f"{k}: {v}" for k, v in metadata.items()]
    lines += ["names:", *(f"  {i}: {n}" for i, n in enumerate(names))] if names else []
    (folder / "metadata.yaml").write_text("\n".join(lines) + "\n")
    return answering(folder / "best.xml", outputs)


def detections(*rows: tuple[float, ...], anchors=84) -> np.ndarray:
    """An output [1, 6, anchors]: centre, size and two scores, zeros where there is nothing."""
    table = np.zeros((1, 6, anchors))
    for i, row in enumerate(rows):
        table[0, :, i] = row
    return table


PLANT, POT = (32, 20, 10, 8, 0.9, 0.1), (40, 40, 20, 20, 0.0, 0.8)


def test_a_detection_export_is_recognised_and_gives_its_plants(tmp_path):
    path = export(tmp_path, [detections(PLANT, POT)], task="detect", imgsz="[64, 64]")
    detector = load_yolo_detector(path, Precision.F32, 1)
    (boxes,) = detector([np.zeros((64, 64, 3), np.uint8)], 0.3)
    assert boxes.xyxy_px.tolist() == [[27, 16, 37, 24]]
    assert detector.tile_px == 64
    assert detector.identity.startswith("best@")


def test_classes_can_be_mapped_to_ours(tmp_path):
    path = export(tmp_path, [detections(PLANT, POT)], names=("echeveria", "hueco"), task="detect")
    with pytest.raises(ModelRefused, match="echeveria, hueco"):
        load_yolo_detector(path, Precision.F32, 1)
    mapping = {"echeveria": "plant", "hueco": "empty"}
    (boxes,) = load_yolo_detector(path, Precision.F32, 1, mapping)(
        [np.zeros((64, 64, 3), np.uint8)], 0.3
    )
    assert boxes.is_empty.tolist() == [False, True]


def test_an_export_that_suppresses_by_itself_is_recognised(tmp_path):
    rows = np.zeros((1, 300, 6))
    rows[0, 0] = (10, 12, 30, 34, 0.7, 0)
    path = export(tmp_path, [rows], task="detect")
    (boxes,) = load_yolo_detector(path, Precision.F32, 1)([np.zeros((64, 64, 3), np.uint8)], 0.3)
    assert boxes.xyxy_px.tolist() == [[10, 12, 30, 34]]


def segmentation() -> list[np.ndarray]:
    """One pot whose mask is the left half of its box, one coefficient and one prototype."""
    rows = np.zeros((1, 7, 84))
    rows[0, :, 0] = (32, 32, 40, 40, 0.0, 0.8, 1.0)
    prototypes = np.full((1, 1, 16, 16), -5.0)
    prototypes[0, 0, :, :8] = 5.0
    return [rows, prototypes]


def test_a_segmentation_export_gives_its_masks_as_regions_of_the_photo(tmp_path):
    path = export(tmp_path, segmentation(), task="segment")
    (region,) = load_yolo_segmenter(path, Precision.F32, 1)(np.zeros((320, 640, 3), np.uint8))
    assert (region.label, region.confidence) == ("maceta", 0.8)
    xs, ys = zip(*region.polygon_px, strict=True)
    # Letterboxed by a tenth, 16 px of grey above: the box is 120..520 by -40..360.
    assert (min(xs), max(xs)) == pytest.approx((120, 320), abs=20)
    assert (min(ys), max(ys)) == pytest.approx((0, 320), abs=20)


@pytest.mark.parametrize(
    ("outputs", "metadata", "says"),
    [
        ([np.zeros((1, 10))], {"task": "classify"}, "its task is classify"),
        ([np.zeros((1, 10))], {}, "not one output of boxes"),
        ([np.zeros((1, 56, 84))], {"task": "pose"}, "its task is pose"),
        ([np.zeros((1, 9, 84))], {"task": "detect"}, "names 2 classes but scores 5"),
        ([np.zeros((1, 3, 84))], {"task": "detect"}, "no room for class scores"),
        ([np.zeros((1, 6, 84))], {"task": "segment"}, "prototypes"),
        ([np.zeros((1, 6, 84)), np.zeros((1, 1, 8, 8))], {"task": "detect"}, "prototypes too"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(tmp_path, outputs, metadata, says):
    path = export(tmp_path, outputs, **metadata)
    with pytest.raises(ModelRefused, match=says):
        yolo_layout(open_model(path))


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (1, 3, 64, 96)])
def test_inputs_that_do_not_fit_are_refused(tmp_path, shape):
    path = answering(tmp_path / "odd.xml", [np.zeros((1, 6, 84))], shape)
    with pytest.raises(ModelRefused, match="takes"):
        yolo_layout(open_model(path))


@pytest.mark.parametrize("imgsz", ["320", "[320, 320]", "\n- 320\n- 320", "\n  - 320\n  - 320"])
def test_the_side_is_read_from_each_way_of_writing_it(tmp_path, imgsz):
    path = export(tmp_path, [np.zeros((1, 6, 84))], task="detect", imgsz=imgsz)
    free = replace(open_model(path), inputs=((1, 3, -1, -1),))
    assert yolo_layout(free).side_px == 320


def test_sides_that_do_not_fit_are_refused(tmp_path):
    for imgsz, says in (("\n- 320\n- 640", "640 by 320"), ("auto", "'auto'")):
        path = export(tmp_path, [np.zeros((1, 6, 84))], task="detect", imgsz=imgsz)
        free = replace(open_model(path), inputs=((1, 3, -1, -1),))
        with pytest.raises(ModelRefused, match=says):
            yolo_layout(free)


def test_a_detector_is_not_taken_for_a_segmenter(tmp_path):
    path = export(tmp_path, [detections()], task="detect")
    with pytest.raises(ModelRefused, match="segment is needed"):
        load_yolo_segmenter(path, Precision.F32, 1)


def test_the_surest_of_overlapping_rows_of_a_class_stay():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    confidence = np.array([0.5, 0.9, 0.6, 0.7], np.float32)
    rows = YoloRows(boxes, confidence, np.array([0, 0, 1, 0]), np.zeros((4, 0), np.float32))
    kept = suppress_overlaps(rows, 0.7, 300)
    assert kept.confidence == pytest.approx([0.9, 0.7, 0.6])
    assert len(suppress_overlaps(rows, 0.7, 1).label) == 1
    assert len(suppress_overlaps(rows.where(np.zeros(4, bool)), 0.7, 300).label) == 0


@pytest.mark.parametrize(
    "text",
    [
        "names:\n  0: plant\n  1: pot\nnc: 2\n",
        "names:\n- plant\n- pot\n",
        "names: [plant, pot]\n",
        "names: ['plant', 'pot']\nother: 1\n",
        "names: {0: plant, 1: pot}\n",
        "names: {1: 'pot', 0: 'plant'}\n",
        "names:\n  1: pot  # a container\n  0: plant\n",
        "names:  # by class\n  # the small ones\n  0: plant\n\n  # the large ones\n  1: pot\n",
        "names:\n    - plant  # first\n    - pot\n",
        'names: {"1": pot, "0": plant}\n',
    ],
)
def test_names_are_read_from_each_way_of_writing_them(text):
    assert names_in("path: .\n" + text) == ["plant", "pot"]


def test_names_are_in_the_order_of_their_numbers_and_not_of_their_digits():
    numbers = [10, 2, 0, 11, 1, 9, 3, 8, 4, 7, 5, 6]
    lines = "".join(f"  '{n}': class {n}\n" for n in numbers)
    assert names_in(f"names:\n{lines}") == [f"class {n}" for n in range(12)]


def test_a_name_is_the_text_that_stands_there():
    assert names_in("names: [no, 1e3, null, 'maceta 5\"', vacío]\n") == [
        "no",
        "1e3",
        "null",
        'maceta 5"',
        "vacío",
    ]


@pytest.mark.parametrize("text", ["", "path: .\nnc: 3\n", "names:\nnc: 0\n", "names: []\n"])
def test_no_names_are_none(text):
    assert names_in(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nc: 2\nnames: [plant\nother: 1\n", "line 3: "),
        ("nc: 2\nnames:\n  0: plant\n  x: pot\n", "line 4: 'x' is no number of a class"),
        ("names:\n  0: plant\n  0: pot\n", "line 3: 0 stands there twice"),
        ("names:\n  0: plant\n  '0': pot\n", "line 3: 0 stands there twice"),
        ("names:\n  1: plant\n  2: pot\n", "line 2: number 0 is missing of 2 from 0"),
        ("names: plant\n", "line 1: a list, or a table by number, is expected"),
        ("names:\n- [plant, pot]\n", "line 2: one value is expected"),
        ("names: [plant]\nnc: 1\nnames: [pot]\n", "line 3: names stands there twice"),
        ("- plant\n- pot\n", "line 1: not a table of keys and values"),
        ("names: [pl\x07ant]\n", "line 1: "),
    ],
)
def test_names_that_cannot_be_read_say_where(text, reason):
    with pytest.raises(YamlUnreadable) as refused:
        names_in(text)
    assert str(refused.value).startswith(reason)


def test_the_names_beside_a_model_are_read_whatever_their_order(tmp_path):
    path = export(tmp_path, [detections(PLANT, POT)], names=None, task="detect", imgsz=64)
    (tmp_path / "metadata.yaml").write_text(
        "# of our own\nnames:\n  1: plant # small\n  0: maceta\nimgsz:\n- 64\n- 64\ntask: detect\n"
    )
    assert yolo_layout(open_model(path)).names == ("maceta", "plant")


def test_names_beside_a_model_that_cannot_be_read_are_refused_by_file_and_line(tmp_path):
    path = export(tmp_path, [detections(PLANT, POT)], names=None, task="detect")
    (tmp_path / "metadata.yaml").write_text("task: detect\nnames:\n  0: plant\n  2: maceta\n")
    with pytest.raises(ModelRefused, match=r"metadata\.yaml: line 3: number 1 is missing of 2"):
        yolo_layout(open_model(path))


def test_a_file_beside_a_model_that_is_no_text_is_refused(tmp_path):
    path = export(tmp_path, [detections(PLANT, POT)], names=None, task="detect")
    (tmp_path / "metadata.yaml").write_bytes("names: [cajón]".encode("utf-16"))
    with pytest.raises(ModelRefused, match=r"metadata\.yaml: not text in UTF-8"):
        yolo_layout(open_model(path))


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("Planta", "is_plant"),
        ("EMPTY container", "is_empty"),
        ("Maceta vacía", "is_empty"),
        (" Claro-Cajon", "container"),
        ("cajón", "container"),
        ("Alma\u0301cigo", "container"),  # the accent as a character of its own
        ("seedling tray", "container"),
    ],
)
def test_names_mean_what_they_say_whatever_their_case(name, means):
    assert getattr(meaning_of(name), means)


def entry(key: bytes, value: bytes) -> bytes:
    inner = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(inner)]) + inner


def test_the_metadata_of_an_onnx_file_is_read(tmp_path):
    path = tmp_path / "m.onnx"
    graph = b"\x3a\x83\x01" + b"x" * 131
    path.write_bytes(b"\x08\x09" + graph + entry(b"task", b"detect") + entry(b"names", b"{0: 'a'}"))
    assert onnx_metadata(path) == {"task": "detect", "names": "{0: 'a'}"}


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, json.dumps({"a": 1}).encode()])
def test_what_is_no_onnx_file_has_no_metadata(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert onnx_metadata(path) == {}


FRAME = np.zeros((64, 64, 3), np.uint8)


def inspected(path: Path):
    kind = inspect_file.kind_of(path)
    model = inspect_file.load_network(path, kind, {}, Precision.F32, 1)
    return inspect_file.require_running(path, kind, model)


@pytest.mark.parametrize(
    ("outputs", "names", "says"),
    [
        ([np.zeros((1, 252, 7))], ("plant", "pot"), "objectness, as YOLOv5"),
        ([np.zeros((1, 252, 6))], ("plant",), "objectness, as YOLOv5"),
        ([np.zeros((1, 84, 6))], ("plant", "pot"), "transposed"),
        ([np.zeros((1, 84, 5))], ("plant",), "transposed"),
        ([np.zeros((1, 300, 84))], tuple(f"c{n}" for n in range(80)), "RT-DETR"),
        ([np.zeros((1, 300, 6))], ("plant", "pot"), "two scores"),
        ([np.full((1, 300, 6), 0.4)], ("plant", "pot"), "is no class"),
        ([np.full((1, 300, 6), 7.0)], ("plant",), "scores from 0 to 7"),
        ([np.full((1, 5, 84), 40.0)], ("plant",), "scores from 0 to 40"),
        ([np.full((1, 5, 84), np.nan)], ("plant",), "no number"),
        ([np.full((1, 300, 6), np.inf)], ("plant",), "no number"),
    ],
)
def test_another_packages_rows_are_refused_for_what_they_are(tmp_path, outputs, names, says):
    path = export(tmp_path, outputs, names, task="detect", imgsz="[64, 64]")
    with pytest.raises(ModelRefused, match=says):
        inspected(path)


@pytest.mark.parametrize("said", [{"end2end": "true"}, {"args": "{batch: 1, nms: True}"}])
def test_rows_that_are_said_to_be_end_to_end_are_taken_without_an_answer(tmp_path, said):
    path = export(tmp_path, [np.zeros((1, 300, 6))], task="detect", imgsz="[64, 64]", **said)
    assert inspected(path) == ()


@pytest.mark.parametrize("label", [-1, 7])
def test_rows_of_classes_without_a_name_are_left_out_and_said(tmp_path, label):
    rows = np.zeros((1, 300, 6))
    rows[0, 0] = (10, 12, 30, 34, 0.7, 0)
    rows[0, 1] = (10, 12, 30, 34, 0.9, label)
    path = export(tmp_path, [rows], ("plant",), task="detect", imgsz="[64, 64]")
    (notice,) = inspected(path)
    assert notice == Notice("classes_not_named", {"file": "best.xml", "classes": str(label)})
    with pytest.warns(UserWarning, match=rf"best\.xml: classes without a name left out: {label}"):
        (boxes,) = load_yolo_detector(path, Precision.F32, 1)([FRAME], 0.3)
    assert boxes.xyxy_px.tolist() == [[10, 12, 30, 34]]


def test_a_network_that_answers_with_no_number_is_refused_at_work(tmp_path):
    rows = detections(PLANT)
    rows[0, 4, 3] = np.nan
    detector = load_yolo_detector(
        export(tmp_path, [rows], task="detect", imgsz="[64, 64]"), Precision.F32, 1
    )
    with pytest.raises(ModelRefused, match=r"best\.xml: answers with what is no number"):
        detector([FRAME], 0.3)
