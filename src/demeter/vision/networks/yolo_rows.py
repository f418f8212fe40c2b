"""The rows of YOLO11 and YOLOv8 outputs: boxes, classes, masks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.networks.openvino_runner import Outputs
from demeter.vision.networks.yolo_layout import YoloLayout


@dataclass(frozen=True, slots=True)
class YoloRows:
    """Boxes [n, 4] in input pixels, confidence [n], class [n], mask coefficients [n, m]."""

    xyxy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    label: NDArray[np.intp]
    coefficients: NDArray[np.float32]

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> YoloRows:
        """The rows that a mask or index keeps."""
        return YoloRows(
            self.xyxy_px[keep], self.confidence[keep], self.label[keep], self.coefficients[keep]
        )


def rows_of(outputs: Outputs, layout: YoloLayout, floor: float) -> YoloRows:
    """Rows of one picture above the confidence ``floor``."""
    rows = next(o for o in outputs if o.ndim == 3)[0]  # noqa: PLR2004
    if layout.end_to_end:
        rows = rows[rows[:, 4] > floor]
        return YoloRows(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp), rows[:, 6:])
    rows = rows.T
    scores = rows[:, 4 : 4 + len(layout.names)]
    keep = scores.max(axis=1) > floor
    rows, scores = rows[keep], scores[keep]
    half = rows[:, 2:4] / np.float32(2)
    xyxy = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    return YoloRows(
        xyxy, scores.max(axis=1), scores.argmax(axis=1), rows[:, 4 + len(layout.names) :]
    )


def suppress_overlaps(rows: YoloRows, iou: float, most: int) -> YoloRows:
    """Keep the surest rows of each class, none overlapping another by more than ``iou``."""
    rows = rows.where(np.argsort(-rows.confidence, kind="stable"))
    survivors: list[int] = []
    alive = np.ones(len(rows.label), np.bool_)
    for index in range(len(rows.label)):
        if alive[index] and len(survivors) < most:
            survivors.append(index)
            same = rows.label == rows.label[index]
            alive &= ~(same & (_iou(rows.xyxy_px[index], rows.xyxy_px) > iou))
    return rows.where(np.array(survivors, np.intp))


def masks_of(outputs: Outputs, rows: YoloRows, side: int) -> NDArray[np.bool_]:
    """Masks [n, side, side]: coefficients times prototypes, enlarged, above 0, cut to the box.

    The cut is made last, at the input's size: made on the small prototypes, its zeros would
    blur into the edge. Where such exports come from it is done so, too.
    """
    prototypes = next(o for o in outputs if o.ndim == 4)[0]  # noqa: PLR2004
    masks = np.zeros((len(rows.label), side, side), np.bool_)
    columns, lines = np.arange(side), np.arange(side)[:, None]
    for index, (weights, box) in enumerate(zip(rows.coefficients, rows.xyxy_px, strict=True)):
        x1, y1, x2, y2 = box
        small = np.tensordot(weights, prototypes, 1).astype(np.float32)
        large = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
        inside = (columns >= x1) & (columns < x2) & (lines >= y1) & (lines < y2)
        masks[index] = (large > 0) & inside
    return masks


def _iou(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(areas + np.prod(box[2:] - box[:2]) - shared, 1e-7)
