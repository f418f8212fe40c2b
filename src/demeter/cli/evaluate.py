"""``demeter evaluate``: how right counts are on marked photos; no database is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from demeter.cli.groups import command_group
from demeter.cli.notices import print_notice
from demeter.cli.tables import RowTable
from demeter.core.errors import DomainError
from demeter.vision.hints import Hints
from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.page import write_page
from demeter.vision.metrics.run import evaluate_photos
from demeter.vision.metrics.summary import (
    box_average_precision,
    by_container_type,
    by_scene,
    calibration,
    recall_by_size,
    summarise,
)
from demeter.vision.networks.devices import core_count
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision.networks.shipped import default_models
from demeter.vision.plants.detect import DetectRule
from demeter.vision.values import CountUnit

# Labels mark plants and containers, but no cells: how many of these are occupied is not in them.
UNIT = CountUnit.PLANTS

app = command_group()
_err = Console(stderr=True)


@app.command("evaluate")
def evaluate(
    folder: Annotated[Path, typer.Argument(help="labels.json, a COCO file, or YOLO folders")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print figures as JSON")] = False,
    page: Annotated[Path | None, typer.Option(help="write pictures, worst first, here")] = None,
    framed_whole: Annotated[
        bool, typer.Option(help="where no container is found, the frame is the container")
    ] = True,
    threshold: Annotated[float | None, typer.Option(min=0.01, max=1)] = None,
    precision: Annotated[Precision, typer.Option(help="of the networks")] = Precision.F32,
    threads: Annotated[int | None, typer.Option(min=1, help="default: all cores")] = None,
) -> None:
    """Count the plants of the marked photos of FOLDER and say how right that is."""
    try:
        marks = read_marks(folder, print_notice)
        models = default_models(precision, threads or core_count())
        rule = DetectRule() if threshold is None else DetectRule(threshold=threshold)
        with Progress(console=_err, transient=True) as bar:
            task = bar.add_task("Counting", total=1.0)
            run = evaluate_photos(
                marks,
                models,
                Hints(framed_whole=framed_whole, count_unit=UNIT),
                rule,
                lambda share: bar.update(task, completed=share),
            )
            figures = list(run)
        page_file = write_page(figures, page) if page else None
    except DomainError as error:
        _err.print(f"[red]{error.message}")
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_as_json(figures, folder)))
    else:
        _print(figures, folder)
    if page_file:
        _err.print(f"Pictures: {page_file}")


def _as_json(figures: list[PhotoFigures], folder: Path) -> dict[str, Any]:
    summary = summarise(figures)
    return {
        "unit": UNIT.value,
        "photos": [_photo_row(f, folder) for f in figures],
        "overall": {
            "f1": summary.f1,
            "mape": summary.mape,
            "bias": summary.bias,
            "without_plants": summary.without_plants,
            "false_plants": summary.false_plants,
            "empties_posted": summary.empties_posted,
            "posted": summary.posted,
        },
    }


def _photo_row(figure: PhotoFigures, folder: Path) -> dict[str, Any]:
    precision, recall, f1 = figure.precision_recall_f1
    return {
        "file": _file_name(figure.marked.file, folder),
        "marked": figure.plants.marks,
        "counted": figure.counted,
        "interval_90": None if figure.interval_90 is None else list(figure.interval_90),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
        "likelihood": figure.photo.plants_likelihood,
        "posted": figure.posts_plants,
        "seconds": figure.seconds,
    }


def _file_name(file: Path, folder: Path) -> str:
    """The path in the folder; of a file elsewhere, as COCO may name one, the name alone."""
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else file.name


def _print(figures: list[PhotoFigures], folder: Path) -> None:
    console = Console()
    photos = RowTable(
        "photo", "marked", "counted", "90 %", "precision", "recall", "F1", "likely", "posted", "s"
    )
    for row in (_photo_row(f, folder) for f in figures):
        photos.add_row(*(_cell(v) for v in row.values()))
    photos.print(console)
    summary = summarise(figures)
    overall = RowTable("figure", "value", title=f"overall, unit: {UNIT.value}")
    for name in summary.__slots__:
        overall.add_row(name.replace("_", " "), _cell(getattr(summary, name)))
    if (boxes := box_average_precision(figures)) is not None:
        overall.add_row("mAP 50", _cell(boxes[0]))
        overall.add_row("mAP 50-95", _cell(boxes[1]))
    overall.print(console)
    _print_groups(console, figures)


def _print_groups(console: Console, figures: list[PhotoFigures]) -> None:
    if scenes := by_scene(figures):
        table = RowTable("scene", "photos", "F1", "MAPE", "bias", "coverage")
        for name, s in scenes.items():
            cells = (s.photos, s.f1, s.mape, s.bias, s.interval_coverage)
            table.add_row(name, *(_cell(c) for c in cells))
        table.print(console)
    if types := by_container_type(figures):
        table = RowTable("container", "marked", "IoU ≥ 0.85", "type right", "MAPE", "coverage")
        for name, c in types.items():
            cells = (c.containers, c.iou_good, c.type_right, c.mape, c.interval_coverage)
            table.add_row(name, *(_cell(v) for v in cells))
        table.print(console)
    sizes = RowTable("plants, px", "marked", "recall")
    for name, (marks, recall) in recall_by_size(figures).items():
        sizes.add_row(name, str(marks), _cell(recall))
    sizes.print(console)
    trust = RowTable("confidence", "that hit", "detections")
    for confidence, hit, number in calibration(figures):
        trust.add_row(_cell(confidence), _cell(hit), str(number))
    trust.print(console)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return "-".join(str(v) for v in value) if isinstance(value, list) else str(value)
