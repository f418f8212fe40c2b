"""Training the segmenter of containers."""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from demeter.vision.runtime import open_model
from demeter.vision.scenes.values import Bytes, Floats
from demeter.vision.training.loop import Learner, Plan, Progress
from demeter.vision.training.network import Detector
from demeter.vision.training.pretrained import load_segmenter, settle, start_of
from demeter.vision.training.segmenter import TYPES, Segmenter, segmenter_from
from demeter.vision.training.tiles import CLASSES, Pictures, coco_of, recoloured

PAD = 114
SEGMENTER_OUTPUTS = 2  # types and depth; a detector has one
# The ground between pots is a few pixels wide: it weighs as much as the edges inside them, and
# no type weighs more than the ground, or outlines grow over it.
EDGE_WEIGHT, EDGE_DEPTH, EDGE_REACH_PX = 1.5, 0.3, 2
PART_OF_ALL, SMALLEST_PART = 0.5, 0.35


@dataclass(frozen=True, slots=True)
class Outlined:
    """A picture file and its containers: type number and polygon (N x 2, pixels) of each."""

    path: Path
    polygons: tuple[tuple[int, Floats], ...]


def read_outlines(folder: Path) -> list[Outlined]:
    """Pictures of a folder with ``coco.json`` and the containers in them.

    Raises:
        TrainingDataRefused: ``coco.json`` cannot be read or lists no picture.
    """
    body = coco_of(folder)
    known = {c["id"]: TYPES.index(c["name"]) for c in body["categories"] if c["name"] in TYPES}
    found = defaultdict(list)
    for row in body["annotations"]:
        if row["category_id"] in known:
            polygon = np.array(row["segmentation"][0], np.float32).reshape(-1, 2)
            found[row["image_id"]].append((known[row["category_id"]], polygon))
    return [Outlined(folder / i["file_name"], tuple(found[i["id"]])) for i in body["images"]]


@dataclass(frozen=True, slots=True)
class SegmentRecipe:
    """What a segmenter is trained on and from; ``last_side`` is used for the last fifth."""

    pictures: tuple[Outlined, ...]
    start: Path | None
    side: int = 448
    last_side: int = 512
    batch: int = 8
    seed: int = 0


