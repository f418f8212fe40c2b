"""The command ``demeter``: one file of commands a feature, imported when it is named."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import demeter
from demeter.cli.groups import command_group


@dataclass(frozen=True, slots=True)
class CommandSource:
    """Where a command is, and the short help that a listing shows without importing it.

    ``attribute`` is a Typer app or a function of ``module``.
    """

    module: str
    attribute: str
    short_help: str


# Importing all of them takes seconds, for SQL and vision come along; neither a list of
# commands nor a script that asks for the database's address may wait for that.
COMMANDS = {
    "backup": CommandSource(
        "demeter.cli.backup",
        "backup",
        "Keep database and photos at DEST; photos that are there already are not sent again.",
    ),
    "beds": CommandSource("demeter.cli.beds", "app", "Beds: what grows where."),
    "catalog": CommandSource(
        "demeter.cli.catalog", "app", "The catalog: products, packaging, prices."
    ),
    "counts": CommandSource(
        "demeter.cli.counts", "app", "Counts: by hand, corrected, taken back; count sheets."
    ),
    "dataset": CommandSource(
        "demeter.cli.dataset",
        "app",
        "What people accepted and corrected: as a training set, as densities.",
    ),
    "db": CommandSource(
        "demeter.cli.db", "app", "The database: its address, its schema, its life."
    ),
    "demo": CommandSource(
        "demeter.cli.demo",
        "demo",
        "Load a small made-up nursery, count its photos, and show what became of them.",
    ),
    "doctor": CommandSource(
        "demeter.cli.doctor",
        "doctor",
        "Check each part and say how to mend it; the exit status is 1 if something fails.",
    ),
    "evaluate": CommandSource(
        "demeter.cli.evaluate",
        "app",
        "Count the plants of the marked photos of FOLDER and say how right that is.",
    ),
    "evidence": CommandSource(
        "demeter.cli.evidence", "app", "Evidence: sessions, images, detections, lots, movements."
    ),
    "labels": CommandSource(
        "demeter.cli.labels",
        "labels",
        "Write QR labels of beds as PDF: code, name, and the QR that is read in photos.",
    ),
    "models": CommandSource(
        "demeter.cli.models",
        "app",
        "Models: add your own, compare them, put them to work, roll back.",
    ),
    "nursery": CommandSource(
        "demeter.cli.nursery", "app", "The nursery: its name, language and time zone."
    ),
    "people": CommandSource(
        "demeter.cli.people", "app", "People: added, invited, given a role, let go."
    ),
    "periods": CommandSource(
        "demeter.cli.periods",
        "app",
        "Month's end: open, look, explain, close, reopen, report.",
    ),
    "photos": CommandSource(
        "demeter.cli.photos",
        "app",
        "Photos: add them, watch them become stock, settle what waits.",
    ),
    "places": CommandSource("demeter.cli.places", "app", "Places: greenhouses, areas and beds."),
    "restore": CommandSource(
        "demeter.cli.backup",
        "restore",
        "Bring a backup into an empty home and database; stop Demeter first.",
    ),
    "retention": CommandSource(
        "demeter.cli.retention",
        "retention",
        "Let go of photos and pictures that the settings no longer keep; both are off by default.",
    ),
    "stock": CommandSource(
        "demeter.cli.stock", "app", "Stock: what there is, and what people report."
    ),
    "synth": CommandSource(
        "demeter.cli.scenes",
        "app",
        "Render pictures of benches into OUT, with their truth in OUT/coco.json.",
    ),
    "tokens": CommandSource("demeter.cli.tokens", "app", "Tokens: made, listed, ended."),
    "train": CommandSource(
        "demeter.cli.train",
        "app",
        "Train on rendered or collected pictures; an interrupted run goes on where it stopped.",
    ),
    "up": CommandSource(
        "demeter.cli.up",
        "up",
        "Run database, web and workers together; Ctrl-C or SIGTERM stops them all.",
    ),
    "upgrade": CommandSource(
        "demeter.cli.upgrade",
        "upgrade",
        "Bring the schema up to this version's, if there is a way back and room for it.",
    ),
    "verify": CommandSource(
        "demeter.cli.verify",
        "verify",
        "Recompute every quantity of the ledger; the exit status is 1 if anything is wrong.",
    ),
    "webhooks": CommandSource(
        "demeter.cli.webhooks", "app", "Webhooks: added, listed, told again."
    ),
    "worker": CommandSource(
        "demeter.cli.worker",
        "worker",
        "Run jobs of these queues; SIGTERM lets the one in hand finish.",
    ),
}

SERVICES = ("up", "worker")  # they run for long, and their log is what one reads
WITHOUT_TABLES = ("db", "doctor", "synth", "train", "up")  # they ask for no rows by their class


class LazyCommands(TyperGroup):
    """Subcommands that are listed by their short help and imported when they are named."""

    def __init__(self, **attributes: Any) -> None:
        listed = {
            name: TyperCommand(name, short_help=source.short_help)
            for name, source in COMMANDS.items()
        }
        super().__init__(**{**attributes, "commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Name, command and the arguments left over."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, imported_command(name) if name else None, rest


def imported_command(name: str) -> Any:
    """The command itself, out of its module."""
    source = COMMANDS[name]
    commands = getattr(import_module(source.module), source.attribute)
    if name not in WITHOUT_TABLES:
        import_module("demeter.tables")  # a row's class leads to those of other rooms
    if not isinstance(commands, typer.Typer):
        function = commands
        commands = command_group()
        commands.command(name)(function)
    command = get_command(commands)
    command.name = name
    return command


app = typer.Typer(
    name="demeter",
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"demeter {demeter.version()}")
        raise typer.Exit


@app.callback()
def _demeter(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Counts the plants of a nursery from photos and keeps its stock ledger."""
    del version  # its callback has answered already


def main() -> None:
    """Run a command; a refusal goes to standard error with what to do about it."""
    os.umask(0o077)  # what Demeter writes is its owner's alone: see `core.private_files`
    for stream in (sys.stdout, sys.stderr):  # a name of a file need be no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    command = next(iter(sys.argv[1:]), "")
    is_service = command in SERVICES
    try:
        if command in COMMANDS:  # help, version and completion log nothing
            _configure_logs(is_service=is_service)
            _act_as_machine_owner()
        app(prog_name="demeter")
    except Exception as error:
        # Imported when needed: what it knows of the database takes longer to import than a
        # list of the commands may take.
        from demeter.cli.refusals import refusal_of, report, unexpected  # noqa: PLC0415

        refusal = refusal_of(error)
        if refusal is None and is_service:
            raise
        report(refusal or unexpected(error), is_service=is_service)
        sys.exit(1)


def _act_as_machine_owner() -> None:
    from demeter.accounts import audit, identity  # noqa: PLC0415  see `main`
    from demeter.core import nursery  # noqa: PLC0415  see `main`

    identity.own_machine()
    audit.install()
    nursery.follow()


def _configure_logs(*, is_service: bool) -> None:
    from demeter.core import logs  # noqa: PLC0415  see `main`

    logs.configure(quietly=not is_service)
    if is_service:
        logs.catch_crashes()
