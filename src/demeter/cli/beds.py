"""``demeter beds …``: what grows where."""

from __future__ import annotations

from typing import Annotated

import typer

from demeter.accounts.identity import acting_user
from demeter.catalog import queries, service
from demeter.catalog.schemas import LocationConfigCreate, LocationConfigRead
from demeter.cli.output import AsJson, User, checked_input, out, print_json
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.formats import UNKNOWN
from demeter.stock import lookup
from demeter.vision.values import CountUnit

app = typer.Typer(help="Beds: what grows where.", no_args_is_help=True)


@app.command("list")
def list_(
    place: Annotated[
        str | None, typer.Argument(help="code of a greenhouse, an area or a location; else all")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Locations in use with what grows there, and how many counts wait to know it."""
    with transaction() as session:
        rows = queries.location_configs(session, place)
    _print(rows, as_json=as_json)


@app.command("choices")
def choices() -> None:
    """Products, states and packagings to choose from."""
    with transaction() as session:
        catalog = queries.growing_choices(session)
    for title, names in (
        ("product", [(p.code, p.name) for p in catalog.products]),
        ("state", [(s.name, s.description or "") for s in catalog.states]),
        ("packaging", [(k.sku, k.name) for k in catalog.packagings]),
    ):
        table = RowTable(title, "")
        for code, name in names:
            table.add_row(code, name)
        table.print()


@app.command("grow")
def grow(
    locations: Annotated[list[str], typer.Argument(help="codes of locations")],
    product: Annotated[str, typer.Option(help="the product's code")],
    state: Annotated[str, typer.Option(help="the state of its plants, such as SEEDLING")],
    packaging: Annotated[str | None, typer.Option(help="its SKU; none: as in a bed")] = None,
    *,
    count_unit: Annotated[
        CountUnit | None, typer.Option(help="what is counted; else by the kind of container")
    ] = None,
    framed_whole: Annotated[
        bool | None,
        typer.Option(
            "--framed-whole/--not-framed-whole", help="photos show the bed from edge to edge"
        ),
    ] = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say what grows at locations from now on; counts that wait for that are tried again."""
    body = {"product_code": product, "state": state, "packaging_sku": packaging, "user": user}
    checked = checked_input(
        LocationConfigCreate, framed_whole=framed_whole, count_unit=count_unit, **body
    )
    setting = service.Setting(checked.framed_whole, checked.names_unit, checked.count_unit)
    with transaction() as session:
        acting_user(session, checked.user)
        growing = lookup.growing(
            session, checked.product_code, checked.state, checked.packaging_sku
        )
        rows = [lookup.location(session, code) for code in dict.fromkeys(locations)]
        service.set_location_configs(session, rows, growing, setting)
        configs = queries.location_configs_of(session, locations)
    _print([row for row in configs if row.location_code in locations], as_json=as_json)


@app.command("clear")
def clear(
    locations: Annotated[list[str], typer.Argument(help="codes of locations")],
    *,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Say no more what grows at locations; new counts there wait until it is said."""
    with transaction() as session:
        acting_user(session, user)
        for code in sorted(dict.fromkeys(locations)):
            service.clear_location_config(session, lookup.location(session, code))
        configs = queries.location_configs_of(session, locations)
    _print([row for row in configs if row.location_code in locations], as_json=as_json)


def _print(rows: list[LocationConfigRead], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    table = RowTable(
        "location",
        "greenhouse",
        "area",
        "product",
        "state",
        "packaging",
        "counted",
        "framed whole",
        "waiting",
    )
    for row in rows:
        growing = (row.product_code, row.state, row.packaging_sku)
        table.add_row(
            row.location_code,
            row.warehouse_code,
            row.area_code,
            *(name or UNKNOWN for name in growing),
            row.count_unit or "",
            "yes" if row.framed_whole else "no",
            str(row.waiting or ""),
        )
    table.print()
    out.print(f"{len(rows)} locations")
