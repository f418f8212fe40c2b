"""Marks from YOLO folders: ``images`` and ``labels`` side by side, names in ``data.yaml``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import MarkedContainer, MarkedPhoto, discs_of
from demeter.vision.metrics.pictures import SUFFIXES, read_upright
from demeter.vision.networks.class_names import Meaning, meaning_of, names_in
from demeter.vision.networks.yaml_table import YamlUnreadable


def is_yolo_folder(folder: Path) -> bool:
    """Whether pictures lie under ``images`` and their text files under ``labels``."""
    return (folder / "images").is_dir() and (folder / "labels").is_dir()


def read_yolo(folder: Path) -> list[MarkedPhoto]:
    """The photos of a YOLO folder, with or without a level of splits below.

    A picture without a label file holds no marks, as YOLO means it.

    Raises:
        LabelsRefused: no names or unreadable ones, a file that is no text, a line that is
            neither a box nor a polygon, or a picture that cannot be read.
    """
    meanings = [meaning_of(n) for n in _names(folder)]
    pictures = [p for p in sorted((folder / "images").rglob("*")) if p.suffix.lower() in SUFFIXES]
    return [_photo(folder, p, meanings) for p in pictures]


def _names(folder: Path) -> list[str]:
    """Class names by index, from ``data.yaml`` or ``classes.txt``."""
    classes, table = folder / "classes.txt", folder / "data.yaml"
    if classes.is_file():
        return _text(classes).splitlines()
    names = _yaml_names(table) if table.is_file() else []
    if not names:
        raise LabelsRefused(f"{folder.name}: neither data.yaml nor classes.txt names the classes")
    return names


def _yaml_names(path: Path) -> list[str]:
    try:
        return names_in(_text(path))
    except YamlUnreadable as error:
        raise LabelsRefused(f"{path.name}, {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LabelsRefused(f"{path.name}: not text in UTF-8 ({error})") from error


def _photo(folder: Path, picture: Path, meanings: list[Meaning]) -> MarkedPhoto:
    height, width = read_upright(picture).shape[:2]
    size_wh = (width, height)
    inner = picture.relative_to(folder / "images").with_suffix(".txt")
    rows = _rows(folder / "labels" / inner, meanings)
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


def _rows(path: Path, meanings: list[Meaning]) -> list[tuple[Meaning, np.ndarray]]:
    """Meaning and corners [n, 2], 0..1, of each line of a label file."""
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            meaning, values = meanings[int(fields[0])], [float(f) for f in fields[1:]]
            rows.append((meaning, _corners(values)))
        except (ValueError, IndexError) as error:
            raise LabelsRefused(f"{path.name}, line {number}: {line!r}") from error
    return rows


def _corners(values: list[float]) -> np.ndarray:
    """Corners [n, 2] of a box or a polygon.

    Raises:
        ValueError: it is neither.
    """
    if len(values) == 4:  # noqa: PLR2004 - a box: centre and size
        x, y, w, h = values
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    corners = np.array(values, np.float64).reshape(-1, 2)
    if len(corners) < 3:  # noqa: PLR2004 - no area, no polygon
        raise ValueError(f"{len(corners)} corners are no polygon")
    return corners


def _box(corners: np.ndarray) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)
