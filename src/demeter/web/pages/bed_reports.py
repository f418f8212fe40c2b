"""What people report at a bed: shown before it is written, as a page or as a sheet over one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from demeter.catalog.queries import active_config, growing_choices
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.locations.bed_names import beds_around
from demeter.locations.models import StorageLocation
from demeter.stock import commands, lookup
from demeter.stock.bed_changes import BedsPreview
from demeter.stock.bed_lots import bed_lots
from demeter.stock.on_hand import StockFilter, total_stock
from demeter.web import render
from demeter.web.bed_reports import (
    REPORTS,
    ReportKind,
    TypedReport,
    preview_report,
    request_of,
)
from demeter.web.pages.bed import is_sheet, mid_sentence, redirect
from demeter.web.short_dates import ShortDates

router = APIRouter(prefix="/beds/{code}")


class ReportForm(BaseModel):
    """The fields of every report's form; ``act`` shows what it would do, or writes it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    form_token: str = ""
    act: str = Field(default="show", pattern="^(show|write)$")
    key: UUID = Field(default_factory=uuid4)
    quantity: str = Field(default="", max_length=20)
    when: str = Field(default="", max_length=40)
    reason: str = Field(default="", max_length=2000)
    batch_code: str = Field(default="", max_length=200)
    to: str = Field(default="", max_length=200)
    to_near: str = Field(default="", max_length=200)
    direction: str = Field(default="", max_length=10)
    unit_price: str = Field(default="", max_length=20)
    product_code: str = Field(default="", max_length=200)
    state: str = Field(default="", max_length=200)
    packaging_sku: str = Field(default="", max_length=200)
    new_lot: str = Field(default="", max_length=3)

    def typed(self) -> TypedReport:
        """What a report is made of; a bed that was typed stands before one that was picked."""
        names = self.model_dump(exclude={"form_token", "act", "key", "to_near"})
        plain = {name: value.replace("\x00", "") for name, value in names.items()}
        return TypedReport(self.key, **plain | {"to": plain["to"] or self.to_near})


Typed = Annotated[ReportForm, Form()]


@router.get("/planting", **requires(Permission.REPORT))
def ask_planting(request: Request, code: str) -> Response:
    """Plants came into the bed."""
    return _empty_form(request, code, "planting")


@router.post("/planting", **requires(Permission.REPORT))
def report_planting(request: Request, code: str, form: Typed) -> Response:
    """Show what it would do, or write it."""
    return _answer(request, code, "planting", form)


@router.get("/deaths", **requires(Permission.REPORT))
def ask_deaths(request: Request, code: str) -> Response:
    """Plants died."""
    return _empty_form(request, code, "deaths")


@router.post("/deaths", **requires(Permission.REPORT))
def report_deaths(request: Request, code: str, form: Typed) -> Response:
    """Show what it would do, or write it."""
    return _answer(request, code, "deaths", form)


@router.get("/transplant", **requires(Permission.REPORT))
def ask_transplant(request: Request, code: str) -> Response:
    """Plants go to another bed."""
    return _empty_form(request, code, "transplant")


@router.post("/transplant", **requires(Permission.REPORT))
def report_transplant(request: Request, code: str, form: Typed) -> Response:
    """Show what it would do, or write it."""
    return _answer(request, code, "transplant", form)


@router.get("/sale", **requires(Permission.DECIDE))
def ask_sale(request: Request, code: str) -> Response:
    """Plants were sold."""
    return _empty_form(request, code, "sale")


@router.post("/sale", **requires(Permission.DECIDE))
def report_sale(request: Request, code: str, form: Typed) -> Response:
    """Show what it would do, or write it."""
    return _answer(request, code, "sale", form)


@router.get("/adjustment", **requires(Permission.DECIDE))
def ask_adjustment(request: Request, code: str) -> Response:
    """Plants are missing, or there are more, and nobody knows another reason."""
    return _empty_form(request, code, "adjustment")


@router.post("/adjustment", **requires(Permission.DECIDE))
def report_adjustment(request: Request, code: str, form: Typed) -> Response:
    """Show what it would do, or write it."""
    return _answer(request, code, "adjustment", form)


def _empty_form(request: Request, code: str, key: str) -> Response:
    with transaction() as session:
        bed = lookup.location(session, code)
        return _form(request, session, bed, REPORTS[key], TypedReport(uuid4()))


def _answer(request: Request, code: str, key: str, form: ReportForm) -> Response:
    kind, typed = REPORTS[key], form.typed()
    try:
        with transaction() as session:
            bed = lookup.location(session, code)
            if form.act == "write":
                commands.report(session, request_of(session, kind, bed, typed))
                return redirect(bed.code, request, done=typed.key)
            outcome = preview_report(session, kind, bed, typed)
            return _form(request, session, bed, kind, typed, outcome=outcome)
    except DomainError as error:
        with transaction() as session:
            bed = lookup.location(session, code)
            return _form(request, session, bed, kind, typed, error=error)


def _form(
    request: Request,
    session: Session,
    bed: StorageLocation,
    kind: ReportKind,
    typed: TypedReport,
    *,
    outcome: BedsPreview | None = None,
    error: DomainError | None = None,
) -> Response:
    words = render.words_of(request)
    return render.page(
        request,
        "beds/report_part.html" if is_sheet(request) else "beds/report.html",
        status_code=error.status if error else 200,
        bed=bed,
        kind=kind,
        typed=typed,
        outcome=outcome,
        problem=error.problem() if error else None,
        plants=total_stock(session, StockFilter(location=bed.code)).plants,
        lots=bed_lots(session, bed.location_id),
        config=active_config(session, bed.location_id),
        choices=growing_choices(session) if "growing" in kind.fields else None,
        near=beds_around(session, bed) if "to" in kind.fields else [],
        short=ShortDates(words),
        word_of=mid_sentence,
    )
