# ruff: noqa: RUF001  digits that look like ours
"""Files of labels as programs write them: each mark is read as it is meant, or refused by place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from demeter.core.notices import Notice
from demeter.vision.errors import LabelsRefused, TrainingDataRefused
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.marks import MarkedPhoto
from demeter_training.training.tiles import read_coco as training_boxes

WIDTH, HEIGHT = 200, 100
BOXES = [(0.2, 0.3, 0.1, 0.2), (0.5, 0.5, 0.2, 0.2), (0.8, 0.7, 0.05, 0.1)]
LINES = [" ".join(map(str, (0, *box))) for box in BOXES]


def yolo(folder: Path, *lines: str, names: str = "names: [plant]\n", at: str = "") -> Path:
    """A folder with one picture and its label file, in a split where one is named."""
    for kind in ("images", "labels"):
        (folder / at / kind).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / at / "images" / "bed.png")
    (folder / at / "labels" / "bed.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "data.yaml").write_text(names, encoding="utf-8")
    return folder


def coco(folder: Path, *annotations: dict[str, Any], **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "bed.png")
    document = {
        "images": [{"id": 1, "file_name": "bed.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "plant"}, {"id": 2, "name": "pot"}],
        "annotations": list(annotations),
    }
    (folder / "coco.json").write_text(json.dumps(document | more), encoding="utf-8")
    return folder


def plant(box: Any = (30, 20, 20, 20), **more: Any) -> dict[str, Any]:
    return {"id": 5, "image_id": 1, "category_id": 1, "bbox": box} | more


def notices(folder: Path) -> tuple[MarkedPhoto, list[Notice]]:
    odd: list[Notice] = []
    (photo,) = read_marks(folder, odd.append)
    return photo, odd


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-1 0.5 0.5 0.1 0.1", "no number of a class"),
        ("1 0.5 0.5 0.1 0.1", "no class 1"),
        ("0.0 0.5 0.5 0.1 0.1", "no number of a class"),
        ("٠ 0.5 0.5 0.1 0.1", "no number of a class"),
        ("0 nan 0.5 0.1 0.1", "'nan' is no number"),
        ("0 0.5 0.5 inf 0.1", "'inf' is no number"),
        ("0 0.5 0.5 1e999 0.1", "is no number"),
        ("0 0,5 0,5 0,1 0,1", "is no number"),
        ("0 0.5 0.5 0_1 0.1", "is no number"),
        ("0 100 100 40 40", "no share of the picture"),
        ("0 -0.2 0.5 0.1 0.1", "no share of the picture"),
        ("0 0.5 0.5 -0.1 0.1", "no share of the picture"),
        ("0 0.5 0.5 0 0.1", "no size"),
        ("0 0.5 0.5 0.1 0.0001", "no size"),
        ("0 0.5 0.5 0.1 0.1 0.9", "a prediction"),
        ("0 0.5 0.5 0.1 0.1 0.4 0.4 1", "neither a box nor an outline"),
        ("0 0.5 0.5 0.1 0.1 0.4 0.4 2 0.6 0.6 2", "no share of the picture"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3", "no area"),
        ("0", "neither"),
    ],
)
def test_what_is_no_mark_is_refused_by_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(LabelsRefused, match=rf"bed\.txt, line 4: .*{says}"):
        read_marks(yolo(tmp_path, *LINES, line))


@pytest.mark.parametrize("points", ["0.1 0.1 0.9 0.9", "0.1 0.1 0.9 0.9 0.2 0.5", "0.5 0.5"])
def test_boxes_with_the_points_of_a_pose_are_no_outlines(tmp_path: Path, points: str) -> None:
    with pytest.raises(LabelsRefused, match=r"bed\.txt, line [123]: .*(pose|no area)"):
        read_marks(yolo(tmp_path, *(f"{line} {points}" for line in LINES)))


def test_labels_of_poses_are_refused_where_they_say_so(tmp_path: Path) -> None:
    names = "names: [plant]\nkpt_shape: [2, 2]\n"
    with pytest.raises(LabelsRefused, match=r"data\.yaml, line 2: .*poses"):
        read_marks(yolo(tmp_path, *LINES, names=names))


@pytest.mark.parametrize(
    "outline", [(0.2, 0.2, 0.4, 0.2, 0.4, 0.5, 0.2, 0.5), (0.3, 0.2, 0.4, 0.4, 0.2, 0.4)]
)
def test_outlines_of_one_length_are_outlines(tmp_path: Path, outline: tuple[float, ...]) -> None:
    (photo,) = read_marks(yolo(tmp_path, " ".join(map(str, (0, *outline)))))
    assert photo.plants.shape == (1, 3)


SHARES = st.floats(0.02, 0.98).map(lambda share: round(share, 6))


@given(st.lists(st.tuples(SHARES, SHARES, SHARES, SHARES), max_size=6, unique=True), st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_a_mark_and_what_spoils_it_is_refused(
    tmp_path: Path, boxes: list[tuple[float, ...]], data: st.DataObject
) -> None:
    lines = [" ".join(map(str, (0, *box))) for box in boxes]
    (photo,) = read_marks(yolo(tmp_path, *lines))
    expected = np.array(boxes, float).reshape(-1, 4)[:, :2] * (WIDTH, HEIGHT)
    assert np.abs(photo.plants[:, :2] - expected).max(initial=0) <= 0.5
    if not lines:
        return
    number = data.draw(st.integers(0, len(lines) - 1))
    fields = lines[number].split()
    field = data.draw(st.integers(0, 4))
    fields[field] = data.draw(st.sampled_from(["nan", "-inf", "-1", "x", "1_0", "½", "", "7.5"]))
    lines[number] = " ".join(fields)
    with pytest.raises(LabelsRefused, match=rf"bed\.txt, line {number + 1}: "):
        read_marks(yolo(tmp_path, *lines))


def test_lines_that_stand_there_twice_count_once_and_are_said(tmp_path: Path) -> None:
    photo, odd = notices(yolo(tmp_path, *LINES, *LINES))
    assert len(photo.plants) == 3
    assert odd == [Notice("marks_repeated", {"file": "bed.txt", "marks": 3})]


@pytest.mark.parametrize("name", ["labels/bed.txt", "data.yaml", "classes.txt"])
def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path, name: str) -> None:
    folder = yolo(tmp_path, *LINES)
    (folder / "classes.txt").write_text("plant\n\n")
    (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    assert len(read_marks(folder)[0].plants) == 3


@pytest.mark.parametrize("at", ["", "train", "valid"])
def test_pictures_may_lie_below_their_split(tmp_path: Path, at: str) -> None:
    names = f"train: ../{at}/images\nval: ../nowhere/images\nnc: 1\nnames: ['plant']\n"
    photo, odd = notices(yolo(tmp_path, *LINES, names=names, at=at))
    assert len(photo.plants) == 3
    assert odd == [
        Notice(
            "split_not_there",
            {"file": "data.yaml", "split": "val", "folder": "../nowhere/images"},
        )
    ]


def test_names_by_text_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    keys = [f'"{n}": {"plant" if n == 10 else f"c{n}"}' for n in (10, 2, *range(2), *range(3, 10))]
    folder = yolo(tmp_path, "10 0.5 0.5 0.1 0.1", names=f"names: {{{', '.join(keys)}}}\n")
    assert len(read_marks(folder)[0].plants) == 1


def test_a_label_file_without_its_picture_is_refused(tmp_path: Path) -> None:
    folder = yolo(tmp_path, *LINES)
    (folder / "labels" / "classes.txt").write_text("plant\n")
    (folder / "labels" / "nothing.txt").write_text("\n")
    assert len(read_marks(folder)) == 1
    shutil.copy(folder / "labels" / "bed.txt", folder / "labels" / "other.txt")
    with pytest.raises(LabelsRefused, match=r"other\.txt, line 1: its picture"):
        read_marks(folder)


BROKEN = [
    (plant(image_id=99), "no image 99"),
    (plant(category_id=9), "no category 9"),
    (plant((100, 50, -20, -20)), "no size"),
    (plant((100, 50, 0, 20)), "no size"),
    (plant((float("nan"), 50, 20, 20)), "nan is no number"),
    (plant((10, 50, float("inf"), 20)), "inf is no number"),
    (plant((10**400, 50, 20, 20)), "inf is no number"),
    (plant(("10", "50", "20", "20")), "'10' is no number"),
    (plant((True, 50, 20, 20)), "True is no number"),
    (plant((0.1, 0.2, 0.05, 0.1)), "shares, not pixels"),
    (plant((500, 20, 20, 20)), "outside the picture"),
    (plant((10, 20, 30)), "not left, top, width, height"),
    (plant(None), "not left, top"),
    (plant(category_id=2, segmentation=[[1, 2, 3, 4]]), "three or more corners"),
    (plant(category_id=2, segmentation=[[1, 1, 5, 1, 9, 1]]), "no area"),
    (plant(category_id=2, segmentation=[["a", 1, 5, 1, 9, 1]]), "'a' is no number"),
]


@pytest.mark.parametrize(("annotation", "says"), BROKEN)
def test_an_annotation_that_is_no_mark_is_refused_by_its_number(
    tmp_path: Path, annotation: dict[str, Any], says: str
) -> None:
    folder = coco(tmp_path, plant((60, 60, 10, 10)), annotation)
    with pytest.raises(LabelsRefused, match=rf"coco\.json, annotation 2 \(id 5\): .*{says}"):
        read_marks(folder)
    if "outside" not in says:  # training's own files need not say how large a picture is
        with pytest.raises(TrainingDataRefused, match=rf"annotation 2 \(id 5\): .*{says}"):
            training_boxes(folder)


def test_ids_as_texts_are_the_same_ids(tmp_path: Path) -> None:
    rows = [plant(image_id="1"), plant((60, 60, 10, 10), category_id="1")]
    categories = [{"id": "1", "name": "plant"}]
    folder = coco(tmp_path, *rows, categories=categories)
    assert len(read_marks(folder)[0].plants) == 2
    assert len(training_boxes(folder)[0].boxes) == 2


@pytest.mark.parametrize("kind", ["images", "categories"])
def test_an_id_that_is_there_twice_is_refused(tmp_path: Path, kind: str) -> None:
    rows = {
        "images": [
            {"id": i, "file_name": "bed.png", "width": WIDTH, "height": HEIGHT} for i in (1, "1")
        ],
        "categories": [{"id": i, "name": "plant"} for i in (1, "1")],
    }
    with pytest.raises(LabelsRefused, match="the id is there twice"):
        read_marks(coco(tmp_path, plant(), **{kind: rows[kind]}))


def test_annotations_that_stand_there_twice_count_once_and_are_said(tmp_path: Path) -> None:
    rows = [plant(), plant(id=6), plant((60, 60, 10, 10))]
    photo, odd = notices(coco(tmp_path, *rows))
    assert len(photo.plants) == 2
    assert odd == [Notice("marks_repeated", {"file": "coco.json", "marks": 1})]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["bed.png", "images\\bed.png", "C:\\photos\\bed.png", "a/bed.png"])
def test_marks_and_backslashes_of_other_programs_are_read(
    tmp_path: Path, encoding: str, name: str
) -> None:
    images = [{"id": 1, "file_name": name, "width": WIDTH, "height": HEIGHT}]
    folder = coco(tmp_path, plant(), images=images)
    text = (folder / "coco.json").read_text(encoding="utf-8")
    (folder / "coco.json").write_bytes(text.encode(encoding))
    assert len(read_marks(folder)[0].plants) == 1
    assert training_boxes(folder)[0].path == folder / "bed.png"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"points": [[10, 10, float("nan")]]}, "no number"),
        ({"points": [[10, 10, 0]]}, "no radius"),
        ({"points": [[900, 10, 5]]}, "outside the picture"),
        ({"points": [[10, 10]]}, "not x, y, radius"),
        ({"points": [], "ignore": [[10, 10, -5]]}, "no radius"),
    ],
)
def test_points_that_are_no_marks_are_refused(
    tmp_path: Path, entry: dict[str, Any], says: str
) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "bed.png")
    document = {"bed.png": {"width": WIDTH, "height": HEIGHT, **entry}}
    (tmp_path / "labels.json").write_text(json.dumps(document))
    with pytest.raises(LabelsRefused, match=rf"labels\.json: bed\.png: .*{says}"):
        read_marks(tmp_path)


def test_a_photo_that_a_document_names_twice_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "bed.png")
    entry = '"bed.png": {"width": 200, "height": 100, "points": []}'
    (tmp_path / "labels.json").write_text(f"{{{entry}, {entry}}}")
    with pytest.raises(LabelsRefused, match=r"'bed\.png' stands there twice"):
        read_marks(tmp_path)
