"""``demeter models calibrate``: intervals that hold for the models at work, measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from demeter.accounts.identity import acting_user
from demeter.cli.notices import print_notice
from demeter.cli.tables import RowTable
from demeter.core.db import engine, transaction
from demeter.learning import calibration
from demeter.learning.calibration import Calibration, CalibrationSample
from demeter.learning.recount_samples import samples_of_recounts
from demeter.vision_models import active

_out, _err = Console(highlight=False), Console(stderr=True)

Folder = Annotated[
    Path | None, typer.Argument(help="marked photos; none: the blind recounts of these models")
]


def calibrate(
    folder: Folder = None,
    *,
    back: Annotated[bool, typer.Option("--back", help="the shipped intervals again")] = False,
    only_tell: Annotated[
        bool, typer.Option("--only-tell", help="fit and tell, keep nothing")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="keep it even if no better")] = False,
    user: Annotated[str | None, typer.Option("--user", help="else the service user")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Fit the 90 % intervals to the models at work; kept if it covers better than the present."""
    if back:
        with transaction() as session:
            calibration.keep_error_model(session, acting_user(session, user), None)
        _out.print("The shipped intervals are in use again, from the next photo on.")
        return
    samples, source = _samples(folder)
    with transaction() as session:
        _, _, present = active.choice_at_work(session)
        result = calibration.calibrate(samples, present, source)
        is_kept = not only_tell and (result.is_better or anyway)
        if is_kept:
            calibration.keep_error_model(session, acting_user(session, user), result)
    if as_json:
        typer.echo(json.dumps(result.as_json() | {"kept": is_kept}))
        return
    _print_coverage(result, is_kept=is_kept)


def _samples(folder: Path | None) -> tuple[list[CalibrationSample], str]:
    if folder is None:
        with transaction() as session:
            samples = samples_of_recounts(session)
        return samples, f"Fitted on {len(samples)} blind recounts of this nursery."
    with Progress(console=_err, transient=True) as bar:
        line = bar.add_task("Counting", total=1.0)
        samples = calibration.samples_of_folder(
            engine(), folder, lambda share: bar.update(line, completed=share), print_notice
        )
    return samples, f"Fitted on {len(samples)} marked photos of {folder.name}."


def _print_coverage(result: Calibration, *, is_kept: bool) -> None:
    table = RowTable("90 % intervals", "hold the truth of photos", "of containers", "mean width")
    for name, cover in (("present", result.present), ("fitted", result.fitted)):
        table.add_row(name, f"{cover.photos:.1%}", f"{cover.containers:.1%}", f"{cover.width:.1f}")
    table.print()
    _out.print(
        f"{result.samples} photos, {result.containers} containers; fitted ones are judged on "
        "photos they were not fitted on"
    )
    _out.print("Kept: used from the next photo on." if is_kept else "Not kept.")
