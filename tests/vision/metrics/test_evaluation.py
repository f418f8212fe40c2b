from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from demeter.cli import evaluate as cli
from demeter.vision.errors import LabelsRefused
from demeter.vision.hints import Hints
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.matching import average_precision, match_detections, precision_recall_f1
from demeter.vision.metrics.page import write_page
from demeter.vision.metrics.pictures import read_upright
from demeter.vision.metrics.run import evaluate_photos, picture_of
from demeter.vision.metrics.summary import (
    box_average_precision,
    by_container_type,
    calibration,
    recall_by_size,
    summarise,
)
from support.standins import planted_grid, stand_in_models

NONE = IgnoredRegions()
CORNERS = [(50 + 60 * (i + 0.5), 50 + 60 * (j + 0.5)) for j in range(3) for i in range(4)]


def box(x, y, side):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def match(boxes, marks, confidence=None, ignore=NONE):
    boxes = np.array(boxes, float).reshape(-1, 4)
    confidence = np.ones(len(boxes)) if confidence is None else np.array(confidence)
    return match_detections(boxes, confidence, np.array(marks, float).reshape(-1, 3), ignore)


@pytest.mark.parametrize(
    ("detection", "hits"),
    [
        (box(100, 100, 40), 1),
        (box(100 + 11.9, 100, 40), 1),  # 0.6 radius is 12
        (box(100 + 12.1, 100, 40), 0),
        (box(100, 100, 14), 1),  # 0.35 of the diameter
        (box(100, 100, 13.9), 0),
        (box(100, 100, 88), 1),  # 2.2 of it
        (box(100, 100, 88.1), 0),
        ([80, 95, 120, 105], 1),  # its larger side counts
    ],
)
def test_a_detection_hits_a_mark_by_the_rule(detection, hits):
    assert match([detection], [[100, 100, 20]]).hits == hits


def test_each_mark_is_hit_once_by_the_surest():
    m = match([box(101, 100, 40), box(100, 100, 40)], [[100, 100, 20]], [0.9, 0.5])
    assert m.mark_of.tolist() == [0, -1]
    assert (m.hits, m.false_alarms, m.misses) == (1, 1, 0)


def test_ignored_regions_count_neither_way():
    m = match([box(100, 100, 40)], [], ignore=IgnoredRegions(np.array([[105, 100, 10.0]])))
    assert (m.hits, m.false_alarms, m.ignored_count) == (0, 0, 1)


@pytest.mark.parametrize(
    ("counts", "shares"),
    [((0, 0, 0), (1, 1, 1)), ((0, 3, 0), (0, 0, 0)), ((0, 0, 3), (0, 0, 0)), ((2, 2, 0), (0.5, 1))],
)
def test_shares_of_nothing_and_of_something(counts, shares):
    assert precision_recall_f1(*counts)[: len(shares)] == shares


def test_average_precision_of_known_orders():
    yes, no = True, False
    assert average_precision(np.array([yes, yes]), np.array([0.9, 0.8]), 2) == 1
    assert average_precision(np.array([no, yes]), np.array([0.9, 0.8]), 1) == 0.5
    assert average_precision(np.array([yes, no, yes]), np.array([0.9, 0.8, 0.7]), 4) == (
        pytest.approx((1 + 2 / 3) / 4)
    )
    assert average_precision(np.zeros(0, bool), np.zeros(0), 3) == 0


@dataclass(frozen=True)
class SameForAll:
    """A judge that says one likelihood of everything."""

    likelihood: float
    identity: str = "same@0"
    side_px: int = 64

    def __call__(self, squares):
        return [self.likelihood for _ in squares]


