"""Training the segmenter of containers."""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from demeter.vision.metrics.label_files import picture_path
from demeter_training.scenes.values import Bytes, Floats, Mask
from demeter_training.training.loop import Learner, Progress, TrainingPlan
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.pretrained import (
    SILENT_IN_DETECTOR,
    SILENT_IN_SEGMENTER,
    checkpoint_weights,
    detector_from_onnx,
    fit_batch_norms,
    graph_of,
    load_segmenter,
    load_state,
)
from demeter_training.training.segmenter import TYPES, SegmenterNetwork, segmenter_from
from demeter_training.training.tiles import (
    CLASSES,
    PictureCache,
    read_pictures,
    recolour,
)

PAD = 114
SEGMENTER_OUTPUTS = 2  # types and depth; a detector has one
# The ground between pots is a few pixels wide: it weighs as much as the edges inside them, and
# no type weighs more than the ground, or outlines grow over it.
EDGE_WEIGHT, EDGE_DEPTH, EDGE_REACH_PX = 1.5, 0.3, 2
# What the segmenter is shown: the whole photo in a square of so many pixels, more or less by some
# e-folds, and, in so large a share of views, parts of it so many times as large (`multiscale`).
VIEW_PX, SIZE_JITTER, NEAR_SHARE, NEARER, LARGEST_SCALE = 512, 0.25, 0.65, (1.7, 3.4), 1.3
FINER = 4
DRAWN_POWER = 1 / 3  # a picture is drawn as often as this power of its number of containers
DEEP_PX = 12  # from how far inside, in pixels of the maps, a container is as deep as can be


@dataclass(frozen=True, slots=True)
class OutlinedPicture:
    """A picture file and its containers: type number and polygon (N x 2, pixels) of each."""

    path: Path
    polygons: tuple[tuple[int, Floats], ...]


def read_outlines(folder: Path) -> list[OutlinedPicture]:
    """Pictures of a folder with ``coco.json`` and the containers in them.

    Raises:
        TrainingDataRefused: ``coco.json`` cannot be read, lists no picture, or lacks a field.
    """
    return [
        OutlinedPicture(
            picture_path(folder, picture.file_name) or folder / picture.file_name,
            tuple(
                (TYPES.index(mark.category), np.array(max(mark.outlines, key=len), np.float32))
                for mark in picture.annotations
                if mark.category in TYPES
            ),
        )
        for picture in read_pictures(folder)
    ]


@dataclass(frozen=True, slots=True)
class SegmentRecipe:
    """What a segmenter is trained on and from; ``last_side`` is used for the last fifth.

    ``rehearsed`` as for a detector: every other view is one of these.
    """

    pictures: tuple[OutlinedPicture, ...]
    start: Path | None
    rehearsed: tuple[OutlinedPicture, ...] = ()
    side: int = 384
    last_side: int = 512
    batch: int = 8
    seed: int = 0


