"""One row of `vision_speed`: python -m benchmarks.vision_ours PICTURE PRECISION WHAT."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from demeter.vision.containers.segmenter import ContainerSegmenter
from demeter.vision.hints import Hints
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.openvino_runner import Outputs, Pictures, Runner
from demeter.vision.networks.shipped import default_models
from demeter.vision.overlay import render
from demeter.vision.pipeline import count
from demeter.vision.plants.detector import PlantDetector
from demeter.vision.values import PhotoCount

RUNS = 3


@dataclass(frozen=True)
class Recording:
    """A runner that keeps the pictures it is given."""

    runner: Runner
    pictures: list[np.ndarray] = field(default_factory=list)

    @property
    def input_hw(self) -> tuple[int, int]:
        return self.runner.input_hw

    @property
    def precision(self) -> str:
        return self.runner.precision

    def __call__(self, pictures: Pictures) -> Iterator[Outputs]:
        copies = [p.copy() for p in pictures]
        self.pictures.extend(copies)
        return self.runner(copies)


def main() -> None:
    picture, precision, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    rgb = np.asarray(Image.open(picture).convert("RGB"))
    models = default_models(precision, os.cpu_count() or 1)
    if what == "forward":
        print(json.dumps(_measure(_forward(rgb, models))))
        return
    photos: list[PhotoCount] = []

    def whole() -> None:
        photos.append(count(rgb, models, Hints(framed_whole=True)))
        if what.endswith("overlay"):
            render(rgb, photos[-1], 2048)

    row = _measure(whole)
    plants = [d for d in photos[-1].detections if not d.is_empty_container]
    boxes = {"boxes": [d.xyxy_px for d in plants], "confidence": [d.confidence for d in plants]}
    print(json.dumps(row | boxes))


def _forward(rgb: np.ndarray, models: ModelSet) -> Callable[[], None]:
    """The forward passes of a count, and nothing else."""
    detector, segmenter = models.detector, models.segmenter
    assert isinstance(detector, PlantDetector)
    assert isinstance(segmenter, ContainerSegmenter)
    recorded = [Recording(r) for r in (*detector.runners, segmenter.runner)]
    watched = replace(
        models,
        detector=replace(detector, runners=tuple(recorded[:-1])),
        segmenter=replace(segmenter, runner=recorded[-1]),
    )
    count(rgb, watched, Hints(framed_whole=True))

    def run() -> None:
        for record in recorded:
            for _ in record.runner(record.pictures):
                pass

    return run


def _measure(run: Callable[[], None]) -> dict[str, Any]:
    run()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    """Peak memory of this process alone: ``ru_maxrss`` begins with that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
