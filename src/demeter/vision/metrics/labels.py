"""Reading marks: points in a ``labels.json``, COCO, or YOLO folders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.coco import read_coco
from demeter.vision.metrics.coco_document import OnNotice
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.label_files import picture_path, read_json
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.shapes import ShapeRefused, disc_px, finite
from demeter.vision.metrics.yolo_folder import is_yolo_folder, read_yolo


def read_marks(folder: Path, on_notice: OnNotice = lambda _: None) -> tuple[MarkedPhoto, ...]:
    """Marked photos of a folder, by file name; ``on_notice`` is told what is odd in it.

    The folder holds a ``labels.json`` of points, or COCO files, or both, and is else read as
    YOLO's ``images`` and ``labels``.

    Raises:
        LabelsRefused: none fits, a file is damaged, a marked photo is not there, two files
            mark the same photo, or something is no mark; with its file and line.
    """
    if not folder.is_dir():
        raise LabelsRefused(f"{folder}: there is no such folder")
    documents = {p: read_json(p) for p in sorted(folder.glob("*.json"))}
    marks: list[MarkedPhoto] = []
    for path, document in documents.items():
        if _is_coco(document):
            marks += read_coco(path, document, on_notice)
        elif path.name == "labels.json":
            marks += _points(path, document, on_notice)
    if not marks and is_yolo_folder(folder):
        marks = read_yolo(folder, on_notice)
    if not marks:
        raise LabelsRefused(f"{folder}: no labels.json, no COCO file, no YOLO images and labels")
    marks.sort(key=lambda m: str(m.file))
    for earlier, later in pairwise(marks):
        if earlier.file == later.file:
            raise LabelsRefused(f"{earlier.file.name} is marked twice in {folder}")
    return tuple(marks)


def _is_coco(document: Any) -> bool:
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def _points(path: Path, document: Any, on_notice: OnNotice) -> list[MarkedPhoto]:
    """Points as ``{file: {width, height, points: [[x, y, radius]…], ignore: […]}}``."""
    if not isinstance(document, dict):
        raise LabelsRefused(f"{path.name}: not a table of files")
    marked_photos = []
    for name, entry in document.items():
        file = picture_path(path.parent, name)
        if file is None:
            raise LabelsRefused(f"{path.name}: {name} is not there")
        try:
            size_wh = (int(finite(entry["width"])), int(finite(entry["height"])))
            discs = [disc_px(point, size_wh) for point in entry["points"]]
            ignored = [disc_px(point, size_wh) for point in entry.get("ignore") or []]
        except ShapeRefused as error:
            raise LabelsRefused(f"{path.name}: {name}: {error}") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise LabelsRefused(f"{path.name}: {name}: {error!r}") from error
        unique = list(dict.fromkeys(discs))
        if len(unique) < len(discs):
            repeats = len(discs) - len(unique)
            on_notice(Notice("marks_repeated", {"file": name, "marks": repeats}))
        ignore = IgnoredRegions(_array(ignored))
        marked_photos.append(MarkedPhoto(file, size_wh, _array(unique), ignore))
    return marked_photos


def _array(discs: list[tuple[float, float, float]]) -> NDArray[np.float64]:
    return np.array(discs, np.float64).reshape(-1, 3)