def target_maps(
    polygons: list[tuple[int, Floats]], side: int, used_wh: tuple[int, int]
) -> tuple[Bytes, Floats]:
    """Type and depth at half the size of a square, from polygons in its pixels.

    Only the part ``used_wh`` of the square holds the picture. Of polygons that overlap the
    later one lies before the earlier. Polygons are drawn finer than the maps and sampled at
    the maps' pixels, for drawing alone makes them half a pixel larger all round.
    """
    half, fine = side // 2, side // 2 * FINER
    owner, types = np.zeros((fine, fine), np.int32), np.zeros((fine, fine), np.uint8)
    for k, (kind, polygon) in enumerate(polygons):
        outline = [np.round((polygon * (FINER / 2) - 0.5) * 16).astype(np.int32)]
        cv2.fillPoly(owner, outline, k + 1, cv2.LINE_8, 4)
        cv2.fillPoly(types, outline, kind, cv2.LINE_8, 4)
    owner, types = (
        np.ascontiguousarray(m[FINER // 2 :: FINER, FINER // 2 :: FINER]) for m in (owner, types)
    )
    width, height = ((v + 1) // 2 for v in used_wh)
    for field in (owner, types):
        field[height:] = 0
        field[:, width:] = 0
    depth = np.zeros((half, half), np.float32)
    for k in np.unique(owner[owner > 0]):
        own_pixels = owner[:height, :width] == k
        np.maximum(depth[:height, :width], _depth(own_pixels), out=depth[:height, :width])
    return types, depth


def _depth(mask: Mask) -> Floats:
    """How deep each pixel lies in its container: 1 from ``DEEP_PX`` on, or where it is deepest.

    Only where another thing begins is an edge: a container goes on beyond the picture.
    """
    depth = np.zeros(mask.shape, np.float32)
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    window = np.s_[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]
    beyond = DEEP_PX + 1
    wide = np.pad(mask[window].astype(np.uint8), beyond, mode="edge")
    inner = cv2.distanceTransform(wide, cv2.DIST_L2, 3)[beyond:-beyond, beyond:-beyond]
    depth[window] = np.minimum(1, inner / max(1e-6, min(DEEP_PX, float(inner.max()))))
    return depth


def random_view(
    rng: np.random.Generator, picture: Bytes, item: OutlinedPicture, side: int
) -> tuple[Bytes, Bytes, Floats]:
    """A square of a picture at one of the segmenter's scales, with its targets.

    The picture has the scale of a whole photo or of a part of one, a little off; it is
    mirrored and laid on its side at random, as phones are held, and recoloured.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    near = rng.random() < NEAR_SHARE
    low, high = np.log(NEARER) if near else (-SIZE_JITTER, SIZE_JITTER)
    size = VIEW_PX * float(np.exp(rng.uniform(low, high)))
    scale = min(size, LARGEST_SCALE * longest) / longest
    w, h = min(width, round(side / scale)), min(height, round(side / scale))
    x0, y0 = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    used_wh = (min(side, round(w * scale)), min(side, round(h * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((side, side, 3), PAD, np.uint8)
    square[: used_wh[1], : used_wh[0]] = cv2.resize(
        picture[y0 : y0 + h, x0 : x0 + w], used_wh, interpolation=interpolation
    )
    # A container lower in the photo, as it was taken, lies before one above it.
    nearer_last = sorted(item.polygons, key=lambda outlined: outlined[1][:, 1].max())
    polygons = [(kind, (p - (x0, y0)) * scale) for kind, p in nearer_last]
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        square = np.ascontiguousarray(square.transpose(1, 0, 2))
        polygons, used_wh = [(kind, p[:, ::-1]) for kind, p in polygons], (used_wh[1], used_wh[0])
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        square[: used_wh[1], : used_wh[0]] = square[: used_wh[1], : used_wh[0]][:, ::-1].copy()
        polygons = [(kind, p * (-1, 1) + (used_wh[0], 0)) for kind, p in polygons]
    types, depth = target_maps([(k, np.asarray(p, np.float32)) for k, p in polygons], side, used_wh)
    return recolour(rng, square), types, depth


def _drawing_chances(pictures: Sequence[OutlinedPicture]) -> Floats:
    """How often each picture is drawn: a bench of ninety pots teaches more than one bed."""
    weight = np.array([max(1, len(p.polygons)) for p in pictures]) ** DRAWN_POWER
    return np.asarray(weight / weight.sum())


class _ViewBatches:
    """The batch of each step, drawn from the seed and the step alone."""

    def __init__(self, recipe: SegmentRecipe, steps: int) -> None:
        self._recipe, self._pictures, self._steps = recipe, PictureCache(), steps
        turns = (recipe.pictures, recipe.rehearsed) if recipe.rehearsed else (recipe.pictures,)
        self._turns = tuple((pictures, _drawing_chances(pictures)) for pictures in turns)

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        recipe = self._recipe
        side = recipe.last_side if step >= 0.8 * self._steps else recipe.side
        rng = np.random.default_rng([recipe.seed, step])
        parts = []
        for pictures, chances in islice(cycle(self._turns), recipe.batch):
            item = pictures[int(rng.choice(len(pictures), p=chances))]
            parts.append(random_view(rng, self._pictures.read(item.path), item, side))
        images, types, depths = (np.stack(column) for column in zip(*parts, strict=True))
        return (
            torch.from_numpy(images)
            .permute(0, 3, 1, 2)
            .float()
            .contiguous(memory_format=torch.channels_last),
            torch.from_numpy(types).long(),
            torch.from_numpy(depths)[:, None],
        )


def fresh_segmenter(start: Path | None) -> SegmenterNetwork:
    """A segmenter; from a segmenter or a detector (ONNX), or from a trained ``.pt``.

    Raises:
        WeightsDoNotFit: the start is neither, or cannot be read.
    """
    if start is None:
        return SegmenterNetwork()
    if start.suffix == ".onnx":
        if len(graph_of(start)[0].output) == SEGMENTER_OUTPUTS:
            return load_segmenter(start)
        return segmenter_from(detector_from_onnx(start, len(CLASSES)))
    network = SegmenterNetwork()
    state = checkpoint_weights(start)
    if any(name.startswith("heads") for name in state):
        detector = DetectorNetwork(len(CLASSES))
        load_state(detector, state, SILENT_IN_DETECTOR)
        return segmenter_from(detector)
    load_state(network, state, (("bench.",), *SILENT_IN_SEGMENTER))
    return network


def near_edge_of(depth: Tensor) -> Tensor:
    """1 on the shallow rim of every container and on the ground beside it, else 0."""
    reach = F.max_pool2d((depth > 0).float(), 2 * EDGE_REACH_PX + 1, 1, EDGE_REACH_PX)
    return reach * (depth < EDGE_DEPTH).float()


def train_segmenter(
    recipe: SegmentRecipe, plan: TrainingPlan, checkpoint: Path
) -> Iterator[Progress]:
    """Train or go on training; the checkpoint holds all that resuming needs."""
    torch.manual_seed(recipe.seed)
    batches = _ViewBatches(recipe, plan.steps)
    network = fresh_segmenter(recipe.start)
    if recipe.start is not None and recipe.start.suffix == ".onnx" and not checkpoint.exists():
        fit_batch_norms(network, batches.at(0)[0])
    learner = Learner(network, plan, checkpoint)

    def loss_of(network: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        images, types, depth = batches.at(step)
        guess, deep = network(images)
        near_edge = 1 + EDGE_WEIGHT * near_edge_of(depth)
        each = F.cross_entropy(guess.float(), types, reduction="none")
        type_loss = (each * near_edge[:, 0]).sum() / near_edge.sum()
        depth_loss = F.binary_cross_entropy_with_logits(deep.float(), depth, near_edge)
        return type_loss + depth_loss, {
            "type": float(type_loss.detach()),
            "depth": float(depth_loss.detach()),
        }

    yield from learner.run(loss_of)
