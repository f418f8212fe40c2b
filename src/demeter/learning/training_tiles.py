"""What training learns from accepted photos: tiles with plants of one size, or small photos.

A phone's photo is far larger than what a model learns from at once, and a plant in it has
any size. For plants, each photo is scaled so that its median plant is as large as training
ever shows one and cut into tiles; for containers, it is made small as a whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from demeter.learning.dataset import DOCUMENT, Format, export
from demeter.learning.splits import Side, SplitRule
from demeter.vision.errors import TrainingDataRefused
from demeter.vision.geometry import resize
from demeter.vision.plants.detector import TRAINED_PLANT_PX
from demeter.vision.plants.tiles import Tile, cover
from demeter.vision_models.models import VisionTask

TILE_PX, OVERLAP_PX = 640, 96
PHOTO_PX = 1800  # the segmenter looks at up to 3 times 512 px of a photo
LARGEST_ZOOM = 2.0  # more only blurs
LEAST_LEFT = 0.5  # of a box at a tile's edge; less is another tile's
QUALITY = 95

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainingPictures:
    """A folder with a ``coco.json`` to train on, and from how many photos and places it is."""

    folder: Path
    photos: int
    places: int
    made_at: str


def prepare_pictures(
    bound_to: Engine,
    task: VisionTask,
    folder: Path,
    rule: SplitRule,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingPictures:
    """The pictures in ``folder``, made of the photos accepted now if they are not there yet.

    Photos of held-out locations are left out. A training that was stopped goes on with the
    pictures it began with.

    Raises:
        TooLittleTruth: no session on the side to learn from was accepted yet.
        BlobMissing, ObjectStoreUnavailable: a photo's bytes cannot be had.
        TrainingDataRefused: a picture of the run cannot be read any more, or not be written.
    """
    task_folder = folder / task
    if not (task_folder / "coco.json").exists():
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            export(bound_to, part, Format.COCO, rule, on_progress, only=Side.TRAIN)
            part.rename(folder)
        _write_pictures(task, folder / Side.TRAIN, task_folder)
    document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    places = {photo["location_code"] for photo in document["photos"]}
    return TrainingPictures(task_folder, len(document["photos"]), len(places), document["made_at"])


def _write_pictures(task: VisionTask, source: Path, target: Path) -> None:
    """``coco.json`` is written last: a folder that has one is complete."""
    body = json.loads((source / "coco.json").read_text(encoding="utf-8"))
    (target / "images").mkdir(parents=True, exist_ok=True)
    images: list[Row] = []
    rows: list[Row] = []
    cut_pictures = _cut_tiles if task is VisionTask.DETECT else _shrink_photo
    for image in body["images"]:
        image_rows = [r for r in body["annotations"] if r["image_id"] == image["id"]]
        bgr = _read_picture(source / image["file_name"])
        for number, (picture, picture_rows) in enumerate(
            cut_pictures(bgr, image_rows, _plant_category(body)), start=1
        ):
            name = f"images/{Path(image['file_name']).stem}-{number}.jpg"
            _save_picture(picture, target / name)
            images.append({"id": len(images) + 1, "file_name": name})
            rows += [
                {**r, "image_id": len(images), "id": len(rows) + k}
                for k, r in enumerate(picture_rows)
            ]
    document = {"images": images, "annotations": rows, "categories": body["categories"]}
    (target / "coco.json").write_text(json.dumps(document), encoding="utf-8")


def _plant_category(body: Row) -> int:
    return next(c["id"] for c in body["categories"] if c["name"] == "plant")


def _cut_tiles(
    bgr: NDArray[np.uint8], rows: list[Row], plant: int
) -> Iterator[tuple[NDArray[np.uint8], list[Row]]]:
    """Squares of the photo, whose median plant is then as large as training shows one.

    Those without any mark are left out: a neighbour's bed there may hold plants too.
    """
    boxes = [r for r in rows if "segmentation" not in r]
    sizes = [(r["bbox"][2] * r["bbox"][3]) ** 0.5 for r in boxes if r["category_id"] == plant]
    scale = min(LARGEST_ZOOM, TRAINED_PLANT_PX[1] / float(np.median(sizes))) if sizes else 1.0
    height, width = bgr.shape[:2]
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized_bgr = resize(bgr, size_wh)
    for tile in cover(size_wh, TILE_PX, OVERLAP_PX):
        tile_rows = [cut for r in boxes if (cut := _cut_box(r, scale, tile)) is not None]
        if tile_rows:
            yield tile.cut(resized_bgr), tile_rows


def _shrink_photo(
    bgr: NDArray[np.uint8], rows: list[Row], plant: int
) -> Iterator[tuple[NDArray[np.uint8], list[Row]]]:
    """The whole photo, small, with the outlines of its containers."""
    del plant
    height, width = bgr.shape[:2]
    scale = min(1.0, PHOTO_PX / max(height, width))
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    outline_rows = [r for r in rows if "segmentation" in r and not r["iscrowd"]]
    scaled_rows = [
        {
            **r,
            "bbox": [v * scale for v in r["bbox"]],
            "segmentation": [[v * scale for v in part] for part in r["segmentation"]],
        }
        for r in outline_rows
    ]
    yield resize(bgr, size_wh), scaled_rows


def _cut_box(row: Row, scale: float, tile: Tile) -> Row | None:
    """A box in a tile's own pixels; ``None`` where too little of it is there."""
    x, y, w, h = (v * scale for v in row["bbox"])
    x1, y1 = max(x, tile.x1), max(y, tile.y1)
    x2, y2 = min(x + w, tile.x2), min(y + h, tile.y2)
    if x2 <= x1 or y2 <= y1 or (x2 - x1) * (y2 - y1) < LEAST_LEFT * w * h:
        return None
    box = [round(v, 2) for v in (x1 - tile.x1, y1 - tile.y1, x2 - x1, y2 - y1)]
    return {"category_id": row["category_id"], "bbox": box, "area": box[2] * box[3], "iscrowd": 0}


def _read_picture(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise TrainingDataRefused(f"{path} is no picture any more; begin with another --run")
    return np.asarray(picture, np.uint8)


def _save_picture(bgr: NDArray[np.uint8], path: Path) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, body = cv2.imencode(".jpg", np.ascontiguousarray(bgr), quality)
    try:
        path.write_bytes(body.tobytes())
    except OSError as error:
        raise TrainingDataRefused(f"{path} cannot be written: {error.strerror}") from error
