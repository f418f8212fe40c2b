"""``demeter models compare`` and ``promote``: which is better, may it replace the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.cli.notices import print_notice
from demeter.cli.tables import RowTable
from demeter.core.db import engine, transaction
from demeter.core.errors import InvalidInput
from demeter.learning import promotion
from demeter.learning.bootstrap import Difference
from demeter.learning.promotion import Judgement
from demeter.vision_models import registry
from demeter.vision_models.models import VisionModel, VisionTask

_out, _err = Console(highlight=False), Console(stderr=True)

ACTIVE = "active"
Folder = Annotated[
    Path | None, typer.Argument(help="marked photos; none: the nursery's held-out locations")
]
Task = Annotated[VisionTask | None, typer.Option(help="where both are `shipped` or `active`")]
Margin = Annotated[float, typer.Option(min=0, max=1, help="by how much it may be worse")]
UserName = Annotated[str | None, typer.Option("--user", help="who does it; else the service user")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def compare(
    incumbent: Annotated[str, typer.Argument(help="a model, `active` or `shipped`")],
    candidate: Annotated[str, typer.Argument(help="a model, `active` or `shipped`")],
    folder: Folder = None,
    task: Task = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="on the nursery's held-out locations")
    ] = False,
    user: UserName = None,
    as_json: AsJson = False,
) -> None:
    """Count the same marked photos with both models and say which is better, how surely."""
    if held_out and folder is not None:
        raise InvalidInput("either a folder or --held-out")
    judgement = _judge(incumbent, candidate, folder, task)
    with transaction() as session:
        row = promotion.keep_comparison(session, acting_user(session, user), judgement)
        body = row.figures | {"passed": row.passed, "task": judgement.task.value}
    _print_comparison(judgement, body, as_json=as_json)


def promote(
    candidate: Annotated[str, typer.Argument(help="the model that is to be put to work")],
    folder: Folder = None,
    task: Task = None,
    margin: Margin = promotion.MARGIN,
    user: UserName = None,
    as_json: AsJson = False,
) -> None:
    """Put a model to work if it is not worse than the active one on held-out photos."""
    judgement = _judge(ACTIVE, candidate, folder, task)
    with transaction() as session:
        row = promotion.keep_comparison(session, acting_user(session, user), judgement, margin)
        body = row.figures | {"passed": row.passed, "task": judgement.task.value}
    _print_comparison(judgement, body, as_json=as_json)
    with transaction() as session:
        promotion.promote(session, acting_user(session, user), judgement, session.merge(row))
    if not as_json:
        _out.print(
            f"At work for {judgement.task}: {_model_name(judgement.candidate)}, "
            "from the next photo on."
        )


def _judge(
    incumbent: str, candidate: str, folder: Path | None, task: VisionTask | None
) -> Judgement:
    with transaction() as session:
        for_task = task or _task_of(session, incumbent, candidate)
        models = [_model(session, name, for_task) for name in (incumbent, candidate)]
    with Progress(console=_err, transient=True) as bar:
        line = bar.add_task("Counting with both", total=1.0)
        return promotion.judge_models(
            engine(),
            for_task,
            models[0],
            models[1],
            folder,
            lambda share: bar.update(line, completed=share),
            print_notice,
        )


def _task_of(session: Session, *names: str) -> VisionTask:
    for name in names:
        if name not in (ACTIVE, registry.SHIPPED):
            return registry.find(session, name).task
    raise InvalidInput("say which: --task detect or --task segment")


def _model(session: Session, name: str, task: VisionTask) -> VisionModel | None:
    if name == ACTIVE:
        return registry.active(session, task)
    if name == registry.SHIPPED:
        return None
    row = registry.find(session, name)
    if row.task is not task:
        raise InvalidInput(f"{row.name} is for {row.task}, the other model for {task}")
    return row


def _print_comparison(judgement: Judgement, body: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(body))
        return
    comparison = judgement.comparison
    table = RowTable(
        "figure",
        _model_name(judgement.incumbent),
        _model_name(judgement.candidate),
        "change",
        "95 %",
    )
    table.add_row("F1", *_cells(comparison.f1))
    table.add_row("error of counts (MAPE)", *_cells(comparison.mape))
    table.print()
    verdict = "not worse" if body["passed"] else "may be worse, or too few photos"
    _out.print(f"{comparison.photos} photos, {comparison.drawn} drawn; {verdict}")


def _cells(d: Difference) -> tuple[str, str, str, str]:
    span = f"{d.low:+.3f} to {d.high:+.3f}"
    return f"{d.incumbent:.3f}", f"{d.candidate:.3f}", f"{d.value:+.3f}", span


def _model_name(model: VisionModel | None) -> str:
    return f"{model.name} {model.sha256[:8]}" if model else registry.SHIPPED
