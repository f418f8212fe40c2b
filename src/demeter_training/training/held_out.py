"""How good an exported model is on rendered scenes it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demeter.vision.containers.segmenter import TYPES, Region, load_container_segmenter
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision.networks.shipped import PLANT_PX
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import load_plant_detector
from demeter.vision.plants.nms import merge_boxes
from demeter_training.scenes.values import Floats, Mask
from demeter_training.training.segment import OutlinedPicture
from demeter_training.training.tiles import LabelledPicture, PictureCache

SAME_IOU = 0.5
GOOD_IOU = 0.85
THRESHOLD = 0.35
STRIDE_PX = 32  # the coarsest of the detector's grids


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits, false alarms and misses of one class."""

    hit: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.hit + other.hit, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of detections that are right; 1 if there are none."""
        return self.hit / (self.hit + self.false) if self.hit + self.false else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that is found; 1 if nothing is there."""
        return self.hit / (self.hit + self.missed) if self.hit + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def box_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of xyxy boxes, N x 4 and M x 4: N x M."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inner = np.prod(np.maximum(high - low, 0), axis=-1)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)[:, None]
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)[None]
    return inner / np.maximum(area_a + area_b - inner, 1e-6)


def match_boxes(detections: Boxes, truth: Floats) -> Hits:
    """Greedy by confidence: each true box is hit once, from an IoU of one half up."""
    if not len(detections) or not len(truth):
        return Hits(0, len(detections), len(truth))
    iou = box_iou(detections.xyxy_px, truth)
    free = np.ones(len(truth), bool)
    hit = 0
    for k in np.argsort(-detections.confidence, kind="stable"):
        best = int(np.argmax(np.where(free, iou[k], -1)))
        if free[best] and iou[k, best] >= SAME_IOU:
            free[best] = False
            hit += 1
    return Hits(hit, len(detections) - hit, len(truth) - hit)


def detector_hits(
    model: Path, pictures: list[LabelledPicture], threads: int = 1
) -> Iterator[tuple[Hits, Hits]]:
    """Hits of plants and of empty places, picture by picture, each looked at whole.

    The detector takes squares of a multiple of ``STRIDE_PX``: what is missing is padding.
    """
    reader, detector = PictureCache(), None
    for item in pictures:
        bgr = reader.read(item.path)
        side = -(-max(bgr.shape[:2]) // STRIDE_PX) * STRIDE_PX
        if detector is None or detector.tile_px != side:
            detector = load_plant_detector(model, Precision.F32, threads, (side,), PLANT_PX)
        rgb = np.ascontiguousarray(bgr[..., ::-1])
        detections = merge_boxes(detector([rgb], THRESHOLD)[0])
        yield (
            match_boxes(detections.where(~detections.is_empty), item.boxes[item.classes == 0]),
            match_boxes(detections.where(detections.is_empty), item.boxes[item.classes == 1]),
        )


@dataclass(frozen=True, slots=True)
class OutlineScore:
    """How the containers of one picture were found: their best IoU, and types right."""

    ious: tuple[float, ...]
    types_right: int
    spurious: int


def outline_scores(
    model: Path, pictures: list[OutlinedPicture], threads: int = 1
) -> Iterator[OutlineScore]:
    """How well each picture's containers are found."""
    reader, segmenter = PictureCache(), load_container_segmenter(model, Precision.F32, threads)
    for item in pictures:
        bgr = reader.read(item.path)
        regions = segmenter(np.ascontiguousarray(bgr[..., ::-1]))
        yield _outline_score(regions, item, bgr.shape[:2])


def _outline_score(
    regions: tuple[Region, ...], item: OutlinedPicture, shape: tuple[int, int]
) -> OutlineScore:
    masks = [_mask(np.array(r.polygon_px, np.float32), shape) for r in regions]
    matched_regions: set[int] = set()
    ious, types_right = [], 0
    for kind, own_mask in _visible_masks(item, shape):
        scores = [(own_mask & m).sum() / max(1, (own_mask | m).sum()) for m in masks]
        best = int(np.argmax(scores)) if scores else -1
        ious.append(float(scores[best]) if scores else 0.0)
        if best >= 0 and scores[best] >= SAME_IOU:
            matched_regions.add(best)
            types_right += regions[best].label == TYPES[kind - 1].value
    return OutlineScore(tuple(ious), types_right, len(regions) - len(matched_regions))


def _visible_masks(item: OutlinedPicture, shape: tuple[int, int]) -> list[tuple[int, Mask]]:
    """Each container's pixels; one lower in the picture lies before one above it."""
    owner = np.zeros(shape, np.int32)
    order = sorted(item.polygons, key=lambda p: p[1][:, 1].max())
    for k, (_, polygon) in enumerate(order):
        cv2.fillPoly(owner, [np.round(polygon).astype(np.int32)], k + 1)
    return [(kind, owner == k + 1) for k, (kind, _) in enumerate(order) if (owner == k + 1).any()]


def _mask(polygon: Floats, shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 1)
    return mask.astype(bool)
