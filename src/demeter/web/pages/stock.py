"""The inventory: on hand by product, place, packaging, state or lot, as of a day; a lot's life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.catalog.queries import growing_choices
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.formats import site_text
from demeter.core.http.files import attachment
from demeter.core.http.permissions import requires
from demeter.core.moments import moment_of, parse_typed
from demeter.core.permissions import Permission
from demeter.core.registers.files import csv_of, xlsx_of
from demeter.core.site import day_at_site
from demeter.locations.place_list import places
from demeter.stock import batch_history
from demeter.stock.inventory import InventoryBy, InventoryFilter, inventory, levels_of_place
from demeter.stock.reversals import may_undo
from demeter.stock.schemas import InventoryRead, InventoryRow
from demeter.web import render

router = APIRouter(prefix="/stock")

ON_A_PAGE = 50
MOST_ON_A_PAGE = 2000
VIEWS = ("product", "place", "packaging", "state", "lot")
Text = Annotated[str, Query(max_length=200)]
EXPORTED = ("code", "name", "detail", "beds", "never_counted", "change_30_days",
            "last_counted_at", "plants")  # fmt: skip


@dataclass(frozen=True, slots=True)
class StockView:
    """What the address asks for, as it was typed; ``day`` is none where it is now."""

    by: str
    at: str
    product: str
    place: str
    packaging: str
    state: str
    q: str
    rows: int

    def address(self, path: str = "/stock", **changes: Any) -> str:
        """The same view with changes; a change to "" or ``None`` takes a filter off."""
        asked = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "rows"}
        given = {name: value for name, value in (asked | changes).items() if value}
        if given.get("by") == VIEWS[0]:
            del given["by"]
        return f"{path}?{urlencode(given)}" if given else path

    @property
    def filters(self) -> InventoryFilter:
        """What narrows the inventory."""
        return InventoryFilter(
            self.product or None,
            self.place or None,
            self.packaging or None,
            self.state or None,
            self.q or None,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether any filter is set."""
        return any((self.product, self.place, self.packaging, self.state, self.q))


@router.get("", **requires(Permission.SEE))
def show_stock(
    request: Request,
    by: Text = "",
    at: Text = "",
    product: Text = "",
    place: Text = "",
    packaging: Text = "",
    state: Text = "",
    q: Text = "",
    rows: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = ON_A_PAGE,
) -> Response:
    """Rows, their total and what it leaves out; an unreadable day shows today, and says so."""
    view = _view(by, at, product, place, packaging, state, q, rows)
    with transaction() as session:
        stock, day, error = _read(session, view, view.rows)
        return render.page(
            request,
            "stock/page.html",
            view=view,
            views=VIEWS,
            stock=stock,
            day=day,
            today=day_at_site(datetime.now(UTC)),
            problem=error.problem() if error else None,
            choices=growing_choices(session),
            houses=[each for each in places(session) if each.level == "warehouse"],
            more=min(MOST_ON_A_PAGE, view.rows * 4),
        )


@router.get("/export.{kind}", **requires(Permission.SEE))
def export_stock(
    request: Request,
    kind: Annotated[str, Path(pattern="^(csv|xlsx)$")],
    by: Text = "",
    at: Text = "",
    product: Text = "",
    place: Text = "",
    packaging: Text = "",
    state: Text = "",
    q: Text = "",
) -> Response:
    """Every row of the view, as the page has it, in the person's language."""
    view = _view(by, at, product, place, packaging, state, q, ON_A_PAGE)
    words = render.words_of(request)
    with transaction() as session:
        stock, _, error = _read(session, view, None)
    if error is not None:
        raise error
    heading = [words(f"stock.column.{name}") for name in EXPORTED]
    cells = [[_cell(row, name) for name in EXPORTED] for row in stock.rows]
    name = words("stock.file", day=day_at_site(stock.at).isoformat())
    content = csv_of(heading, cells) if kind == "csv" else xlsx_of(name, heading, cells)
    return attachment(content, name, kind)


@router.get("/lots/{lot_id}", **requires(Permission.SEE))
def show_lot(request: Request, lot_id: Annotated[int, Path(ge=1, lt=2**53)]) -> Response:
    """A lot's whole life, last movement first."""
    with transaction() as session:
        lot = batch_history.lot_history_by_id(session, lot_id)
    return render.page(
        request,
        "stock/lot.html",
        lot=lot,
        entries=[(entry, may_undo(entry)) for entry in reversed(lot.entries)],
        new_key=uuid4,
        back=f"/stock/lots/{lot_id}",
    )


def _view(
    by: str, at: str, product: str, place: str, packaging: str, state: str, q: str, rows: int
) -> StockView:
    clean = [text.replace("\x00", "").strip() for text in (at, product, place, packaging, state, q)]
    return StockView(by if by in VIEWS else VIEWS[0], *clean, rows=rows)


def _read(
    session: Session, view: StockView, limit: int | None
) -> tuple[InventoryRead, date | None, DomainError | None]:
    """The inventory, the past day it is of, and why the day that was typed was not taken."""
    now = datetime.now(UTC)
    moment, error = now, None
    try:
        moment = moment_of(parse_typed(view.at)) if view.at else now
    except DomainError as refusal:
        error = refusal
    is_now = day_at_site(moment) == day_at_site(now)
    by = (
        levels_of_place(session, view.place or None) if view.by == "place" else InventoryBy(view.by)
    )
    stock = inventory(session, by, view.filters, moment, is_now=is_now, limit=limit)
    return stock, None if is_now else day_at_site(moment), error


def _cell(row: InventoryRow, name: str) -> Any:
    value = getattr(row, name)
    return site_text(value) if isinstance(value, datetime) else value
