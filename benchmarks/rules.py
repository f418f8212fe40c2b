"""Each whole rule of the runtime on and off, on marked photos: does it earn its place?

    python -m benchmarks.rules NAME=FOLDER[:MOST] ... [--only PART] [--out FILE.jsonl]

Each FOLDER holds marked photos, as `demeter evaluate` takes them; of each the first MOST are
counted. A row says what changes without a rule: F1 and count error of the photos that show
plants, containers' outlines (of those marked, the share with an IoU of .85), and the time of
counting. The results of a rule are written to FILE as they come; an interrupted run goes on
where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from demeter.vision import pipeline
from demeter.vision.containers import segmenter
from demeter.vision.estimate import estimate, foliage, size_model
from demeter.vision.hints import Hints
from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.run import evaluate_photos
from demeter.vision.metrics.summary import by_container_type, summarise
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.shipped import default_models
from demeter.vision.plants import detect, scale_search
from demeter.vision.plants.detect import DetectRule
from demeter.vision.plants.scale_search import ScaleEstimate, ScaleRule

NONE = "(all rules)"
Change = tuple[Any, str, Any]


@dataclass(frozen=True)
class Switch:
    """What turns one rule off: parts of modules that are replaced, thresholds, models."""

    name: str
    changes: tuple[Change, ...] = ()
    rule: DetectRule = field(default_factory=DetectRule)
    models: Callable[[ModelSet], ModelSet] = lambda models: models


def _all_outside(detection: detect.DetectionResult, frame: int) -> int:
    return int((~detection.boxes.is_empty & (detection.container == frame)).sum())


def _no_estimate(_: Any, container: Any, *__: Any, index: int, **___: Any) -> Any:
    return estimate.no_estimate(index, container), 0.0


def _level_line(v: Any, diameter_px: Any) -> size_model.SizeLine:
    return size_model.SizeLine(float(np.median(np.log(diameter_px))), 0.0, len(v))


RULES = (
    Switch(NONE),
    Switch("looks from farther and nearer, few tiles", rule=DetectRule(few_tiles=0)),
    Switch("a nearer pass where plants are unsure", rule=DetectRule(unsure=0.0)),
    Switch(
        "the scale is searched",
        ((detect, "estimate_scale", lambda *_: ScaleEstimate(None, ())),),
    ),
    Switch("the finest scale that is as good", rule=DetectRule(look=ScaleRule(as_good=1.0))),
    Switch("an unsure type limits no size", rule=DetectRule(look=ScaleRule(sure_type=0.0))),
    Switch("empty places tell the scale, too", ((scale_search, "_PLACE", 1.0),)),
    Switch(
        "one place is planted or empty, not both",
        ((detect, "consistent_boxes", lambda boxes: np.ones(len(boxes), np.bool_)),),
    ),
    Switch("strays outside containers are left out", ((pipeline, "_missed_plants", _all_outside),)),
    Switch(
        "regions that hold nothing must be sure",
        ((pipeline, "_credible_containers", lambda c, _: (list(range(len(c))), ())),),
    ),
    Switch("rims of pots are ellipses", ((segmenter, "fit_rims", lambda rims, _: tuple(rims)),)),
    Switch("small containers are segmented nearer", ((segmenter, "_LARGER_ZOOMS", ()),)),
    Switch("the rest is estimated", ((pipeline, "estimate_container", _no_estimate),)),
    Switch("plants shrink with distance", ((estimate, "fit_size_line", _level_line),)),
    Switch("faint boxes say where foliage may be plants", rule=DetectRule(faint=0.35)),
    Switch("colours of foliage are purified", ((foliage, "_PURIFICATIONS", 0),)),
    Switch("a rest of many times the plants is unknown", ((estimate, "MOST_PER_DETECTION", 1e9),)),
    Switch("much foliage unseen is unknown", ((estimate, "MOST_UNSEEN", 2.0),)),
    Switch("a photo is judged", models=lambda models: replace(models, judge=None)),
)


@contextmanager
def without(switch: Switch) -> Iterator[None]:
    """The runtime with one rule off."""
    with ExitStack() as changed:
        for place, name, value in switch.changes:
            changed.enter_context(patch.object(place, name, value))
        yield


def main() -> None:
    """Measure all rules that FILE has no results of, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=_named_folder, metavar="NAME=FOLDER[:MOST]")
    parser.add_argument("--only", default="", help="rules whose name has this in it")
    parser.add_argument("--out", type=Path, default=Path("runs/rules.jsonl"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sets = {name: _marks(folder) for name, folder in options.sets}
    rows = _read(options.out)
    models = default_models("f32", os.cpu_count() or 1)
    for switch in RULES:
        for name, marks in sets.items():
            if (switch.name, name) in rows or options.only not in switch.name:
                continue
            begin = time.perf_counter()
            with without(switch):
                run = evaluate_photos(
                    marks, switch.models(models), Hints(framed_whole=True), switch.rule
                )
                row = _figures(list(run)) | {"wall_s": round(time.perf_counter() - begin, 1)}
            rows[switch.name, name] = row
            line = {"rule": switch.name, "set": name} | row
            with options.out.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(line, flush=True)
    _print(rows, list(sets))


def _named_folder(words: str) -> tuple[str, str]:
    name, equals, folder = words.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{words!r} is not NAME=FOLDER")
    return name, folder


def _marks(folder: str) -> Any:
    path, _, most = folder.partition(":")
    marks = read_marks(Path(path))
    return marks[: int(most)] if most else marks


def _read(out: Path) -> dict[tuple[str, str], dict[str, Any]]:
    if not out.exists():
        return {}
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return {(line.pop("rule"), line.pop("set")): line for line in lines}


def _figures(figures: list[PhotoFigures]) -> dict[str, Any]:
    whole = summarise(f for f in figures if f.plants.marks)
    containers = by_container_type(figures).get("all")
    return {
        "f1": round(whole.f1, 3),
        "mape": None if whole.mape is None else round(whole.mape, 3),
        "within": None if whole.interval_coverage is None else round(whole.interval_coverage, 3),
        "posted": whole.posted,
        "false_plants": summarise(figures).false_plants,
        "containers_good": None if containers is None else round(containers.iou_good, 3),
        "containers_mape": None
        if containers is None or containers.mape is None
        else round(containers.mape, 3),
        "seconds": round(whole.seconds, 1),
    }


def _print(rows: dict[tuple[str, str], dict[str, Any]], sets: list[str]) -> None:
    """The table as Markdown: differences from all rules together."""
    heads = [f"{name}: {what}" for name in sets for what in ("F1", "error", "outlines", "time")]
    print("| Without | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for switch in RULES:
        cells = [
            cell
            for name in sets
            for cell in _cells(rows.get((switch.name, name)), rows.get((NONE, name)), switch.name)
        ]
        print(f"| {switch.name} | " + " | ".join(cells) + " |")


def _cells(row: dict[str, Any] | None, base: dict[str, Any] | None, name: str) -> list[str]:
    if row is None or base is None:
        return ["–"] * 4
    if name == NONE:
        outlines = row["containers_good"]
        shown = "–" if outlines is None else f"{outlines:.0%}"
        return [f"{row['f1']:.3f}", f"{row['mape']:.1%}", shown, f"{row['seconds']:.0f} s"]
    outlines = "–"
    if row["containers_good"] is not None:
        outlines = f"{100 * (row['containers_good'] - base['containers_good']):+.0f}"
    return [
        f"{row['f1'] - base['f1']:+.3f}",
        f"{100 * (row['mape'] - base['mape']):+.1f}",
        outlines,
        f"{row['seconds'] / base['seconds'] - 1:+.0%}",
    ]


if __name__ == "__main__":
    main()
