"""Fit the intervals' error model on some marked photos; check it on others.

    python -m benchmarks.vision_intervals FOLDER... [--judge FOLDER] [--write]

Each FOLDER has a COCO file with containers that say how many plants they hold, as `demeter
synth` writes it. It is fitted on all of them and checked on those of ``--judge``, or fitted on
half and checked on the other half. With ``--write`` the fitted model becomes the shipped one.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np
from rich.progress import track

from demeter.vision.hints import Hints
from demeter.vision.interval.fit import Observation, fit_error_model
from demeter.vision.interval.interval import ErrorModel, container_interval, total_interval
from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.observations import container_observations, photo_observation
from demeter.vision.metrics.run import evaluate_photos
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.shipped import default_models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    models = default_models("f32", os.cpu_count() or 1)
    figures = _count(options.folders, models)
    if options.judge:
        fit, check = figures, _count([options.judge], models)
    else:
        fit, check = figures[::2], figures[1::2]
    source = (
        f"Fitted on {len(fit)} rendered photos by split conformal prediction; "
        f"detector {models.detector.identity[:24]}, segmenter {models.segmenter.identity[:24]}."
    )
    model = fit_error_model(_all_containers(fit), _photo_observations(fit), source)
    print(json.dumps(asdict(model), indent=2))
    _print_coverage("fitted on", fit, model)
    _print_coverage("others", check, model)
    if options.write:
        path = Path(str(files("demeter.vision.interval") / "interval.json"))
        path.write_text(json.dumps(asdict(model), indent=2) + "\n", encoding="utf-8")


def _count(folders: list[Path], models: ModelSet) -> list[PhotoFigures]:
    marks = tuple(m for folder in folders for m in read_marks(folder))
    run = evaluate_photos(marks, models, Hints(framed_whole=True))
    return list(track(run, "Counting", total=len(marks)))


def _all_containers(figures: list[PhotoFigures]) -> list[Observation]:
    return [o for f in figures for o in container_observations(f)]


def _photo_observations(figures: list[PhotoFigures]) -> list[Observation]:
    """Photos as a sum; those with an unknown estimate have no interval and are left out."""
    return [o for f in figures if (o := photo_observation(f)) is not None]


def _print_coverage(name: str, figures: list[PhotoFigures], model: ErrorModel) -> None:
    containers, photos = _all_containers(figures), _photo_observations(figures)
    inner = [container_interval(o.evidence, model) for o in containers]
    outer = [total_interval([o.evidence], model) for o in photos]
    print(f"{name}: {_coverage(containers, inner)} containers, {_coverage(photos, outer)} photos")


def _coverage(observed: list[Observation], intervals: list[tuple[int, int]]) -> str:
    inside = [low <= o.truth <= high for o, (low, high) in zip(observed, intervals, strict=True)]
    return f"{np.mean(inside):.3f} of {len(inside)}" if inside else "none"


if __name__ == "__main__":
    main()