def labelled(folder: Path, style: str) -> Path:
    """The same photo of 12 plants, labelled in one of the three ways."""
    picture = planted_grid(4, 3)
    height, width = picture.shape[:2]
    (folder / "images").mkdir(parents=True)
    inner = {"points": "bed.png", "coco": "images/bed.png", "yolo": "images/bed.png"}[style]
    Image.fromarray(picture).save(folder / inner)
    if style == "points":
        entry = {"width": width, "height": height, "points": [[x, y, 20] for x, y in CORNERS]}
        (folder / "labels.json").write_text(json.dumps({"bed.png": entry}))
    elif style == "coco":
        (folder / "truth.json").write_text(json.dumps(coco(width, height)))
    else:
        (folder / "labels").mkdir()
        lines = [f"1 {x / width} {y / height} {40 / width} {40 / height}" for x, y in CORNERS]
        (folder / "labels" / "bed.txt").write_text("\n".join(lines) + "\n\n")
        (folder / "data.yaml").write_text("path: .\nnames:\n  0: box\n  1: plant\n")
    return folder


def coco(width: int, height: int) -> dict:
    plants = [
        {"id": i, "image_id": 7, "category_id": 1, "bbox": [x - 20, y - 20, 40, 40]}
        for i, (x, y) in enumerate(CORNERS)
    ]
    frame = [[30, 30, 310, 30, 310, 250, 30, 250]]
    crate = {"id": 99, "image_id": 7, "category_id": 2, "segmentation": frame, "plants": 12}
    return {
        "images": [{"id": 7, "file_name": "bed.png", "width": width, "height": height}],
        "annotations": [*plants, crate | {"bbox": [30, 30, 280, 220]}],
        "categories": [{"id": 1, "name": "Planta"}, {"id": 2, "name": "cajon"}],
    }


@pytest.mark.parametrize("style", ["points", "coco", "yolo"])
def test_the_same_photo_is_judged_alike_however_it_is_labelled(tmp_path, style):
    marks = read_marks(labelled(tmp_path / style, style))
    figures = list(evaluate_photos(marks, stand_in_models(), Hints()))
    summary = summarise(figures)
    assert (summary.photos, summary.marked, summary.f1) == (1, 12, 1.0)
    assert (summary.mape, summary.bias, summary.mae, summary.interval_coverage) == (0, 0, 0, 1)
    assert recall_by_size(figures) == {"24-48": (12, 1.0)}
    assert sum(number for *_, number in calibration(figures)) == 12


def test_photos_without_plants_are_counted_by_themselves(tmp_path):
    (marked,) = read_marks(labelled(tmp_path / "p", "points"))
    bare = replace(marked, plants=marked.plants[:0])
    models = stand_in_models()
    unsure, sure = (replace(models, judge=SameForAll(likelihood)) for likelihood in (0.2, 0.9))
    for judged, posted in ((models, 1), (sure, 1), (unsure, 0)):
        summary = summarise(evaluate_photos((marked, bare), judged, Hints()))
        assert (summary.without_plants, summary.false_plants) == (1, 12)
        assert (summary.empties_posted, summary.posted) == (posted, posted)
        assert summary.mape == 0


def test_containers_are_judged_where_they_are_marked(tmp_path):
    marks = read_marks(labelled(tmp_path / "c", "coco"))
    figures = list(evaluate_photos(marks, stand_in_models(), Hints()))
    table = by_container_type(figures)
    assert set(table) == {"box", "all"}
    assert (table["box"].iou_good, table["box"].type_right, table["box"].mape) == (1, 1, 0)
    ap50, ap = box_average_precision(figures)
    assert ap50 == 1
    assert 0.5 < ap <= 1


def test_average_precision_knows_no_ignored_region(tmp_path):
    (marked,) = read_marks(labelled(tmp_path / "c", "coco"))
    first = marked.boxes[0]
    others = replace(marked, plants=marked.plants[1:], boxes=marked.boxes[1:])
    corners = [(first[x], first[y]) for x, y in ((0, 1), (2, 1), (2, 3), (0, 3))]
    ignoring = replace(others, ignore=IgnoredRegions(polygons_px=(tuple(corners),)))
    models = stand_in_models()
    (wrong,), (right,) = (
        [box_average_precision(list(evaluate_photos((m,), models, Hints())))]
        for m in (others, ignoring)
    )
    assert wrong is not None
    assert right is not None
    assert wrong[0] < 1
    assert right[0] == 1


