"""Webhooks over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.webhooks import queries, service
from demeter.webhooks.models import DeliveryStatus
from demeter.webhooks.schemas import (
    DeliveryPage,
    DeliveryRead,
    Replayed,
    WebhookCreate,
    WebhookPage,
    WebhookRead,
    WebhookUpdate,
    WebhookWithSecret,
)

router = APIRouter(
    prefix="/api/v1/webhooks", tags=["webhooks"], responses=PROBLEMS | {409: PROBLEM}
)

WebhookId = Annotated[int, Path(ge=1, lt=2**53)]
DeliveryId = Annotated[int, Path(ge=1, lt=2**53)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=40)]
ADMIN = requires(Permission.ADMINISTER)


@router.get("", summary="Webhooks", **ADMIN)
def list_webhooks(limit: Limit = 100, cursor: Cursor = None) -> WebhookPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.endpoints(session, limit=limit, cursor=cursor)


@router.post("", status_code=201, summary="Add a webhook", **ADMIN)
def add_webhook(body: WebhookCreate, once: OnceOnly) -> WebhookWithSecret:
    """Its secret comes with the answer, once."""

    def act(session: Session) -> WebhookWithSecret:
        row, secret = service.add_endpoint(session, body, acting_user(session))
        return WebhookWithSecret(webhook=queries.endpoint(session, row), secret=secret)

    return run_once(once, body, act, untold=("secret",))


@router.get("/{webhook_id}", summary="One webhook", **ADMIN)
def get_webhook(webhook_id: WebhookId) -> WebhookRead:
    """Without its secret, which nobody is shown again."""
    with transaction() as session:
        return queries.endpoint(session, service.find_endpoint(session, webhook_id))


@router.patch("/{webhook_id}", summary="Change a webhook, or switch it on again", **ADMIN)
def update_webhook(webhook_id: WebhookId, body: WebhookUpdate) -> WebhookRead:
    """What is absent stays."""
    with transaction() as session:
        row = service.find_endpoint(session, webhook_id, lock=True)
        service.update_endpoint(session, row, body)
        return queries.endpoint(session, row)


@router.delete("/{webhook_id}", status_code=204, summary="Let go of a webhook", **ADMIN)
def delete_webhook(webhook_id: WebhookId) -> Response:
    """What it was told goes with it."""
    with transaction() as session:
        service.delete_endpoint(session, service.find_endpoint(session, webhook_id, lock=True))
    return Response(status_code=204)


@router.post("/{webhook_id}/secret", summary="Give a webhook a new secret", **ADMIN)
def rotate_secret(webhook_id: WebhookId, once: OnceOnly) -> WebhookWithSecret:
    """For a day messages carry the signatures of both."""

    def act(session: Session) -> WebhookWithSecret:
        row = service.find_endpoint(session, webhook_id, lock=True)
        secret = service.rotate_secret(session, row)
        return WebhookWithSecret(webhook=queries.endpoint(session, row), secret=secret)

    return run_once(once, {"webhook_id": webhook_id}, act, untold=("secret",))


@router.get("/{webhook_id}/deliveries", summary="What a webhook was told, last first", **ADMIN)
def list_deliveries(
    webhook_id: WebhookId,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: DeliveryStatus | None = None,
) -> DeliveryPage:
    """Each with its last ten tries; kept for thirty days."""
    with transaction() as session:
        row = service.find_endpoint(session, webhook_id)
        return queries.deliveries(session, row.id, limit=limit, cursor=cursor, status=status)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay", summary="Send a delivery again", **ADMIN
)
def replay_delivery(webhook_id: WebhookId, delivery_id: DeliveryId, once: OnceOnly) -> DeliveryRead:
    """With the id it had, so that a receiver that has it knows."""

    def act(session: Session) -> DeliveryRead:
        row = service.find_endpoint(session, webhook_id)
        return queries.delivery(service.replay(session, row, delivery_id))

    return run_once(once, {"webhook_id": webhook_id, "delivery_id": delivery_id}, act)


@router.post("/{webhook_id}/replay-failed", summary="Send again all that was given up", **ADMIN)
def replay_failed(webhook_id: WebhookId, once: OnceOnly) -> Replayed:
    """After a receiver was mended."""

    def act(session: Session) -> Replayed:
        row = service.find_endpoint(session, webhook_id)
        return Replayed(replayed=service.replay_failed(session, row))

    return run_once(once, {"webhook_id": webhook_id}, act)
