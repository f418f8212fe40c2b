"""``demeter places``: greenhouses, areas and beds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from demeter.cli.groups import command_group
from demeter.cli.imports import Profile, Yes, import_files
from demeter.cli.output import AsJson, Preview, User, print_json
from demeter.cli.registers import add_commands, print_table
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.locations import place_list
from demeter.locations.registers import PLACES

app = command_group(help="Places: greenhouses, areas and beds.", no_args_is_help=True)
add_commands(app, *PLACES, has_list=False)

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True, dir_okay=False, help="GeoJSON, KML, KMZ, or shapefiles, also in a zip"
    ),
]


@app.command("import")
def import_places(
    files: Files,
    *,
    profile: Profile = None,
    user: User = None,
    preview: Preview = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import the greenhouses, areas and beds of a survey; the same again changes nothing."""
    import_files(
        files,
        kind_name="places",
        profile=profile,
        preview=preview,
        yes=yes,
        as_json=as_json,
        user=user,
    )


@app.command("list")
def list_places(
    place: Annotated[
        str | None,
        typer.Argument(help="code of a greenhouse or an area, or a table's name; else all places"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List places in walking order, or every row of a table such as bins."""
    register = next((r for r in PLACES if r.name == place), None)
    if register is not None:
        print_table(register, None, [], active=None, as_json=as_json)
        return
    with transaction() as session:
        places = place_list.places(session, place)
    if as_json:
        print_json(places)
        return
    table = RowTable("code", "level", "name", "in", "m2", "walk order", "in use")
    for row in places:
        area = "" if row.area_m2 is None else f"{row.area_m2:.2f}"
        order = "" if row.walk_order is None else str(row.walk_order)
        in_use = "yes" if row.active else "no"
        table.add_row(row.code, row.level, row.name, row.parent_code, area, order, in_use)
    table.print()