def test_nothing_to_judge_sums_up_too():
    summary = summarise([])
    assert (summary.photos, summary.f1, summary.mape) == (0, 1.0, None)
    assert (recall_by_size([]), calibration([]), by_container_type([])) == ({}, [], {})


def test_the_page_shows_the_worst_photo_first(tmp_path):
    folder = labelled(tmp_path / "p", "points")
    (good,) = read_marks(folder)
    bad = replace(good, plants=good.plants + np.array([500, 0, 0]), size_wh=good.size_wh)
    figures = list(evaluate_photos((good, bad), stand_in_models(), Hints()))
    text = write_page(figures, tmp_path / "page").read_text(encoding="utf-8")
    assert text.index("F1 0.00") < text.index("F1 1.00")
    assert len(list((tmp_path / "page").glob("*.webp"))) == 2


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("labels.json", "{", "not JSON"),
        ("labels.json", "[]", "not a table"),
        ("labels.json", '{"no.jpg": {}}', "is not there"),
        ("truth.json", '{"images": [{"id": 1}], "annotations": []}', "categories"),
        ("readme.txt", "", "no labels.json"),
    ],
)
def test_labels_that_cannot_be_read_are_refused_by_name(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelsRefused, match=says):
        read_marks(tmp_path)


def test_a_photo_that_is_marked_in_two_files_is_refused(tmp_path):
    folder = labelled(tmp_path, "coco")
    first = next(folder.glob("*.json"))
    (folder / "again.json").write_bytes(first.read_bytes())
    with pytest.raises(LabelsRefused, match="is marked twice"):
        read_marks(folder)


def test_a_photo_of_another_size_than_its_labels_is_refused(tmp_path):
    folder = labelled(tmp_path / "s", "points")
    (mark,) = read_marks(folder)
    wrong = replace(mark, size_wh=(1, 1))
    with pytest.raises(LabelsRefused, match="its labels say"):
        list(evaluate_photos((wrong,), stand_in_models(), Hints()))


def stored(folder: Path, name: str, body: bytes) -> Path:
    """The YOLO folder with another photo in place of its own."""
    labelled(folder, "yolo")
    (folder / "images" / "bed.png").unlink()
    (folder / "images" / name).write_bytes(body)
    return folder


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_photo_that_was_held_sideways_is_judged_upright(tmp_path, orientation, kind):
    tags = Image.Exif()
    tags[0x0112] = orientation
    image = Image.new("RGB", (80, 60))
    body = io.BytesIO()
    image.save(body, kind, exif=tags)
    (mark,) = read_marks(stored(tmp_path / "t", f"bed.{kind.lower()}", body.getvalue()))
    assert mark.size_wh == ((60, 80) if orientation >= 6 else (80, 60))
    assert picture_of(mark).shape[:2] == mark.size_wh[::-1]


