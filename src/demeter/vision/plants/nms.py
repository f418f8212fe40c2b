"""One plant, one box: merging what overlapping tiles and scales saw twice.

The tile that owns a box's centre answers for it (`tiles`), so duplicates are few: those
that jitter over a core's border, and a large box around small ones. Two boxes of one kind
are the same plant when they overlap much of their union, or when one lies mostly inside
the other and the centre of the smaller is near the centre of the larger. Containment alone
is not enough: in a dense tray a rosette's box may hold much of its small neighbour's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from demeter.vision.networks.devices import core_count
from demeter.vision.plants.boxes import Boxes

_COPY = 0.1  # of a box's size: the cell in which centres are one
# A plant and an empty place are one and the same place from these shares of their areas: most
# of the plant and some of the place, or most of the place.
_OF_PLANT, _OF_ITS_PLACE, _OF_PLACE = 0.6, 0.1, 0.7
_OCTAVES = 128  # added to quarter octaves so that none is below 0


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


def merge_boxes(boxes: Boxes, rule: MergeRule | None = None) -> Boxes:
    """Keep the most confident box of each plant, in reading order.

    Ties in confidence go to the box that comes first in reading order, so the answer does
    not depend on the order of the input.
    """
    rule = rule or MergeRule()
    boxes = _without_copies(boxes.in_reading_order())
    if len(boxes) <= 1:
        return boxes
    begin, others = partners_of(boxes, rule)
    alive = np.ones(len(boxes), np.bool_)
    for index in np.argsort(-boxes.confidence, kind="stable"):
        if alive[index]:
            alive[others[begin[index] : begin[index + 1]]] = False
    return boxes.where(alive)


def partners_of(boxes: Boxes, rule: MergeRule) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which boxes are one plant with each: those of box i are ``others[begin[i]:begin[i + 1]]``."""
    first, second = _near(boxes)
    same = _same(boxes, first, second, rule)
    return _by_box(first[same], second[same], len(boxes))


def consistent_boxes(boxes: Boxes) -> NDArray[np.bool_]:
    """Which boxes [n] stay where one place is detected as empty and as planted: the surer.

    Chosen with the shares above on 60 rendered photos: precision of plants .949 before and
    .960 with it, recall .930 and .926; of empty places .870 and .885, .924 and .910.
    """
    stays = np.ones(len(boxes), np.bool_)
    if boxes.is_empty.all() or not boxes.is_empty.any():
        return stays
    first, second = _near(boxes)
    differ = boxes.is_empty[first] != boxes.is_empty[second]
    first, second = first[differ], second[differ]
    place = np.where(boxes.is_empty[first], first, second)
    plant = np.where(boxes.is_empty[first], second, first)
    shared = _shared_area(boxes, plant, place)
    areas = np.maximum(np.prod(boxes.xyxy_px[:, 2:] - boxes.xyxy_px[:, :2], axis=1), 1e-6)
    of_plant, of_place = shared / areas[plant], shared / areas[place]
    same = ((of_plant >= _OF_PLANT) & (of_place >= _OF_ITS_PLACE)) | (of_place >= _OF_PLACE)
    place, plant = place[same], plant[same]
    planted = boxes.confidence[plant] >= boxes.confidence[place]
    stays[place[planted]] = False
    stays[plant[~planted]] = False
    return stays


def _without_copies(boxes: Boxes) -> Boxes:
    """The surest of boxes that are all but the same: several cells of a network see one plant.

    Copies have one kind, sizes within a quarter octave and centres in one cell of a tenth of
    that size; what straddles two cells is left to the rule.
    """
    octave = np.round(np.log2(np.maximum(boxes.size_px, 1e-3)) * 4)
    cell = np.floor(boxes.centre_px / (np.exp2(octave / 4) * _COPY)[:, None]).astype(np.int64)
    kind = (octave.astype(np.int64) + _OCTAVES) * 2 + boxes.is_empty
    key = (cell[:, 1] << 36) + (cell[:, 0] << 12) + kind
    surest = np.lexsort((-boxes.confidence, key))
    first = np.diff(key[surest], prepend=key.min(initial=0) - 1) > 0
    return boxes.where(np.sort(surest[first]))


def _near(boxes: Boxes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of boxes whose centres are near enough to be the same plant, each pair once.

    Two boxes with an IoU of 0.5, or one inside the other, have centres within the half
    diagonal of the larger: searching from each box by its own finds every pair from there.
    """
    from scipy.spatial import KDTree  # noqa: PLC0415  slow to import

    wh = boxes.xyxy_px[:, 2:] - boxes.xyxy_px[:, :2]
    reach = np.hypot(wh[:, 0], wh[:, 1]) / 2
    centres = boxes.centre_px.astype(np.float64)
    tree = KDTree(centres)
    neighbours = tree.query_ball_point(centres, reach, return_sorted=False, workers=core_count())
    counts = np.fromiter(map(len, neighbours), np.intp, len(neighbours))
    larger = np.repeat(np.arange(len(boxes)), counts)
    smaller = np.fromiter(chain.from_iterable(neighbours), np.intp, int(counts.sum()))
    from_here = reach[larger] > reach[smaller]
    from_here |= (reach[larger] == reach[smaller]) & (larger < smaller)
    return larger[from_here], smaller[from_here]


def _same(
    boxes: Boxes, first: NDArray[np.intp], second: NDArray[np.intp], rule: MergeRule
) -> NDArray[np.bool_]:
    """Which pairs of boxes are the same plant."""
    xyxy, centres = boxes.xyxy_px, boxes.centre_px
    areas = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
    shared = _shared_area(boxes, first, second)
    iou = shared / np.maximum(areas[first] + areas[second] - shared, 1e-6)
    inside = shared / np.maximum(np.minimum(areas[first], areas[second]), 1e-6)
    half = np.sqrt(np.maximum(areas[first], areas[second])) / 2
    apart = np.hypot(*(centres[first] - centres[second]).T) / np.maximum(half, 1e-6)
    same_kind = boxes.is_empty[first] == boxes.is_empty[second]
    return same_kind & ((iou >= rule.iou) | ((inside >= rule.inside) & (apart < rule.centre)))


def _shared_area(
    boxes: Boxes, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.floating]:
    """The area that each pair of boxes shares."""
    xyxy = boxes.xyxy_px
    low = np.maximum(xyxy[first, :2], xyxy[second, :2])
    high = np.minimum(xyxy[first, 2:], xyxy[second, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=1))


def _by_box(
    first: NDArray[np.intp], second: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs as lists: those of box i are ``others[begin[i]:begin[i + 1]]``."""
    mine, others = np.concatenate([first, second]), np.concatenate([second, first])
    begin = np.concatenate([[0], np.cumsum(np.bincount(mine, minlength=count))])
    return begin, others[np.argsort(mine, kind="stable")]
