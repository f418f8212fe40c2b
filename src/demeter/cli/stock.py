"""``demeter stock …``: what there is, and what people report."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from demeter.cli.groups import command_group
from demeter.cli.output import (
    AsJson,
    At,
    Key,
    Preview,
    RequiredReason,
    User,
    carry_out,
    checked_input,
    number_text,
    out,
    print_json,
)
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.formats import site_text
from demeter.core.moments import moment_of, parse_typed
from demeter.stock import batch_history, commands, on_hand, queries, reversals
from demeter.stock.models import MovementType
from demeter.stock.on_hand import StockFilter
from demeter.stock.schemas import LedgerCommandCreate, Level, MovementCreate
from demeter.vision.values import ContainerType

app = command_group(help="Stock: what there is, and what people report.", no_args_is_help=True)

Code = Annotated[str | None, typer.Option()]


class MovementKind(StrEnum):
    """What can be reported."""

    PLANTAR = "plantar"
    SEMBRAR = "sembrar"
    MUERTE = "muerte"
    VENTAS = "ventas"
    AJUSTE = "ajuste"
    TRANSPLANTE = "transplante"
    MOVE = "move"


@app.command("show")
def show(
    by: Annotated[list[Level] | None, typer.Option(help="add up by this; may be repeated")] = None,
    at: Annotated[str | None, typer.Option(help="as of a moment, or the end of a date")] = None,
    warehouse: Code = None,
    area: Code = None,
    location: Code = None,
    product: Code = None,
    state: Code = None,
    packaging: Code = None,
    lot: Code = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Plants there are today, or were at any moment."""
    levels = list(dict.fromkeys(by or [Level.LOCATION, Level.PRODUCT]))
    filters = StockFilter(
        warehouse=warehouse,
        area=area,
        location=location,
        product=product,
        state=state,
        packaging=packaging,
        lot=lot,
    )
    moment = None if at is None else moment_of(parse_typed(at))
    with transaction() as session:
        rows = on_hand.stock_by(session, levels, filters, moment)
        total = on_hand.total_stock(session, filters, moment)
    if as_json:
        print_json(rows)
        return
    table = RowTable(*(level.value for level in levels), "plants")
    for row in rows:
        table.add_row(*(row.group[level] or "–" for level in levels), number_text(row.plants))
    table.print()
    out.print(f"{number_text(total.plants)} plants")
    if total.never_counted:
        out.print(f"locations never counted: {total.never_counted}; no number says what is there")


@app.command("report")
def report(
    kind: Annotated[
        MovementKind, typer.Argument(help="what happened; `move` is within a location")
    ],
    quantity: Annotated[int, typer.Argument(help="plants; negative only for `ajuste`")],
    location: Annotated[str | None, typer.Option(help="where")] = None,
    bin_: Annotated[str | None, typer.Option("--bin", help="or the bin")] = None,
    lot: Annotated[str | None, typer.Option(help="or the lot")] = None,
    product: Code = None,
    state: Code = None,
    size: Code = None,
    packaging: Code = None,
    category: Annotated[ContainerType | None, typer.Option(help="of the bin to plant in")] = None,
    price: Annotated[str | None, typer.Option(help="of one plant sold")] = None,
    to_location: Code = None,
    to_bin: Code = None,
    to_lot: Code = None,
    to_category: ContainerType | None = None,
    to_state: Code = None,
    to_size: Code = None,
    to_packaging: Code = None,
    *,
    new_lot: Annotated[bool, typer.Option("--new-lot", help="open a lot of its own")] = False,
    at: At = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="why; `ajuste` is refused without")
    ] = None,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Planted, sown, died, sold, adjusted, transplanted, or moved within a location."""
    fields: dict[str, Any] = {
        "movement_type": kind.value,
        "quantity": quantity,
        "location_code": location,
        "bin_code": bin_,
        "batch_code": lot,
        "product_code": product,
        "state": state,
        "size": size,
        "packaging_sku": packaging,
        "category": category,
        "unit_price": price,
        "to_location_code": to_location,
        "to_bin_code": to_bin,
        "to_batch_code": to_lot,
        "to_category": to_category,
        "to_state": to_state,
        "to_size": to_size,
        "to_packaging_sku": to_packaging,
        "new_lot": new_lot or None,
        "occurred_at": at,
        "reason": reason,
        "user": user,
        "movement_id": key,
    }
    checked = checked_input(MovementCreate, **fields)
    carry_out(lambda session: commands.report(session, checked), preview=preview, as_json=as_json)


@app.command("undo")
def undo_(
    movement: Annotated[UUID, typer.Argument(help="its id, as `demeter stock movements` lists it")],
    *,
    reason: RequiredReason,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Undo a wrong movement by its reversal, once, with a reason."""
    checked = checked_input(LedgerCommandCreate, reason=reason, user=user, movement_id=key)
    carry_out(
        lambda session: reversals.undo(session, commands.command_from(session, checked), movement),
        preview=preview,
        as_json=as_json,
    )


@app.command("movements")
def movements(
    location: Code = None,
    lot: Code = None,
    kind: Annotated[MovementType | None, typer.Option(help="only this kind")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="the page after this one")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The ledger, last written first."""
    with transaction() as session:
        page = queries.movements(
            session,
            limit=limit,
            cursor=cursor,
            location_code=location,
            batch_code=lot,
            movement_type=kind,
        )
    if as_json:
        print_json(page)
        return
    table = RowTable(
        "id", "moment", "movement", "plants", "location", "lot", "by", "reason", "state"
    )
    for row in page.items:
        cells = (row.movement_type.value, f"{row.quantity:+d}", row.location_code, row.batch_code)
        moment = site_text(row.occurred_at)
        state = "undone" if row.undone_by else "reversal" if row.reverses_movement_id else ""
        table.add_row(str(row.movement_id), moment, *cells, row.user, row.reason or "", state)
    table.print()
    if page.next_cursor:
        out.print(f"more: --cursor {page.next_cursor}")


@app.command("lot")
def lot_(
    code: Annotated[str, typer.Argument(help="the lot's code")], *, as_json: AsJson = False
) -> None:
    """A lot's whole life, back to the photo or planting it came from."""
    with transaction() as session:
        history = batch_history.lot_history(session, code)
    if as_json:
        print_json(history)
        return
    out.print(
        f"[bold]{history.batch_code}[/bold]  {history.product_code} {history.state}, "
        f"{history.quantity_current} plants at {history.location_code}",
        soft_wrap=True,
    )
    table = RowTable("moment", "movement", "plants", "stock", "by", "other lot", "reason")
    for row in history.entries:
        cells = (row.movement_type.value, f"{row.quantity:+d}", str(row.stock_after), row.by)
        table.add_row(site_text(row.occurred_at), *cells, row.other_lot or "", row.reason or "")
    table.print()
    for origin in history.origins[1:]:
        beginning = origin.began_as.value if origin.began_as else "nothing"
        out.print(f"← {origin.batch_code} at {origin.location_code}, began as {beginning}")
