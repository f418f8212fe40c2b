"""One plant, one box: merging what overlapping tiles and scales saw twice.

The tile that owns a box's centre answers for it (`tiles`), so duplicates are few: those
that jitter over a core's border, and a large box around small ones. Two boxes of one kind
are the same plant when they overlap much of their union, or when one lies mostly inside
the other and the centre of the smaller is near the centre of the larger. Containment alone
is not enough: in a dense tray a rosette's box may hold much of its small neighbour's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from demeter.vision.boxes import Boxes


@dataclass(frozen=True, slots=True)
class MergeRule:
    """When two boxes are one plant; shares 0 to 1.

    ``iou``: intersection over union from which they are. ``inside``: intersection over the
    smaller from which they are if the centres are also nearer than ``centre`` of the
    larger box's half size.
    """

    iou: float = 0.5
    inside: float = 0.8
    centre: float = 0.5


def merged(boxes: Boxes, rule: MergeRule | None = None) -> Boxes:
    """The most confident box of each plant, in reading order.

    Ties in confidence go to the box that comes first in reading order, so the answer does
    not depend on the order of the input.
    """
    rule = rule or MergeRule()
    boxes = boxes.in_reading_order()
    if len(boxes) <= 1:
        return boxes
    order = np.argsort(-boxes.confidence, kind="stable")
    centres = boxes.centre_px  # once: it is reckoned anew each time it is asked for
    neighbours = _neighbours(boxes, centres)
    alive = np.ones(len(boxes), np.bool_)
    for index in order:
        if not alive[index]:
            continue
        others = neighbours[index]
        others = others[alive[others]]
        alive[others[_same(boxes, centres, int(index), others, rule)]] = False
        alive[index] = True
    return boxes.where(alive)


def _neighbours(boxes: Boxes, centres: NDArray[np.float32]) -> list[NDArray[np.intp]]:
    """For each box the others whose centre is near enough to be the same plant.

    Two boxes with an IoU of 0.5, or one inside the other, have centres within the half
    diagonal of the larger; searching from each box by its own diagonal and keeping pairs
    found from either side finds them all.
    """
    wh = boxes.xyxy_px[:, 2:] - boxes.xyxy_px[:, :2]
    reach = np.hypot(wh[:, 0], wh[:, 1]) / 2
    tree = KDTree(centres.astype(np.float64))
    found: list[set[int]] = [set() for _ in range(len(boxes))]
    for i, near in enumerate(tree.query_ball_point(centres, reach)):
        for j in near:
            if j != i:
                found[i].add(j)
                found[j].add(i)
    return [np.array(sorted(f), np.intp) for f in found]


def _same(
    boxes: Boxes,
    centres: NDArray[np.float32],
    index: int,
    others: NDArray[np.intp],
    rule: MergeRule,
) -> NDArray[np.bool_]:
    one, many = boxes.xyxy_px[index], boxes.xyxy_px[others]
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    area = float(np.prod(one[2:] - one[:2]))
    areas = np.prod(many[:, 2:] - many[:, :2], axis=1)
    iou = shared / np.maximum(area + areas - shared, 1e-6)
    inside = shared / np.maximum(np.minimum(area, areas), 1e-6)
    half = np.sqrt(np.maximum(area, areas)) / 2
    apart = np.hypot(*(centres[others] - centres[index]).T) / np.maximum(half, 1e-6)
    same_kind = boxes.is_empty[others] == boxes.is_empty[index]
    return same_kind & ((iou >= rule.iou) | ((inside >= rule.inside) & (apart < rule.centre)))
