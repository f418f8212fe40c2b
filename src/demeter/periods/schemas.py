"""What people send about periods, and what they read of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from demeter.core.fields import IS_NUMBER, Code, Note, UserName, When
from demeter.core.notices import Notice
from demeter.core.schemas import Input, Output
from demeter.core.tabular.remarks import RemarkRead
from demeter.periods.formula import ExceptionKind
from demeter.periods.models import PeriodStatus
from demeter.periods.sales_lines import SalesVerdict
from demeter.stock.models import MovementType

PERIOD_CODE = "^[A-Z0-9_-]{1,50}$"


class PeriodDecision(Input):
    """Who does it; the service user where nobody is named."""

    user: UserName | None = None


class PeriodCreate(PeriodDecision):
    """A new period; a month's code such as 2026-03 says its end by itself."""

    code: Annotated[str, Field(pattern=PERIOD_CODE)]
    boundary_at: When = None
    grace_hours: Annotated[int, Field(ge=0, le=2000), IS_NUMBER] | None = None


class ExceptionExplain(PeriodDecision):
    """Of one line, of a place, of a kind, or of a kind at a place.

    What is not named leaves open; a place or a kind is named. ``together_at`` is a place whose
    differences within the counts' intervals are meant.
    """

    explanation: Annotated[Note, Field(min_length=1)]
    location_code: Code | None = None
    product_code: Code | None = None
    place_code: Code | None = Field(
        default=None, description="a greenhouse's, an area's or a location's code"
    )
    kind: ExceptionKind | None = None
    together_at: Code | None = Field(default=None, description="as `place_code`, small ones only")


class PeriodReopen(PeriodDecision):
    """Why a closed period is opened again."""

    reason: Annotated[Note, Field(min_length=1)]


class PeriodCountRead(Output):
    """The count that opens or closes."""

    count_id: int
    captured_at: datetime
    plants: int
    interval_90: tuple[int, int] | None


class ExceptionRead(Output):
    """What somebody must explain, and what they said."""

    kind: str
    figure: int | None
    message: str = Field(description="English; `notice` says the same")
    notice: Notice
    may_be_explained_together: bool
    explanation: str | None
    explained_by: str | None


class LineRead(Output):
    """One location and product; sales are null where no later count says what is left."""

    warehouse_code: str
    area_code: str
    location_code: str
    product_code: str
    opening: PeriodCountRead
    planted: int
    sown: int
    moved_in: int
    moved_out: int
    dead: int
    corrections: int
    closing: PeriodCountRead | None
    sales: int | None
    recorded_sales: int
    unrecorded_sales: int | None
    exceptions: list[ExceptionRead]


class EventRead(Output):
    """What was done to the period."""

    event: str
    by: str
    at: datetime
    reason: str | None


class PeriodRead(Output):
    """A period and how it came to be as it is."""

    code: str
    boundary_at: datetime
    grace_hours: int
    status: PeriodStatus
    events: list[EventRead]


class PeriodPreviewRead(Output):
    """What closing would find; ``sales`` are of the lines where they are known.

    ``lines_unknown`` are left out of them; both are null where no line is known.
    """

    period: PeriodRead
    lines: list[LineRead]
    sales: int | None
    unrecorded_sales: int | None
    lines_unknown: int
    exceptions_left: int


class TracedMovementRead(Output):
    """A movement behind a figure, with the photo session it rests on."""

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    batch_code: str
    by: str
    reason: str | None
    reason_notice: Notice | None
    count_id: int | None
    session_id: UUID | None
    written_by_closing: bool


class LineTraceRead(Output):
    """Everything that one line's figures are made of."""

    line: LineRead
    opening_session_id: UUID | None
    closing_session_id: UUID | None
    movements: list[TracedMovementRead]


class ExplainedRead(Output):
    """How many exceptions were explained."""

    explained: int


class ComparedLineRead(Output):
    """A line of the sales file against the ledger."""

    row: int
    product_sku: str
    packaging_sku: str | None
    quantity_sold: int
    verdict: SalesVerdict
    file_total: int | None
    ledger_total: int | None
    difference: int | None
    invoice_number: str | None


class LedgerSaleRead(Output):
    """What the ledger sold and the file does not name."""

    product_sku: str
    packaging_sku: str | None
    ledger_total: int


class SalesComparisonRead(Output):
    """The file against the period, line by line, and what is odd about the file."""

    lines: list[ComparedLineRead]
    not_in_file: list[LedgerSaleRead]
    verdicts: dict[SalesVerdict, int]
    warnings: list[RemarkRead]
