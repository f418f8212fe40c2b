"""Several looks at one photo, from nearer and from farther, and what they agree on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.nms import MergeRule, partners_of


def fuse_looks(looks: Sequence[Boxes], rule: MergeRule) -> Boxes:
    """What several looks saw, each thing once, as sure as the looks are in the mean.

    A look that did not see a thing was not sure of it at all; of each look the surest box
    counts. The fused box is the mean of all, weighted by how sure they were.
    """
    boxes = Boxes.join(looks)
    look = np.repeat(np.arange(len(looks)), [len(b) for b in looks])
    if len(boxes) == 0:
        return boxes
    begin, others = partners_of(boxes, rule)
    is_free = np.ones(len(boxes), np.bool_)
    corners, confidence, is_empty = [], [], []
    for index in np.argsort(-boxes.confidence, kind="stable"):
        if not is_free[index]:
            continue
        near = others[begin[index] : begin[index + 1]]
        members = np.concatenate([[index], near[is_free[near]]])
        is_free[members] = False
        surest = np.zeros(len(looks))
        np.maximum.at(surest, look[members], boxes.confidence[members])
        corners.append(np.average(boxes.xyxy_px[members], 0, boxes.confidence[members]))
        confidence.append(surest.mean())
        is_empty.append(boxes.is_empty[index])
    fused = Boxes(
        np.array(corners, np.float32),
        np.array(confidence, np.float32),
        np.array(is_empty, np.bool_),
    )
    return fused.in_reading_order()


def nearest_homes(fused: Boxes, seen: Boxes, homes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The container of each fused box: that of the box of one look whose centre is nearest.

    The mean of boxes at a rim may have its centre beyond it, in no container.

    Args:
        fused: what the looks agree on.
        seen: the boxes of all looks.
        homes: the container of each of them [N].
    """
    if len(fused) == 0:
        return np.zeros(0, np.intp)
    from scipy.spatial import KDTree  # noqa: PLC0415  slow to import

    _, nearest = KDTree(seen.centre_px).query(fused.centre_px)
    return homes[nearest]
