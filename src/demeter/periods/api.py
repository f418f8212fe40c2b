"""Month's end over HTTP: open, look, explain, close, reopen, compare, report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.fields import Code, When, Words
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import DECIDES, KEYED, SEES
from demeter.periods import closing, queries, report, sales_comparison, service
from demeter.periods.formula import ExceptionKind
from demeter.periods.models import Period
from demeter.periods.sales_lines import Comparison, Verdict
from demeter.periods.schemas import PeriodAnswer, PreviewAnswer, TraceAnswer
from demeter.stock import lookup

router = APIRouter(
    prefix="/api/v1/periods",
    tags=["periods"],
    responses=PROBLEMS | {409: PROBLEM},
)

PeriodCode = Annotated[str, Path(pattern="^[A-Z0-9_-]{1,50}$", examples=["2026-03"])]
MOST_BYTES = 20_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ByPerson(BaseModel):
    """Who does it; the service user where nobody is named."""

    model_config = ConfigDict(extra="forbid")

    user: Code | None = None


class Opening(ByPerson):
    """A new period; a month's code such as 2026-03 says its end by itself."""

    code: Annotated[str, Field(pattern="^[A-Z0-9_-]{1,50}$")]
    boundary_at: When = None
    grace_hours: Annotated[int, Field(ge=0, le=2000)] | None = None


class Explanation(ByPerson):
    """Of one line (a kind, or all of it), or of a greenhouse's small differences together."""

    explanation: Annotated[Words, Field(min_length=1)]
    location_code: Code | None = None
    product_code: Code | None = None
    kind: ExceptionKind | None = None
    together_at: Code | None = Field(default=None, description="a greenhouse's or an area's code")


class Explained(BaseModel):
    """How many exceptions were explained."""

    explained: int


class Reopening(ByPerson):
    """Why a closed period is opened again."""

    reason: Annotated[Words, Field(min_length=1)]


class ComparedLine(BaseModel):
    """A line of the sales file against the ledger."""

    row: int
    product_sku: str
    packaging_sku: str | None
    quantity_sold: int
    verdict: Verdict
    file_total: int | None
    ledger_total: int | None
    difference: int | None
    invoice_number: str | None


class LedgerOnly(BaseModel):
    """What the ledger sold and the file does not name."""

    product_sku: str
    packaging_sku: str | None
    ledger_total: int


class ComparisonAnswer(BaseModel):
    """The file against the period, line by line."""

    lines: list[ComparedLine]
    not_in_file: list[LedgerOnly]
    verdicts: dict[Verdict, int]


@router.post("", status_code=201, summary="Open a period", openapi_extra=DECIDES)
def open_period(body: Opening, once: OnceOnly) -> PeriodAnswer:
    """It ends at its boundary; counts within the grace still close it."""

    def act(session: Session) -> PeriodAnswer:
        user = find_user(session, body.user)
        made = service.open_period(session, user, body.code, _moment(body), body.grace_hours)
        return queries.period_answer(session, made)

    return _once(once, body, act)


@router.get("", summary="Periods, latest first", openapi_extra=SEES)
def list_periods() -> list[PeriodAnswer]:
    """All of them; a nursery has twelve a year."""
    with transaction() as session:
        found = session.scalars(select(Period).order_by(Period.boundary_at.desc()))
        return [queries.period_answer(session, one) for one in found]


@router.get("/{code}", summary="What closing finds", openapi_extra=SEES)
def preview(code: PeriodCode) -> PreviewAnswer:
    """Every location and product with its figures and exceptions, as the ledger is now."""
    with transaction() as session:
        return queries.preview_answer(session, service.find(session, code))


@router.get("/{code}/trace", summary="What a line is made of", openapi_extra=SEES)
def trace(code: PeriodCode, location_code: Code, product_code: Code) -> TraceAnswer:
    """Its counts with their photo sessions, and every movement between them."""
    with transaction() as session:
        return queries.trace(
            session,
            service.find(session, code),
            lookup.location(session, location_code).location_id,
            lookup.product(session, product_code).id,
        )


@router.post("/{code}/explain", summary="Explain exceptions", openapi_extra=DECIDES)
def explain(code: PeriodCode, body: Explanation, once: OnceOnly) -> Explained:
    """One by one, or a greenhouse's small differences together."""
    return _once(once, body, lambda session: _explain(session, code, body))


