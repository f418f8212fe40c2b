"""Accepted photos as one COCO document a side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import demeter
from demeter.learning.ground_truth import TrueContainer, TrueMark, TruePhoto
from demeter.learning.masking import kept_marks
from demeter.vision.coco_categories import CATEGORIES, CONTAINERS, EMPTY, PLANT
from demeter.vision.geometry import Polygon


def write_coco(folder: Path, photos: Sequence[tuple[TruePhoto, str]], *, crowds: bool) -> None:
    """Write ``coco.json`` of photos and their names; the pictures lie under ``images``.

    ``crowds``: places whose plants nobody marked are written as crowds, because the pictures
    show them. Without it the pictures are grey there and have no annotation.
    """
    now = datetime.now(UTC)
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number, (photo, name) in enumerate(photos, start=1):
        images.append(
            {
                "id": number,
                "file_name": f"images/{name}.jpg",
                "width": photo.size_wh[0],
                "height": photo.size_wh[1],
                "scene": photo.location_code,
                "captured_at": photo.captured_at.isoformat(),
            }
        )
        rows += [
            {"id": len(rows) + k, "image_id": number, **row}
            for k, row in enumerate(annotations_of(photo, crowds=crowds), start=1)
        ]
    folder.mkdir(parents=True, exist_ok=True)
    info = {
        "description": f"Photos of a nursery counted with Demeter, side {folder.name}",
        "version": demeter.version(),
        "year": now.year,
        "date_created": now.isoformat(timespec="seconds"),
    }
    document = {"info": info, "images": images, "annotations": rows, "categories": CATEGORIES}
    (folder / "coco.json").write_text(json.dumps(document), encoding="utf-8")


def annotations_of(photo: TruePhoto, *, crowds: bool) -> list[dict[str, Any]]:
    """A photo's marks, containers and, with ``crowds``, unmarked places."""
    marks = photo.marks if crowds else kept_marks(photo)
    rows = [_mark_annotation(m) for m in marks] + [
        _container_annotation(c) for c in photo.containers
    ]
    if crowds:
        rows += [_crowd_annotation(part) for c in photo.containers for part in c.unmarked_px]
    return rows


def _mark_annotation(mark: TrueMark) -> dict[str, Any]:
    category = EMPTY if mark.is_empty_container else PLANT
    return _annotation(category, mark.xyxy_px, container=mark.container, source=mark.source.value)


def _container_annotation(container: TrueContainer) -> dict[str, Any]:
    return _annotation(
        CONTAINERS[container.container_type],
        _bounds(container.polygon_px),
        segmentation=[[v for point in container.polygon_px for v in point]],
        plants=container.plants,
        source=container.source.value,
    )


def _crowd_annotation(part: Polygon) -> dict[str, Any]:
    outline = [[v for point in part for v in point]]
    return _annotation(PLANT, _bounds(part), segmentation=outline, iscrowd=1)


def _bounds(polygon: Polygon) -> tuple[float, float, float, float]:
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _annotation(category: int, box: Sequence[float], **more: object) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(v, 1) for v in box)
    width, height = round(x2 - x1, 1), round(y2 - y1, 1)
    return {
        "category_id": category,
        "bbox": [x1, y1, width, height],
        "area": round(width * height, 1),
        "iscrowd": 0,
        **more,
    }
