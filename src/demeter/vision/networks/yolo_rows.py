"""The rows of YOLO11 and YOLOv8 outputs: boxes, classes, masks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import Outputs
from demeter.vision.networks.yolo_layout import YoloLayout

_ROUNDING = 0.01  # of a score


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
    """Rows of one picture above the confidence ``floor``; classes without a name are left out.

    Raises:
        ModelRefused: what is to be a score or a class is none.
    """
    rows = next(o for o in outputs if o.ndim == 3)[0]  # noqa: PLR2004
    if layout.end_to_end:
        _require_scores(layout, rows[:, 4])
        rows = rows[rows[:, 4] > floor]
        is_named = (rows[:, 5] >= 0) & (rows[:, 5] < len(layout.names))
        if not is_named.all():
            classes = ", ".join(map(str, unnamed_classes(outputs, layout)))
            warnings.warn(
                f"{layout.file}: classes without a name left out: {classes}", stacklevel=2
            )
        rows = rows[is_named]
        return YoloRows(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp), rows[:, 6:])
    rows = rows.T
    scores = rows[:, 4 : 4 + len(layout.names)]
    _require_scores(layout, scores)
    keep = scores.max(axis=1) > floor
    rows, scores = rows[keep], scores[keep]
    half = rows[:, 2:4] / np.float32(2)
    xyxy = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    return YoloRows(
        xyxy, scores.max(axis=1), scores.argmax(axis=1), rows[:, 4 + len(layout.names) :]
    )


def unnamed_classes(outputs: Outputs, layout: YoloLayout) -> list[int]:
    """The classes of an answer, end to end, that the export does not name.

    Raises:
        ModelRefused: a class is no whole number, as where the rows are something else.
    """
    if not layout.end_to_end:
        return []
    classes = next(o for o in outputs if o.ndim == 3)[0][:, 5]  # noqa: PLR2004
    if (classes != np.rint(classes)).any():
        value = float(classes[classes != np.rint(classes)][0])
        raise ModelRefused(
            layout.file,
            f"gives rows of six numbers whose last is no class ({value:.3g}): RT-DETR and "
            "transposed exports do; corners, confidence and class are needed",
        )
    unnamed = classes[(classes < 0) | (classes >= len(layout.names))]
    return sorted({int(c) for c in unnamed})


def require_end_to_end(answers: Sequence[Outputs], layout: YoloLayout) -> None:
    """Of two classes six numbers may be a box and two scores; answers of nothing do not tell.

    Raises:
        ModelRefused: neither they nor the export say that they are corners, confidence, class.
    """
    is_open = layout.end_to_end and not layout.says_end_to_end and len(layout.names) == 2  # noqa: PLR2004
    if is_open and not any(output.any() for outputs in answers for output in outputs):
        raise ModelRefused(
            layout.file,
            "gives rows of six numbers, which for two classes may be corners, confidence and "
            "class, or a box and two scores (RT-DETR); export it with `nms` or `end2end` said",
        )


def _require_scores(layout: YoloLayout, scores: NDArray[np.float32]) -> None:
    least, most = scores.min(initial=0), scores.max(initial=0)
    if least < -_ROUNDING or most > 1 + _ROUNDING:
        raise ModelRefused(
            layout.file, f"gives scores from {least:.3g} to {most:.3g}, not from 0 to 1"
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
