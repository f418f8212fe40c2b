"""The command ``demeter``: one file of commands a feature."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from demeter import logs
from demeter.cli import db, doctor, photos, up, worker
from demeter.errors import DomainError

app = typer.Typer(
    name="demeter",
    help="Counts the plants of a nursery from photos and keeps its stock ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(db.app, name="db")
app.add_typer(photos.app, name="photos")
app.command("worker")(worker.worker)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command; a refusal is told on standard error with what to do about it."""
    logs.configure()
    try:
        app()
    except DomainError as error:
        err = Console(stderr=True, highlight=False)
        err.print(f"[red]{error.title}:[/red] {error.message}", soft_wrap=True)
        if error.next_action:
            err.print(f"→ {error.next_action}", soft_wrap=True)
        sys.exit(1)
