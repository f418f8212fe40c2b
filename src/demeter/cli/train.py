"""``demeter train``: the shipped models again, or better ones from one's own pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bar

from demeter.cli.groups import command_group
from demeter.core.errors import InvalidInput
from demeter.core.settings import settings
from demeter.vision.networks.shipped import weights_folder
from demeter_training.scenes.export import write_scenes

app = command_group()

STEPS, RATE = 4000, 1.5e-3
FINE_STEPS, FINE_RATE = 300, 3e-4  # a model that sees plants already is only bent a little
REHEARSED = 300  # rendered pictures beside one's own: a few photos alone are learnt by heart
_RENDERED = {"detect": ("tiles", 0), "segment": ("photos", 1320)}  # kind, and side in pixels


class Task(StrEnum):
    """What is learnt."""

    DETECT = "detect"
    SEGMENT = "segment"


SHIPPED_FILES = {Task.DETECT: "plants.onnx", Task.SEGMENT: "containers.onnx"}


class From(StrEnum):
    """What is learnt from besides folders."""

    ACCEPTED = "accepted"


@app.command("train")
def train(
    task: Annotated[Task, typer.Argument(help="detect: plants; segment: containers")],
    folders: Annotated[
        list[Path] | None, typer.Argument(help="folders with a coco.json each")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="ONNX file to write")],
    from_: Annotated[
        From | None,
        typer.Option("--from", help="accepted: what people here have accepted and corrected"),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="weights to start from, .onnx or .pt; with --from accepted the model at work"
        ),
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="folder with a coco.json to measure on at the end")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="4000; with --from accepted 300")] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=1e-6, help="highest learning rate: 1.5e-3; with --from accepted 3e-4"),
    ] = None,
    rehearse: Annotated[
        int,
        typer.Option(
            min=0,
            help="with --from accepted: rendered pictures to learn from as often as from one's "
            "own, so that what is known is not forgotten",
        ),
    ] = REHEARSED,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    run: Annotated[Path, typer.Option(help="where the checkpoint is kept")] = Path("runs/train"),
) -> None:
    """Train on rendered or collected pictures; an interrupted run goes on where it stopped."""
    try:
        from demeter_training.training.training_job import TrainingJob, run_job  # noqa: PLC0415 - wants PyTorch
    except ModuleNotFoundError as error:
        typer.echo(f"Training needs PyTorch: pip install 'demeter[train]' ({error})", err=True)
        raise typer.Exit(1) from error
    from_accepted = from_ is not None
    learnt_folders = [
        *(folders or []),
        *([_accepted_pictures(task, run / "accepted")] if from_accepted else []),
    ]
    if not learnt_folders:
        raise InvalidInput("name folders to learn from, or --from accepted")
    if from_accepted and start is None:
        start = _model_at_work(task)
    steps = steps or (FINE_STEPS if from_accepted else STEPS)
    rate = rate or (FINE_RATE if from_accepted else RATE)
    rehearsed_folders = (
        (_rendered_pictures(task, run / "rehearsed", rehearse, seed, threads),)
        if from_accepted and rehearse
        else ()
    )
    job = TrainingJob(
        task.value,
        tuple(learnt_folders),
        out,
        start,
        held_out,
        steps,
        rate,
        seed,
        threads,
        run,
        rehearsed_folders,
    )
    has_learnt = False
    with Bar() as bar:
        line = bar.add_task("Training", total=steps)
        for progress in run_job(job):
            text = "  ".join(f"{k} {v:.2f}" for k, v in progress.losses.items())
            bar.update(line, completed=progress.step, description=text)
            has_learnt = True
    if not has_learnt:
        typer.echo(
            f"{run} holds this run, finished: nothing more is learnt; begin with another --run."
        )
    typer.echo(f"{out} written")
    if held_out is not None:
        _print_figures(task, out, held_out, threads)
    if from_accepted:
        typer.echo(f"Next: demeter models add {out}, then demeter models promote {out.stem}")


def _accepted_pictures(task: Task, folder: Path) -> Path:
    """The folder of what people accepted, made unless the run has one already."""
    from demeter.core.db import engine  # noqa: PLC0415 - training on folders needs no database
    from demeter.learning.splits import SplitRule  # noqa: PLC0415
    from demeter.learning.training_tiles import prepare_pictures  # noqa: PLC0415
    from demeter.vision_models.models import VisionTask  # noqa: PLC0415

    rule = SplitRule(settings().held_out_share)
    with Bar() as bar:
        line = bar.add_task("Photos", total=None)
        pictures = prepare_pictures(
            engine(),
            VisionTask(task.value),
            folder,
            rule,
            lambda done, total: bar.update(line, completed=done, total=total),
        )
    typer.echo(
        f"Learning from {pictures.photos} photos of {pictures.places} locations, as they were "
        f"accepted by {pictures.made_at[:16]}; another --run begins anew."
    )
    return pictures.folder


def _rendered_pictures(task: Task, folder: Path, count: int, seed: int, workers: int) -> Path:
    """A folder in ``folder`` with ``count`` pictures of what the model knows already.

    Those that are there are not drawn again.
    """
    kind, side_px = _RENDERED[task.value]
    folder /= f"{kind}-{count}-{seed}"
    if not (folder / "coco.json").exists():
        with Bar() as bar:
            line = bar.add_task("Rendered pictures", total=count)
            scenes = write_scenes(folder, kind, count, seed, side_px=side_px, workers=workers)
            for done in scenes:
                bar.update(line, completed=done)
    return folder


def _model_at_work(task: Task) -> Path:
    """The file of the model at work: training goes on from it.

    Raises:
        InvalidInput: it is of another make, which only its own package can train.
    """
    from demeter.core.db import engine, transaction  # noqa: PLC0415
    from demeter.vision_models import active, inspect_file, registry  # noqa: PLC0415
    from demeter.vision_models.models import VisionTask  # noqa: PLC0415

    with transaction() as session:
        row = registry.active(session, VisionTask(task.value))
        if row is None:
            return weights_folder() / SHIPPED_FILES[task]
        if row.family != inspect_file.OWN:
            raise InvalidInput(
                f"{row.name}, the model at work, is a {row.family} export: train it with its own "
                "package, or give --start"
            )
        return active.files_of(engine(), row)


def _print_figures(task: Task, model: Path, held_out: Path, threads: int) -> None:
    from demeter_training.training.training_job import figures  # noqa: PLC0415 - wants PyTorch

    for name, value in figures(task.value, model, held_out, threads).items():
        typer.echo(f"{name:28} {value:.3f}")
