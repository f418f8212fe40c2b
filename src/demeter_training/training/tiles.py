"""Training tiles: crops of rendered or collected pictures with their boxes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demeter_training.scenes.values import Bytes, Floats, Whole
from demeter_training.training.errors import TrainingDataRefused

CLASSES = ("plant", "empty_container")
MIN_VISIBLE = 0.35
MIN_LEFT = 0.4
MIN_SIDE_PX = 5.0
# Between which sizes plants are shown; how far a picture is enlarged for that; how many
# pictures may lie side by side in a square.
PLANTS_PX, LARGEST_SCALE, MOST_CELLS = (12.0, 52.0), 2.5, 3
# Small plants of a photo are enlarged before they are looked at, blur and JPEG's blocks with them.
COARSE_SHARE, COARSEST, COARSE_PLANT_PX = 0.25, 2.5, 7.0


def coco_of(folder: Path) -> dict[str, Any]:
    """The body of a folder's ``coco.json``.

    Raises:
        TrainingDataRefused: it is missing, is no JSON table, or lists no picture.
    """
    file = folder / "coco.json"
    try:
        body = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise TrainingDataRefused(f"{file} cannot be read: {error}") from error
    if not isinstance(body, dict) or not body.get("images"):
        raise TrainingDataRefused(f"{file} lists no picture")
    return body


@contextmanager
def fields_of(folder: Path) -> Iterator[None]:
    """While the fields of a folder's ``coco.json`` are read.

    Raises:
        TrainingDataRefused: one is missing or of another kind.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingDataRefused(f"{folder / 'coco.json'}: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture file and its boxes: xyxy in pixels (N x 4) and their classes (N)."""

    path: Path
    boxes: Floats
    classes: Whole


def read_coco(folder: Path) -> list[Labelled]:
    """Pictures of a folder with ``coco.json``; categories are matched by name.

    Plants of which too little is seen are left out.

    Raises:
        TrainingDataRefused: ``coco.json`` cannot be read, lists no picture, or lacks a field.
    """
    body = coco_of(folder)
    with fields_of(folder):
        rows = _boxes_of(body)
        return [_labelled(folder / i["file_name"], rows[i["id"]]) for i in body["images"]]


def _boxes_of(body: dict[str, Any]) -> defaultdict[Any, list[tuple[float, ...]]]:
    """Corners and class of each box that is learnt from, by picture."""
    known = {c["id"]: CLASSES.index(c["name"]) for c in body["categories"] if c["name"] in CLASSES}
    rows: defaultdict[Any, list[tuple[float, ...]]] = defaultdict(list)
    for row in body["annotations"]:
        if row["category_id"] in known and row.get("visible", 1.0) >= MIN_VISIBLE:
            x, y, w, h = row["bbox"]
            rows[row["image_id"]].append((x, y, x + w, y + h, known[row["category_id"]]))
    return rows


def _labelled(path: Path, rows: list[tuple[float, ...]]) -> Labelled:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Labelled(path, table[:, :4], table[:, 4].astype(np.int64))


class Pictures:
    """Pictures by path, BGR uint8, kept decoded up to a number of bytes."""

    def __init__(self, keep_bytes: int = 8_000_000_000) -> None:
        self._kept: dict[Path, Bytes] = {}
        self._room = keep_bytes

    def read(self, path: Path) -> Bytes:
        """One picture.

        Raises:
            TrainingDataRefused: it is missing or no picture.
        """
        if path in self._kept:
            return self._kept[path]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise TrainingDataRefused(f"{path} is no picture")
        if picture.nbytes <= self._room:
            self._kept[path] = picture
            self._room -= picture.nbytes
        return picture


@dataclass(frozen=True, slots=True)
class TrainingSquare:
    """What the network sees: BGR uint8 (side x side x 3), boxes xyxy and classes."""

    bgr: Bytes
    boxes: Floats
    classes: Whole


def crop(
    rng: np.random.Generator, pictures: Pictures, items: Sequence[Labelled], side: int
) -> TrainingSquare:
    """A square that is filled from ``items``, the first of them drawn at random.

    Each picture is scaled so that its plants are about as large as the detector wants them.
    Where that leaves it smaller than the square, several pictures share the square.
    """
    first = _drawn(rng, items)
    bgr = pictures.read(first.path)
    scale = _scale_of(rng, first)
    cells = int(np.clip(np.ceil(side / scale / max(bgr.shape[:2])), 1, MOST_CELLS))
    square, boxes, classes = np.empty((side, side, 3), np.uint8), [], []
    edges = np.linspace(0, side, cells + 1).astype(int)
    for row, column in product(range(cells), repeat=2):
        y0, y1, x0, x1 = edges[row], edges[row + 1], edges[column], edges[column + 1]
        item, factor = first, scale
        if row or column:
            item = _drawn(rng, items)
            factor = _scale_of(rng, item)
        part = _cell(rng, pictures.read(item.path), item, max(y1 - y0, x1 - x0), factor)
        square[y0:y1, x0:x1] = part.bgr[: y1 - y0, : x1 - x0]
        boxes.append(part.boxes + np.array([x0, y0, x0, y0], np.float32))
        classes.append(part.classes)
    return TrainingSquare(recoloured(rng, square), np.concatenate(boxes), np.concatenate(classes))


def worth_showing(items: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """The pictures whose plants can be shown at a size that the detector learns.

    Raises:
        TrainingDataRefused: of no picture they can.
    """
    shown = [i for i in items if not len(i.boxes) or _usual_px(i) * LARGEST_SCALE >= PLANTS_PX[0]]
    if not shown:
        largest = max(items, key=_usual_px)
        raise TrainingDataRefused(
            f"plants are too small to learn from: the largest, in {largest.path.name}, are "
            f"{_usual_px(largest):.0f} px wide; {PLANTS_PX[0] / LARGEST_SCALE:.0f} px are needed"
        )
    return tuple(shown)


def _usual_px(item: Labelled) -> float:
    return float(np.median((item.boxes[:, 2:] - item.boxes[:, :2]).max(1)))


def _drawn(rng: np.random.Generator, items: Sequence[Labelled]) -> Labelled:
    return items[int(rng.integers(len(items)))]


def _scale_of(rng: np.random.Generator, item: Labelled) -> float:
    """A random scale at which the picture's plants are of a size the detector learns."""
    wanted = float(np.exp(rng.uniform(*np.log(PLANTS_PX))))
    if not len(item.boxes):
        return min(1.0, wanted / float(rng.uniform(*PLANTS_PX)))
    return min(LARGEST_SCALE, wanted / _usual_px(item))


def _cell(
    rng: np.random.Generator, picture: Bytes, item: Labelled, side: int, scale: float
) -> TrainingSquare:
    """A random square of a picture, scaled, turned and mirrored."""
    take = max(2, round(side / scale))
    height, width = picture.shape[:2]
    x0 = int(rng.integers(min(0, width - take), max(0, width - take) + 1))
    y0 = int(rng.integers(min(0, height - take), max(0, height - take) + 1))
    bgr, boxes, classes = _cut(picture, item, (x0, y0), take, side)
    bgr, boxes = _turned(rng, bgr, boxes, side)
    if rng.random() < COARSE_SHARE:
        bgr = _coarsened(rng, bgr, boxes)
    return TrainingSquare(bgr, boxes, classes)


def _cut(
    picture: Bytes, item: Labelled, at: tuple[int, int], take: int, side: int
) -> tuple[Bytes, Floats, Whole]:
    x0, y0 = at
    height, width = picture.shape[:2]
    square = np.full((take, take, 3), 114, np.uint8)
    xa, ya, xb, yb = max(0, x0), max(0, y0), min(width, x0 + take), min(height, y0 + take)
    square[ya - y0 : yb - y0, xa - x0 : xb - x0] = picture[ya:yb, xa:xb]
    way = cv2.INTER_AREA if take > side else cv2.INTER_LINEAR
    small = cv2.resize(square, (side, side), interpolation=way)
    factor = side / take
    moved = (item.boxes - np.array([x0, y0, x0, y0], np.float32)) * factor
    cut = np.clip(moved, 0, side)
    area = np.prod(np.maximum(moved[:, 2:] - moved[:, :2], 1e-3), axis=1)
    size = np.maximum(cut[:, 2:] - cut[:, :2], 0)
    keep = (size.prod(1) >= MIN_LEFT * area) & (size.max(1, initial=0) >= MIN_SIDE_PX)
    return small, cut[keep], item.classes[keep]


def _coarsened(rng: np.random.Generator, bgr: Bytes, boxes: Floats) -> Bytes:
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


def _turned(rng: np.random.Generator, bgr: Bytes, boxes: Floats, side: int) -> tuple[Bytes, Floats]:
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        bgr, boxes = bgr[:, ::-1], boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (side, 0, side, 0)
    for _ in range(int(rng.choice(4, p=[0.55, 0.15, 0.15, 0.15]))):
        bgr = np.rot90(bgr)
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, side - x1, y1, side - x0], -1)
    return np.ascontiguousarray(bgr), boxes.astype(np.float32)


def recoloured(rng: np.random.Generator, bgr: Bytes) -> Bytes:
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
