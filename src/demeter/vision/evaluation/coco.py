"""Marks from a COCO file: boxes and polygons of plants, empties and containers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from demeter.vision.classnames import Meaning, meaning_of
from demeter.vision.errors import LabelsRefused
from demeter.vision.evaluation.truth import Marked, MarkedContainer, discs_of
from demeter.vision.geometry import Polygon


def read_coco(path: Path, document: dict[str, Any]) -> list[Marked]:
    """The photos of a COCO document at ``path``; files lie beside it or under ``images``.

    Categories are recognised by name; others are left out. An annotation with ``iscrowd``
    is a region that counts neither way. An image may name its ``scene`` (or ``kind``); a
    container's annotation may say how many ``plants`` it holds.

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
) -> Marked:
    kinds = [(a, meanings[a["category_id"]]) for a in annotations]
    counted = [a for a, m in kinds if m.is_plant and not a.get("iscrowd")]
    crowds = [a for a, m in kinds if m.is_plant and a.get("iscrowd")]
    boxes = _boxes(counted)
    kinds_marked = list(meanings.values())
    return Marked(
        file=_file(path, image["file_name"]),
        size_wh=(int(image["width"]), int(image["height"])),
        plants=discs_of(boxes),
        ignore=discs_of(_boxes(crowds)),
        empties=discs_of(_boxes([a for a, m in kinds if m.is_empty]))
        if any(m.is_empty for m in kinds_marked)
        else None,
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
    """The largest part of a polygon segmentation, else the box."""
    parts = annotation.get("segmentation")
    if isinstance(parts, list) and parts:
        corners = np.array(max(parts, key=len), np.float64).reshape(-1, 2)
    else:
        x, y, w, h = annotation["bbox"]
        corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    return tuple((int(x), int(y)) for x, y in np.rint(corners))
