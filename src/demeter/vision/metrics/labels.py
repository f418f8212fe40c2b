"""Reading marks: points in a ``labels.json``, COCO, or YOLO folders."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.coco import read_coco
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.yolo_folder import is_yolo_folder, read_yolo


def read_marks(folder: Path) -> tuple[MarkedPhoto, ...]:
    """Marked photos of a folder, by file name.

    The folder holds a ``labels.json`` of points, or COCO files, or both, and is else read as
    YOLO's ``images`` and ``labels``.

    Raises:
        LabelsRefused: none fits, a file is damaged, a marked photo is not there, or two files
            mark the same photo.
    """
    if not folder.is_dir():
        raise LabelsRefused(f"{folder}: there is no such folder")
    documents = {p: _json(p) for p in sorted(folder.glob("*.json"))}
    marks: list[MarkedPhoto] = []
    for path, document in documents.items():
        if _is_coco(document):
            marks += read_coco(path, document)
        elif path.name == "labels.json":
            marks += _points(path, document)
    if not marks and is_yolo_folder(folder):
        marks = read_yolo(folder)
    if not marks:
        raise LabelsRefused(f"{folder}: no labels.json, no COCO file, no YOLO images and labels")
    marks.sort(key=lambda m: str(m.file))
    for earlier, later in pairwise(marks):
        if earlier.file == later.file:
            raise LabelsRefused(f"{earlier.file.name} is marked twice in {folder}")
    return tuple(marks)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LabelsRefused(f"{path.name}: not JSON ({error})") from error


def _is_coco(document: Any) -> bool:
    return isinstance(document, dict) and {"images", "annotations"} <= document.keys()


def _points(path: Path, document: Any) -> list[MarkedPhoto]:
    """Points as ``{file: {width, height, points: [[x, y, radius]…], ignore: […]}}``."""
    if not isinstance(document, dict):
        raise LabelsRefused(f"{path.name}: not a table of files")
    marked_photos = []
    for name, entry in document.items():
        file = path.parent / name
        if not file.is_file():
            raise LabelsRefused(f"{path.name}: {name} is not there")
        try:
            marked_photos.append(
                MarkedPhoto(
                    file=file,
                    size_wh=(int(entry["width"]), int(entry["height"])),
                    plants=_discs(entry["points"]),
                    ignore=IgnoredRegions(_discs(entry.get("ignore") or [])),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LabelsRefused(f"{path.name}: {name}: {error!r}") from error
    return marked_photos


def _discs(points: Any) -> NDArray[np.float64]:
    return np.array(points, np.float64).reshape(-1, 3)
