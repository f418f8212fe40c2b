"""Marks from a COCO file: boxes and polygons of plants, empties and containers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.coco_document import (
    CocoAnnotation,
    CocoPicture,
    OnNotice,
    coco_pictures,
)
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.label_files import picture_path
from demeter.vision.metrics.marks import MarkedContainer, MarkedPhoto, discs_of
from demeter.vision.networks.class_names import Meaning, meaning_of


def read_coco(path: Path, document: dict[str, Any], on_notice: OnNotice) -> list[MarkedPhoto]:
    """The photos of a COCO document at ``path``; files lie beside it or under ``images``.

    Categories are recognised by name; others are left out. An annotation of plants with
    ``iscrowd`` is a region that counts neither way: its polygons, or its box where it has
    none (run lengths are not read); one of empties is no mark. An image may name its
    ``scene`` (or ``kind``); a container's annotation may say how many ``plants`` it holds.

    Raises:
        LabelsRefused: a field is missing, a photo is not there, or an annotation is no mark.
    """
    pictures, categories = coco_pictures(path, document, on_notice)
    meanings = {name: meaning_of(name) for name in categories}
    return [_photo(path, picture, meanings) for picture in pictures]


def _photo(path: Path, picture: CocoPicture, meanings: dict[str, Meaning]) -> MarkedPhoto:
    file = picture_path(path.parent, picture.file_name)
    if file is None:
        raise LabelsRefused(f"{path.name}: {picture.file_name} is not there")
    if picture.size_wh is None:
        raise LabelsRefused(f"{path.name}: {picture.file_name} has no width and height")
    marks = [(a, meanings[a.category]) for a in picture.annotations]
    boxes = _boxes([a for a, m in marks if m.is_plant and not a.is_crowd])
    crowds = [a for a, m in marks if m.is_plant and a.is_crowd]
    empties = _boxes([a for a, m in marks if m.is_empty and not a.is_crowd])
    kinds_marked = list(meanings.values())
    return MarkedPhoto(
        file=file,
        size_wh=picture.size_wh,
        plants=discs_of(boxes),
        ignore=IgnoredRegions(polygons_px=tuple(p for a in crowds for p in a.outlines)),
        empties=discs_of(empties) if any(m.is_empty for m in kinds_marked) else None,
        boxes=boxes,
        containers=tuple(_container(a, m) for a, m in marks if m.container is not None)
        if any(m.container for m in kinds_marked)
        else None,
        scene=picture.scene,
    )


def _boxes(annotations: Sequence[CocoAnnotation]) -> np.ndarray:
    xywh = np.array([a.box for a in annotations], np.float64).reshape(-1, 4)
    return np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])


def _container(annotation: CocoAnnotation, meaning: Meaning) -> MarkedContainer:
    """The part of the outline with the most corners, in whole pixels."""
    assert meaning.container is not None
    corners = max(annotation.outlines, key=len)
    polygon = tuple((round(x), round(y)) for x, y in corners)
    return MarkedContainer(meaning.container, polygon, annotation.plants)