@router.post("/{code}/close", summary="Close a period", openapi_extra=DECIDES)
def close(code: PeriodCode, once: OnceOnly, body: ByPerson | None = None) -> PeriodAnswer:
    """Or propose to, where a second person has to do it; stock is the same before and after."""
    said = body or ByPerson()

    def act(session: Session) -> PeriodAnswer:
        period = closing.close(session, code, find_user(session, said.user))
        return queries.period_answer(session, period)

    return _once(once, [code, said], act)


@router.post("/{code}/reopen", summary="Open a closed period again", openapi_extra=DECIDES)
def reopen(code: PeriodCode, body: Reopening, once: OnceOnly) -> PeriodAnswer:
    """What closing wrote is reversed, and a trace is left."""

    def act(session: Session) -> PeriodAnswer:
        user = find_user(session, body.user)
        return queries.period_answer(session, closing.reopen(session, code, user, body.reason))

    return _once(once, body, act)


@router.post(
    "/{code}/sales", summary="Compare a sales file", openapi_extra=SEES, dependencies=KEYED
)
def compare_sales(
    code: PeriodCode,
    file: UploadFile,
    tolerance_share: Annotated[float | None, Query(ge=0, le=1)] = None,
) -> ComparisonAnswer:
    """CSV or XLSX; nothing is kept.

    Columns: `product_sku`, `packaging_sku`, `quantity_sold` and, if you like, `sale_date`,
    `invoice_number`, `customer_name`, `notes`.
    """
    content = file.file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"the file is larger than {MOST_BYTES} bytes", field="file")
    with transaction() as session:
        period = service.find(session, code)
        return _comparison(sales_comparison.compare_file(session, period, content, tolerance_share))


@router.get(
    "/{code}/report.{kind}",
    response_class=Response,
    responses={200: {"content": {XLSX: {}, "application/pdf": {}}}},
    summary="The report as a spreadsheet or on paper",
    openapi_extra=SEES,
)
def get_report(
    code: PeriodCode, kind: Literal["xlsx", "pdf"], language: Literal["en", "es"] = "es"
) -> Response:
    """The preview's lines, sums and exceptions."""
    with transaction() as session:
        told = queries.preview_answer(session, service.find(session, code))
    as_file = report.as_xlsx if kind == "xlsx" else report.as_pdf
    return Response(
        as_file(told, language),
        media_type=XLSX if kind == "xlsx" else "application/pdf",
        headers={"content-disposition": f'attachment; filename="demeter-{code}.{kind}"'},
    )


def _explain(session: Session, code: str, body: Explanation) -> Explained:
    period, user = service.find(session, code, lock=True), find_user(session, body.user)
    if body.together_at is not None:
        number = service.explain_together(session, period, user, body.explanation, body.together_at)
        return Explained(explained=number)
    if body.location_code is None or body.product_code is None:
        raise InvalidInput("name location_code and product_code, or together_at")
    number = service.explain(
        session,
        period,
        user,
        body.explanation,
        location_id=lookup.location(session, body.location_code).location_id,
        product_id=lookup.product(session, body.product_code).id,
        kind=body.kind,
    )
    return Explained(explained=number)


def _moment(body: Opening) -> datetime | None:
    if body.boundary_at is None:
        return None
    if not isinstance(body.boundary_at, datetime):
        raise InvalidInput("say the boundary's time, not only its date", field="boundary_at")
    return service.at_site(body.boundary_at)


def _comparison(found: Comparison) -> ComparisonAnswer:
    return ComparisonAnswer(
        lines=[
            ComparedLine(
                row=one.line.row,
                product_sku=one.line.product_sku,
                packaging_sku=one.line.packaging_sku,
                quantity_sold=one.line.quantity_sold,
                verdict=one.verdict,
                file_total=one.file_total,
                ledger_total=one.ledger_total,
                difference=one.difference,
                invoice_number=one.line.invoice_number,
            )
            for one in found.lines
        ],
        not_in_file=[
            LedgerOnly(product_sku=sku[0], packaging_sku=sku[1], ledger_total=sold)
            for sku, sold in found.not_in_file
        ],
        verdicts={v: sum(one.verdict is v for one in found.lines) for v in Verdict},
    )


def _once(once: Any, body: Any, act: Any) -> Any:
    with transaction() as session:
        return once.answer(session, body, lambda: act(session))
