"""Marks from a COCO file: boxes and polygons of plants, empties and containers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from demeter.vision.errors import LabelsRefused
from demeter.vision.geometry import Polygon
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import MarkedContainer, MarkedPhoto, discs_of
from demeter.vision.networks.class_names import Meaning, meaning_of


def read_coco(path: Path, document: dict[str, Any]) -> list[MarkedPhoto]:
    """The photos of a COCO document at ``path``; files lie beside it or under ``images``.

    Categories are recognised by name; others are left out. An annotation of plants with
    ``iscrowd`` is a region that counts neither way: its polygons, or its box where it has
    none (run lengths are not read); one of empties is no mark. An image may name its
    ``scene`` (or ``kind``); a container's annotation may say how many ``plants`` it holds.

    Raises:
        LabelsRefused: a field is missing, or a photo is not there.
    """
    try:
        meanings = {c["id"]: meaning_of(c["name"]) for c in document["categories"]}
        by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for annotation in document["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        return [_photo(path, i, by_image[i["id"]], meanings) for i in document["images"]]
    except (KeyError, TypeError, ValueError) as error:
        raise LabelsRefused(f"{path.name}: {error!r}") from error


def _photo(
    path: Path,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    meanings: dict[Any, Meaning],
) -> MarkedPhoto:
    kinds = [(a, meanings[a["category_id"]]) for a in annotations]
    boxes = _boxes([a for a, m in kinds if m.is_plant and not a.get("iscrowd")])
    crowds = [a for a, m in kinds if m.is_plant and a.get("iscrowd")]
    empties = _boxes([a for a, m in kinds if m.is_empty and not a.get("iscrowd")])
    kinds_marked = list(meanings.values())
    return MarkedPhoto(
        file=_file(path, image["file_name"]),
        size_wh=(int(image["width"]), int(image["height"])),
        plants=discs_of(boxes),
        ignore=IgnoredRegions(polygons_px=tuple(p for a in crowds for p in _parts(a))),
        empties=discs_of(empties) if any(m.is_empty for m in kinds_marked) else None,
        boxes=boxes,
        containers=tuple(_container(a, m) for a, m in kinds if m.container is not None)
        if any(m.container for m in kinds_marked)
        else None,
        scene=str(image.get("scene") or image.get("kind") or ""),
    )


def _file(path: Path, name: str) -> Path:
    for candidate in (path.parent / name, path.parent / "images" / name):
        if candidate.is_file():
            return candidate
    raise LabelsRefused(f"{path.name}: {name} is not there")


def _boxes(annotations: list[dict[str, Any]]) -> np.ndarray:
    xywh = np.array([a["bbox"] for a in annotations], np.float64).reshape(-1, 4)
    return np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])


def _container(annotation: dict[str, Any], meaning: Meaning) -> MarkedContainer:
    assert meaning.container is not None
    plants = annotation.get("plants")
    return MarkedContainer(
        meaning.container, _polygon(annotation), None if plants is None else int(plants)
    )


def _polygon(annotation: dict[str, Any]) -> Polygon:
    """The part of the segmentation with the most corners, in whole pixels; else the box."""
    return tuple((round(x), round(y)) for x, y in max(_parts(annotation), key=len))


def _parts(annotation: dict[str, Any]) -> list[tuple[tuple[float, float], ...]]:
    """The parts of a polygon segmentation, else the box."""
    parts = annotation.get("segmentation")
    if not isinstance(parts, list) or not parts:
        x, y, w, h = annotation["bbox"]
        parts = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    corners = (np.array(part, np.float64).reshape(-1, 2) for part in parts)
    return [tuple((float(x), float(y)) for x, y in part_corners) for part_corners in corners]
