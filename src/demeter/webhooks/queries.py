"""Webhooks, as they are listed."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from demeter.core.pagination import last_id, next_cursor
from demeter.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from demeter.webhooks.schemas import (
    AttemptRead,
    DeliveryPage,
    DeliveryRead,
    WebhookKind,
    WebhookPage,
    WebhookRead,
)

SHOWN_ATTEMPTS = 10


def endpoint(session: Session, row: WebhookEndpoint) -> WebhookRead:
    """One endpoint."""
    return _read(row, _waiting(session, [row.id]).get(row.id, 0))


def endpoints(session: Session, *, limit: int = 100, cursor: str | None = None) -> WebhookPage:
    """A page of endpoints, first made first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = select(WebhookEndpoint).order_by(WebhookEndpoint.id).limit(limit + 1)
    if (after := last_id(cursor, "w")) is not None:
        query = query.where(WebhookEndpoint.id > after)
    rows = session.scalars(query).all()
    waiting = _waiting(session, [row.id for row in rows])
    return WebhookPage(
        items=[_read(row, waiting.get(row.id, 0)) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, "w", lambda row: row.id),
    )


def deliveries(
    session: Session,
    endpoint_id: int,
    *,
    limit: int = 50,
    cursor: str | None = None,
    status: DeliveryStatus | None = None,
) -> DeliveryPage:
    """A page of what an endpoint was told, last first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_endpoint_id == endpoint_id)
        .options(selectinload(WebhookDelivery.event), selectinload(WebhookDelivery.attempts))
        .order_by(WebhookDelivery.id.desc())
        .limit(limit + 1)
    )
    if (before := last_id(cursor, "d")) is not None:
        query = query.where(WebhookDelivery.id < before)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    rows = session.scalars(query).all()
    return DeliveryPage(
        items=[delivery(row) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, "d", lambda row: row.id),
    )


def delivery(row: WebhookDelivery) -> DeliveryRead:
    """One delivery with its last tries."""
    return DeliveryRead(
        id=row.id,
        event_id=row.event.event_id,
        kind=row.event.kind,
        facts=row.event.facts,
        status=DeliveryStatus(row.status),
        tries=row.tries,
        next_at=row.next_at if row.status == DeliveryStatus.WAITING else None,
        delivered_at=row.delivered_at,
        created_at=row.created_at,
        attempts=[AttemptRead.model_validate(a) for a in row.attempts[:SHOWN_ATTEMPTS]],
    )


def _waiting(session: Session, ids: list[int]) -> dict[int, int]:
    rows = session.execute(
        select(WebhookDelivery.webhook_endpoint_id, func.count())
        .where(
            WebhookDelivery.webhook_endpoint_id.in_(ids),
            WebhookDelivery.status == DeliveryStatus.WAITING,
        )
        .group_by(WebhookDelivery.webhook_endpoint_id)
    )
    return {row[0]: row[1] for row in rows}


def _read(row: WebhookEndpoint, waiting: int) -> WebhookRead:
    return WebhookRead(
        id=row.id,
        name=row.name,
        url=row.url,
        events=[WebhookKind(kind) for kind in row.events],
        is_active=row.is_active,
        waiting=waiting,
        failing_since=row.failing_since,
        disabled_at=row.disabled_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
