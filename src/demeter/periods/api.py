"""Month's end over HTTP: open, look, explain, close, reopen, compare, report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, File, Path, Query, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.fields import Code, SheetName
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.commands import PREVIEW, run_once
from demeter.core.http.files import AS_FILE, attachment, uploaded_table
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.moments import boundary_of
from demeter.core.permissions import Permission
from demeter.periods import closing, queries, report, sales_comparison, service
from demeter.periods.schemas import (
    ExceptionExplain,
    ExplainedRead,
    LineTraceRead,
    PeriodCreate,
    PeriodDecision,
    PeriodPreviewRead,
    PeriodRead,
    PeriodReopen,
    SalesComparisonRead,
)
from demeter.stock import lookup
from demeter.stock.errors import Ambiguous

router = APIRouter(
    prefix="/api/v1/periods",
    tags=["periods"],
    responses=PROBLEMS | {409: PROBLEM},
    route_class=FileRoute,
)

PeriodCode = Annotated[str, Path(pattern="^[A-Z0-9_-]{1,50}$", examples=["2026-03"])]


class SalesFileUpload(BaseModel):
    """A client's sales file."""

    file: UploadFile
    sheet: SheetName | None = None


@router.post("", status_code=201, summary="Open a period", **requires(Permission.DECIDE))
def open_period(body: PeriodCreate, once: OnceOnly) -> PeriodRead:
    """It ends at its boundary; counts within the grace still close it."""

    def open_(session: Session) -> PeriodRead:
        user = acting_user(session, body.user)
        period = service.open_period(session, user, body.code, _boundary(body), body.grace_hours)
        return queries.period_read(session, period)

    return run_once(once, body, open_)


@router.get("", summary="Periods, latest first", **requires(Permission.SEE))
def list_periods() -> list[PeriodRead]:
    """All of them; a nursery has twelve a year."""
    with transaction() as session:
        return queries.periods(session)


@router.get("/{code}", summary="What closing finds", **requires(Permission.SEE))
def get_period(code: PeriodCode) -> PeriodPreviewRead:
    """Every location and product with its figures and exceptions, as the ledger is now."""
    with transaction() as session:
        return queries.period_preview(session, service.find_period(session, code))


@router.get("/{code}/trace", summary="What a line is made of", **requires(Permission.SEE))
def trace_line(code: PeriodCode, location_code: Code, product_code: Code) -> LineTraceRead:
    """Its counts with their photo sessions, and every movement between them."""
    with transaction() as session:
        return queries.line_trace(
            session,
            service.find_period(session, code),
            lookup.location(session, location_code).location_id,
            lookup.product(session, product_code).id,
        )


@router.post("/{code}/explain", summary="Explain exceptions", **requires(Permission.DECIDE))
def explain(code: PeriodCode, body: ExceptionExplain, once: OnceOnly) -> ExplainedRead:
    """One by one, by kind, by greenhouse, or all of a kind in a greenhouse, in one act."""

    def explain_exceptions(session: Session) -> ExplainedRead:
        return ExplainedRead(explained=_explain(session, code, body))

    return run_once(once, body, explain_exceptions)


@router.post("/{code}/close", summary="Close a period", **requires(Permission.DECIDE))
def close(code: PeriodCode, once: OnceOnly, body: PeriodDecision | None = None) -> PeriodRead:
    """Or propose to, where a second person has to do it; stock is the same before and after."""
    request = body or PeriodDecision()

    def close_period(session: Session) -> PeriodRead:
        period = closing.close(session, code, acting_user(session, request.user))
        return queries.period_read(session, period)

    return run_once(once, [code, request], close_period)


@router.post("/{code}/reopen", summary="Open a closed period again", **requires(Permission.DECIDE))
def reopen(code: PeriodCode, body: PeriodReopen, once: OnceOnly) -> PeriodRead:
    """What closing wrote is reversed, and a trace is left."""

    def reopen_period(session: Session) -> PeriodRead:
        user = acting_user(session, body.user)
        return queries.period_read(session, closing.reopen(session, code, user, body.reason))

    return run_once(once, body, reopen_period)


@router.post(
    "/{code}/sales",
    summary="Compare a sales file",
    **requires(Permission.SEE, dependencies=PREVIEW, openapi=takes(Files.TABLE)),
)
def compare_sales(
    code: PeriodCode,
    form: Annotated[SalesFileUpload, File()],
    tolerance_share: Annotated[float | None, Query(ge=0, le=1)] = None,
) -> SalesComparisonRead:
    """CSV or XLSX; nothing is kept.

    Columns: `product_sku`, `packaging_sku`, `quantity_sold` and, if you like, `sale_date`,
    `invoice_number`, `customer_name`, `notes`. A quantity below 0 is a return; lines dated
    outside the period are in no total. Both are said.
    """
    table_file = uploaded_table(form.file, form.sheet)
    with transaction() as session:
        period = service.find_period(session, code)
        comparison = sales_comparison.compare_file(session, period, table_file, tolerance_share)
    return queries.sales_comparison_read(comparison)


@router.get(
    "/{code}/report.{kind}",
    response_class=Response,
    responses=AS_FILE,
    summary="The report as a spreadsheet or on paper",
    **requires(Permission.SEE),
)
def get_report(
    code: PeriodCode, kind: Literal["xlsx", "pdf"], language: Literal["en", "es"] = "es"
) -> Response:
    """The preview's lines, sums and exceptions."""
    with transaction() as session:
        preview = queries.period_preview(session, service.find_period(session, code))
    as_file = report.as_xlsx if kind == "xlsx" else report.as_pdf
    return attachment(as_file(preview, language), f"demeter-{code}", kind)


def _explain(session: Session, code: str, body: ExceptionExplain) -> int:
    places = [body.location_code, body.place_code, body.together_at]
    if sum(place is not None for place in places) > 1:
        raise Ambiguous("name one of location_code, place_code and together_at")
    period, user = service.find_period(session, code, lock=True), acting_user(session, body.user)
    if body.location_code is not None:
        lookup.location(session, body.location_code)
    if body.product_code is not None:
        lookup.product(session, body.product_code)
    chosen = service.Chosen(
        body.location_code or body.place_code or body.together_at,
        body.product_code,
        body.kind,
        small_only=body.together_at is not None,
    )
    return service.explain(session, period, user, body.explanation, chosen)


def _boundary(body: PeriodCreate) -> datetime | None:
    if body.boundary_at is None:
        return None
    return boundary_of(body.boundary_at)
