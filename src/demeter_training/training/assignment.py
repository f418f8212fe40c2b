"""Which anchor answers for which box, and the loss: SimOTA, as YOLOX describes it.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430, section 2.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor

CENTRE_RADIUS = 1.5
CANDIDATES = 10
BOX_WEIGHT = 5.0
FAR = 1e5


@dataclass(frozen=True, slots=True)
class TileTruth:
    """The boxes of one tile: cxcywh (G x 4) in pixels and classes (G)."""

    boxes: Tensor
    classes: Tensor


def paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of cxcywh boxes; shapes broadcast, the last axis is 4."""
    low = torch.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = torch.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    inner = (high - low).clamp(min=0).prod(-1)
    return inner / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - inner + 1e-7)


@torch.no_grad()
def assign(
    decoded: Tensor, centres: Tensor, strides: Tensor, truth: TileTruth
) -> tuple[Tensor, Tensor, Tensor]:
    """Anchors that answer for a box: their index, the box's index, and the overlap.

    ``decoded`` is A x (5 + classes) with raw scores.
    """
    offset = (centres[None] - truth.boxes[:, None, :2]).abs()
    in_box = (offset < truth.boxes[:, None, 2:] / 2).all(-1)
    near = (offset < CENTRE_RADIUS * strides[None, :, None]).all(-1)
    usable = (in_box | near).any(0).nonzero()[:, 0]
    both = (in_box & near)[:, usable]
    guess = decoded[usable]
    iou = paired_iou(truth.boxes[:, None], guess[None, :, :4])
    joint = (guess[:, 5:].sigmoid() * guess[:, 4:5].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    likely = joint[:, truth.classes].T
    others = torch.log1p(-joint).sum(1)[None] - torch.log1p(-likely)
    cost = -likely.log() - others - 3 * torch.log(iou + 1e-8) + FAR * ~both
    return _cheapest(cost, iou, usable)


def _cheapest(cost: Tensor, iou: Tensor, usable: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each box takes as many anchors as their overlaps add up to; a contested one is cheapest's."""
    most = min(CANDIDATES, iou.shape[1])
    anchors_per_box = iou.topk(most, 1).values.sum(1).int().clamp(min=1)
    order = cost.topk(most, 1, largest=False).indices
    candidate_mask = torch.zeros_like(cost, dtype=torch.bool)
    rank = torch.arange(most, device=cost.device)[None] < anchors_per_box[:, None]
    candidate_mask.scatter_(1, order, rank)
    masked = torch.where(candidate_mask, cost, torch.full_like(cost, float("inf")))
    best, owner = masked.min(0)
    assigned = torch.isfinite(best).nonzero()[:, 0]
    return usable[assigned], owner[assigned], iou[owner[assigned], assigned]


def detection_loss(
    decoded: Tensor, centres: Tensor, strides: Tensor, truths: list[TileTruth]
) -> tuple[Tensor, dict[str, float]]:
    """YOLOX's loss over a batch (N x A x (5 + classes)), and its three parts."""
    object_target = torch.zeros_like(decoded[..., 4])
    box_loss, class_loss = decoded.sum() * 0, decoded.sum() * 0
    anchor_count = 0
    for n, truth in enumerate(truths):
        if len(truth.boxes) == 0:
            continue
        anchors, owners, overlap = assign(decoded[n].detach(), centres, strides, truth)
        anchor_count += len(anchors)
        object_target[n, anchors] = 1.0
        predicted = decoded[n, anchors]
        box_loss = box_loss + (1 - paired_iou(predicted[:, :4], truth.boxes[owners]) ** 2).sum()
        class_target = F.one_hot(truth.classes[owners], predicted.shape[1] - 5) * overlap[:, None]
        class_loss = class_loss + F.binary_cross_entropy_with_logits(
            predicted[:, 5:], class_target, reduction="sum"
        )
    count = max(1, anchor_count)
    object_loss = F.binary_cross_entropy_with_logits(
        decoded[..., 4], object_target, reduction="sum"
    )
    parts = (BOX_WEIGHT * box_loss / count, object_loss / count, class_loss / count)
    names = ("box", "object", "class")
    return sum(parts, decoded.sum() * 0), {
        k: float(v.detach()) for k, v in zip(names, parts, strict=True)
    }