def test_heic_can_be_read_as_soon_as_labels_are():
    code = (
        "import sys, demeter.vision.metrics.yolo_folder; "
        "print('pi_heif' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


def chunk_cut(body: bytes) -> bytes:
    """A PNG whose first chunk is broken: Pillow raises SyntaxError."""
    return body[:12] + b"\x00\x00\x00\x00" + body[16:]


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"no picture", lambda b: b[: len(b) // 2], chunk_cut],
    ids=["none", "half", "chunk"],
)
def test_a_damaged_photo_is_refused_by_name(tmp_path, damage):
    body = io.BytesIO()
    Image.fromarray(planted_grid(4, 3)).save(body, "PNG")
    folder = stored(tmp_path / "d", "bed.png", damage(body.getvalue()))
    with pytest.raises(LabelsRefused, match=r"bed\.png"):
        read_marks(folder)


@pytest.mark.parametrize(
    "body",
    [b"", b"words", b"\xff\xd8\xff\xe0", b"II*\0\xff\xff\xff\xff", b"FUJIFILMCCD-RAW", None],
    ids=["nothing", "words", "a JPEG's heading", "a TIFF's heading", "a raw file", "no file"],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, body):
    if body is not None:
        (tmp_path / "bed.png").write_bytes(body)
    with pytest.raises(LabelsRefused, match=r"bed\.png: not a picture"):
        read_upright(tmp_path / "bed.png")


@pytest.mark.parametrize("name", ["labels/bed.txt", "data.yaml"])
def test_a_file_that_is_no_text_is_refused_by_name(tmp_path, name):
    folder = labelled(tmp_path / "y", "yolo")
    (folder / name).write_bytes("0: cajón".encode("utf-16"))
    with pytest.raises(LabelsRefused, match=Path(name).name):
        read_marks(folder)


def test_names_with_a_comment_or_in_another_order_are_the_same_classes(tmp_path):
    folder = labelled(tmp_path / "y", "yolo")
    plain = read_marks(folder)
    (folder / "data.yaml").write_text(
        "names:\n  1: plant  # the class\n  # none\n  0: box\npath: .\n"
    )
    (marks,) = read_marks(folder)
    assert len(marks.plants) == len(plain[0].plants) == len(CORNERS)


def test_names_that_cannot_be_read_are_refused_by_file_and_line(tmp_path):
    folder = labelled(tmp_path / "y", "yolo")
    (folder / "data.yaml").write_text("path: .\nnames:\n  0: box\n  first: plant\n")
    with pytest.raises(LabelsRefused, match=r"data\.yaml, line 4: 'first' is no number"):
        read_marks(folder)


@pytest.mark.parametrize("line", ["0", "1", "1 0.5", "1 0.1 0.1 0.2", "1 0.1 0.1", "7 1 1 1 1"])
def test_a_line_that_is_no_shape_is_refused_by_its_number(tmp_path, line):
    folder = labelled(tmp_path / "l", "yolo")
    (folder / "labels" / "bed.txt").write_text(f"1 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(LabelsRefused, match=r"bed\.txt, line 2"):
        read_marks(folder)


def evaluate(monkeypatch, *arguments: str):
    monkeypatch.setattr(cli, "default_models", lambda *_: stand_in_models())
    return CliRunner().invoke(cli.app, [*arguments, "--json"])


def test_a_photo_outside_the_folder_goes_by_its_name(tmp_path, monkeypatch):
    folder = labelled(tmp_path / "c", "coco")
    apart = tmp_path / "apart.png"
    (folder / "images" / "bed.png").rename(apart)
    truth = json.loads((folder / "truth.json").read_text())
    truth["images"][0]["file_name"] = str(apart)
    (folder / "truth.json").write_text(json.dumps(truth))
    done = evaluate(monkeypatch, str(folder))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["photos"][0]["file"] == "apart.png"


def test_a_photo_inside_the_folder_goes_by_its_path(tmp_path, monkeypatch):
    done = evaluate(monkeypatch, str(labelled(tmp_path / "y", "yolo")))
    assert json.loads(done.stdout)["photos"][0]["file"] == "images/bed.png"


def test_the_unit_of_the_figures_is_said(tmp_path, monkeypatch):
    folder = str(labelled(tmp_path / "y", "yolo"))
    as_json = evaluate(monkeypatch, folder)
    assert json.loads(as_json.stdout)["unit"] == "plants"
    as_text = CliRunner().invoke(cli.app, [folder])
    assert "unit: plants" in as_text.stdout


def test_a_precision_that_is_not_there_is_told_with_those_that_are(tmp_path, monkeypatch):
    done = evaluate(monkeypatch, str(tmp_path), "--precision", "f16")
    assert done.exit_code == 2
    assert "bf16" in done.stderr


SAMPLES = Path(__file__).parents[3].parent / "shared" / "samples" / "photos"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample photos are not beside the checkout")
def test_the_sample_photos_marks_are_read():
    marks = read_marks(SAMPLES)
    plants_and_regions = {m.file.name: (len(m.plants), len(m.ignore)) for m in marks}
    assert plants_and_regions.items() >= {
        ("nursery_tray.jpg", (15, 4)),
        ("rosette_tray.jpg", (18, 1)),
        ("terracotta_pots.webp", (12, 0)),
    }
    assert os.path.commonpath([m.file for m in marks]) == str(SAMPLES)
