"""One photo of 3,000 plants: the whole pipeline, its forward passes alone, and SAHI.

    python -m benchmarks.vision_speed [--without-sahi] [--sahi-weights FILE.pt]

A 12-megapixel photo is rendered. Each row is measured in a process of its own, best of
three after one unmeasured run: seconds, peak memory of the process, F1 against the truth
by the rule of `demeter evaluate`. SAHI slices as its documentation shows (640 px, a fifth
of overlap) and runs YOLO11n, the smallest of its kind, by Ultralytics on PyTorch, in an
environment of its own under DEMETER_HOME; once as installed and once with all cores in
use. Without trained weights its F1 means nothing and is left out; finding little, it also
merges little, which is in its favour.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import discs_of
from demeter.vision.metrics.matching import match_detections, precision_recall_f1
from demeter_training.scenes import Scene, scene

HERE = Path(__file__).parent
SIZE_WH, PLANTS, SEED = (4000, 3000), 3000, 16
SAHI_PACKAGES = ("torch==2.14.1", "torchvision==0.29.1", "ultralytics", "sahi")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-sahi", action="store_true")
    parser.add_argument("--sahi-weights", type=Path)
    parser.add_argument("--sahi-python", type=Path, help="an environment that has SAHI already")
    options = parser.parse_args()
    photo = scene(SEED, SIZE_WH, kind="plug", plants=PLANTS)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "photo.png")
        Image.fromarray(photo.rgb).save(picture, compress_level=1)
        rows = [_ours(picture, precision, what) for precision, what in _OURS]
        if not options.without_sahi:
            python = options.sahi_python or _sahi_environment()
            rows += [_sahi(python, picture, options.sahi_weights, t) for t in (0, os.cpu_count())]
    _print(rows, photo)


_OURS = [
    ("f32", "whole"),
    ("f32", "forward"),
    ("f32", "whole and overlay"),
    ("bf16", "whole"),
    ("bf16", "forward"),
]


def _ours(picture: Path, precision: str, what: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.vision_ours", str(picture), precision, what]
    return {"name": f"Demeter {precision}, {what}"} | _answer(command, os.environ.copy())


def _sahi(python: Path, picture: Path, weights: Path | None, threads: int | None) -> dict[str, Any]:
    script = HERE / "vision_sahi.py"
    command = [str(python), str(script), str(picture), str(threads or 0), str(weights or "")]
    name = f"SAHI + YOLO11n, {threads} threads" if threads else "SAHI + YOLO11n, as installed"
    # The Ultralytics package must neither look for updates nor report anything.
    quiet = {"YOLO_OFFLINE": "True", "YOLO_VERBOSE": "False"}
    return {"name": name, "trained": weights is not None} | _answer(command, os.environ | quiet)


def _answer(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """The last line that a row's process prints, as JSON."""
    run = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent
    )
    return json.loads(run.stdout.strip().splitlines()[-1])


def _sahi_environment() -> Path:
    """Python of the environment with SAHI; made the first time, several gigabytes."""
    home = Path(os.environ.get("DEMETER_HOME", Path.home() / ".local/share/demeter"))
    folder = home / "bench-sahi"
    python = folder / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *SAHI_PACKAGES], check=True)
    return python


def _print(rows: list[dict[str, Any]], photo: Scene) -> None:
    marks = discs_of(np.array([p.xyxy_px for p in photo.plants]))
    table = Table("", "seconds", "times the forward passes", "peak MB", "found", "F1")
    forward = {r["name"].split(",")[0]: r["seconds"] for r in rows if "forward" in r["name"]}
    for row in rows:
        base = forward.get(row["name"].split(",")[0])
        table.add_row(
            row["name"],
            f"{row['seconds']:.2f}",
            "" if base is None else f"{row['seconds'] / base:.2f}",
            f"{row['peak_mb']:.0f}",
            str(len(row["boxes"])) if "boxes" in row else "",
            _f1(row, marks),
        )
    console = Console(width=120)
    console.print(
        f"{len(photo.plants)} plants, {SIZE_WH[0]} x {SIZE_WH[1]}, {os.cpu_count()} cores"
    )
    console.print(table)
    ours = min(r["seconds"] for r in rows if r["name"].endswith("whole"))
    sahi_rows = [r for r in rows if r["name"].startswith("SAHI")]
    if sahi_rows:
        fastest = min(sahi_rows, key=lambda r: r["seconds"])
        console.print(f"{fastest['seconds'] / ours:.1f} times faster than {fastest['name']}")


def _f1(row: dict[str, Any], marks: np.ndarray) -> str:
    if "boxes" not in row or row.get("trained") is False:
        return ""
    boxes = np.array(row["boxes"], np.float64).reshape(-1, 4)
    matches = match_detections(
        boxes, np.array(row["confidence"], np.float64), marks, IgnoredRegions()
    )
    return f"{precision_recall_f1(matches.hits, matches.false_alarms, matches.misses)[2]:.3f}"


if __name__ == "__main__":
    main()
