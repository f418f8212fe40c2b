"""Endpoints of other programs, what they are told, and how each try went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.accounts.models import User
from demeter.core.db import Base, ChangedRow, CreatedRow


class WebhookKind(StrEnum):
    """What others can be told."""

    SESSION_COMPLETED = "session.completed"
    SESSION_NEEDS_PERSON = "session.needs_person"
    PERIOD_CLOSED = "period.closed"


class DeliveryStatus(StrEnum):
    """How far the telling of one event to one endpoint is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookEndpoint(ChangedRow, Base):
    """Where a program listens, what it wants to hear, and the secret that both know."""

    __tablename__ = "webhook_endpoints"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    paused_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    created_by: Mapped[User] = relationship()


class WebhookEvent(CreatedRow, Base):
    """A fact that others are told; the database writes it together with the fact."""

    __tablename__ = "webhook_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class WebhookDelivery(CreatedRow, Base):
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_event_id: Mapped[int] = mapped_column(ForeignKey("webhook_events.id"))
    webhook_endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    status: Mapped[str] = mapped_column(server_default="waiting")
    tries: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]

    event: Mapped[WebhookEvent] = relationship()
    endpoint: Mapped[WebhookEndpoint] = relationship()
    attempts: Mapped[list[WebhookAttempt]] = relationship(order_by="WebhookAttempt.id.desc()")


class WebhookAttempt(CreatedRow, Base):
    """One try: when, how long, which status, how the answer began, or what went wrong."""

    __tablename__ = "webhook_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_deliveries.id"))
    seconds: Mapped[float]
    http_status: Mapped[int | None]
    answer: Mapped[str | None]
    error: Mapped[str | None]
