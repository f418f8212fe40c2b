"""``demeter synth``: rendered pictures with exact truth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from demeter.cli.groups import command_group
from demeter_training.scenes.export import write_scenes

app = command_group()


class SceneKind(StrEnum):
    """What is rendered."""

    TILES = "tiles"
    PHOTOS = "photos"
    GROWERS = "growers"
    BARE = "bare"


@app.command("synth")
def synth(
    out: Annotated[Path, typer.Argument(help="folder to write to; made if missing")],
    *,
    count: Annotated[int, typer.Option(min=1, help="how many pictures")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="the same seed gives the same pictures")] = 0,
    kind: Annotated[
        SceneKind, typer.Option(help="tiles to train on, or whole photos")
    ] = SceneKind.PHOTOS,
    side: Annotated[
        int, typer.Option(min=0, help="longer side in pixels; 0: 640 for tiles, 4000 for photos")
    ] = 0,
    workers: Annotated[int, typer.Option(min=1, help="processes that render")] = 1,
) -> None:
    """Render pictures of benches into OUT, with their truth in OUT/coco.json."""
    with Progress() as bar:
        task = bar.add_task("Rendering", total=count)
        for done in write_scenes(out, kind.value, count, seed, side_px=side, workers=workers):
            bar.update(task, completed=done)
    typer.echo(f"{count} {kind.value} in {out}")
