"""Webhooks as they come in and go out; a secret goes out once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output
from demeter.webhooks.models import DeliveryStatus, WebhookKind

WebhookName = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*[^\x00-\x20]$")
]
Url = Annotated[
    str, Field(min_length=8, max_length=2000, examples=["https://erp.example.org/demeter"])
]
Kinds = Annotated[list[WebhookKind], Field(min_length=1, max_length=10)]


class WebhookCreate(Input):
    """A program that is to be told."""

    name: WebhookName
    url: Url
    events: Kinds = Field(default_factory=lambda: list(WebhookKind))


class WebhookUpdate(Input):
    """What is to change; what is absent stays."""

    name: WebhookName | None = None
    url: Url | None = None
    events: Kinds | None = None
    active: bool | None = Field(default=None, description="true also after it was switched off")


class WebhookRead(Output):
    """An endpoint without its secret."""

    id: int
    name: str
    url: str
    events: list[WebhookKind]
    is_active: bool
    waiting: int = Field(description="deliveries on their way")
    failing_since: datetime | None
    disabled_at: datetime | None = Field(description="when it was switched off after long failure")
    created_at: datetime
    updated_at: datetime | None


class WebhookWithSecret(Output):
    """An endpoint with its secret, which is shown this once."""

    webhook: WebhookRead
    secret: str | None = Field(examples=["whsec_…"], description="null where a request is repeated")


class WebhookPage(Page[WebhookRead]):
    """A page of endpoints."""


class AttemptRead(Output):
    """One try."""

    created_at: datetime
    seconds: float
    http_status: int | None
    answer: str | None = Field(description="how it began")
    error: str | None


class DeliveryRead(Output):
    """One event on its way to the endpoint, with its last tries."""

    id: int
    event_id: UUID = Field(description="`webhook-id` is `msg_` and this without dashes")
    kind: str
    facts: dict[str, Any]
    status: DeliveryStatus
    tries: int
    next_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    attempts: list[AttemptRead]


class DeliveryPage(Page[DeliveryRead]):
    """A page of deliveries."""


class Replayed(Output):
    """How many deliveries are sent again."""

    replayed: int
