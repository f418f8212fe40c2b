"""Movements and stock over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.fields import Code, When
from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.moments import moment_of
from demeter.core.permissions import Permission
from demeter.core.registers.files import AS_TABLE, file_kind, file_of_rows
from demeter.stock import batch_history, commands, queries, reversals
from demeter.stock import on_hand as stock_on_hand
from demeter.stock.changes import LedgerChange
from demeter.stock.inventory import InventoryBy, InventoryFilter, inventory
from demeter.stock.models import MovementType
from demeter.stock.on_hand import StockFilter
from demeter.stock.schemas import (
    InventoryRead,
    InventoryRow,
    LedgerCommandCreate,
    Level,
    LotHistoryRead,
    MovementCreate,
    MovementPage,
    MovementRead,
    StockRead,
)

router = APIRouter(
    prefix="/api/v1/stock",
    tags=["stock"],
    responses=PROBLEMS | {409: PROBLEM},
)

EXAMPLES = {
    "sold": {
        "value": {
            "movement_id": "7d0c8a52-5b41-4f0e-8a53-1f1f3f0f9c10",
            "movement_type": "ventas",
            "location_code": "NAVE1-C03",
            "quantity": 50,
            "occurred_at": "2026-03-03",
        }
    },
    "transplanted": {
        "value": {
            "movement_id": "0f6f1f3d-0a3e-4f59-9d1c-6a1f6a7f2b11",
            "movement_type": "transplante",
            "location_code": "NAVE1-C03",
            "to_location_code": "NAVE2-C01",
            "quantity": 300,
        }
    },
}
MovementBody = Annotated[MovementCreate, Body(openapi_examples=EXAMPLES)]  # type: ignore[arg-type]


@post_with_preview(
    router,
    "/movements",
    summary="Report a movement",
    preview="What a movement would write",
    permission=Permission.REPORT,
)
def report_movement(body: MovementBody, once: OnceOnly) -> LedgerChange:
    """Planted, sown, died, sold, adjusted, transplanted, or moved within a location.

    `movement_id` is yours: the same again is answered alike, other content under it refused.
    A movement from before a posted count changes history and leaves that count standing.
    """
    return run_once(once, body, lambda session: commands.report(session, body))


@post_with_preview(
    router,
    "/movements/{movement_id}/undo",
    summary="Undo a movement",
    preview="What undoing a movement would write",
    permission=Permission.REPORT,
)
def undo_movement(movement_id: UUID, body: LedgerCommandCreate, once: OnceOnly) -> LedgerChange:
    """By its reversal, once, with a reason; both stay in the ledger.

    A worker undoes own reports of the last 24 hours, until the bed is counted again.
    `movement_id` in the body is the reversal's own key.
    """

    def undo(session: Session) -> LedgerChange:
        return reversals.undo(session, commands.command_from(session, body), movement_id)

    return run_once(once, body, undo)


@router.get("/movements", summary="The ledger, last written first", **requires(Permission.SEE))
def list_movements(
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    location_code: Code | None = None,
    batch_code: Code | None = None,
    movement_type: MovementType | None = None,
) -> MovementPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.movements(
            session,
            limit=limit,
            cursor=cursor,
            location_code=location_code,
            batch_code=batch_code,
            movement_type=movement_type,
        )


@router.get("/movements/{movement_id}", summary="One movement", **requires(Permission.SEE))
def get_movement(movement_id: UUID) -> MovementRead:
    """With what undid it, if anything."""
    with transaction() as session:
        return queries.movement(session, movement_id)


# Filters are called alike in every list; these are names of before.
Old = Annotated[Code | None, Query(deprecated=True)]


@router.get("/on-hand", summary="Stock today or as of any moment", **requires(Permission.SEE))
def on_hand(
    by: Annotated[list[Level], Query(max_length=8)] = [Level.LOCATION, Level.PRODUCT],  # noqa: B006
    at: When = None,
    warehouse_code: Code | None = None,
    area_code: Code | None = None,
    location_code: Code | None = None,
    product_code: Code | None = None,
    state: Code | None = None,
    packaging_sku: Code | None = None,
    batch_code: Code | None = None,
    warehouse: Old = None,
    area: Old = None,
    location: Old = None,
    product: Old = None,
    packaging: Old = None,
    lot: Old = None,
) -> list[StockRead]:
    """Plants, added up by these levels; a date alone is the end of that day.

    `plants` is null where nobody has counted and nothing is booked. Without the name of a
    place, places that hold nothing are left out.
    """
    filters = StockFilter(
        warehouse=_only("warehouse", warehouse_code, warehouse),
        area=_only("area", area_code, area),
        location=_only("location", location_code, location),
        product=_only("product", product_code, product),
        state=state,
        packaging=_only("packaging", packaging_sku, packaging),
        lot=_only("lot", batch_code, lot),
    )
    with transaction() as session:
        moment = moment_of(at) if at is not None else None
        return stock_on_hand.stock_by(session, list(dict.fromkeys(by)), filters, moment)


def _only(name: str, code: str | None, older: str | None) -> str | None:
    """A filter by its name of today or of before; both only where they agree."""
    if code is not None and older is not None and code != older:
        raise InvalidInput(f"{name} is named twice, {code!r} and {older!r}", field=name)
    return code if code is not None else older


@router.get(
    "/inventory",
    summary="The inventory as of a day, as JSON, CSV or XLSX",
    response_model=InventoryRead,
    responses=AS_TABLE,
    **requires(Permission.SEE),
)
def get_inventory(
    request: Request,
    by: InventoryBy = InventoryBy.PRODUCT,
    at: When = None,
    place_code: Code | None = None,
    product_code: Code | None = None,
    packaging_sku: Code | None = None,
    state: Code | None = None,
) -> InventoryRead | Response:
    """As the page has it: rows, their total, and the beds that no number includes.

    `place_code` is a greenhouse's, an area's or a location's. A date alone is the end of that
    day. `Accept` asks for `text/csv` or XLSX: then the rows alone.
    """
    filters = InventoryFilter(product_code, place_code, packaging_sku, state)
    with transaction() as session:
        answer = inventory(session, by, filters, moment_of(at), is_now=at is None)
    kind = file_kind(request)
    return file_of_rows("inventory", InventoryRow, answer.rows, kind) if kind else answer


@router.get("/lots/{batch_code}", summary="A lot's whole life", **requires(Permission.SEE))
def get_lot(batch_code: Code) -> LotHistoryRead:
    """Its movements, and the lots its plants came from, back to their photo or planting."""
    with transaction() as session:
        return batch_history.lot_history(session, batch_code)
