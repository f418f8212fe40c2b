"""Fit the intervals' error model on half of some marked photos; check it on the other half.

    python -m benchmarks.vision_intervals FOLDER [--write]

FOLDER has a COCO file with containers that say how many plants they hold, as `demeter
synth` writes it. With ``--write`` the model fitted on half becomes the shipped one.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np
from rich.progress import track

from demeter.vision.evaluation.figures import PhotoFigures
from demeter.vision.evaluation.labels import read_marks
from demeter.vision.evaluation.run import evaluated
from demeter.vision.hints import Hints
from demeter.vision.interval import (
    ErrorModel,
    Evidence,
    container_interval,
    evidence_of,
    total_interval,
)
from demeter.vision.interval_fit import Observed, fitted_error_model
from demeter.vision.registry import default_models

FOUND_IOU = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    marks = read_marks(options.folder)
    models = default_models("f32", os.cpu_count() or 1)
    run = evaluated(marks, models, Hints(framed_whole=True))
    figures = list(track(run, "Counting", total=len(marks)))
    source = (
        f"Fitted on {len(figures[::2])} rendered photos by split conformal prediction; "
        f"detector {models.detector.identity[:24]}, segmenter {models.segmenter.identity[:24]}."
    )
    fit, check = figures[::2], figures[1::2]
    model = fitted_error_model(_all_containers(fit), _photos(fit), source)
    print(json.dumps(asdict(model), indent=2))
    _print_coverage("fitted on", fit, model)
    _print_coverage("others", check, model)
    if options.write:
        path = Path(str(files("demeter.vision") / "interval.json"))
        path.write_text(json.dumps(asdict(model), indent=2) + "\n", encoding="utf-8")


def _photos(figures: list[PhotoFigures]) -> list[Observed]:
    """Photos as a sum; those with an unknown estimate have no interval."""
    return [
        Observed(sum(_evidence(f), Evidence(0, 0, 0.0)), f.plants.marks)
        for f in figures
        if f.photo.interval_90 is not None
    ]


def _all_containers(figures: list[PhotoFigures]) -> list[Observed]:
    return [o for f in figures for o in _containers(f)]


def _containers(figure: PhotoFigures) -> Iterator[Observed]:
    """Marked containers that were found, each with the evidence of the found one."""
    evidence = _evidence(figure)
    for row in figure.containers:
        if row.iou >= FOUND_IOU and row.found is not None and row.marked is not None:
            if figure.photo.counts[row.found].estimated is None:
                continue
            yield Observed(evidence[row.found], row.marked)


def _evidence(figure: PhotoFigures) -> list[Evidence]:
    confidences: list[list[float]] = [[] for _ in figure.photo.containers]
    for detection in figure.photo.detections:
        if not detection.is_empty_container:
            confidences[detection.container].append(detection.confidence)
    return [
        evidence_of(np.array(c, np.float32), figure.photo.counts[i].estimated or 0)
        for i, c in enumerate(confidences)
    ]


def _print_coverage(name: str, figures: list[PhotoFigures], model: ErrorModel) -> None:
    containers, photos = _all_containers(figures), _photos(figures)
    inner = [container_interval(o.evidence, model) for o in containers]
    outer = [total_interval([o.evidence], model) for o in photos]
    print(f"{name}: {_coverage(containers, inner)} containers, {_coverage(photos, outer)} photos")


def _coverage(observed: list[Observed], intervals: list[tuple[int, int]]) -> str:
    inside = [low <= o.truth <= high for o, (low, high) in zip(observed, intervals, strict=True)]
    return f"{np.mean(inside):.3f} of {len(inside)}" if inside else "none"


if __name__ == "__main__":
    main()