def letterboxed(bgr: Bytes, side: int) -> tuple[Bytes, float]:
    """The picture at the top left of a grey square, and the scale it was given."""
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    size = (round(width * scale), round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((side, side, 3), PAD, np.uint8)
    square[: size[1], : size[0]] = cv2.resize(bgr, size, interpolation=way)
    return square, scale


def targets(
    polygons: list[tuple[int, Floats]], side: int, used_wh: tuple[int, int]
) -> tuple[Bytes, Floats]:
    """Type and depth at half the size of a square, from polygons in its pixels.

    Only the part ``used_wh`` of the square holds the picture. A container lower in the
    picture lies before one above it.
    """
    half = side // 2
    owner, types = np.zeros((half, half), np.int32), np.zeros((half, half), np.uint8)
    for k, (kind, polygon) in enumerate(sorted(polygons, key=lambda p: p[1][:, 1].max())):
        outline = [np.round((polygon / 2 - 0.25) * 16).astype(np.int32)]
        cv2.fillPoly(owner, outline, k + 1, cv2.LINE_8, 4)
        cv2.fillPoly(types, outline, kind, cv2.LINE_8, 4)
    for field in (owner, types):
        field[(used_wh[1] + 1) // 2 :] = 0
        field[:, (used_wh[0] + 1) // 2 :] = 0
    depth = np.zeros((half, half), np.float32)
    for k in range(len(polygons)):
        mine = (owner == k + 1).astype(np.uint8)
        away = cv2.distanceTransform(
            cv2.copyMakeBorder(mine, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3
        )[1:-1, 1:-1]
        depth = np.maximum(depth, away / max(1e-6, float(away.max())))
    return types, depth


def view(
    rng: np.random.Generator, picture: Bytes, item: Outlined, side: int
) -> tuple[Bytes, Bytes, Floats]:
    """A letterboxed part of a picture, mirrored and recoloured, with its targets."""
    height, width = picture.shape[:2]
    whole = rng.random() >= PART_OF_ALL
    share = np.ones(2) if whole else rng.uniform(SMALLEST_PART, 1.0) * rng.uniform(0.8, 1.0, 2)
    w, h = int(width * share[0]), int(height * share[1])
    x0, y0 = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    square, scale = letterboxed(picture[y0 : y0 + h, x0 : x0 + w], side)
    moved = [(kind, (p - (x0, y0)) * scale) for kind, p in item.polygons]
    used = (round(w * scale), round(h * scale))
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        square[: used[1], : used[0]] = square[: used[1], : used[0]][:, ::-1].copy()
        moved = [(kind, p * (-1, 1) + (used[0], 0)) for kind, p in moved]
    types, depth = targets([(k, np.asarray(p, np.float32)) for k, p in moved], side, used)
    return recoloured(rng, square), types, depth


class _Batches:
    """The batch of each step, drawn from the seed and the step alone."""

    def __init__(self, recipe: SegmentRecipe, steps: int) -> None:
        self._recipe, self._pictures, self._steps = recipe, Pictures(), steps

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        recipe = self._recipe
        side = recipe.last_side if step >= 0.8 * self._steps else recipe.side
        rng = np.random.default_rng([recipe.seed, step])
        picks = rng.integers(len(recipe.pictures), size=recipe.batch)
        parts = []
        for k in picks:
            item = recipe.pictures[int(k)]
            parts.append(view(rng, self._pictures.read(item.path), item, side))
        images, types, depths = (np.stack(column) for column in zip(*parts, strict=True))
        return (
            torch.from_numpy(images)
            .permute(0, 3, 1, 2)
            .float()
            .contiguous(memory_format=torch.channels_last),
            torch.from_numpy(types).long(),
            torch.from_numpy(depths)[:, None],
        )


def fresh_segmenter(start: Path | None) -> Segmenter:
    """A segmenter; from a segmenter or a detector (ONNX), or from a trained ``.pt``.

    Raises:
        WeightsDoNotFit: the start is neither.
    """
    if start is None:
        return Segmenter()
    if start.suffix == ".onnx":
        if len(open_model(start).outputs) == SEGMENTER_OUTPUTS:
            return load_segmenter(start)
        return segmenter_from(start_of(start, len(CLASSES)))
    network = Segmenter()
    state = torch.load(start, weights_only=True)["smooth"]
    if any(name.startswith("heads") for name in state):
        detector = Detector(len(CLASSES))
        detector.load_state_dict(state)
        return segmenter_from(detector)
    network.load_state_dict(state, strict=False)
    return network


def _by_an_edge(depth: Tensor) -> Tensor:
    """1 on the shallow rim of every container and on the ground beside it, else 0."""
    reach = F.max_pool2d((depth > 0).float(), 2 * EDGE_REACH_PX + 1, 1, EDGE_REACH_PX)
    return reach * (depth < EDGE_DEPTH).float()


def train_segmenter(recipe: SegmentRecipe, plan: Plan, checkpoint: Path) -> Iterator[Progress]:
    """Train or go on training; the checkpoint holds all that resuming needs."""
    torch.manual_seed(recipe.seed)
    batches = _Batches(recipe, plan.steps)
    network = fresh_segmenter(recipe.start)
    if recipe.start is not None and recipe.start.suffix == ".onnx" and not checkpoint.exists():
        settle(network, batches.at(0)[0])
    learner = Learner(network, plan, checkpoint)

    def loss_of(network: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        images, types, depth = batches.at(step)
        guess, deep = network(images)
        near_edge = 1 + EDGE_WEIGHT * _by_an_edge(depth)
        each = F.cross_entropy(guess.float(), types, reduction="none")
        type_loss = (each * near_edge[:, 0]).sum() / near_edge.sum()
        depth_loss = F.binary_cross_entropy_with_logits(deep.float(), depth, near_edge)
        return type_loss + depth_loss, {
            "type": float(type_loss.detach()),
            "depth": float(depth_loss.detach()),
        }

    yield from learner.run(loss_of)
