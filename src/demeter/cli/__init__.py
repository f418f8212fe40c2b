"""The command ``demeter``: one file of commands a feature, read when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import psycopg
import typer
from rich.console import Console
from sqlalchemy.exc import ProgrammingError
from typer.core import TyperGroup
from typer.main import get_command

from demeter.core import logs
from demeter.core.errors import DomainError, Unavailable

# name: (module, what is in it: a Typer app or a function). Loading all of them takes
# seconds, for vision comes along; a script that asks for the database's address must not wait.
COMMANDS = {
    "counts": ("demeter.cli.counts", "app"),
    "db": ("demeter.cli.db", "app"),
    "dataset": ("demeter.cli.dataset", "app"),
    "demo": ("demeter.cli.demo", "demo"),
    "doctor": ("demeter.cli.doctor", "doctor"),
    "evaluate": ("demeter.cli.evaluate", "app"),
    "models": ("demeter.cli.models", "app"),
    "periods": ("demeter.cli.periods", "app"),
    "photos": ("demeter.cli.photos", "app"),
    "stock": ("demeter.cli.stock", "app"),
    "synth": ("demeter.cli.scenes", "app"),
    "train": ("demeter.cli.train", "app"),
    "up": ("demeter.cli.up", "up"),
    "verify": ("demeter.cli.verify", "verify"),
    "worker": ("demeter.cli.worker", "worker"),
}

SERVICES = ("up", "worker")  # they run for long, and their log is what one reads


class Commands(TyperGroup):
    """Subcommands that are imported when they are named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in order."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself, or ``None``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="demeter",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _demeter() -> None:
    """Counts the plants of a nursery from photos and keeps its stock ledger."""


class SchemaOutdated(Unavailable):
    """The database has not been migrated to what this code expects."""

    code = "schema_outdated"
    title = "The database's schema is not up to date"
    next_action = "Run: demeter db migrate"


def _run() -> None:
    try:
        app()
    except ProgrammingError as error:
        missing = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
        if isinstance(error.orig, missing):
            raise SchemaOutdated(str(error.orig).partition("\n")[0]) from error
        raise


def main() -> None:
    """Run a command; a refusal is told on standard error with what to do about it."""
    logs.configure(quietly=not set(SERVICES) & set(sys.argv[1:2]))
    try:
        _run()
    except DomainError as error:
        err = Console(stderr=True, highlight=False)
        err.print(f"[red]{error.title}:[/red] {error.message}", soft_wrap=True)
        if error.next_action:
            err.print(f"→ {error.next_action}", soft_wrap=True)
        sys.exit(1)
