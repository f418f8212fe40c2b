"""Training the detector of plants and empty places."""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from demeter_training.training.assignment import TileTruth, detection_loss
from demeter_training.training.loop import Learner, Progress, TrainingPlan
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.pretrained import (
    SILENT_IN_DETECTOR,
    checkpoint_weights,
    detector_from_onnx,
    fit_batch_norms,
    load_state,
)
from demeter_training.training.tiles import (
    CLASSES,
    LabelledPicture,
    PictureCache,
    TrainingSquare,
    crop,
    showable_pictures,
)


@dataclass(frozen=True, slots=True)
class DetectRecipe:
    """What a detector is trained on and from.

    ``rehearsed``: pictures of what it knows already; where there are any, every other square
    is one of them, so that a few new pictures are not learnt by heart and the rest forgotten.
    """

    pictures: tuple[LabelledPicture, ...]
    start: Path | None
    rehearsed: tuple[LabelledPicture, ...] = ()
    side: int = 256
    batch: int = 16
    seed: int = 0


def batch_of(samples: list[TrainingSquare]) -> tuple[Tensor, list[TileTruth]]:
    """Samples as the network takes them: N x 3 x H x W BGR 0..255, and their truths."""
    images = torch.from_numpy(np.stack([s.bgr for s in samples])).permute(0, 3, 1, 2).float()
    truths = []
    for s in samples:
        low, high = s.boxes[:, :2], s.boxes[:, 2:]
        boxes = np.concatenate([(low + high) / 2, high - low], 1)
        truths.append(TileTruth(torch.from_numpy(boxes), torch.from_numpy(s.classes)))
    return images.contiguous(memory_format=torch.channels_last), truths


class _SquareBatches:
    """The batch of each step, drawn from the seed and the step alone."""

    def __init__(self, recipe: DetectRecipe) -> None:
        self._recipe, self._pictures = recipe, PictureCache()
        own_pictures = showable_pictures(recipe.pictures)
        self._turns = (
            (own_pictures, showable_pictures(recipe.rehearsed))
            if recipe.rehearsed
            else (own_pictures,)
        )

    def at(self, step: int) -> tuple[Tensor, list[TileTruth]]:
        rng = np.random.default_rng([self._recipe.seed, step])
        turns = islice(cycle(self._turns), self._recipe.batch)
        return batch_of(
            [crop(rng, self._pictures, pictures, self._recipe.side) for pictures in turns]
        )


def fresh_detector(start: Path | None) -> DetectorNetwork:
    """A detector of our classes; from an ONNX file or a trained ``.pt`` where given.

    Raises:
        WeightsDoNotFit: the start is no YOLOX-nano, or cannot be read.
    """
    if start is None:
        return DetectorNetwork(len(CLASSES))
    if start.suffix == ".onnx":
        return detector_from_onnx(start, len(CLASSES))
    network = DetectorNetwork(len(CLASSES))
    load_state(network, checkpoint_weights(start), SILENT_IN_DETECTOR)
    return network


def train_detector(
    recipe: DetectRecipe, plan: TrainingPlan, checkpoint: Path
) -> Iterator[Progress]:
    """Train or go on training; the checkpoint holds all that resuming needs."""
    torch.manual_seed(recipe.seed)
    batches = _SquareBatches(recipe)
    network = fresh_detector(recipe.start)
    if recipe.start is not None and recipe.start.suffix == ".onnx" and not checkpoint.exists():
        fit_batch_norms(network, batches.at(0)[0])
    learner = Learner(network, plan, checkpoint)

    def loss_of(network: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        images, truths = batches.at(step)
        decoded, centres, strides = network(images)
        return detection_loss(decoded, centres, strides, truths)

    yield from learner.run(loss_of)
