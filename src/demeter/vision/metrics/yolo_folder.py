"""Marks from YOLO folders: ``images`` and ``labels`` side by side, names in ``data.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demeter.core.notices import Notice
from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.coco_document import OnNotice
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.label_files import read_text
from demeter.vision.metrics.marks import MarkedContainer, MarkedPhoto, discs_of
from demeter.vision.metrics.pictures import SUFFIXES, read_upright
from demeter.vision.metrics.shapes import (
    ShapeRefused,
    class_index,
    corners_of,
    first_pose,
    shares,
)
from demeter.vision.networks.class_names import Meaning, meaning_of
from demeter.vision.networks.yaml_table import (
    YamlUnreadable,
    one_or_more_texts,
    texts_by_index,
    yaml_table,
)

_SPLITS = ("train", "val", "test")
_CLASSES = "classes.txt"  # some programs write it among the labels


@dataclass(frozen=True, slots=True)
class _Pair:
    """A folder of pictures and the folder of their label files."""

    images: Path
    labels: Path


def is_yolo_folder(folder: Path) -> bool:
    """Whether pictures lie under ``images`` and their text files under ``labels``."""
    return any(_pairs(folder))


def _pairs(folder: Path) -> Iterator[_Pair]:
    """`images` and `labels` of the folder itself, or of each split in it."""
    for parent in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        pair = _Pair(parent / "images", parent / "labels")
        if pair.images.is_dir() and pair.labels.is_dir():
            yield pair


def read_yolo(folder: Path, on_notice: OnNotice = lambda _: None) -> list[MarkedPhoto]:
    """The photos of a YOLO folder, with or without a level of splits above or below.

    A picture without a label file holds no marks, as YOLO means it.

    Raises:
        LabelsRefused: no names or unreadable ones, a file that is no text, a line that is no
            mark, a label file without a picture, or a picture that cannot be read.
    """
    meanings = [meaning_of(n) for n in _names(folder, on_notice)]
    photos = []
    for pair in _pairs(folder):
        pictures = sorted(p for p in pair.images.rglob("*") if p.suffix.lower() in SUFFIXES)
        _require_pictures(pair, pictures)
        photos += [_photo(pair, p, meanings, on_notice) for p in pictures]
    return photos


def _require_pictures(pair: _Pair, pictures: list[Path]) -> None:
    """Refuse a label file with lines whose picture is not there."""
    known = {p.relative_to(pair.images).with_suffix("") for p in pictures}
    for path in sorted(pair.labels.rglob("*.txt")):
        is_known = path.relative_to(pair.labels).with_suffix("") in known
        if not is_known and path.name != _CLASSES and read_text(path).strip():
            raise LabelsRefused(f"{path.name}, line 1: its picture is not under {pair.images.name}")


def _names(folder: Path, on_notice: OnNotice) -> list[str]:
    """Class names by index, from ``data.yaml`` or ``classes.txt``."""
    classes, table = folder / _CLASSES, folder / "data.yaml"
    if classes.is_file():
        return [name.strip() for name in read_text(classes).strip().splitlines()]
    names = _yaml_names(table, on_notice) if table.is_file() else []
    if not names:
        raise LabelsRefused(f"{folder.name}: neither data.yaml nor classes.txt names the classes")
    return names


def _yaml_names(path: Path, on_notice: OnNotice) -> list[str]:
    try:
        table = yaml_table(read_text(path))
        if "kpt_shape" in table:
            line = table["kpt_shape"].start_mark.line + 1
            raise LabelsRefused(f"{path.name}, line {line}: labels of poses are no marks")
        for split in _SPLITS:
            for named in one_or_more_texts(table[split]) if split in table else []:
                _look_for_folder(path, split, named, on_notice)
        return texts_by_index(table["names"]) if "names" in table else []
    except YamlUnreadable as error:
        raise LabelsRefused(f"{path.name}, {error}") from error


def _look_for_folder(path: Path, split: str, named: str, on_notice: OnNotice) -> None:
    """Say where a split lies in a folder that is not there; what is there is read all the same."""
    parts = [p for p in named.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    if parts and not (Path(named).exists() or path.parent.joinpath(*parts).exists()):
        notice = Notice("split_not_there", {"file": path.name, "split": split, "folder": named})
        on_notice(notice)


def _photo(pair: _Pair, picture: Path, meanings: list[Meaning], on_notice: OnNotice) -> MarkedPhoto:
    height, width = read_upright(picture).shape[:2]
    size_wh = (width, height)
    labels = pair.labels / picture.relative_to(pair.images).with_suffix(".txt")
    rows = _rows(labels, meanings, size_wh, on_notice)
    scale = np.array([*size_wh], np.float64)
    shapes = [(m, np.rint(corners * scale)) for m, corners in rows]
    plants = np.array([_box(c) for m, c in shapes if m.is_plant]).reshape(-1, 4)
    empties = np.array([_box(c) for m, c in shapes if m.is_empty]).reshape(-1, 4)
    containers = [(m.container, c) for m, c in shapes if m.container is not None]
    return MarkedPhoto(
        file=picture,
        size_wh=size_wh,
        plants=discs_of(plants),
        ignore=IgnoredRegions(),
        empties=discs_of(empties) if any(m.is_empty for m in meanings) else None,
        boxes=plants,
        containers=tuple(
            MarkedContainer(kind, tuple((int(x), int(y)) for x, y in c)) for kind, c in containers
        )
        if any(m.container for m in meanings)
        else None,
    )


def _rows(
    path: Path, meanings: list[Meaning], size_wh: tuple[int, int], on_notice: OnNotice
) -> list[tuple[Meaning, np.ndarray]]:
    """Meaning and corners [n, 2], 0..1, of each line of a label file; of equal lines one."""
    if not path.is_file():
        return []
    rows: dict[tuple[float, ...], tuple[Meaning, np.ndarray]] = {}
    numbers_by_line: dict[int, list[float]] = {}
    for line, words in enumerate(read_text(path).splitlines(), 1):
        fields = words.split()
        if not fields:
            continue
        try:
            index = class_index(fields[0], len(meanings))
            numbers = numbers_by_line[line] = shares(fields[1:])
            rows[index, *numbers] = meanings[index], corners_of(numbers, size_wh)
        except ShapeRefused as error:
            raise LabelsRefused(f"{path.name}, line {line}: {error}") from error
    pose = first_pose(list(numbers_by_line.values()))
    if pose is not None:
        line = list(numbers_by_line)[pose]
        raise LabelsRefused(f"{path.name}, line {line}: a box with the points of a pose is no mark")
    repeats = len(numbers_by_line) - len(rows)
    if repeats:
        on_notice(Notice("marks_repeated", {"file": path.name, "marks": repeats}))
    return list(rows.values())


def _box(corners: np.ndarray) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)
