"""Training tiles: crops of rendered or collected pictures with their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from demeter.vision.errors import LabelsRefused, TrainingDataRefused
from demeter.vision.metrics.coco_document import CocoPicture, coco_pictures
from demeter.vision.metrics.label_files import picture_path, read_json
from demeter.vision.plants.detector import TRAINED_PLANT_PX
from demeter_training.scenes.values import Bytes, Floats, Integers

CLASSES = ("plant", "empty_container")
MIN_VISIBLE = 0.35
MIN_LEFT = 0.4
MIN_SIDE_PX = 5.0
# How far a picture is enlarged for plants to have the size they are shown at; how many pictures
# may lie side by side in a square.
LARGEST_SCALE, MOST_CELLS = 2.5, 3
# Small plants of a photo are enlarged before they are looked at, blur and JPEG's blocks with them.
COARSE_SHARE, COARSEST, COARSE_PLANT_PX = 0.25, 2.5, 7.0


def read_pictures(folder: Path) -> list[CocoPicture]:
    """What a folder's ``coco.json`` marks, picture by picture, as every reader of labels has it.

    Raises:
        TrainingDataRefused: it is missing, is no COCO document, lists no picture, or something
            in it is no mark.
    """
    file = folder / "coco.json"
    try:
        pictures, _ = coco_pictures(file, read_json(file), lambda _: None)
    except LabelsRefused as error:
        raise TrainingDataRefused(f"{folder}: {error.message}") from error
    if not pictures:
        raise TrainingDataRefused(f"{file} lists no picture")
    return pictures


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file and its boxes: xyxy in pixels (N x 4) and their classes (N)."""

    path: Path
    boxes: Floats
    classes: Integers


def read_coco(folder: Path) -> list[LabelledPicture]:
    """Pictures of a folder with ``coco.json``; categories are matched by name.

    Plants of which too little is seen are left out.

    Raises:
        TrainingDataRefused: ``coco.json`` cannot be read, lists no picture, or lacks a field.
    """
    return [_labelled_picture(folder, picture) for picture in read_pictures(folder)]


def _labelled_picture(folder: Path, picture: CocoPicture) -> LabelledPicture:
    """The boxes that are learnt from."""
    rows = [
        (x, y, x + w, y + h, CLASSES.index(mark.category))
        for mark in picture.annotations
        for x, y, w, h in (mark.box,)
        if mark.category in CLASSES and mark.visible >= MIN_VISIBLE
    ]
    table = np.array(rows, np.float32).reshape(-1, 5)
    path = picture_path(folder, picture.file_name) or folder / picture.file_name
    return LabelledPicture(path, table[:, :4], table[:, 4].astype(np.int64))


class PictureCache:
    """Pictures by path, BGR uint8, kept decoded up to a number of bytes."""

    def __init__(self, keep_bytes: int = 8_000_000_000) -> None:
        self._pictures: dict[Path, Bytes] = {}
        self._bytes_left = keep_bytes

    def read(self, path: Path) -> Bytes:
        """One picture.

        Raises:
            TrainingDataRefused: it is missing or no picture.
        """
        if path in self._pictures:
            return self._pictures[path]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise TrainingDataRefused(f"{path} is no picture")
        if picture.nbytes <= self._bytes_left:
            self._pictures[path] = picture
            self._bytes_left -= picture.nbytes
        return picture


@dataclass(frozen=True, slots=True)
class TrainingSquare:
    """What the network sees: BGR uint8 (side x side x 3), boxes xyxy and classes."""

    bgr: Bytes
    boxes: Floats
    classes: Integers


def crop(
    rng: np.random.Generator, pictures: PictureCache, items: Sequence[LabelledPicture], side: int
) -> TrainingSquare:
    """A square that is filled from ``items``, the first of them drawn at random.

    Each picture is scaled so that its plants are about as large as the detector wants them.
    Where that leaves it smaller than the square, several pictures share the square.
    """
    first = _draw_picture(rng, items)
    bgr = pictures.read(first.path)
    scale = _random_scale(rng, first)
    cells = int(np.clip(np.ceil(side / scale / max(bgr.shape[:2])), 1, MOST_CELLS))
    square, boxes, classes = np.empty((side, side, 3), np.uint8), [], []
    edges = np.linspace(0, side, cells + 1).astype(int)
    for row, column in product(range(cells), repeat=2):
        y0, y1, x0, x1 = edges[row], edges[row + 1], edges[column], edges[column + 1]
        item, factor = first, scale
        if row or column:
            item = _draw_picture(rng, items)
            factor = _random_scale(rng, item)
        part = _random_cell(rng, pictures.read(item.path), item, max(y1 - y0, x1 - x0), factor)
        square[y0:y1, x0:x1] = part.bgr[: y1 - y0, : x1 - x0]
        boxes.append(part.boxes + np.array([x0, y0, x0, y0], np.float32))
        classes.append(part.classes)
    return TrainingSquare(recolour(rng, square), np.concatenate(boxes), np.concatenate(classes))


