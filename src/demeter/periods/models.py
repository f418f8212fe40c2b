"""Periods, what closing them found, what people explained, and the trace of it all."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum
from demeter.core.site import INSTANT, day_at_site


class PeriodStatus(StrEnum):
    """Where a period stands; ``proposed`` waits for a second person."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


class Period(ChangedRow, Base):
    """A month, say: it ends at ``boundary_at``; counts within the grace still close it."""

    __tablename__ = "periods"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    boundary_at: Mapped[datetime]
    grace_hours: Mapped[int]
    status: Mapped[PeriodStatus] = mapped_column(
        pg_enum(PeriodStatus, "period_status"), server_default="open"
    )
    proposed_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime | None]
    closed_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]

    @property
    def last_day(self) -> date:
        """The day at the site whose end, or a moment of which, ends the period."""
        return day_at_site(self.boundary_at - INSTANT)


class PeriodClosing(ChangedRow, Base):
    """What a closed period found for one location and product; unknown sales are null."""

    __tablename__ = "period_closings"

    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    opening_count_id: Mapped[int] = mapped_column(ForeignKey("counts.id"))
    closing_count_id: Mapped[int | None] = mapped_column(ForeignKey("counts.id"))
    opening_plants: Mapped[int]
    closing_plants: Mapped[int | None]
    planted: Mapped[int]
    sown: Mapped[int]
    moved_in: Mapped[int]
    moved_out: Mapped[int]
    dead: Mapped[int]
    corrections: Mapped[int]
    recorded_sales: Mapped[int]
    sales: Mapped[int | None]
    closed_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reopened_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reopened_at: Mapped[datetime | None]
    reopen_reason: Mapped[str | None]


class PeriodExplanation(CreatedRow, Base):
    """Why an exception is as it is; it holds for the figure it explained."""

    __tablename__ = "period_explanations"

    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.location_id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    kind: Mapped[str]
    figure: Mapped[int | None]
    explanation: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class PeriodEvent(CreatedRow, Base):
    """Opened, proposed, closed, reopened: by whom, when and why."""

    __tablename__ = "period_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    event: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]
