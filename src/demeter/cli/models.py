"""``demeter models …``: people's own models, put to work and taken off it again."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.cli import models_calibrate, models_compare
from demeter.cli.groups import command_group
from demeter.cli.notices import print_notice
from demeter.cli.tables import RowTable
from demeter.core.db import engine, transaction
from demeter.core.errors import InvalidInput
from demeter.learning import preview
from demeter.vision.networks.class_names import meaning_of
from demeter.vision_models import active, registry
from demeter.vision_models.models import ModelActivation, VisionModel, VisionTask

app = command_group(help="Models: add your own, compare them, put them to work, roll back.")
_out = Console(highlight=False)

app.command("compare")(models_compare.compare)
app.command("promote")(models_compare.promote)
app.command("calibrate")(models_calibrate.calibrate)

UserName = Annotated[str | None, typer.Option("--user", help="who does it; else the service user")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Model = Annotated[str, typer.Argument(help="name, beginning of the hash, or `shipped`")]
Task = Annotated[VisionTask | None, typer.Option(help="detect or segment, where it is not plain")]


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help=".onnx, .xml beside .bin, their folder or .zip")],
    *,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="class=plant, =empty_container, =pot … ; once a class"),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="names by index, comma between, where the file has none")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="under which it may be used")] = None,
    photo: Annotated[
        Path | None, typer.Option("--preview", help="only show what it sees in this photo")
    ] = None,
    picture: Annotated[
        Path, typer.Option("--preview-out", help="where the preview's picture goes")
    ] = Path("preview.webp"),
    user: UserName = None,
    as_json: AsJson = False,
) -> None:
    """Add a YOLO11, YOLOv8 or YOLOX export, or one that `demeter train` wrote."""
    names = [n.strip() for n in classes.split(",")] if classes else []
    with tempfile.TemporaryDirectory() as folder:
        candidate = registry.inspect_model(file, Path(folder), _mapping(map_ or []), names, licence)
        for notice in candidate.notices:
            print_notice(notice)
        if photo is not None:
            body = preview.preview_photo(engine(), candidate, photo, picture)
            _print_body(body, as_json=as_json, lines=_preview_lines(body))
            return
        with transaction() as session:
            row = registry.add(session, acting_user(session, user), candidate)
            row_body = _as_json(row)
    _print_body(row_body, as_json=as_json, lines=_model_lines(row_body))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """All models and which are at work; the shipped ones come first."""
    with transaction() as session:
        at_work = {task: registry.active(session, task) for task in VisionTask}
        rows = [_shipped(task, at_work[task]) for task in VisionTask]
        rows += [
            _as_json(row) | {"active": at_work[row.task] is row}
            for row in registry.all_models(session)
        ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = RowTable("", "name", "task", "family", "hash", "added", "by", "licence")
    for row in rows:
        table.add_row(
            "●" if row["active"] else "",
            row["name"],
            row["task"],
            row["family"],
            row["sha256"][:12],
            (row["added_at"] or "")[:16],
            row["added_by"] or "",
            row["licence"] or "",
        )
    table.print()


@app.command("show")
def show(model: Model, as_json: AsJson = False) -> None:
    """A model with its classes, figures, and when it was at work."""
    with transaction() as session:
        row = registry.find(session, model)
        history = [
            _activation(a)
            for a in registry.history(session, row.task)
            if a.vision_model_id == row.id
        ]
        body = _as_json(row) | {
            "active": registry.active(session, row.task) is row,
            "activations": history,
        }
    lines = [
        *_model_lines(body),
        *(f"{a['at'][:16]}  {a['kind']} by {a['by']}  {a['reason'] or ''}" for a in history),
    ]
    _print_body(body, as_json=as_json, lines=lines)


@app.command("activate")
def activate(
    model: Model,
    task: Task = None,
    reason: Annotated[str | None, typer.Option(help="why")] = None,
    user: UserName = None,
) -> None:
    """Put a model to work from the next photo on, without the gate of `promote`."""
    with transaction() as session:
        row, for_task = find_model(session, model, task)
        user_row = acting_user(session, user)
        registry.activate(session, user_row, row, for_task, reason=reason)
    _print_at_work(for_task)


@app.command("rollback")
def rollback(
    task: Annotated[VisionTask, typer.Argument(help="detect or segment")],
    reason: Annotated[str | None, typer.Option(help="why")] = None,
    user: UserName = None,
) -> None:
    """Put the model to work again that was before the present one."""
    with transaction() as session:
        registry.roll_back(session, acting_user(session, user), task, reason)
    _print_at_work(task)


def find_model(
    session: Session, model: str, task: VisionTask | None
) -> tuple[VisionModel | None, VisionTask]:
    """The model of a name and its task; ``shipped`` needs the task named.

    Raises:
        ModelNotFound, InvalidInput: there is none, or the task was not named.
    """
    if model != registry.SHIPPED:
        row = registry.find(session, model)
        return row, row.task
    if task is None:
        raise InvalidInput("say which shipped model: --task detect or --task segment")
    return None, task


def _mapping(pairs: list[str]) -> dict[str, str]:
    """``class=meaning`` pairs.

    Raises:
        InvalidInput: one is none, or means nothing here.
    """
    mapping = {}
    for pair in pairs:
        name, equals, meaning = pair.rpartition("=")
        meaning_here = meaning_of(meaning)
        if not equals or not name:
            raise InvalidInput(f"{pair!r} is not class=meaning")
        if not (
            meaning_here.is_plant
            or meaning_here.is_empty
            or meaning_here.container
            or meaning == "ignore"
        ):
            raise InvalidInput(
                f"{meaning!r} means nothing here: plant, empty_container, segment, box, plug, "
                "seedling_tray, pot or ignore"
            )
        mapping[name] = meaning
    return mapping


def _print_at_work(task: VisionTask) -> None:
    with transaction() as session:
        row = registry.active(session, task)
        name = f"{row.name} ({row.sha256[:12]})" if row else "the shipped model"
    _out.print(f"At work for {task}: {name}, from the next photo on.")


def _as_json(row: VisionModel) -> dict[str, Any]:
    names = "name sha256 family format classes input_side_px size_bytes licence metrics"
    return {name: getattr(row, name) for name in names.split()} | {
        "task": row.task.value,
        "mapping": row.class_mapping,
        "meanings": preview.meanings(row.task, row.classes, row.class_mapping),
        "added_by": row.added_by.username,
        "added_at": row.created_at.isoformat(),
    }


def _shipped(task: VisionTask, at_work: VisionModel | None) -> dict[str, Any]:
    """The shipped model of a task; its hash changes with Demeter's version."""
    return {
        "name": registry.SHIPPED,
        "task": task.value,
        "family": "demeter",
        "sha256": active.identities(None, None)[task is VisionTask.SEGMENT],
        "active": at_work is None,
        "added_by": None,
        "added_at": None,
        "licence": "Apache-2.0",
    }


def _activation(row: ModelActivation) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "by": row.user.username,
        "at": row.created_at.isoformat(),
        "reason": row.reason,
        "model_comparison_id": row.model_comparison_id,
    }


def _model_lines(body: dict[str, Any]) -> list[str]:
    return [
        f"{body['name']}  {body['task']}  {body['family']} ({body['format']})  {body['sha256']}",
        *(f"  {name} → {meaning}" for name, meaning in body["meanings"].items()),
        *(f"  {name}: {value}" for name, value in body["metrics"].items()),
    ]


def _preview_lines(body: dict[str, Any]) -> list[str]:
    return [
        f"{body['task']}  {body['family']}  {body['sha256']}  not added: this was a preview",
        *(f"  {name} → {meaning}" for name, meaning in body["meanings"].items()),
        f"{body['containers']} containers, {body['plants']} plants, {body['empties']} empty",
        f"Picture: {body['picture']}",
    ]


def _print_body(body: dict[str, Any], *, as_json: bool, lines: list[str]) -> None:
    if as_json:
        typer.echo(json.dumps(body))
        return
    for line in lines:
        _out.print(line, soft_wrap=True)
