"""``demeter train``: the shipped models again, or better ones from one's own pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bar

from demeter.errors import DomainError

app = typer.Typer()


class Task(StrEnum):
    """What is learnt."""

    DETECT = "detect"
    SEGMENT = "segment"


@app.command("train")
def train(
    task: Annotated[Task, typer.Argument(help="detect: plants; segment: containers")],
    folders: Annotated[list[Path], typer.Argument(help="folders with a coco.json each")],
    *,
    out: Annotated[Path, typer.Option(help="ONNX file to write")],
    start: Annotated[
        Path | None, typer.Option(help="YOLOX-nano COCO weights (.onnx) or a checkpoint (.pt)")
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="folder with a coco.json to measure on at the end")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = 4000,
    rate: Annotated[float, typer.Option(min=1e-6, help="highest learning rate")] = 1.5e-3,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    run: Annotated[Path, typer.Option(help="where the checkpoint is kept")] = Path("runs/train"),
) -> None:
    """Train on rendered or collected pictures; an interrupted run goes on where it stopped."""
    try:
        from demeter.vision.training.session import Job, trained  # noqa: PLC0415 - wants PyTorch
    except ModuleNotFoundError as error:
        typer.echo(f"Training needs PyTorch: pip install 'demeter[train]' ({error})", err=True)
        raise typer.Exit(1) from error
    job = Job(task.value, tuple(folders), out, start, held_out, steps, rate, seed, threads, run)
    try:
        with Bar() as bar:
            line = bar.add_task("Training", total=steps)
            for p in trained(job):
                text = "  ".join(f"{k} {v:.2f}" for k, v in p.losses.items())
                bar.update(line, completed=p.step, description=text)
    except DomainError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out} written")
    if held_out is not None:
        _tell_figures(task, out, held_out, threads)


def _tell_figures(task: Task, model: Path, held_out: Path, threads: int) -> None:
    from demeter.vision.training.session import figures  # noqa: PLC0415 - wants PyTorch

    for name, value in figures(task.value, model, held_out, threads).items():
        typer.echo(f"{name:28} {value:.3f}")
