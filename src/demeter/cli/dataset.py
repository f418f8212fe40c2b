"""``demeter dataset …``: what people accepted and corrected, to learn from."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from demeter.cli.groups import command_group
from demeter.cli.tables import RowTable
from demeter.core.db import engine, transaction
from demeter.core.moments import beginning_of, parse_typed
from demeter.core.settings import settings
from demeter.learning.dataset import Format, export
from demeter.learning.densities import learn_densities
from demeter.learning.splits import Side, SplitRule

app = command_group(help="What people accepted and corrected: as a training set, as densities.")
_out, _err = Console(highlight=False), Console(stderr=True)

Share = Annotated[
    float | None,
    typer.Option("--held-out", min=0, max=1, help="share of locations kept to judge on"),
]
From = Annotated[
    str | None, typer.Option("--judged-from", help="learn from before, judge from this time on")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.callback()
def _dataset() -> None:
    """What people accepted and corrected: as a training set, as densities."""


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="an empty folder, or none yet")],
    form: Annotated[Format, typer.Option("--format")] = Format.COCO,
    held_out: Share = None,
    judged_from: From = None,
    as_json: AsJson = False,
) -> None:
    """Write accepted and corrected photos with their marks, split by place and time."""
    share = settings().held_out_share if held_out is None else held_out
    rule = SplitRule(share, _moment(judged_from))
    with Progress(console=_err, transient=True) as bar:
        line = bar.add_task("Photos", total=None)
        document = export(
            engine(),
            folder,
            form,
            rule,
            lambda done, total: bar.update(line, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(document))
        return
    for side in Side:
        photos = [p for p in document["photos"] if p["side"] == side]
        _out.print(f"{side}: {_summary(photos)}")
    for entry in document["left_out"]:
        _out.print(f"left out: session {entry['session_id']}, {entry['reason']}")
    if not any(p["side"] == Side.HELD_OUT for p in document["photos"]):
        _err.print("note: no location is held out; accept photos of more locations to judge on")


@app.command("densities")
def densities(
    write: Annotated[bool, typer.Option("--write", help="use them from the next photo on")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn from reviewed containers how close plants stand; tell, or write."""
    with transaction() as session:
        findings = [finding.as_json() for finding in learn_densities(session, write=write)]
    if as_json:
        typer.echo(json.dumps(findings))
        return
    table = RowTable(
        "bin type", "product", "packaging", "containers", *_FIGURES.values(), "outcome"
    )
    for finding in findings:
        figures = ["" if finding[name] is None else f"{finding[name]:g}" for name in _FIGURES]
        names = (finding["bin_type"], finding["product"], finding["packaging"] or "")
        table.add_row(*names, str(finding["containers"]), *figures, finding["outcome"])
    table.print()


_FIGURES = {
    "plants_per_m2": "plants a m²",
    "avg_area_per_plant_cm2": "cm² a plant",
    "avg_diameter_cm": "cm wide",
    "overlap_adjustment_factor": "overlap",
}


def _summary(photos: list[dict[str, Any]]) -> str:
    places = {p["location_code"] for p in photos}
    marks, by_person = (sum(p[k] for p in photos) for k in ("marks", "marks_by_person"))
    return f"{len(photos)} photos of {len(places)} locations, {marks} marks ({by_person} by people)"


def _moment(text: str | None) -> datetime | None:
    return beginning_of(parse_typed(text)) if text else None
