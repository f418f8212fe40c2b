"""What is answered about periods."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from demeter.periods.models import PeriodStatus
from demeter.stock.models import MovementType


class Frozen(BaseModel):
    """Values that do not change."""

    model_config = ConfigDict(frozen=True)


class CountAnswer(Frozen):
    """The count that opens or closes."""

    count_id: int
    captured_at: datetime
    plants: int
    interval_90: tuple[int, int] | None


class ExceptionAnswer(Frozen):
    """What somebody must explain, and what they said."""

    kind: str
    figure: int | None
    message: str
    may_be_explained_together: bool
    explanation: str | None
    explained_by: str | None


class LineAnswer(Frozen):
    """One location and product; sales are null where no later count says what is left."""

    warehouse_code: str
    area_code: str
    location_code: str
    product_code: str
    opening: CountAnswer
    planted: int
    sown: int
    moved_in: int
    moved_out: int
    dead: int
    corrections: int
    closing: CountAnswer | None
    sales: int | None
    recorded_sales: int
    unrecorded_sales: int | None
    exceptions: list[ExceptionAnswer]


class EventAnswer(Frozen):
    """What was done to the period."""

    event: str
    by: str
    at: datetime
    reason: str | None


class PeriodAnswer(Frozen):
    """A period and how it came to be as it is."""

    code: str
    boundary_at: datetime
    grace_hours: int
    status: PeriodStatus
    events: list[EventAnswer]


class PreviewAnswer(Frozen):
    """What closing would find; ``sales`` is of the lines where they are known."""

    period: PeriodAnswer
    lines: list[LineAnswer]
    sales: int
    unrecorded_sales: int
    lines_unknown: int
    exceptions_left: int


class TracedMovement(Frozen):
    """A movement behind a figure, with the photo session it rests on."""

    movement_id: UUID
    movement_type: MovementType
    quantity: int
    occurred_at: datetime
    batch_code: str
    by: str
    reason: str | None
    count_id: int | None
    session_id: UUID | None
    written_by_closing: bool


class TraceAnswer(Frozen):
    """Everything that one line's figures are made of."""

    line: LineAnswer
    opening_session_id: UUID | None
    closing_session_id: UUID | None
    movements: list[TracedMovement]
