"""``demeter db …``: the database's address, schema and life."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from demeter.cli.groups import command_group
from demeter.core import db
from demeter.core.errors import InvalidInput
from demeter.core.localdb import LocalDatabase, programs
from demeter.core.settings import settings

app = command_group(help="The database: its address, its schema, its life.", no_args_is_help=True)
_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


class NoSuchRevision(InvalidInput):
    """The schema has no such revision, or cannot get there."""

    code = "no_such_revision"
    title = "The schema has no such revision"
    next_action = "Leave --revision out to bring the schema up to date; `base` undoes all."


@app.command("url")
def url() -> None:
    """Print the libpq URL, and nothing else; starts the embedded database where needed."""
    sys.stdout.write(f"{db.database_url()}\n")


@app.command("migrate")
def migrate(
    revision: Annotated[str, typer.Option(help="up or down to it; `base` undoes all")] = "head",
    *,
    stop_after: Annotated[
        bool, typer.Option("--stop-after", help="stop the database if this command started it")
    ] = False,
) -> None:
    """Bring the schema and the reference rows up to date."""
    embedded = _embedded()
    started_here = embedded is not None and embedded.status().is_down
    _migrate(revision)
    _err.print(f"The schema is at {revision}.")
    db.engine().dispose()
    if embedded is not None and started_here and stop_after:
        embedded.stop()


def _migrate(revision: str) -> None:
    from alembic.util import CommandError  # noqa: PLC0415  other commands migrate nothing

    if not revision.isalnum():  # alembic has a language of its own for others, and trips over it
        raise NoSuchRevision(f"no revision is called {revision!r}", revision=revision)
    try:
        db.migrate(db.engine(), revision)
    except CommandError as error:
        raise NoSuchRevision(str(error), revision=revision) from error


@app.command("start")
def start() -> None:
    """Start the embedded database; it runs until `demeter db stop` or the machine's end."""
    _err.print(f"Running: {_embedded_or_exit().ensure_running()}")


@app.command("stop")
def stop() -> None:
    """Stop the embedded database; open transactions are rolled back."""
    _embedded_or_exit().stop()
    _err.print("Stopped.")


@app.command("status")
def status() -> None:
    """Say whether the embedded database runs; the exit status is 0 if it does."""
    state = _embedded_or_exit().status()
    version = f" (PostgreSQL {state.major})" if state.major else ""
    _out.print(f"{state.state}{version} in {state.data_dir}", soft_wrap=True)
    if state.state != "running":
        raise typer.Exit(1)


@app.command("shell")
def shell() -> None:
    """Open psql on the database."""
    address = db.database_url()
    installation = programs.find(settings().home)
    psql = installation.path("psql")
    os.execve(psql, [str(psql), address], {**os.environ, **installation.environment})  # noqa: S606


def _embedded() -> LocalDatabase | None:
    configured = settings()
    return None if configured.database_url else LocalDatabase(configured.home)


def _embedded_or_exit() -> LocalDatabase:
    embedded = _embedded()
    if embedded is None:
        _err.print("DEMETER_DATABASE_URL is set: that server is not Demeter's to start or stop.")
        raise typer.Exit(1)
    return embedded
