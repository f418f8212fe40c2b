"""One training from folders of pictures to a measured ONNX file."""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from demeter_training.training.detect import DetectRecipe, train_detector
from demeter_training.training.held_out import (
    GOOD_IOU,
    SAME_IOU,
    Hits,
    detector_hits,
    outline_scores,
)
from demeter_training.training.loop import Progress, TrainingPlan
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.segment import SegmentRecipe, read_outlines, train_segmenter
from demeter_training.training.segmenter import SegmenterNetwork
from demeter_training.training.shipping import export_detector, export_segmenter
from demeter_training.training.tiles import CLASSES, read_coco


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What to train (``detect`` or ``segment``), on what, from what, for how long.

    ``rehearsed``: folders of what the start knows already, shown as often as ``folders``.
    """

    task: str
    folders: tuple[Path, ...]
    out: Path
    start: Path | None
    held_out: Path | None
    steps: int
    rate: float
    seed: int
    threads: int
    run: Path
    rehearsed: tuple[Path, ...] = ()

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept, so that it can go on."""
        return self.run / f"{self.task}.pt"

    @property
    def subject(self) -> str:
        """What is learnt from what: another job's run is not gone on with."""
        from_, rehearsed = (
            ", ".join(str(f.resolve()) for f in folders) or "nothing"
            for folders in (self.folders, self.rehearsed)
        )
        start = self.start.resolve() if self.start else "nothing"
        return f"{self.task} from {from_}, rehearsing {rehearsed}, seed {self.seed}, start {start}"


def run_job(job: TrainingJob) -> Iterator[Progress]:
    """Train, yielding after each step, then write ``job.out``.

    Raises:
        TrainingDataRefused: a folder or a picture cannot be read.
        WeightsDoNotFit: the start is no YOLOX-nano, or the run is another job's.
    """
    torch.set_num_threads(job.threads)
    cv2.setNumThreads(job.threads)
    job.run.mkdir(parents=True, exist_ok=True)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    plan = TrainingPlan(steps=job.steps, rate=job.rate, subject=job.subject)
    if job.task == "detect":
        yield from _run_detector_job(job, plan)
    else:
        yield from _run_segmenter_job(job, plan)


def _run_detector_job(job: TrainingJob, plan: TrainingPlan) -> Iterator[Progress]:
    pictures, rehearsed = (
        tuple(p for folder in folders for p in read_coco(folder))
        for folders in (job.folders, job.rehearsed)
    )
    recipe = DetectRecipe(pictures, job.start, rehearsed, seed=job.seed)
    yield from train_detector(recipe, plan, job.checkpoint)
    network = DetectorNetwork(len(CLASSES))
    network.load_state_dict(torch.load(job.checkpoint, weights_only=True)["smooth"])
    export_detector(network, job.out)


def _run_segmenter_job(job: TrainingJob, plan: TrainingPlan) -> Iterator[Progress]:
    pictures, rehearsed = (
        tuple(p for folder in folders for p in read_outlines(folder))
        for folders in (job.folders, job.rehearsed)
    )
    recipe = SegmentRecipe(pictures, job.start, rehearsed, seed=job.seed)
    yield from train_segmenter(recipe, plan, job.checkpoint)
    network = SegmenterNetwork()
    network.load_state_dict(torch.load(job.checkpoint, weights_only=True)["smooth"])
    export_segmenter(network, job.out)


def figures(task: str, model: Path, held_out: Path, threads: int = 1) -> dict[str, float]:
    """Figures of an exported model on pictures it was not trained on."""
    if task == "detect":
        return detector_figures(model, held_out, threads)
    return segmenter_figures(model, held_out, threads)


def detector_figures(model: Path, held_out: Path, threads: int) -> dict[str, float]:
    """Precision, recall, F1 of both classes and the mean count error of plants."""
    plants, empties, errors = Hits(), Hits(), []
    for plant, empty in detector_hits(model, read_coco(held_out), threads):
        plants, empties = plants + plant, empties + empty
        marked = plant.hit + plant.missed
        if marked:
            errors.append(abs(plant.hit + plant.false - marked) / marked)
    by_name = {
        f"{name} {figure}": getattr(hits, figure)
        for name, hits in (("plant", plants), ("empty", empties))
        for figure in ("precision", "recall", "f1")
    }
    return {**by_name, "plant count MAPE": float(np.mean(errors)) if errors else 0.0}


def segmenter_figures(model: Path, held_out: Path, threads: int) -> dict[str, float]:
    """Shares of containers found well and of the right type, and spurious ones a picture."""
    outcomes = list(outline_scores(model, read_outlines(held_out), threads))
    ious = np.array([i for o in outcomes for i in o.ious])
    found_count = int((ious >= SAME_IOU).sum())
    return {
        "containers": float(len(ious)),
        "mean IoU": float(ious.mean()) if len(ious) else 0.0,
        f"IoU >= {GOOD_IOU}": float((ious >= GOOD_IOU).mean()) if len(ious) else 0.0,
        "found": found_count / max(1, len(ious)),
        "type right of found": sum(o.types_right for o in outcomes) / max(1, found_count),
        "spurious a picture": sum(o.spurious for o in outcomes) / max(1, len(outcomes)),
    }
