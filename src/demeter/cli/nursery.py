"""``demeter nursery``: its name, language and time zone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from demeter.accounts.identity import acting_user
from demeter.accounts.own_nursery import change_nursery, read_nursery
from demeter.accounts.schemas import NurseryRead, NurseryUpdate
from demeter.cli.groups import command_group
from demeter.cli.output import checked_input, print_json
from demeter.core.db import transaction

app = command_group(help="The nursery: its name, language and time zone.", no_args_is_help=True)
_out = Console(highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("show")
def show_nursery(*, as_json: AsJson = False) -> None:
    """As its admin named it."""
    with transaction() as session:
        read = read_nursery(session)
    _print(read, as_json=as_json)


@app.command("change")
def change(
    *,
    name: Annotated[str | None, typer.Option(help="what people call it")] = None,
    language: Annotated[str | None, typer.Option(help="es or en")] = None,
    time_zone: Annotated[str | None, typer.Option(help="as America/Argentina/Mendoza")] = None,
    user: Annotated[str | None, typer.Option(help="who does it; else the service user")] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; other processes know of it within ten seconds."""
    update: NurseryUpdate = checked_input(
        NurseryUpdate, name=name, language=language, time_zone=time_zone
    )
    with transaction() as session:
        acting_user(session, user)
        read = change_nursery(session, update)
    _print(read, as_json=as_json)


def _print(read: NurseryRead, *, as_json: bool) -> None:
    if as_json:
        print_json(read)
        return
    _out.print(f"{read.name or 'no name yet'}: {read.language}, {read.time_zone}", markup=False)