def showable_pictures(items: Sequence[LabelledPicture]) -> tuple[LabelledPicture, ...]:
    """The pictures whose plants can be shown at a size that the detector learns.

    Raises:
        TrainingDataRefused: of no picture they can.
    """
    showable = [
        i
        for i in items
        if not len(i.boxes) or _median_plant_px(i) * LARGEST_SCALE >= TRAINED_PLANT_PX[0]
    ]
    if not showable:
        largest, needed_px = max(items, key=_median_plant_px), TRAINED_PLANT_PX[0] / LARGEST_SCALE
        raise TrainingDataRefused(
            f"plants are too small to learn from: the largest, in {largest.path.name}, are "
            f"{_median_plant_px(largest):.0f} px wide; {needed_px:.0f} px are needed"
        )
    return tuple(showable)


def _median_plant_px(item: LabelledPicture) -> float:
    return float(np.median((item.boxes[:, 2:] - item.boxes[:, :2]).max(1)))


def _draw_picture(rng: np.random.Generator, items: Sequence[LabelledPicture]) -> LabelledPicture:
    return items[int(rng.integers(len(items)))]


def _random_scale(rng: np.random.Generator, item: LabelledPicture) -> float:
    """A random scale at which the picture's plants are of a size the detector learns."""
    size_px = float(np.exp(rng.uniform(*np.log(TRAINED_PLANT_PX))))
    if not len(item.boxes):
        return min(1.0, size_px / float(rng.uniform(*TRAINED_PLANT_PX)))
    return min(LARGEST_SCALE, size_px / _median_plant_px(item))


def _random_cell(
    rng: np.random.Generator, picture: Bytes, item: LabelledPicture, side: int, scale: float
) -> TrainingSquare:
    """A random square of a picture, scaled, turned and mirrored."""
    take = max(2, round(side / scale))
    height, width = picture.shape[:2]
    x0 = int(rng.integers(min(0, width - take), max(0, width - take) + 1))
    y0 = int(rng.integers(min(0, height - take), max(0, height - take) + 1))
    bgr, boxes, classes = _cut_square(picture, item, (x0, y0), take, side)
    bgr, boxes = _turn_square(rng, bgr, boxes, side)
    if rng.random() < COARSE_SHARE:
        bgr = _coarsen(rng, bgr, boxes)
    return TrainingSquare(bgr, boxes, classes)


def _cut_square(
    picture: Bytes, item: LabelledPicture, at: tuple[int, int], take: int, side: int
) -> tuple[Bytes, Floats, Integers]:
    x0, y0 = at
    height, width = picture.shape[:2]
    square = np.full((take, take, 3), 114, np.uint8)
    xa, ya, xb, yb = max(0, x0), max(0, y0), min(width, x0 + take), min(height, y0 + take)
    square[ya - y0 : yb - y0, xa - x0 : xb - x0] = picture[ya:yb, xa:xb]
    interpolation = cv2.INTER_AREA if take > side else cv2.INTER_LINEAR
    small = cv2.resize(square, (side, side), interpolation=interpolation)
    factor = side / take
    boxes_px = (item.boxes - np.array([x0, y0, x0, y0], np.float32)) * factor
    cut = np.clip(boxes_px, 0, side)
    area = np.prod(np.maximum(boxes_px[:, 2:] - boxes_px[:, :2], 1e-3), axis=1)
    size = np.maximum(cut[:, 2:] - cut[:, :2], 0)
    is_kept = (size.prod(1) >= MIN_LEFT * area) & (size.max(1, initial=0) >= MIN_SIDE_PX)
    return small, cut[is_kept], item.classes[is_kept]


def _coarsen(rng: np.random.Generator, bgr: Bytes, boxes: Floats) -> Bytes:
    """The square as it looks enlarged from a smaller one, in which plants are still seen."""
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(1) if len(boxes) else np.full(1, 64.0)
    most = min(COARSEST, float(np.median(sizes)) / COARSE_PLANT_PX)
    factor = rng.uniform(1.0, max(1.0, most))
    side = bgr.shape[0]
    small = cv2.resize(bgr, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 96))]
    coded = cv2.imencode(".jpg", small, quality)[1]
    small = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def _turn_square(
    rng: np.random.Generator, bgr: Bytes, boxes: Floats, side: int
) -> tuple[Bytes, Floats]:
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        bgr, boxes = bgr[:, ::-1], boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (side, 0, side, 0)
    for _ in range(int(rng.choice(4, p=[0.55, 0.15, 0.15, 0.15]))):
        bgr = np.rot90(bgr)
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, side - x1, y1, side - x0], -1)
    return np.ascontiguousarray(bgr), boxes.astype(np.float32)


def recolour(rng: np.random.Generator, bgr: Bytes) -> Bytes:
    """Brightness, contrast, saturation and hue a little off."""
    shift = rng.uniform((-6, 0.6, 0.7), (6, 1.35, 1.25))
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    steps = np.arange(256)
    tables = ((steps + shift[0]) % 180, steps * shift[1], 255 * (steps / 255) ** shift[2])
    parts = [
        cv2.LUT(hsv[..., k], np.clip(t, 0, 255).astype(np.uint8)) for k, t in enumerate(tables)
    ]
    out = cv2.cvtColor(cv2.merge(parts), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.15:  # noqa: PLR2004 - some photos are out of focus
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.3))
    return out
