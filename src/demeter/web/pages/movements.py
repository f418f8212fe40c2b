"""The ledger as a list: narrowed, exported, and undone where that is allowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from demeter.catalog.queries import growing_choices
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.formats import site_text
from demeter.core.http.files import attachment
from demeter.core.http.permissions import requires
from demeter.core.moments import beginning_of, boundary_of, parse_typed
from demeter.core.permissions import Permission
from demeter.core.registers.files import csv_of, xlsx_of
from demeter.stock import commands, queries, reversals
from demeter.stock.models import MovementType
from demeter.stock.schemas import LedgerCommandCreate, MovementPage, MovementRead
from demeter.web import render
from demeter.web.language import own_path

router = APIRouter(prefix="/stock/movements")

ON_A_PAGE = 50
Text = Annotated[str, Query(max_length=200)]
EXPORTED = ("occurred_at", "movement_type", "quantity", "warehouse_name", "location_name",
            "location_code", "product_name", "batch_code", "user", "reason")  # fmt: skip


@dataclass(frozen=True, slots=True)
class MovementView:
    """What the address asks for, as it was typed."""

    type: str
    place: str
    product: str
    person: str
    lot: str
    since: str
    until: str

    def address(self, path: str = "/stock/movements", **changes: Any) -> str:
        """The same list with changes; a change to "" takes a filter off."""
        given = {name: value for name, value in (asdict(self) | changes).items() if value}
        return f"{path}?{urlencode(given)}" if given else path

    @property
    def is_narrow(self) -> bool:
        """Whether any filter is set."""
        return any(asdict(self).values())

    def as_query(self) -> dict[str, Any]:
        """As `queries.movements` takes it.

        Raises:
            NoMoment, HourUnclear: a day cannot be read.
        """
        kinds = [kind.value for kind in MovementType]
        since: datetime | date | None = parse_typed(self.since) if self.since else None
        until: datetime | date | None = parse_typed(self.until) if self.until else None
        return {
            "movement_type": MovementType(self.type) if self.type in kinds else None,
            "place_code": self.place or None,
            "product_code": self.product or None,
            "username": self.person or None,
            "batch_code": self.lot or None,
            "since": beginning_of(since) if since else None,
            "until": boundary_of(until) if until else None,
        }


@router.get("", **requires(Permission.SEE))
def show_movements(
    request: Request,
    type: Text = "",  # noqa: A002  what the address calls it
    place: Text = "",
    product: Text = "",
    person: Text = "",
    lot: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    undone: Annotated[int, Query(ge=0, le=1)] = 0,
) -> Response:
    """Last written first, page by page."""
    view = _view(type, place, product, person, lot, since, until)
    with transaction() as session:
        page, error = _page(session, view, cursor)
        return render.page(
            request,
            "stock/movements.html",
            view=view,
            rows=[(row, reversals.may_undo(row)) for row in page.items],
            next_cursor=page.next_cursor,
            problem=error.problem() if error else None,
            kinds=list(MovementType),
            choices=growing_choices(session),
            new_key=uuid4,
            back=view.address(),
            undone=undone,
        )


@router.get("/export.{kind}", **requires(Permission.SEE))
def export_movements(
    request: Request,
    kind: Annotated[str, Path(pattern="^(csv|xlsx)$")],
    type: Text = "",  # noqa: A002
    place: Text = "",
    product: Text = "",
    person: Text = "",
    lot: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """Every movement of the list, in the person's language."""
    view = _view(type, place, product, person, lot, since, until)
    words = render.words_of(request)
    with transaction() as session:
        rows = queries.all_movements(session, **view.as_query())
    heading = [words(f"stock.column.{name}") for name in EXPORTED]
    cells = [[_cell(row, name, words) for name in EXPORTED] for row in rows]
    name = words("stock.movements_file")
    content = csv_of(heading, cells) if kind == "csv" else xlsx_of(name, heading, cells)
    return attachment(content, name, kind)


@router.post("/{movement_id}/undo", **requires(Permission.REPORT))
def undo_movement(
    movement_id: UUID,
    key: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=2000)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/stock/movements",
) -> RedirectResponse:
    """By its reversal, as the API does it; ``key`` is the reversal's own."""
    with transaction() as session:
        request = LedgerCommandCreate(movement_id=key, reason=reason.replace("\x00", "") or None)
        reversals.undo(session, commands.command_from(session, request), movement_id)
    return RedirectResponse(own_path(back), status_code=303)


def _view(*typed: str) -> MovementView:
    return MovementView(*(text.replace("\x00", "").strip() for text in typed))


def _page(
    session: Session, view: MovementView, cursor: str | None
) -> tuple[MovementPage, DomainError | None]:
    """A page; where a day cannot be read, an empty one and why."""
    try:
        asked = view.as_query()
    except DomainError as error:
        return MovementPage(items=[], next_cursor=None), error
    return queries.movements(session, limit=ON_A_PAGE, cursor=cursor, **asked), None


def _cell(row: MovementRead, name: str, words: Any) -> Any:
    if name == "movement_type":
        return words(f"movement.{row.movement_type}")
    if name == "reason" and row.reason_notice is not None:
        return words.word(row.reason_notice)
    value = getattr(row, name)
    return site_text(value) if isinstance(value, datetime) else value
